"""Differential item functioning: is an item harder for one group among persons of the same ability?

Two groups, reference and focal, are compared within strata of a matching variable, by default the number
right.

- `mantel_haenszel`: right-or-wrong items; common odds ratio, ETS delta and classes (Holland & Thayer 1988).
- `mantel`: items with ordered scores; standardised mean difference (Mantel 1963; Dorans & Schmitt 1991).
- `logistic_differences` (in `differential_logistic`): also finds differences that change sign with ability.

A difference is a question to the item's author, not yet a bias: the classes say how large it is, the p-values
whether chance would do. A group is never compared with persons' names in view, only as flags.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.distributions import chi_square_sf, normal_quantile
from toprope.stats.quality.chance import adjust_p_values, is_flat
from toprope.stats.quality.scores import Floats, check_column, check_flags, check_scores

SizeClass = Literal["A", "B", "C"]  # negligible, moderate, large

_ROUNDS = 10  # of purification, as usual in the literature; a set that has not settled by then wanders
_LEVEL = 0.05
_DELTA = -2.35  # log odds ratio to the delta scale of the Educational Testing Service


@dataclass(frozen=True, slots=True)
class MantelHaenszel:
    """How an item differs between two groups of like total score.

    persons: those in strata with both groups.
    odds_ratio: odds of a right answer in the reference group over those in the focal group; None where no
    table tells (nobody or everybody is right, or the groups never meet in a stratum).
    delta, delta_error: -2.35 log(odds_ratio) and its standard error; below 0 the item is harder for the focal
    group.
    chi_square: 1 degree of freedom, continuity-corrected; 0 with p_value 1 where no table tells.
    adjusted_p_value: over the items of the study (Benjamini & Hochberg 1995).
    ets_class: A, B or C by size and significance (Zieky 1993; Dorans & Holland 1993): A if |delta| < 1 or not
    significant at 5 %; C if |delta| >= 1.5 and significantly above 1 at 5 %, one-sided; else B.
    size_class: by size alone (1 and 1.5), as some programs print it.
    anchor: whether the item was part of the matching score.
    """

    item: int
    persons: int
    odds_ratio: float | None
    delta: float | None
    delta_error: float | None
    chi_square: float
    p_value: float
    adjusted_p_value: float
    ets_class: SizeClass | None
    size_class: SizeClass | None
    anchor: bool


@dataclass(frozen=True, slots=True)
class MantelHaenszelStudy:
    """All items of a test. `rounds` of purification were run (0: none asked); `settled` says whether they
    agreed.
    """

    items: tuple[MantelHaenszel, ...]
    rounds: int
    settled: bool


@dataclass(frozen=True, slots=True)
class Mantel:
    """How an item with ordered scores differs between two groups of like total score.

    mean_difference: focal less reference, in score points, weighted as the focal group is spread over the
    strata (Dorans & Schmitt 1991); None where no stratum holds both groups.
    effect: that difference over the item's standard deviation; None where the scores do not vary.
    chi_square: 1 degree of freedom, no continuity correction (Mantel 1963); 0 with p_value 1 where no stratum
    tells.
    ets_class: A if not significant at 5 % or |effect| <= 0.17; C above 0.25; else B (Zwick & al. 1993; NAEP's
    rule).
    """

    item: int
    persons: int
    mean_difference: float | None
    effect: float | None
    chi_square: float
    p_value: float
    adjusted_p_value: float
    ets_class: SizeClass | None


def mantel_haenszel(
    scores: ArrayLike, focal: ArrayLike, *, matching: ArrayLike | None = None, purify: bool = False
) -> MantelHaenszelStudy:
    """The Mantel-Haenszel study of every item of a right-or-wrong test.

    scores: (N, J) of 0, 1 and, only with `matching`, NaN for not asked.
    focal: (N,) true or 1 for the focal group.
    matching: (N,) levels within which persons count as alike, such as `bands` of ability; by default the
    number right over all items. Every distinct value is a stratum.
    purify: match on the items not flagged at 5 % and the studied one, again and again until the set settles
    or ten rounds are run (Holland & Thayer 1988; Clauser & al. 1993); excludes `matching`.

    Raises ValueError for other scores than 0 and 1, for a single group, and for missing scores without
    `matching`.
    """
    table = check_scores(scores, complete=matching is None)
    if (table[~np.isnan(table)] > 1.0).any() or (np.mod(table[~np.isnan(table)], 1.0) != 0.0).any():
        raise ValueError("Mantel-Haenszel asks for scores of 0 and 1; see `mantel` for ordered scores")
    group = check_flags(focal, len(table), "focal")
    if purify and matching is not None:
        raise ValueError("purification mends the total score; it has no say in a matching given from outside")
    given = None if matching is None else check_column(matching, len(table), "matching")
    anchors = np.ones(table.shape[1], dtype=np.bool_)
    results = _study(table, group, given, anchors)
    rounds, settled = 0, True
    if purify:
        settled = False
        while not settled and rounds < _ROUNDS:
            unflagged = np.array([result.p_value >= _LEVEL for result in results])
            settled = bool((unflagged == anchors).all())
            if not settled:
                anchors, rounds = unflagged, rounds + 1
                results = _study(table, group, given, anchors)
    return MantelHaenszelStudy(results, rounds, settled)


def mantel(scores: ArrayLike, focal: ArrayLike, *, matching: ArrayLike | None = None) -> tuple[Mantel, ...]:
    """Mantel's test of every item of a test with ordered scores 0, 1, 2, ...

    scores, focal, matching: as for `mantel_haenszel`, with any scores from 0 up. Matching on the total needs
    enough persons per total; with few, match on `bands` of it. Raises ValueError as there.
    """
    table = check_scores(scores, complete=matching is None)
    group = check_flags(focal, len(table), "focal")
    level = table.sum(axis=1) if matching is None else check_column(matching, len(table), "matching")
    strata = _strata(level)
    tests = [_Strata.of(table[:, item], group, strata) for item in range(table.shape[1])]
    adjusted = adjust_p_values([test.p_value(0.0) for test in tests])
    return tuple(_mantel(item, table[:, item], tests[item], float(p)) for item, p in enumerate(adjusted))


def _study(
    table: Floats, group: NDArray[np.bool_], matching: Floats | None, anchors: NDArray[np.bool_]
) -> tuple[MantelHaenszel, ...]:
    total = table[:, anchors].sum(axis=1) if matching is None else matching
    tests = []
    for item in range(table.shape[1]):
        own = matching is None and not anchors[item]  # the studied item belongs to its own matching score
        strata = _strata(total + table[:, item] if own else total)
        tests.append(_Strata.of(table[:, item], group, strata))
    adjusted = adjust_p_values([test.p_value(0.5) for test in tests])
    return tuple(
        _mantel_haenszel(item, test, float(p), anchor=bool(anchors[item]))
        for item, (test, p) in enumerate(zip(tests, adjusted, strict=True))
    )


def _strata(level: Floats) -> NDArray[np.int64]:
    return np.asarray(np.unique(level, return_inverse=True)[1], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Strata:
    """One item's sums per stratum that holds both groups: persons, of them focal, and scores."""

    persons: Floats
    focal: Floats
    total: Floats
    squares: Floats
    focal_total: Floats

    @staticmethod
    def of(score: Floats, group: NDArray[np.bool_], strata: NDArray[np.int64]) -> "_Strata":
        asked = ~np.isnan(score)
        if not asked.all():
            score, group, strata = score[asked], group[asked], strata[asked]
        size = int(strata.max()) + 1 if len(strata) else 0
        columns = [
            np.asarray(np.bincount(strata, weight, size), dtype=np.float64)
            for weight in (np.ones(len(strata)), group, score, score * score, score * group)
        ]
        both = (columns[1] > 0) & (columns[1] < columns[0])
        return _Strata(*(column[both] for column in columns))

    def chi_square(self, correction: float) -> float:
        """Mantel (1963); with scores of 0 and 1 and a correction of 0.5, Mantel & Haenszel (1959)."""
        n, focal = self.persons, self.focal
        excess = float((self.focal_total - focal * self.total / n).sum())
        spread = n * self.squares - self.total**2
        variance = float((focal * (n - focal) * spread / (n * n * (n - 1.0))).sum())
        if variance <= 1e-12:
            return 0.0
        return max(0.0, abs(excess) - correction) ** 2 / variance

    def p_value(self, correction: float) -> float:
        return chi_square_sf(self.chi_square(correction), 1.0)


