"""A small language for what a pack's documents look like, and the survey that checks them. Pure.

A shape says what may stand in a place. Two shapes tie documents together: `Key` names a thing of some kind,
`Ref` refers to one; the survey collects both, and `resolve` tells which references lead nowhere.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from toprope.competency.problems import Document, Problem, Where, suggest

MAX_PROBLEMS = 200
"""So many problems of one document are told; a document that is broken throughout needs no more."""

_KEY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,30}[A-Za-z0-9])?")
_SHOWN = 60

Kind: TypeAlias = str
"""What a key names, in words for people: ``competency``, ``evidence kind``, ``repository tier``."""


@dataclass(slots=True)
class Survey:
    """What was found in a pack: its problems, the things that it names, and the references to them."""

    problems: list[Problem] = field(default_factory=list)
    names: dict[Kind, dict[str, tuple[str, int]]] = field(default_factory=dict)
    references: list[tuple[Kind, str, "Place"]] = field(default_factory=list)

    def check(self, document: Document, shape: "Shape") -> None:
        """Check one document against its shape, and collect what it names and refers to."""
        told = len(self.problems)
        shape.check(Place(self, document, ()), document.value)
        if len(self.problems) - told > MAX_PROBLEMS:
            cut = Problem(document.path, 1, "The file has many more problems.", "Start with the first ones.")
            self.problems[told + MAX_PROBLEMS :] = [cut]

    def resolve(self, unread: Collection[Kind] = ()) -> None:
        """Report references that lead nowhere.

        Where a document has problems, what it names may be incomplete; and of some kinds not everything could
        be read (`unread`). References to those are left out: the mistake lies elsewhere, and was told.
        """
        broken = {problem.path for problem in self.problems}
        unclear = set(unread) | {
            kind for kind, names in self.names.items() if any(path in broken for path, _ in names.values())
        }
        for kind, key, place in self.references:
            known = self.names.get(kind, {})
            if known and key not in known and kind not in unclear:
                place.say(f"There is no {kind} '{key[:_SHOWN]}'.", suggest(key, known))


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a document under survey."""

    survey: Survey
    document: Document
    where: Where

    def at(self, step: str | int) -> "Place":
        return Place(self.survey, self.document, (*self.where, step))

    def say(self, message: str, cure: str) -> None:
        self.survey.problems.append(self.document.problem(self.where, message, cure))

    @property
    def name(self) -> str:
        """How the place is called in messages: its key, or the key of the list that it is in."""
        return next((f"'{step}'" for step in reversed(self.where) if isinstance(step, str)), "The document")


class Shape(Protocol):
    """What may stand in a place. `wanted` completes the sentence "Write ..."."""

    @property
    def wanted(self) -> str: ...

    def check(self, place: Place, value: Any) -> None: ...


def show(value: object) -> str:
    """A value in a message: what was written, cut to a bearable length, or what kind of thing it is."""
    if value is None:
        return "empty"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "a mapping"
    text = str(value)
    return f"'{text[:_SHOWN]}…'" if len(text) > _SHOWN else f"'{text}'"


