"""Items and lessons as values, and how an answer is scored. Pure."""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

ItemKind = Literal["mcq", "flaw", "fix"]
PLAYABLE: tuple[ItemKind, ...] = ("mcq", "flaw")
"""Kinds that can be answered in a sitting; fixes wait for the runner."""

MAX_EXTRA_LINES = 2
"""So many lines more than are flawed may be marked; beyond that it is no finding but a sweep."""


class Tag(StrEnum):
    """What the audit record says of content."""

    PACK_LOADED = "pack.loaded"


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to choose; `misconception` says what choosing it shows, and is empty for the key."""

    id: str
    text: str
    misconception: str


@dataclass(frozen=True, slots=True)
class Item:
    """A question. `version` is the pack it comes from, such as ``toprope-default@1.0.0``.

    `flaw_lines` are the lines of `code`, counted from 1, that its sound version changes; empty where no
    sound version is given, or where it is another approach altogether.
    """

    key: str
    version: str
    kind: ItemKind
    competency: str
    level: int
    stem: str
    code: str
    lang: str
    options: tuple[Option, ...]
    answer: str
    critical: bool
    rationale: str
    flaw_lines: tuple[int, ...]
    sources: tuple[str, ...] = ()

    def option(self, choice: str) -> Option:
        """The option with this id. Raises `ValueError` for one that the item does not have."""
        for option in self.options:
            if option.id == choice:
                return option
        known = ", ".join(option.id for option in self.options)
        raise ValueError(f"{self.key} has no option {choice!r}; its options are {known}")


@dataclass(frozen=True, slots=True)
class Scored:
    """How an answer turned out. `located` is None where lines are not asked for."""

    score: float
    success: bool
    critical_miss: bool
    misconception: str
    located: bool | None


@dataclass(frozen=True, slots=True)
class LessonStep:
    minutes: int
    do: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """The outline of a lesson: predict, try, check, explain, transfer."""

    key: str
    version: str
    title: str
    competency: str
    level: int
    minutes: int
    objectives: tuple[str, ...]
    outline: tuple[LessonStep, ...]
    practice: str
    check_items: tuple[str, ...]
    misconceptions: tuple[str, ...]
    transfer: str
    sources: tuple[str, ...]


def score_answer(item: Item, choice: str, lines: Collection[int] = ()) -> Scored:
    """Score a choice, and where the item shows a flaw, whether the marked `lines` locate it.

    The choice alone decides the score: the pack's author vouches for the key, while the lines are derived.
    An empty `choice` is "I do not know": no score, and no misconception either.
    """
    chosen = item.option(choice) if choice else None
    last = len(item.code.splitlines())
    if outside := sorted(line for line in lines if not 1 <= line <= last):
        raise ValueError(f"{item.key} has {last} lines of code; line {outside[0]} is none of them")
    success = choice == item.answer
    return Scored(
        score=1.0 if success else 0.0,
        success=success,
        critical_miss=item.critical and not success,
        misconception=chosen.misconception if chosen else "",
        located=locates(lines, item.flaw_lines) if item.flaw_lines else None,
    )


def locates(marked: Collection[int], flawed: Collection[int]) -> bool:
    """Whether the marked lines point at the flaw: one right line at least, and not many beside it."""
    return bool(set(marked) & set(flawed)) and len(set(marked)) <= len(set(flawed)) + MAX_EXTRA_LINES


def find_flaw_lines(code: str, fixed: str) -> tuple[int, ...]:
    """Lines of `code`, from 1, that `fixed` replaces or deletes; for an insertion the line before it.

    What is put in front of the first line (an import) points at no line. Where more than half of the code
    is written anew, the flaw lies in the approach and not in lines, so there are none.
    """
    old, new = code.splitlines(), fixed.splitlines()
    lines: set[int] = set()
    for change, start, end, _, _ in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if change in ("replace", "delete"):
            lines.update(range(start + 1, end + 1))
        elif change == "insert":
            lines.add(start)  # 0 for what goes in front; no written line has that number
    written = {number for number, line in enumerate(old, 1) if line.strip()}
    lines &= written
    return tuple(sorted(lines)) if 2 * len(lines) <= len(written) else ()


def parse_item(body: Mapping[str, Any], version: str) -> Item:
    """The item in a pack's entry."""
    code = body.get("code", "")
    fixed = body.get("verify", {}).get("fixed", "") if body["type"] == "flaw" else ""
    return Item(
        key=body["id"],
        version=version,
        kind=body["type"],
        competency=body["competency"],
        level=body["level"],
        stem=body["stem"],
        code=code,
        lang=body.get("lang", ""),
        options=tuple(
            Option(entry["id"], entry["text"], entry["misconception"] or "")
            for entry in body.get("options", ())
        ),
        answer=body["answer"],
        critical=body.get("critical", False),
        rationale=body["rationale"],
        flaw_lines=find_flaw_lines(code, fixed) if fixed else (),
        sources=tuple(body["source"]),
    )


def parse_lesson(body: Mapping[str, Any], version: str) -> Lesson:
    """The lesson in a pack's entry."""
    return Lesson(
        key=body["id"],
        version=version,
        title=body["title"],
        competency=body["competency"],
        level=body["level"],
        minutes=body["minutes"],
        objectives=tuple(body["objectives"]),
        outline=tuple(LessonStep(step["min"], step["do"]) for step in body["outline"]),
        practice=body["practice"],
        check_items=tuple(body["check_items"]),
        misconceptions=tuple(body["misconceptions"]),
        transfer=body["transfer"],
        sources=tuple(body["sources"]),
    )
