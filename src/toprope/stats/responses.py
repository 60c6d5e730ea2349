"""Responses: who scored what on which item, without the many items that nobody asked of them.

A table of persons by items is mostly empty where nobody answers everything, so responses are kept person
after person (compressed sparse rows): 5 bytes each. A `Responses` is always sound - scores whole and not
negative, no item twice for one person, every place inside - because the loops that read it check nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.compiled import compiled

HIGHEST_SCORE = 127
MOST_ITEMS = 2**31 - 1

_COMPLAINTS = {
    1: "the item lies outside 0..items - 1",
    2: "the score is negative",
    3: "the items of a person must rise: this one is out of order, or answered twice",
}


@dataclass(frozen=True, slots=True)
class Responses:
    """The scores of N persons on J items, person after person. Raises ValueError naming the first bad place.

    indptr: (N + 1,) int64; person p's responses are the places indptr[p] to indptr[p + 1] - 1.
    item: (n,) int32, 0..J - 1, rising strictly within each person.
    score: (n,) int8, 0 or above.
    items: J.

    Made from columns by `make_responses`, from a table by `table_responses`.
    """

    indptr: NDArray[np.int64]
    item: NDArray[np.int32]
    score: NDArray[np.int8]
    items: int

    def __post_init__(self) -> None:
        for name, dtype in (("indptr", np.int64), ("item", np.int32), ("score", np.int8)):
            array = getattr(self, name)
            if array.ndim != 1 or array.dtype != dtype:
                raise ValueError(
                    f"{name} must be one column of {np.dtype(dtype)}, not {array.dtype}{array.shape}"
                )
        if len(self.item) != len(self.score):
            raise ValueError(f"{len(self.item)} items for {len(self.score)} scores")
        if len(self.indptr) == 0 or self.indptr[0] != 0 or self.indptr[-1] != len(self.item):
            raise ValueError(f"indptr must go from 0 to the number of responses, {len(self.item)}")
        if (np.diff(self.indptr) < 0).any():
            raise ValueError("indptr must never fall")
        if not 0 < self.items <= MOST_ITEMS:
            raise ValueError(f"items is {self.items}; 1..{MOST_ITEMS} can be told apart")
        flaw, place = _first_flaw(self.indptr, self.item, self.score, self.items)
        if flaw:
            raise ValueError(f"response {place} (item {self.item[place]}): {_COMPLAINTS[flaw]}")

    def __len__(self) -> int:
        return len(self.item)

    @property
    def persons(self) -> int:
        return len(self.indptr) - 1

    def chunks(self, persons: int) -> Iterator["Responses"]:
        """The same responses in parts of so many persons each, in order; the parts share the columns."""
        if persons < 1:
            raise ValueError(f"a chunk has at least one person, not {persons}")
        for first in range(0, self.persons, persons):
            bounds = self.indptr[first : first + persons + 1]
            inside = slice(bounds[0], bounds[-1])
            yield Responses(bounds - bounds[0], self.item[inside], self.score[inside], self.items)


def make_responses(
    person: ArrayLike,
    item: ArrayLike,
    score: ArrayLike,
    *,
    persons: int | None = None,
    items: int | None = None,
) -> Responses:
    """Responses from three columns, one row per response, in any order.

    `person` and `item` are numbers from 0; `persons` and `items` say how many there are (otherwise: as many
    as the highest number tells). Raises ValueError naming the first bad row: not whole, not finite, out of
    range, or a person's second answer to an item.
    """
    columns = [_whole(each, name) for each, name in ((person, "person"), (item, "item"), (score, "score"))]
    who, what, got = columns
    if not len(who) == len(what) == len(got):
        raise ValueError(f"columns of unequal length: {len(who)}, {len(what)} and {len(got)} rows")
    if len(who) == 0:
        raise ValueError("there are no responses")
    count = int(who.max()) + 1 if persons is None else persons
    pool = int(what.max()) + 1 if items is None else items
    for column, name, end in (
        (who, "person", count),
        (what, "item", min(pool, MOST_ITEMS)),
        (got, "score", HIGHEST_SCORE + 1),
    ):
        outside = (column < 0) | (column >= end)
        if outside.any():
            row = int(np.flatnonzero(outside)[0])
            raise ValueError(f"row {row}: {name} is {column[row]}; 0..{end - 1} is possible")
    order = np.lexsort((what, who))
    who, what, got = who[order], what[order], got[order]
    twice = (np.diff(who) == 0) & (np.diff(what) == 0)
    if twice.any():
        place = int(np.flatnonzero(twice)[0])
        first, second = order[place], order[place + 1]
        raise ValueError(f"rows {first} and {second}: person {who[place]} answered item {what[place]} twice")
    indptr = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(who, minlength=count), out=indptr[1:])
    return Responses(indptr, what.astype(np.int32), got.astype(np.int8), pool)


def table_responses(table: ArrayLike) -> Responses:
    """Responses from a table (N, J) of persons by items; NaN where an item was not asked.

    Raises ValueError naming the first bad cell.
    """
    cells = np.asarray(table, dtype=np.float64)
    if cells.ndim != 2 or cells.size == 0:
        raise ValueError(
            f"a table has persons as rows and items as columns; this has the shape {cells.shape}"
        )
    asked = ~np.isnan(cells)
    bad = asked & ~((cells >= 0) & (cells <= HIGHEST_SCORE) & (cells == np.floor(cells)))
    if bad.any():
        row, column = (int(each[0]) for each in np.nonzero(bad))
        raise ValueError(
            f"person {row}, item {column}: the score is {cells[row, column]}; "
            f"it must be a whole number 0..{HIGHEST_SCORE}, or NaN"
        )
    if not asked.any():
        raise ValueError("there are no responses")
    indptr = np.zeros(len(cells) + 1, dtype=np.int64)
    np.cumsum(asked.sum(axis=1), out=indptr[1:])
    return Responses(
        indptr, np.nonzero(asked)[1].astype(np.int32), cells[asked].astype(np.int8), cells.shape[1]
    )


def _whole(column: ArrayLike, name: str) -> NDArray[np.int64]:
    array = np.asarray(column)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one column, not of the shape {array.shape}")
    if array.dtype.kind in "biu":
        return array.astype(np.int64, copy=False)
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, not {array.dtype}") from None
    bad = ~(np.abs(numbers) < 2**53) | (numbers != np.floor(numbers))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise ValueError(f"row {row}: {name} is {numbers[row]}, not a whole number")
    return numbers.astype(np.int64)


@compiled
def _first_flaw(
    indptr: NDArray[np.int64], item: NDArray[np.int32], score: NDArray[np.int8], items: int
) -> tuple[int, int]:
    """The first complaint (0 for none) and its place."""
    for p in range(len(indptr) - 1):
        before = -1
        for k in range(indptr[p], indptr[p + 1]):
            if item[k] < 0 or item[k] >= items:
                return 1, k
            if score[k] < 0:
                return 2, k
            if item[k] <= before:
                return 3, k
            before = item[k]
    return 0, 0