@dataclass(frozen=True, slots=True)
class Text:
    """Text that is not empty."""

    limit: int = 1_000
    pattern: str = ""
    wanted: str = "text"

    def check(self, place: Place, value: Any) -> None:
        if not isinstance(value, str):
            cure = "Put it in quotes." if isinstance(value, bool | int | float) else f"Write {self.wanted}."
            place.say(f"{place.name} is {show(value)}, which is no text.", cure)
        elif not value.strip():
            place.say(f"{place.name} is empty.", f"Write {self.wanted}.")
        elif len(value) > self.limit:
            place.say(f"{place.name} has {len(value):,} characters.", f"Shorten it to {self.limit:,}.")
        elif self.pattern and not re.fullmatch(self.pattern, value):
            place.say(f"{place.name} is {show(value)}.", f"Write {self.wanted}.")


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    low: int
    high: int

    @property
    def wanted(self) -> str:
        return f"a whole number from {self.low} to {self.high:,}"

    def check(self, place: Place, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            place.say(f"{place.name} is {show(value)}.", f"Write {self.wanted}.")


@dataclass(frozen=True, slots=True)
class Number:
    """A number, whole or not."""

    low: float = 0
    high: float = 1

    @property
    def wanted(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    def check(self, place: Place, value: Any) -> None:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not self.low <= value <= self.high
        ):
            place.say(f"{place.name} is {show(value)}.", f"Write {self.wanted}.")


@dataclass(frozen=True, slots=True)
class Flag:
    wanted: str = "true or false"

    def check(self, place: Place, value: Any) -> None:
        if not isinstance(value, bool):
            place.say(f"{place.name} is {show(value)}.", f"Write {self.wanted}.")


@dataclass(frozen=True, slots=True)
class Word:
    """One of some words."""

    words: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return self.words[0] if len(self.words) == 1 else f"one of: {', '.join(self.words)}"

    def check(self, place: Place, value: Any) -> None:
        if value not in self.words:
            place.say(f"{place.name} is {show(value)}.", suggest(value, self.words))


@dataclass(frozen=True, slots=True)
class Key:
    """Names a thing of this kind; no two things of a kind have the same name."""

    kind: Kind

    @property
    def wanted(self) -> str:
        return f"a name for the {self.kind}: letters, digits, '-' and '_', at most 32"

    def check(self, place: Place, value: Any) -> None:
        if not isinstance(value, str) or not _KEY.fullmatch(value):
            place.say(f"{place.name} is {show(value)}.", f"Write {self.wanted}.")
            return
        names = place.survey.names.setdefault(self.kind, {})
        here = (place.document.path, place.document.line(*place.where))
        if value in names:
            path, line = names[value]
            message = f"The {self.kind} '{value}' stands twice; first in {path}, line {line}."
            place.say(message, "Give one of the two another name, or remove it.")
        else:
            names[value] = here


@dataclass(frozen=True, slots=True)
class Ref:
    """Refers to a thing of this kind."""

    kind: Kind

    @property
    def wanted(self) -> str:
        return f"the name of a {self.kind}"

    def check(self, place: Place, value: Any) -> None:
        if isinstance(value, str):
            place.survey.references.append((self.kind, value, place))
        else:
            place.say(f"{place.name} is {show(value)}.", f"Write {self.wanted}.")


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of like entries."""

    entry: Shape
    least: int = 0
    most: int = 500

    @property
    def wanted(self) -> str:
        return f"a list, each entry {self.entry.wanted}"

    def check(self, place: Place, value: Any) -> None:
        if not isinstance(value, list):
            place.say(f"{place.name} is {show(value)}, which is no list.", "Begin each entry with '- '.")
            return
        if not self.least <= len(value) <= self.most:
            span = f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"
            place.say(f"{place.name} has {len(value)} entries.", f"Write {span}, each {self.entry.wanted}.")
        for number, entry in enumerate(value[: self.most]):
            self.entry.check(place.at(number), entry)


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping whose keys are names themselves."""

    key: Shape
    value: Shape
    least: int = 0
    wanted: str = "a mapping"

    def check(self, place: Place, value: Any) -> None:
        if not isinstance(value, dict):
            place.say(f"{place.name} is {show(value)}, which is no mapping.", "Write 'key: value' lines.")
            return
        if not self.least <= len(value) <= 500:
            place.say(f"{place.name} has {len(value)} entries.", f"Write {self.least} to 500.")
        for key, entry in list(value.items())[:500]:
            self.key.check(place.at(key), key)
            self.value.check(place.at(key), entry)


@dataclass(frozen=True, slots=True)
class Entry:
    """A mapping with known fields."""

    required: Mapping[str, Shape]
    optional: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def wanted(self) -> str:
        return f"a mapping with {', '.join(self.required)}" if self.required else "a mapping"

    def check(self, place: Place, value: Any) -> None:
        if not isinstance(value, dict):
            place.say(f"{place.name} is {show(value)}, which is no mapping.", f"Write {self.wanted}.")
            return
        for name, shape in self.required.items():
            if name not in value:
                place.say(f"The field '{name}' is missing.", f"Add '{name}': {shape.wanted}.")
        for name, inner in value.items():
            if name in self.required or name in self.optional:
                (self.required.get(name) or self.optional[name]).check(place.at(name), inner)
            else:
                place.at(name).say(
                    f"There is no field '{name[:_SHOWN]}' here.",
                    suggest(name, [*self.required, *self.optional]) + _comma_hint(inner),
                )


def _comma_hint(value: object) -> str:
    """In ``{name: Reading, review}`` the comma ends the text; what follows becomes a key without value."""
    return " If it is part of a text before a comma, put that text in quotes." if value is None else ""


@dataclass(frozen=True, slots=True)
class Either:
    """Text of one shape, or something that is no text."""

    text: Shape
    other: Shape

    @property
    def wanted(self) -> str:
        return f"{self.text.wanted}, or {self.other.wanted}"

    def check(self, place: Place, value: Any) -> None:
        (self.text if isinstance(value, str) else self.other).check(place, value)


@dataclass(frozen=True, slots=True)
class Nothing:
    wanted: str = "null"

    def check(self, place: Place, value: Any) -> None:
        if value is not None:
            place.say(f"{place.name} is {show(value)}.", f"Write {self.wanted}.")


@dataclass(frozen=True, slots=True)
class Cases:
    """A mapping whose fields depend on one of them."""

    by: str
    cases: Mapping[str, Entry]

    @property
    def wanted(self) -> str:
        return f"a mapping with {self.by}, one of {', '.join(self.cases)}"

    def check(self, place: Place, value: Any) -> None:
        if not isinstance(value, dict):
            place.say(f"{place.name} is {show(value)}, which is no mapping.", f"Write {self.wanted}.")
        elif self.by not in value:
            place.say(f"The field '{self.by}' is missing.", f"Add it: {', '.join(self.cases)}.")
        elif not isinstance(value[self.by], str) or value[self.by] not in self.cases:
            place.at(self.by).say(
                f"'{self.by}' is {show(value[self.by])}.", suggest(value[self.by], self.cases)
            )
        else:
            self.cases[value[self.by]].check(place, value)


def cases(by: str, common: Mapping[str, Shape], **entries: Entry) -> Cases:
    """Cases that share some required fields; `by` itself is added to each."""
    return Cases(
        by,
        {
            name: Entry({by: Word((name,)), **common, **entry.required}, entry.optional)
            for name, entry in entries.items()
        },
    )


def texts(least: int = 0, limit: int = 1_000) -> ListOf:
    """A list of texts."""
    return ListOf(Text(limit), least)


def schema(name: str) -> Word:
    """The first line of a document: what it is, and in which version of the format."""
    return Word((f"toprope.{name}/1",))
