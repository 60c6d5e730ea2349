"""What is wrong with a pack's files, and where: problems, and YAML documents that know their lines. Pure.

A pack may come from anywhere, so its YAML is read with less trust than `yaml.safe_load` gives: no tags,
anchors or aliases, bounded size and depth, no key twice. All keys are text, exactly as written
(``1:`` is the key ``"1"``, ``on:`` is ``"on"``); dates stay text.
"""

import difflib
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import yaml

MAX_FILE_BYTES = 2_000_000
MAX_DEPTH = 24

Where: TypeAlias = tuple[str | int, ...]
"""A place in a document, such as ``("items", 3, "options", 0, "text")``."""

_UNPRINTABLE = re.compile(r"[^\x09\x0A\x0D\x20-\x7E\x85\xA0-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
_UNKEEPABLE = re.compile(r"[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right: `path` is relative to the pack, `line` counts from 1."""

    path: str
    line: int
    message: str
    cure: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.severity}: {self.message} {self.cure}"


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain values (dict, list, text, numbers, bool, None), with the lines they stand in."""

    path: str
    value: Any
    lines: Mapping[Where, int]

    def at(self, where: Where) -> Any:
        """What stands in this place."""
        value = self.value
        for step in where:
            value = value[step]
        return value

    def line(self, *where: str | int) -> int:
        """The line of this place, or of the nearest thing around it."""
        return line_at(self.lines, where)

    def problem(self, where: Where, message: str, cure: str) -> Problem:
        return Problem(self.path, self.line(*where), message, cure)

    def warning(self, where: Where, message: str, cure: str) -> Problem:
        return Problem(self.path, self.line(*where), message, cure, "warning")


def line_at(lines: Mapping[Where, int], where: Where) -> int:
    """The line of this place, or of the nearest thing around it; 1 for the document itself."""
    while where:
        if where in lines:
            return lines[where]
        where = where[:-1]
    return lines.get((), 1)


def suggest(given: object, known: Collection[str]) -> str:
    """A cure for a word that is none of the known ones: names the nearest, or all of them if they are few."""
    near = difflib.get_close_matches(str(given), known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    if not known:
        return "There is none to choose from yet; add one first."
    if len(known) <= 12:
        return f"Write one of: {', '.join(sorted(known))}.{hint}"
    return f"Write one of the {len(known)} there are, such as '{min(known)}'.{hint}"


def repeated(document: Document, places: Iterable[Where], what: str) -> Iterator[Problem]:
    """Places that name the same `what` as an earlier one among them."""
    first: dict[Any, Where] = {}
    for where in places:
        value = document.at(where)
        if value in first:
            message = f"The {what} '{value}' stands twice; first in line {document.line(*first[value])}."
            yield document.problem(where, message, "Give one of the two another name.")
        first.setdefault(value, where)


def parse_document(path: str, data: bytes) -> tuple[Document | None, list[Problem]]:
    """The document in `data`, or None with the reasons why it cannot be read."""
    if len(data) > MAX_FILE_BYTES:
        message = f"The file has more than {MAX_FILE_BYTES:,} bytes."
        return None, [Problem(path, 1, message, "Split it, or leave out what is no text.")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"Byte {error.start + 1} of the file is not UTF-8."
        return None, [Problem(path, line, message, "Save the file as UTF-8.")]
    if odd := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, odd.start()) + 1
        message = f"The character {odd.group()!a} cannot stand in YAML."
        return None, [Problem(path, line, message, "Delete it, or write it as an escape in double quotes.")]
    reader = _Reader(path)
    try:
        value = reader.read(text)
    except _UnreadableError as error:
        return None, [*reader.problems, error.problem]
    except yaml.MarkedYAMLError as error:
        return None, [*reader.problems, _syntax_problem(path, error, text)]
    return Document(path, value, reader.lines), reader.problems


def _syntax_problem(path: str, error: yaml.MarkedYAMLError, text: str) -> Problem:
    what = error.problem or error.context or "unreadable"
    mark = error.context_mark if "end of stream" in what else error.problem_mark
    mark = mark or error.problem_mark
    line = mark.line + 1 if mark else 1
    if any("\t" in written for written in text.splitlines()[line - 1 : line]):
        cure = "Indent with spaces; YAML does not take tabs."
    elif "mapping values" in what:
        cure = "Put the text in quotes if it holds a colon and a space; else correct the indentation."
    else:
        cure = "Correct the line, or the one before it: look for a missing quote, bracket or space."
    return Problem(path, line, f"Not YAML: {what}.", cure)


class _UnreadableError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read; `key` is the mapping's key that waits for its value."""

    value: dict[str, Any] | list[Any]
    where: Where
    key: str | None = None


class _Reader:
    """Builds values from YAML's events, so that nothing is expanded or constructed that was not asked for."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lines: dict[Where, int] = {(): 1}
        self.problems: list[Problem] = []
        self._stack: list[_Open] = []
        self._root: list[Any] = []
        self._scalars: Any = yaml.SafeLoader("")
        self._constructors = {
            "tag:yaml.org,2002:null": self._scalars.construct_yaml_null,
            "tag:yaml.org,2002:bool": self._scalars.construct_yaml_bool,
            "tag:yaml.org,2002:int": self._scalars.construct_yaml_int,
            "tag:yaml.org,2002:float": self._scalars.construct_yaml_float,
        }

    def read(self, text: str) -> Any:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        documents = 0
        event: Any
        for event in yaml.parse(text, Loader=loader):
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(
                        line, "A second YAML document begins.", "Keep one document per file; remove '---'."
                    )
            elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                self._refuse(
                    line,
                    f"'{event.anchor}' is an anchor or alias.",
                    "Write the text out, or put it in quotes.",
                )
            elif getattr(event, "tag", None) not in (None, "!"):
                self._refuse(
                    line,
                    f"'{event.tag}' is a YAML tag.",
                    "Remove the tag; put text that begins with '!' in quotes.",
                )
            else:
                self._take(event, line)
        if not self._root:
            self._refuse(
                1, "The file is empty.", "Write the document, or delete the file if the pack can do without."
            )
        return self._root[0]

    def _refuse(self, line: int, message: str, cure: str) -> None:
        raise _UnreadableError(Problem(self.path, line, message, cure))

    def _take(self, event: Any, line: int) -> None:
        if isinstance(event, yaml.ScalarEvent):
            top = self._stack[-1] if self._stack else None
            if top is not None and top.key is None and isinstance(top.value, dict):
                self._take_key(top, event.value, line)
            else:
                self._add(self._scalar(event, line), line)
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin({}, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin([], line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._stack.pop()

    def _begin(self, value: dict[str, Any] | list[Any], line: int) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self._refuse(line, f"More than {MAX_DEPTH} levels are nested here.", "Flatten the document.")
        self._stack.append(_Open(value, self._add(value, line)))

    def _take_key(self, top: _Open, key: str, line: int) -> None:
        self._check_text(key, line)
        where = (*top.where, key)
        if where in self.lines:
            message = f"The key '{key}' stands twice; first in line {self.lines[where]}."
            self.problems.append(Problem(self.path, line, message, "Keep one of the two."))
        self.lines[where] = line
        top.key = key

    def _add(self, value: Any, line: int) -> Where:
        """Put a value where the reading stands, and say where that is."""
        if not self._stack:
            self._root.append(value)
            return ()
        top = self._stack[-1]
        if isinstance(top.value, list):
            where: Where = (*top.where, len(top.value))
            self.lines[where] = line
            top.value.append(value)
            return where
        if top.key is None:
            self._refuse(
                line,
                "A list or mapping stands as a key.",
                "Write text as the key, in quotes if it has brackets.",
            )
        key, top.key = str(top.key), None
        top.value[key] = value
        return (*top.where, key)

    def _scalar(self, event: Any, line: int) -> Any:
        text: str = event.value
        self._check_text(text, line)
        if not event.implicit[0]:
            return text
        construct = self._constructors.get(self._scalars.resolve(yaml.ScalarNode, text, (True, False)))
        if construct is None:
            return text
        try:
            value = construct(yaml.ScalarNode("", text))
        except ValueError:
            value = math.nan
        if isinstance(value, float) and not math.isfinite(value):
            self._refuse(
                line, f"'{text[:40]}' is no number that can be kept.", "Write a finite number, or use quotes."
            )
        return value

    def _check_text(self, text: str, line: int) -> None:
        """A database can keep neither NUL nor half a surrogate pair, and both can be written as escapes."""
        if _UNKEEPABLE.search(text):
            self._refuse(line, "The text holds a NUL or half a character.", "Remove the escape.")