def _mantel_haenszel(item: int, test: _Strata, adjusted: float, *, anchor: bool) -> MantelHaenszel:
    chi_square = test.chi_square(0.5)
    p_value = chi_square_sf(chi_square, 1.0)
    persons = int(test.persons.sum())
    right, wrong = test.total - test.focal_total, test.persons - test.focal
    wrong = wrong - right
    focal_right, focal_wrong = test.focal_total, test.focal - test.focal_total
    agree, cross = right * focal_wrong, wrong * focal_right
    above, below = float((agree / test.persons).sum()), float((cross / test.persons).sum())
    if above <= 0.0 or below <= 0.0:
        return MantelHaenszel(
            item, persons, None, None, None, chi_square, p_value, adjusted, None, None, anchor
        )
    ratio = above / below
    # Phillips & Holland 1987: holds for many thin strata as for few thick ones
    weights = (agree + ratio * cross) * (right + focal_wrong + ratio * (wrong + focal_right))
    error = abs(_DELTA) * math.sqrt(float((weights / test.persons**2).sum()) / 2.0) / above
    delta = _DELTA * math.log(ratio)
    size: SizeClass = "A" if abs(delta) < 1.0 else "B" if abs(delta) < 1.5 else "C"
    ets = _ets_class(delta, error, p_value)
    return MantelHaenszel(
        item, persons, ratio, delta, error, chi_square, p_value, adjusted, ets, size, anchor
    )


def _ets_class(delta: float, error: float, p_value: float) -> SizeClass:
    if abs(delta) < 1.0 or p_value >= _LEVEL:
        return "A"
    if abs(delta) >= 1.5 and abs(delta) - normal_quantile(1.0 - _LEVEL) * error > 1.0:
        return "C"
    return "B"


def _mantel(item: int, score: Floats, test: _Strata, adjusted: float) -> Mantel:
    chi_square = test.chi_square(0.0)
    p_value = chi_square_sf(chi_square, 1.0)
    persons = int(test.persons.sum())
    if not persons:
        return Mantel(item, persons, None, None, chi_square, p_value, adjusted, None)
    reference = (test.total - test.focal_total) / (test.persons - test.focal)
    gap = float((test.focal_total - test.focal * reference).sum() / test.focal.sum())
    asked = score[~np.isnan(score)]
    if is_flat(asked):
        return Mantel(item, persons, gap, None, chi_square, p_value, adjusted, None)
    effect = gap / float(asked.std(ddof=1))
    ets: SizeClass = "A" if p_value >= _LEVEL or abs(effect) <= 0.17 else "C" if abs(effect) > 0.25 else "B"
    return Mantel(item, persons, gap, effect, chi_square, p_value, adjusted, ets)
