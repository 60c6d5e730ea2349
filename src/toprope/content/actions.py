"""Writing content: a pack is loaded whole or not at all, and once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import transaction

from toprope.audit.api import record_entry
from toprope.competency.api import (
    Document,
    FrameworkChangedError,
    Problem,
    find_framework,
    framework_shape,
    load_framework,
    reference_in_force,
)
from toprope.content import models
from toprope.content.check import examine
from toprope.content.logic import Tag
from toprope.content.pack import read_pack


class PackRefusedError(ValueError):
    """A pack that cannot be loaded; `problems` says why, file by file."""

    def __init__(self, root: Path, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        shown = "\n".join(f"  {problem}" for problem in self.problems[:10])
        more = f"\n  and {len(self.problems) - 10} more" if len(self.problems) > 10 else ""
        super().__init__(
            f"The pack in {root} has errors:\n{shown}{more}\nCheck it with `toprope framework check`."
        )


@dataclass(frozen=True, slots=True)
class LoadedPack:
    """A pack as it is stored: `reference` names it, `new` tells whether this call brought it."""

    reference: str
    new: bool


def builtin_pack() -> Path:
    """The directory of the pack that comes with Toprope."""
    return Path(__file__).parent / "packs" / "toprope-default"


def load_pack(root: Path, now: datetime, *, by: UUID | str = "toprope") -> LoadedPack:
    """Load the pack in this directory and put it in force; one that was loaded before is left as it is."""
    pack = read_pack(root)
    known = "" if pack.problems else find_framework(pack.digest)
    if known:
        return LoadedPack(known, new=False)
    documents, problems = examine(pack)
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise PackRefusedError(root, errors)
    try:
        return _store(root, documents, digest=pack.digest, by=by, now=now)
    except FrameworkChangedError as error:
        problem = documents["framework.yaml"].problem(
            ("version",),
            f"{error.reference} is loaded already, with other content.",
            "What was earned on it must stay readable: bump the version, and load again.",
        )
        raise PackRefusedError(root, [problem]) from error


def load_builtin_pack(now: datetime) -> LoadedPack:
    """Load the pack that comes with Toprope, unless the organisation has put a pack of its own in force."""
    root = builtin_pack()
    reference = reference_in_force()
    if reference and reference.partition("@")[0] != root.name:
        return LoadedPack(reference, new=False)
    return load_pack(root, now)


@transaction.atomic
def _store(
    root: Path, documents: Mapping[str, Document], *, digest: str, by: UUID | str, now: datetime
) -> LoadedPack:
    framework = {path: document.value for path, document in documents.items() if framework_shape(path)}
    loaded = load_framework(framework, digest=digest, by=by, now=now)
    reference = loaded.framework.reference
    if not loaded.new:
        return LoadedPack(reference, new=False)
    counts = {
        "items": _store_items(loaded.id, documents),
        "lessons": _store_lessons(loaded.id, documents),
        "practicals": _store_practicals(loaded.id, documents),
    }
    _store_policy(loaded.id, root, documents["policy.yaml"])
    detail = {"digest": digest, **counts}
    record_entry(Tag.PACK_LOADED, actor=by, subject=reference, detail=detail, now=now)
    return LoadedPack(reference, new=True)


def _store_items(framework_id: int, documents: Mapping[str, Document]) -> int:
    rows = [
        models.Item(
            framework_id=framework_id,
            key=entry["id"],
            kind=entry["type"],
            competency=entry["competency"],
            level=entry["level"],
            body=entry,
        )
        for path, document in documents.items()
        if path.startswith("items/")
        for entry in document.value["items"]
    ]
    return len(models.Item.objects.bulk_create(rows))


def _store_lessons(framework_id: int, documents: Mapping[str, Document]) -> int:
    rows = [
        models.Lesson(
            framework_id=framework_id,
            key=entry["id"],
            competency=entry["competency"],
            level=entry["level"],
            position=position,
            body=entry,
        )
        for position, entry in enumerate(documents["lessons.yaml"].value["lessons"])
    ]
    return len(models.Lesson.objects.bulk_create(rows))


def _store_practicals(framework_id: int, documents: Mapping[str, Document]) -> int:
    rows = [
        models.Practical(
            framework_id=framework_id,
            key=document.value["key"],
            kind=document.value["kind"],
            competency=document.value["competency"],
            level=document.value["level"],
            body=document.value,
        )
        for path, document in documents.items()
        if path.startswith("practicals/")
    ]
    return len(models.Practical.objects.bulk_create(rows))


def _store_policy(framework_id: int, root: Path, document: Document) -> None:
    """Keep the policy. One that people accepted under this version must read the same for ever."""
    policy = document.value
    accepted = models.Policy.objects.filter(key=policy["key"], version=policy["version"]).first()
    if accepted is not None and accepted.body != policy:
        problem = document.problem(
            ("version",),
            f"Version {policy['version']} of this policy is loaded already, with other text.",
            "Give the new text a new version; people are then asked to accept it.",
        )
        raise PackRefusedError(root, [problem])
    models.Policy.objects.create(
        framework_id=framework_id, key=policy["key"], version=policy["version"], body=policy
    )
