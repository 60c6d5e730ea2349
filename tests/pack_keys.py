"""The keys of the built-in pack: what a person who knows everything would answer."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from toprope.competency.problems import parse_document
from toprope.content.logic import Item, parse_item
from toprope.content.practicals import Practical, parse_practical


def _document(*path: str) -> Any:
    source = files("toprope.content") / "packs" / "toprope-default"
    for part in path:
        source = source / part
    document, problems = parse_document("/".join(path), source.read_bytes())
    assert document is not None, problems
    return document.value


@cache
def items_by_stem() -> dict[str, Item]:
    """Every item of the pack by its stem."""
    folder = files("toprope.content") / "packs" / "toprope-default" / "items"
    items = [
        parse_item(body, "test")
        for entry in folder.iterdir()
        for body in _document("items", entry.name)["items"]
    ]
    return {item.stem.strip(): item for item in items}


@cache
def practical(key: str) -> Practical:
    return parse_practical(_document("practicals", f"{key}.yaml"), "test")


@dataclass(frozen=True)
class Marks:
    """The boxes to tick on the page of a practical, as (name, value)."""

    boxes: tuple[tuple[str, str], ...]


def redaction_marks(first_title: str) -> Marks:
    """What to tick on the redaction drill whose first document has this title."""
    for variant in practical("redaction-drill").variants:
        if variant.documents[0].title == first_title:
            return Marks(tuple(("token", str(token)) for span in variant.spans for token in span.tokens))
    raise AssertionError(f"no variant begins with {first_title!r}")


def flaw_hunt_marks(sample_ids: list[str]) -> Marks:
    """What to tick on the flaw hunt that shows these samples."""
    for variant in practical("flaw-hunt-fnd-01").variants:
        if [sample.id for sample in variant.samples] == sample_ids:
            return Marks(
                tuple(
                    (f"line-{sample.id}", str(line))
                    for sample in variant.samples
                    for line in sample.flaw_lines
                )
            )
    raise AssertionError(f"no variant has the samples {sample_ids}")
