"""Tables of scores, persons by items, as the classical statistics take them: checked once, here."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


def check_scores(scores: ArrayLike, *, persons: int = 1, items: int = 1, complete: bool = False) -> Floats:
    """Scores as floats of shape (persons, items); NaN where somebody was not asked.

    Raises ValueError for fewer persons or items than asked, for infinite or negative scores, and, if
    `complete`, for the first score that is missing.
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"scores form a table of persons by items, not an array of {table.ndim} dimensions")
    if table.shape[0] < persons or table.shape[1] < items:
        raise ValueError(
            f"scores of {table.shape[0]} persons on {table.shape[1]} items; "
            f"at least {persons} persons and {items} items are asked"
        )
    bad = np.isinf(table) | (table < 0.0)
    if bad.any():
        row, column = (int(place[0]) for place in np.nonzero(bad))
        found = table[row, column]
        raise ValueError(f"person {row}, item {column}: the score {found} is not a number from 0 up")
    if complete and np.isnan(table).any():
        row, column = (int(place[0]) for place in np.nonzero(np.isnan(table)))
        raise ValueError(
            f"person {row} has no score on item {column}; keep the persons who answered every item, "
            "or count a missing answer as 0 if skipping is failing"
        )
    return table


def check_column(values: ArrayLike, length: int, what: str) -> Floats:
    """One finite number per person (or item); ValueError says which is not."""
    column = np.asarray(values, dtype=np.float64)
    if column.shape != (length,):
        raise ValueError(f"{what} has the shape {column.shape}; one number for each of {length} is asked")
    if not np.isfinite(column).all():
        place = int(np.flatnonzero(~np.isfinite(column))[0])
        raise ValueError(f"{what} {place} is {column[place]}; a finite number is asked")
    return column


def check_flags(values: ArrayLike, length: int, what: str) -> NDArray[np.bool_]:
    """One true or false per person, given as booleans or as 0 and 1; both must occur."""
    column = check_column(values, length, what)
    if not np.isin(column, (0.0, 1.0)).all():
        raise ValueError(f"{what} holds other values than 0 and 1")
    flags: NDArray[np.bool_] = column == 1.0
    if flags.all() or not flags.any():
        raise ValueError(f"{what} is the same for everybody; two groups are asked")
    return flags


def check_errors(values: ArrayLike, length: int, what: str) -> Floats:
    """One standard error per person (or answer), or one for all, none below 0; ValueError says which is."""
    column = check_column(np.broadcast_to(np.asarray(values, dtype=np.float64), (length,)), length, what)
    if (column < 0.0).any():
        raise ValueError(f"{what} {int(np.flatnonzero(column < 0.0)[0])} is below 0")
    return column


def check_places(values: ArrayLike, length: int, count: int, what: str) -> Places:
    """Whole numbers 0..count-1, `length` of them; ValueError says which is not."""
    column = check_column(values, length, what)
    bad = (column < 0) | (column >= count) | (column != np.floor(column))
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        raise ValueError(f"{what} {place} is {column[place]}; whole numbers 0..{count - 1} are asked")
    return column.astype(np.int64)


def places_by(numbers: NDArray[np.integer], count: int) -> Iterator[tuple[int, Places]]:
    """For each number 0..count-1 the places where it stands, in their order; none for numbers that do not
    occur.
    """
    order = np.argsort(numbers, kind="stable")
    bounds = np.searchsorted(numbers[order], np.arange(count + 1))
    for number in range(count):
        yield number, order[bounds[number] : bounds[number + 1]]


def bands(values: ArrayLike, count: int = 10) -> NDArray[np.int64]:
    """Levels 0..count-1 of about equally many persons each, in the order of `values` (N,); equal values stay
    together.

    Raises ValueError for fewer than two bands and for values that are not finite.
    """
    column = check_column(values, np.size(values), "value")
    if count < 2:
        raise ValueError(f"{count} bands; two or more are asked")
    cuts = np.quantile(column, np.linspace(0.0, 1.0, count + 1)[1:-1])
    return np.asarray(np.searchsorted(cuts, column, side="right"), dtype=np.int64)
