"""Which item to ask next: the one that tells most about the decision at hand, without wearing out the pool.

**What is worth asking.** The decision is whether the ability reaches the cut, so an item is judged by its
information at a point between the present estimate and the cut (`decision_point`). Halfway is close to the
best there is: against the item that most reduces the uncertainty of the decision itself (the mutual
information of the answer and of "ability >= cut", by brute force in the tests), it keeps at least 97 % of the
reduction from half a standard error to one and a half away from the cut; aiming at the estimate keeps 77 %
there.

**Uncertain items are no favourites.** The best of many uncertain estimates is the luckiest one. With I the
Fisher information of an item, u the error variance of its location and r = a^2 / (a^2 + Var a) the
reliability of its discrimination, the information counted is

    I' = r I / (1 + r I u),     u = Var b + (theta - b)^2 Var a / a^2 - 2 (theta - b) Cov(a, b) / a

so that no item tells more than 1 / u, however many persons it separates: the error of a location is added to
the error of the answer, as in the update of the ability itself.

**Exposure.** Among the `width` best that may be asked one is drawn at random ("randomesque", Kingsbury & Zara
1989). A wide draw is the cheapest protection there is: ten leaked favourites raise false passes from 3 % to
32 % with the best five, to 7 % with the best sixty.

**Content.** Each stratum (a competency, or a competency and a kind of item) has a target share. The stratum
is drawn with a chance proportional to what it lacks (the modified multinomial model: Chen & Ankenmann 2004),
then the item.

Everything drawn comes with its propensity, the chance with which it was drawn, so that what was learnt from
it can later be weighed (Horvitz & Thompson 1952). Abilities are in logits, information per squared logit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.compiled import compiled
from toprope.stats.items import Floats, Integers, Items

Flags = NDArray[np.bool_]

NARROWEST, WIDEST = 60, 240
"""Bounds of the width of a draw in a large pool."""
DEPTH = 512
"""Items kept for each ability in a table: the widest draw, and room for items that may not be asked."""
LOWEST, HIGHEST, STEP = -4.0, 4.0, 0.05
"""The abilities a table is made for, in logits; beyond them the outermost row serves."""


class Choice(NamedTuple):
    """A drawn item: its place in the pool, and the chance with which it was drawn."""

    item: int
    propensity: float


@dataclass(frozen=True, slots=True)
class SelectionTable:
    """The best items of each stratum for each ability. Make one with `build_table`.

    items: the pool of J items. ranking: (S, G, N) places in the pool, best first, -1 where a stratum has
    fewer than N items. stratum: (J,) the stratum of each item. targets: (S,) shares that sum to 1. widths:
    (S,) items drawn among. enemies: for an item that has any, the items that may not be asked in one sitting
    with it.
    """

    items: Items
    ranking: NDArray[np.int32]
    stratum: Integers
    targets: Floats
    widths: Integers
    enemies: Mapping[int, Integers]


class Sitting:
    """What has been asked in one sitting: which items are out (`barred`, (J,)), and how many each stratum
    had.
    """

    __slots__ = ("_table", "barred", "counts")

    def __init__(self, table: SelectionTable, barred: Flags) -> None:
        self._table = table
        self.barred = barred
        self.counts = np.zeros(len(table.targets), dtype=np.int64)

    def record(self, item: int) -> None:
        """Take note that `item` was asked: neither it nor its enemies come again in this sitting."""
        self.barred[item] = True
        self.counts[self._table.stratum[item]] += 1
        foes = self._table.enemies.get(item)
        if foes is not None:
            self.barred[foes] = True


def decision_point(ability: float, cut: float) -> float:
    """The ability at which items are judged for the decision ability >= cut: halfway between the two, in
    logits.
    """
    return 0.5 * (ability + cut)


def default_width(pool: int) -> int:
    """Among how many items of a pool to draw: a fifth of it, between 60 and 240, never more than half of it.

    Of a large pool the best sixty are nearly equal, and more cost nothing; of ten items the better five are
    worth more than the little secrecy that ten could keep.
    """
    return max(min(max(NARROWEST, pool // 5), WIDEST, (pool + 1) // 2), 1)


def discounted_information(items: Items, ability: float) -> Floats:
    """I' of each item at `ability`, per squared logit, of shape (J,): information, less for uncertain
    items.
    """
    if not np.isfinite(ability):
        raise ValueError(f"ability is {ability}; it must be a finite number of logits")
    return _information_row(*_columns(items), float(ability))


def choose_among(
    items: Items,
    point: float,
    rng: np.random.Generator,
    *,
    barred: ArrayLike | None = None,
    width: int | None = None,
) -> Choice | None:
    """One item of a small pool, by its information at `point` (see `decision_point`); None if none is left.

    `barred` (J,) marks items that may not be asked; `width` is the number of best items to draw among, by
    default `default_width` of the whole pool. Costs a pass over the items: for pools beyond a few hundred
    build a table.
    """
    worth = discounted_information(items, point)
    if barred is not None:
        out = np.asarray(barred, dtype=np.bool_)
        if out.shape != worth.shape:
            raise ValueError(f"barred has the shape {out.shape} for {len(items)} items")
        worth[out] = -1.0
    open_items = int((worth >= 0.0).sum())
    if open_items == 0:
        return None
    among = min(_checked_width(width, len(items)), open_items)
    best = np.argsort(-worth, kind="stable")[:among]
    return Choice(int(best[rng.integers(among)]), 1.0 / among)


def build_table(
    items: Items,
    *,
    stratum: ArrayLike | None = None,
    targets: ArrayLike | None = None,
    enemies: Iterable[Sequence[int]] = (),
    width: int | None = None,
) -> SelectionTable:
    """Rank the pool once for every ability, so that choosing costs microseconds.

    stratum: (J,) whole numbers 0..S-1, by default all 0. targets: (S,) wanted shares, not negative, by
    default in proportion to the items of each stratum; a stratum of share 0 is never asked. enemies: sets of
    items of which only one may be asked in a sitting (variants of one task, an item that gives another away).
    width: items drawn among, over all strata; each stratum draws among its share of it.

    Takes under a second for 100,000 items. Raises ValueError that names what does not fit.
    """
    count = len(items)
    if count == 0:
        raise ValueError("the pool has no items")
    group = np.zeros(count, dtype=np.int64) if stratum is None else np.asarray(stratum, dtype=np.int64)
    if group.shape != (count,) or group.min() < 0:
        raise ValueError(f"stratum must hold one number from 0 for each of {count} items")
    shares = _shares(targets, group)
    whole = _checked_width(width, count)
    widths = np.maximum(np.ceil(shares * whole - 1e-9), 1.0).astype(np.int64)
    grid = LOWEST + STEP * np.arange(round((HIGHEST - LOWEST) / STEP) + 1)
    members = [np.flatnonzero(group == place) for place in range(len(shares))]
    depth = min(max(DEPTH, 2 * whole), max(len(each) for each in members))
    ranking = np.full((len(shares), len(grid), depth), -1, dtype=np.int32)
    columns = _columns(items)
    for row, ability in enumerate(grid):
        worth = -_information_row(*columns, ability)
        for place, each in enumerate(members):
            ranking[place, row, : min(depth, len(each))] = _best(worth, each, depth)
    return SelectionTable(items, ranking, group, shares, widths, _enemies(enemies, count))


def start_sitting(
    table: SelectionTable,
    *,
    days_since_shown: ArrayLike | None = None,
    window_days: float = 90.0,
    withdrawn: ArrayLike | None = None,
) -> Sitting:
    """A sitting in which nothing was asked yet.

    days_since_shown: (J,) days since this person last saw each item, infinite for never; what was seen within
    `window_days` does not come again. withdrawn: (J,) marks items that nobody is asked (see
    `exposure.suspected`).
    """
    barred = np.zeros(len(table.items), dtype=np.bool_)
    if days_since_shown is not None:
        barred |= _fitting(np.asarray(days_since_shown, dtype=np.float64) < window_days, table)
    if withdrawn is not None:
        barred |= _fitting(np.asarray(withdrawn, dtype=np.bool_), table)
    return Sitting(table, barred)


def choose_item(
    table: SelectionTable, sitting: Sitting, point: float, rng: np.random.Generator
) -> Choice | None:
    """The next item by its information at `point` (see `decision_point`), or None if nothing may be asked.

    Deterministic for the state of `rng`, of which two numbers are drawn. Call `sitting.record` with an item
    once it is really shown. Raises ValueError if `point` is not a finite number.
    """
    item, propensity = pick(
        table.ranking,
        point,
        table.widths,
        table.targets,
        sitting.counts,
        sitting.barred,
        rng.random(),
        rng.random(),
    )
    if item >= 0:
        return Choice(item, propensity)
    if not np.isfinite(point):
        raise ValueError(f"point is {point}; it must be a finite number of logits")
    # Every ranked item is out: a person who has seen more than the table holds. The pool may still have some.
    out = sitting.barred | (table.targets[table.stratum] <= 0.0)
    return choose_among(table.items, point, rng, barred=out, width=int(table.widths.sum()))


@compiled
def pick(
    ranking: NDArray[np.int32],
    point: float,
    widths: Integers,
    targets: Floats,
    counts: Integers,
    barred: Flags,
    first: float,
    second: float,
) -> tuple[int, float]:
    """`choose_item` for compiled callers: (item, propensity) from two uniform numbers, (-1, 0) if none is
    left.

    `first` draws the stratum and `second` the item; the arrays are those of a table and of a sitting.
    """
    if not np.isfinite(point):
        return -1, 0.0
    row = int(min(max((point - LOWEST) / STEP + 0.5, 0.0), ranking.shape[1] - 1.0))
    if ranking.shape[0] == 1:
        return _draw(ranking[0, row], widths[0], barred, second)
    needs = _needs(ranking, row, targets, counts, barred)
    total = needs.sum()
    if total <= 0.0:
        return -1, 0.0
    mark = first * total
    place, last = 0, 0
    for place in range(len(needs)):
        if needs[place] > 0.0:
            last = place
            mark -= needs[place]
            if mark < 0.0:
                break
    item, propensity = _draw(ranking[last, row], widths[last], barred, second)
    return item, propensity * needs[last] / total


@compiled
def _needs(ranking: NDArray[np.int32], row: int, targets: Floats, counts: Integers, barred: Flags) -> Floats:
    """What each stratum lacks after the next item, 0 if it has nothing to ask; where none lacks any, the
    targets.
    """
    asked = counts.sum() + 1
    needs = np.zeros(len(targets))
    for fallback in range(2):
        for place in range(len(targets)):
            lack = targets[place] if fallback else targets[place] * asked - counts[place]
            if lack > 1e-12 and _has_open(ranking[place, row], barred):
                needs[place] = lack
        if needs.sum() > 0.0:
            break
    return needs


@compiled
def _has_open(ranked: NDArray[np.int32], barred: Flags) -> bool:
    for item in ranked:
        if item < 0:
            return False
        if not barred[item]:
            return True
    return False


@compiled
def _draw(ranked: NDArray[np.int32], width: int, barred: Flags, uniform: float) -> tuple[int, float]:
    """One of the first `width` items that are not barred, each with the same chance."""
    among = 0
    for item in ranked:
        if item < 0 or among == width:
            break
        if not barred[item]:
            among += 1
    if among == 0:
        return -1, 0.0
    left = min(int(uniform * among), among - 1)
    chosen = -1
    for item in ranked:
        if not barred[item]:
            if left == 0:
                chosen = item
                break
            left -= 1
    return chosen, 1.0 / among


@compiled
def _information_row(
    discrimination: Floats,
    difficulty: Floats,
    guess: Floats,
    slip: Floats,
    steps: Floats,
    scores: Integers,
    covariance: Floats,
    ability: float,
) -> Floats:
    """`discounted_information`, compiled: one pass over the items, with no array beside the result."""
    worth = np.empty(len(difficulty))
    for j in range(len(difficulty)):
        a = discrimination[j]
        gap = ability - difficulty[j]
        if scores[j] == 1:
            pure = 1.0 / (1.0 + np.exp(-a * gap))
            reach = 1.0 - guess[j] - slip[j]
            right = guess[j] + reach * pure
            slope = a * reach * pure * (1.0 - pure)
            fisher = slope * slope / max(right * (1.0 - right), 1e-300)
        else:
            fisher = a * a * _score_variance(a, gap, steps[j], scores[j])
        fisher *= a * a / (a * a + covariance[j, 0, 0])
        tilt = gap / a
        error = covariance[j, 1, 1] + tilt * tilt * covariance[j, 0, 0] - 2.0 * tilt * covariance[j, 0, 1]
        worth[j] = fisher / (1.0 + fisher * max(error, 0.0))
    return worth


@compiled
def _score_variance(a: float, gap: float, steps: Floats, top: int) -> float:
    """The variance of the score on an item scored 0..top (generalised partial credit)."""
    highest, logit = 0.0, 0.0
    for k in range(top):
        logit += a * (gap - steps[k])
        highest = max(highest, logit)
    total, logit = np.exp(-highest), 0.0
    mean, square = 0.0, 0.0
    for k in range(top):
        logit += a * (gap - steps[k])
        chance = np.exp(logit - highest)
        total += chance
        mean += chance * (k + 1)
        square += chance * (k + 1) * (k + 1)
    mean /= total
    return float(square / total - mean * mean)


def _columns(items: Items) -> tuple[Floats, Floats, Floats, Floats, Floats, Integers, Floats]:
    return (
        items.discrimination,
        items.difficulty,
        items.guess,
        items.slip,
        items.steps,
        items.scores,
        items.covariance,
    )


def _best(negative_worth: Floats, members: Integers, depth: int) -> Integers:
    """The `depth` members of the greatest worth, best first; equal ones in the order of the pool."""
    own = negative_worth[members]
    if len(members) > depth:
        # Everything as good as the last one kept is sorted, so that ties do not hang on the partition.
        edge = np.partition(own, depth - 1)[depth - 1]
        kept = np.flatnonzero(own <= edge)
        members, own = members[kept], own[kept]
    return members[np.argsort(own, kind="stable")[:depth]]


def _shares(targets: ArrayLike | None, group: Integers) -> Floats:
    sizes = np.bincount(group).astype(np.float64)
    shares = sizes if targets is None else np.array(targets, dtype=np.float64, ndmin=1)
    if len(shares) < len(sizes):
        raise ValueError(f"there are {len(shares)} targets for {len(sizes)} strata")
    if not np.isfinite(shares).all() or shares.min() < 0.0 or shares.sum() <= 0.0:
        raise ValueError("targets must be finite, not negative, and not all 0")
    empty = [place for place, share in enumerate(shares) if share > 0 and not (group == place).any()]
    if empty:
        raise ValueError(f"stratum {empty[0]} has a target but no items")
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def _enemies(sets: Iterable[Sequence[int]], count: int) -> dict[int, Integers]:
    foes: dict[int, set[int]] = {}
    for number, each in enumerate(sets):
        members = {int(item) for item in each}
        if any(not 0 <= item < count for item in members):
            raise ValueError(f"set {number} of enemies names an item outside 0..{count - 1}")
        for item in members:
            foes.setdefault(item, set()).update(members - {item})
    return {item: np.array(sorted(others), dtype=np.int64) for item, others in foes.items()}


def _checked_width(width: int | None, pool: int) -> int:
    if width is None:
        return default_width(pool)
    if width < 1:
        raise ValueError(f"width is {width}; at least one item must be drawn among")
    return width


def _fitting(mask: Flags, table: SelectionTable) -> Flags:
    if mask.shape != (len(table.items),):
        raise ValueError(f"{mask.shape} values were given for {len(table.items)} items")
    return mask
