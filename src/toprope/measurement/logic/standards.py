"""Setting where a level begins, with a panel of people who know the work. Pure.

A modified Angoff panel says, question by question, what share of people just at the level would get it right;
a bookmark panel looks at the questions in order of difficulty and marks the last that somebody just at the
level masters. Either way the panel's judgement becomes a cut score on the scale of abilities.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from toprope.content.logic import Item
from toprope.measurement.logic.following import Basis, items_of
from toprope.measurement.logic.readings import Parameters, parameters_of
from toprope.stats import PanelCut, angoff_cut, bookmark_cut, ordered_booklet

FEWEST_PANELISTS = 3
"""Fewer people are no panel."""

MASTERED = 0.67
"""P(right) at which a question counts as mastered in a booklet."""


class StandardError(ValueError):
    """A panel's table that leads to no cut score; the message names the place and the cure."""


@dataclass(frozen=True, slots=True)
class PanelResult:
    """What a panel says of a level: the cut, its standard error, and each panelist's own cut; logits."""

    level: int
    method: str
    cut: float
    standard_error: float
    panelists: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Entry:
    """A question of a booklet, with the ability at which it is mastered, in logits."""

    item: str
    location: float


def judge_angoff(
    basis: Basis, level: int, items: Sequence[Item], rows: Iterable[tuple[str, str, float]]
) -> PanelResult:
    """The cut of a modified Angoff panel; `rows` are (panelist, item, share right in 0..1)."""
    columns = {item.key: place for place, item in enumerate(items)}
    ratings: dict[str, list[float]] = {}
    for panelist, key, share in rows:
        if key not in columns:
            raise StandardError(f"There is no question {key!r} in the framework in force.")
        if not 0.0 <= share <= 1.0:
            raise StandardError(f"{panelist} gives {key} {share}; a share of people is asked, 0 to 1.")
        row = ratings.setdefault(panelist, [math.nan] * len(items))
        if not math.isnan(row[columns[key]]):
            raise StandardError(f"{panelist} rates {key} twice.")
        row[columns[key]] = share
    _check_panel(ratings)
    try:
        found = angoff_cut(items_of(_known(basis, items)), list(ratings.values()))
    except ValueError as error:
        raise StandardError(f"These ratings lead to no cut: {error}.") from error
    return _result(basis, level, "modified Angoff", list(ratings), found)


def order_booklet(basis: Basis, items: Sequence[Item]) -> list[Entry]:
    """The questions in the order in which they are mastered, easiest first."""
    booklet = ordered_booklet(items_of(_known(basis, items)), MASTERED)
    return [
        Entry(items[place].key, float(location))
        for place, location in zip(booklet.item, booklet.location, strict=True)
    ]


def judge_bookmark(
    basis: Basis, level: int, items: Sequence[Item], rows: Iterable[tuple[str, int]]
) -> PanelResult:
    """The cut of a bookmark panel; `rows` are (panelist, last entry that is mastered, from 1)."""
    marks: dict[str, int] = {}
    for panelist, mark in rows:
        if panelist in marks:
            raise StandardError(f"{panelist} has two bookmarks.")
        if not 1 <= mark <= len(items):
            raise StandardError(f"{panelist} marks entry {mark}; the booklet has 1 to {len(items)}.")
        marks[panelist] = mark
    _check_panel(marks)
    booklet = ordered_booklet(items_of(_known(basis, items)), MASTERED)
    return _result(basis, level, "bookmark", list(marks), bookmark_cut(booklet, list(marks.values())))


def _known(basis: Basis, items: Sequence[Item]) -> list[Parameters]:
    return [
        parameters_of(item.key, item.version, item.level, len(item.options), basis.known) for item in items
    ]


def _check_panel(panelists: Mapping[str, object]) -> None:
    if len(panelists) < FEWEST_PANELISTS:
        raise StandardError(f"{len(panelists)} panelists; a panel has at least {FEWEST_PANELISTS}.")


def _result(basis: Basis, level: int, method: str, names: Sequence[str], found: PanelCut) -> PanelResult:
    """The result, if the levels still follow each other."""
    for other, cut in basis.cuts.items():
        if (other < level and cut >= found.cut) or (other > level and cut <= found.cut):
            raise StandardError(
                f"The panel puts level {level} at {found.cut:+.2f}, but level {other} begins at {cut:+.2f}:"
                " set that one first, or talk about the ratings again."
            )
    cuts = dict(zip(names, map(float, found.panelists), strict=True))
    return PanelResult(level, method, found.cut, found.standard_error, cuts)
