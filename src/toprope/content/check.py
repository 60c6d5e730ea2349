"""Whether a pack is sound: what `toprope framework check` reports, and what keeps it from being loaded."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from toprope.competency.api import FRAMEWORK_FILES, Document, Problem, check_rules, framework_shape
from toprope.competency.api import shapes as s
from toprope.content.formats import ITEMS, LESSONS
from toprope.content.pack import FIXTURES, Pack, read_pack
from toprope.content.policies import check_policy
from toprope.content.practical_check import check_practical
from toprope.content.rules import check_content

_REQUIRED = (*FRAMEWORK_FILES, "lessons.yaml", "policy.yaml")
_FOLDERS = {"competencies": ("competency", "slug"), "items": ("item",)}
"""Folders that need a document at least, and what their documents name."""


def check_pack(root: Path) -> list[Problem]:
    """Everything that is wrong with the pack in this directory, in the order of its files and lines."""
    return examine(read_pack(root))[1]


def examine(pack: Pack) -> tuple[dict[str, Document], list[Problem]]:
    """The pack's documents by path, and everything that is wrong with them.

    Rules between documents are asked only once each document is sound in itself, so that one mistake is not
    told again and again in other words.
    """
    documents, problems = pack.parse()
    problems += pack.problems
    problems += _missing_files(pack)
    problems += check_shapes(documents, unread=_unread(pack, documents))
    if not any(problem.severity == "error" for problem in problems):
        problems += check_between(documents, pack)
    return documents, sorted(problems, key=lambda problem: (problem.path, problem.line))


def check_shapes(documents: Mapping[str, Document], *, unread: frozenset[str]) -> list[Problem]:
    """What is wrong within the documents, and references between them that lead nowhere."""
    survey = s.Survey()
    for path, document in documents.items():
        if shape := _shape(path):
            survey.check(document, shape)
    survey.resolve(unread)
    kinds, competencies = survey.names.get("evidence kind", {}), survey.names.get("competency", {})
    framework_known = kinds and competencies and "competency" not in unread
    for path, document in documents.items():
        if path == "policy.yaml":
            survey.problems += check_policy(document)
        elif path.startswith("practicals/") and framework_known:
            survey.problems += check_practical(document, competencies=competencies, evidence_kinds=kinds)
    return survey.problems


def check_between(documents: Mapping[str, Document], pack: Pack) -> Iterator[Problem]:
    """What is wrong between documents that are sound in themselves."""
    yield from check_rules({path: document for path, document in documents.items() if framework_shape(path)})
    yield from check_content(documents, pack.files)


def _shape(path: str) -> s.Shape | None:
    if path == "lessons.yaml":
        return LESSONS
    return ITEMS if path.startswith("items/") else framework_shape(path)


def _missing_files(pack: Pack) -> Iterator[Problem]:
    """Files and folders that a pack must have; what is there and could not be read was told already."""
    told = {problem.path for problem in pack.problems}
    cure = "Add it; the pack that comes with Toprope shows what it looks like."
    if "." in told:
        return
    for path in _REQUIRED:
        if path not in pack.files and path not in told:
            yield Problem(path, 1, "The file is missing.", cure)
    for folder in _FOLDERS:
        if not any(path.startswith(f"{folder}/") for path in (*pack.files, *told)) and folder not in told:
            yield Problem(f"{folder}/", 1, "There is no YAML file in the folder.", cure)


def _unread(pack: Pack, documents: Mapping[str, Document]) -> frozenset[str]:
    """Kinds of things of which some may be named in documents that could not be read."""
    lost = {path for path in pack.files if not path.startswith(f"{FIXTURES}/")} - set(documents)
    lost |= {problem.path for problem in pack.problems}
    return frozenset(
        kind
        for folder, kinds in _FOLDERS.items()
        if any(path.startswith(folder) for path in lost)
        for kind in kinds
    )
