"""Texts with inline marks, and the tokens that a learner marks in them. Pure.

An author writes ``⟦class:text|note⟧`` around what is sensitive (`CLASSES`), and ``⟦decoy:text|note⟧`` around
what only looks so. Tokens are cut by one rule that does not look at the marks, so that the cutting gives
nothing away; a mark that would cut a token is the author's mistake.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

CLASSES = ("secret", "personal", "confidential")
DECOY = "decoy"

_BRACKET = re.compile(r"[⟦⟧]")
_LETTER = r"[^\s\"'`()\[\]{}<>,;:=/&?@|\\.⟦⟧]"
_TOKEN = re.compile(
    rf"""
      (?:\d{{4}}-\d\d-\d\dT)?\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:\d\d)?(?!\w)  # a time of day
    | [€$£]?\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?![\w-])  # €1,840,000
    | [\w.+%-]+@[\w-]+(?:\.[\w-]+)+  # an e-mail address
    | {_LETTER}+(?:\.+{_LETTER}+)*  # a word, a version, a host
    """,
    re.VERBOSE,
)
# In "postgres://app:hunter2@db.test" the password is a token, though "hunter2@db.test" reads as an address.
_PASSWORD = re.compile(r"://[^\s:/@]*:([^\s/@]+)(?=@)")


@dataclass(frozen=True, slots=True)
class Token:
    """A word that can be marked; `after` is printed behind it as it is: spaces and punctuation."""

    index: int  # runs through all documents of a variant
    text: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a document; `before` is printed first as it is: indentation and punctuation."""

    before: str
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """What an author marked: `tokens` as indexes into the text's own tokens, `line` counted from 1."""

    kind: str  # one of CLASSES, or DECOY
    text: str
    note: str
    line: int
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake of the author's in the text; `line` is counted from 1 within it."""

    line: int
    message: str
    cure: str


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text taken apart: what learners see, what is marked in it, and what the author got wrong."""

    text: str
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]
    faults: tuple[Fault, ...]


@lru_cache(maxsize=256)  # pages ask for the same few texts all the time, and each takes over a millisecond
def read_marked(source: str, first_index: int = 0) -> MarkedText:
    """Take a text with marks apart; its tokens are numbered from `first_index`."""
    text, found, faults = _strip_marks(source.rstrip())
    places = [place for start, line in _numbered_lines(text) for place in _cut(line, start)]
    marks = []
    for kind, note, start, end, line in found:
        inside = [n for n, (left, right) in enumerate(places) if left < end and right > start]
        cut = [n for n in inside if places[n][0] < start or places[n][1] > end]
        if cut:
            word = text[slice(*places[cut[0]])]
            message = f"The mark around '{text[start:end]}' cuts the word '{word}'."
            faults.append(Fault(line, message, "Move the mark to the ends of the word."))
        elif not inside:
            faults.append(Fault(line, "The mark holds no word.", "Put the marked text between ':' and '⟧'."))
        else:
            numbers = tuple(first_index + n for n in inside)
            marks.append(Mark(kind, text[start:end], note, line, numbers))
    faults.sort(key=lambda fault: fault.line)
    return MarkedText(text, _lines(text, places, first_index), tuple(marks), tuple(faults))


def _strip_marks(source: str) -> tuple[str, list[tuple[str, str, int, int, int]], list[Fault]]:
    """The text without its marks, the marks as (kind, note, start, end, line), and the faults."""
    pieces: list[str] = []
    found: list[tuple[str, str, int, int, int]] = []
    faults: list[Fault] = []
    length = position = opened = 0  # `opened` is the line of the open mark, 0 for none
    for bracket in _BRACKET.finditer(source):
        piece = source[position : bracket.start()]
        position = bracket.end()
        line = source.count("\n", 0, bracket.start()) + 1
        if bracket.group() == "⟦":
            if opened:
                message = f"A mark opens inside the mark that opens in line {opened} of the text."
                faults.append(Fault(line, message, "Close the first one with '⟧' before."))
            opened = line
        elif not opened:
            faults.append(
                Fault(line, "'⟧' closes a mark that was never opened.", "Add '⟦class:', or delete it.")
            )
        else:
            kind, piece, note, wrong = _read_mark(piece)
            if wrong:
                faults.append(Fault(opened, *wrong))
            else:
                found.append((kind, note, length, length + len(piece), opened))
            opened = 0
        pieces.append(piece)
        length += len(piece)
    if opened:
        faults.append(
            Fault(opened, "The mark that opens here is never closed.", "Add '⟧' behind its last word.")
        )
    return "".join([*pieces, source[position:]]), found, faults


def _read_mark(body: str) -> tuple[str, str, str, tuple[str, str] | None]:
    """Kind, text and note of what stands between the brackets; last, what is wrong with it and the cure."""
    kind, colon, rest = body.partition(":")
    text, _, note = rest.partition("|")
    if not colon or kind not in (*CLASSES, DECOY):
        cure = f"Write ⟦class:text|note⟧ with one of: {', '.join((*CLASSES, DECOY))}."
        return "", body, "", (f"'{kind[:40]}' is no class of a mark.", cure)
    if "|" in note:
        return (
            "",
            text,
            "",
            ("The mark holds '|' twice.", "The one '|' divides the marked text from its note."),
        )
    if "\n" in note:
        return (
            "",
            text,
            "",
            ("The note runs over the end of its line.", "Keep it on one line, or close it with '⟧'."),
        )
    return kind, text, note.strip(), None


def _numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.split("\n"):
        yield start, line
        start += len(line) + 1


def _cut(line: str, offset: int) -> Iterator[tuple[int, int]]:
    """Where the tokens of a line are. What holds no letter or digit is punctuation."""
    position = 0
    for password in _PASSWORD.finditer(line):
        yield from _cut_plain(line, position, password.start(1), offset)
        yield offset + password.start(1), offset + password.end(1)
        position = password.end()
    yield from _cut_plain(line, position, len(line), offset)


def _cut_plain(line: str, start: int, end: int, offset: int) -> Iterator[tuple[int, int]]:
    for token in _TOKEN.finditer(line, start, end):
        if any(character.isalnum() for character in token.group()):
            yield offset + token.start(), offset + token.end()


def _lines(text: str, places: list[tuple[int, int]], first_index: int) -> tuple[Line, ...]:
    lines, n = [], 0
    for start, line in _numbered_lines(text):
        end = start + len(line)
        first = n
        while n < len(places) and places[n][0] < end:
            n += 1
        stops = [left for left, _ in places[first + 1 : n]] + [end]
        tokens = tuple(
            Token(first_index + first + k, text[left:right], text[right : stops[k]])
            for k, (left, right) in enumerate(places[first:n])
        )
        lines.append(Line(text[start : places[first][0]] if tokens else line, tokens))
    return tuple(lines)
