"""Answers from a plain table: one row for each answer that somebody gave.

The table is CSV or TSV with a header. It has the columns `person`, `item`, `competency` and `score` (0 to 1),
and may have `timestamp` (ISO 8601, or seconds as a number); further columns are passed over. The order of the
rows is the order in time, unless there is a timestamp.

One row is one answer. An answer to an item that asks for several competencies is one row whose competency is
their joint name ("graphs~slopes"), never a row for each: a repeated row would give away its own score.
"""

import csv
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_ROWS = 20_000_000  # about 2 GB while they are read
LONGEST_LABEL = 500
_ASKED = ("person", "item", "competency", "score")


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """N answers, by person in order of first appearance, and in order of time for each person.

    person, item, competency: (N,) numbers from 0. score: (N,) from 0 to 1.
    hours: (N,) hours since the first answer of all, or None where times are not known.
    repeats: lines of the table left out because person, item and timestamp had been there (the first 10).
    repeat_count: how many there were.
    suspects: answers that follow another one by the same person to the same item with the same score and a
        different competency: as a table looks whose rows were multiplied.
    """

    person: Integers
    item: Integers
    competency: Integers
    score: Floats
    hours: Floats | None = None
    repeats: tuple[int, ...] = ()
    repeat_count: int = 0
    suspects: int = 0

    def __len__(self) -> int:
        return len(self.score)


def read_answers(path: Path) -> AnswerTable:
    """Read a table. Raises ValueError that names the line and the cure, OSError where it cannot be opened."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            header = file.readline()
            if not header.strip():
                raise ValueError(f"{path.name} line 1: empty; a header with {', '.join(_ASKED)} is asked")
            delimiter = "\t" if "\t" in header else ","
            columns = _columns(next(csv.reader([header], delimiter=delimiter)), path.name)
            return _collect(csv.reader(file, delimiter=delimiter), columns, path.name)
        except csv.Error as error:
            raise ValueError(f"{path.name}: {error}; check its quotes and separators") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"{path.name}: not UTF-8 ({error.reason}); save it as UTF-8") from error


def _columns(header: Sequence[str], name: str) -> dict[str, int]:
    places = {label.strip().lower(): place for place, label in enumerate(header)}
    missing = [label for label in _ASKED if label not in places]
    if missing:
        raise ValueError(
            f"{name} line 1: no column {', '.join(missing)}; name the columns {', '.join(_ASKED)}"
            " and, if times are known, timestamp"
        )
    return {label: places[label] for label in (*_ASKED, "timestamp") if label in places}


class _Labels:
    """Numbers for labels, in order of first appearance."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.numbers: dict[str, int] = {}
        self.taken = array("q")

    def number(self, label: str, where: str) -> int:
        if not label or len(label) > LONGEST_LABEL:
            raise ValueError(
                f"{where}: {self.what} is {'empty' if not label else 'too long'};"
                f" 1 to {LONGEST_LABEL} characters are asked"
            )
        return self.numbers.setdefault(label, len(self.numbers))


def _collect(rows: Iterator[list[str]], columns: dict[str, int], name: str) -> AnswerTable:
    labels = [_Labels(what) for what in _ASKED[:3]]
    scores, seconds = array("d"), array("d")
    seen: set[tuple[int, int, float]] = set()
    repeats: list[int] = []
    repeat_count = 0
    width, timed = max(columns.values()) + 1, "timestamp" in columns
    for number, row in enumerate(rows, start=2):
        where = f"{name} line {number}"
        if not row:
            continue
        if len(row) < width:
            raise ValueError(f"{where}: {len(row)} columns; at least {width} are asked")
        if len(scores) >= MOST_ROWS:
            raise ValueError(f"{where}: more than {MOST_ROWS} answers; split the table by person")
        score = _score(row[columns["score"]], where)
        numbers = [each.number(row[columns[each.what]].strip(), where) for each in labels]
        if timed:
            moment = _seconds(row[columns["timestamp"]], where)
            mark = (numbers[0], numbers[1], moment)
            if mark in seen:
                repeat_count += 1
                if len(repeats) < 10:
                    repeats.append(number)
                continue
            seen.add(mark)
            seconds.append(moment)
        for each, place in zip(labels, numbers, strict=True):
            each.taken.append(place)
        scores.append(score)
    if not scores:
        raise ValueError(f"{name}: a header and no answers; give a row for each answer")
    taken = [np.frombuffer(each.taken, dtype=np.int64) for each in labels]
    return _arrange(
        taken, np.frombuffer(scores), np.frombuffer(seconds) if timed else None, repeats, repeat_count
    )


def _arrange(
    taken: list[Integers], score: Floats, seconds: Floats | None, repeats: list[int], repeat_count: int
) -> AnswerTable:
    person = taken[0]
    order = np.argsort(person, kind="stable") if seconds is None else np.lexsort((seconds, person))
    person, item, competency = (column[order] for column in taken)
    score = score[order]
    hours = None if seconds is None else (seconds[order] - seconds.min()) / 3600.0
    same = (np.diff(person) == 0) & (np.diff(item) == 0) & (np.diff(score) == 0) & (np.diff(competency) != 0)
    return AnswerTable(person, item, competency, score, hours, tuple(repeats), repeat_count, int(same.sum()))


def _score(text: str, where: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = float("nan")
    if not 0.0 <= score <= 1.0:
        raise ValueError(f"{where}: score is {text[:40]!r}; a number from 0 to 1 is asked")
    return score


def _seconds(text: str, where: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            seconds = float("nan")
        else:
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not abs(seconds) < 1e15:
        raise ValueError(f"{where}: timestamp is {text[:40]!r}; ISO 8601 or seconds are asked")
    return seconds
