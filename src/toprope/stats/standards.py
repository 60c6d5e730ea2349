"""Cut scores: the ability from which on a level is held, from a mark, or from a panel's judgement.

All three ways end in the inverse of the test characteristic curve T(theta), the expected score on a set of
items as a share of the highest, or of an item's own curve:

- **by a mark** (`cut_for_mark`): the theta at which the level's own items are expected to be right to a given
  share;
- **modified Angoff** (`angoff_cut`; Angoff 1971, Hambleton & Plake 1995): panelists say for each item which
  share of its score a person just at the level would reach; a panelist's cut is the theta where T equals the
  mean of that;
- **bookmark** (`bookmark_cut`; Lewis, Mitzel, Mercado & Schulz 2012): the items in the order of the ability
  at which they are mastered with probability 2/3 (RP67); a panelist marks the last entry that a person just
  at the level masters, and the ability at that entry is the panelist's cut.

A panel's cut comes with its standard error over panelists, who are a sample of those who might have sat
there. That error is not the errors of the items' parameters, which calibration reports. Abilities and cuts
are in logits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from toprope.stats.items import Floats, Integers, Items, expected_score, score_probabilities

_FARTHEST = 30.0
_HALVINGS = 56
MEDIAN_EFFICIENCY = math.sqrt(math.pi / 2.0)
"""How much wider the error of a median is than that of a mean, for normal values."""


@dataclass(frozen=True, slots=True)
class PanelCut:
    """What a panel of P says.

    cut: the panel's cut score. standard_error: of `cut`, over panelists; NaN for a single one. spread: the
    standard deviation of the panelists' own cuts; NaN for a single one. panelists: (P,) those cuts.
    agreement: (P,) how well each panelist's ratings go with the items (the correlation with what a person at
    that panelist's cut is expected to score); NaN where it is not defined, and in a bookmark panel. A low one
    is a reason to talk, not to discard.
    """

    cut: float
    standard_error: float
    spread: float
    panelists: Floats
    agreement: Floats


@dataclass(frozen=True, slots=True)
class Booklet:
    """Entries in the order in which they are mastered, easiest first.

    item: (E,) places in the pool. score: (E,) the score that counts as mastering; an item scored 0..m has m
    entries. location: (E,) the ability at which it is reached with the response probability, in logits.
    """

    item: Integers
    score: Integers
    location: Floats


def cut_for_mark(items: Items, mark: float) -> float:
    """The ability at which `mark`, a share of the highest score, is expected over these items, each counting
    alike.

    Raises ValueError if no ability is expected to reach it: a mark at or below the guess rate, or above 1
    less the slip rate.
    """
    if len(items) == 0:
        raise ValueError("a cut score needs at least one item")
    low, high = -_FARTHEST, _FARTHEST
    floor, ceiling = float(expected_score(items, low).mean()), float(expected_score(items, high).mean())
    if not floor < mark < ceiling:
        raise ValueError(
            f"the mark {mark} lies outside ({floor:.3f}, {ceiling:.3f}), which these items can show"
        )
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if float(expected_score(items, middle).mean()) < mark:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def angoff_cut(items: Items, ratings: ArrayLike) -> PanelCut:
    """The cut of a modified Angoff panel.

    ratings: (P, J), the share of each item's highest score (0..1) that a panelist expects of a person just at
    the level; NaN where a panelist did not rate. Each panelist's cut rests on the items that she or he rated;
    the panel's is their mean. Raises ValueError naming the panelist whose ratings lead to no cut.
    """
    given = np.array(ratings, dtype=np.float64, ndmin=2)
    if given.shape[1:] != (len(items),) or given.shape[0] == 0:
        raise ValueError(f"ratings have the shape {given.shape}; (panelists, {len(items)}) is asked")
    rated = ~np.isnan(given)
    if not ((given[rated] >= 0.0) & (given[rated] <= 1.0)).all():
        raise ValueError("ratings are shares of an item's highest score and lie in [0, 1]")
    cuts, agreement = np.empty(len(given)), np.empty(len(given))
    for panelist, row in enumerate(given):
        own = np.flatnonzero(rated[panelist])
        try:
            cuts[panelist] = cut_for_mark(items.take(own), float(row[own].mean()) if len(own) else 0.0)
        except ValueError as error:
            raise ValueError(f"panelist {panelist}: {error}") from error
        agreement[panelist] = _correlation(row[own], expected_score(items.take(own), cuts[panelist]))
    spread = _spread(cuts)
    return PanelCut(float(cuts.mean()), spread / math.sqrt(len(cuts)), spread, cuts, agreement)


def ordered_booklet(items: Items, response_probability: float = 0.67) -> Booklet:
    """The ordered item booklet of a bookmark panel, guess rates included.

    Raises ValueError naming an item that nobody masters with that probability, such as one guessed right more
    often.
    """
    if not 0.0 < response_probability < 1.0:
        raise ValueError(f"response_probability is {response_probability}; it lies strictly between 0 and 1")
    item = np.repeat(np.arange(len(items)), items.scores)
    score = np.concatenate([np.arange(1, top + 1) for top in items.scores]) if len(items) else item
    low, high = np.full(len(item), -_FARTHEST), np.full(len(item), _FARTHEST)
    entries = items.take(item)
    good = (_reached(entries, score, low) < response_probability) & (
        _reached(entries, score, high) > response_probability
    )
    if not good.all():
        place = int(item[np.flatnonzero(~good)[0]])
        raise ValueError(f"item {place} is mastered with probability {response_probability} at no ability")
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        below = _reached(entries, score, middle) < response_probability
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    location = 0.5 * (low + high)
    order = np.argsort(location, kind="stable")
    return Booklet(item[order], score[order].astype(np.int64), location[order])


def bookmark_cut(booklet: Booklet, bookmarks: Sequence[int]) -> PanelCut:
    """The cut of a bookmark panel: the median of the panelists' cuts.

    bookmarks: for each panelist the number of entries, counted from the easiest, that a person just at the
    level masters, 1..E; the panelist's cut is the location of the last of them. The standard error is that of
    a median of normal values.
    """
    marks = np.asarray(bookmarks, dtype=np.int64)
    entries = len(booklet.location)
    if marks.ndim != 1 or len(marks) == 0 or not ((marks >= 1) & (marks <= entries)).all():
        raise ValueError(f"each bookmark must be a number of entries mastered, 1..{entries}")
    cuts = booklet.location[marks - 1]
    spread = _spread(cuts)
    error = MEDIAN_EFFICIENCY * spread / math.sqrt(len(cuts))
    return PanelCut(float(np.median(cuts)), error, spread, cuts, np.full(len(cuts), np.nan))


def _reached(entries: Items, score: Integers, ability: Floats) -> Floats:
    """P(at least `score`) on each entry at its own ability."""
    # Shifting each entry by its ability asks for every one of them at 0: one call, E x (M + 1) numbers.
    shifted = Items(
        entries.discrimination,
        entries.difficulty - ability,
        entries.guess,
        entries.slip,
        entries.steps,
        entries.scores,
        entries.covariance,
    )
    chances = score_probabilities(shifted, 0.0)
    return np.asarray((chances * (np.arange(chances.shape[1]) >= score[:, None])).sum(axis=1))


def _spread(values: Floats) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else math.nan


def _correlation(left: Floats, right: Floats) -> float:
    if len(left) < 3 or left.std() < 1e-12 or right.std() < 1e-12:
        return math.nan
    return float(np.corrcoef(left, right)[0, 1])
