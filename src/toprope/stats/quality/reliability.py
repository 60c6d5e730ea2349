"""How far a test's results would come out the same again.

- `cronbach_alpha`: from one sitting, with the interval of Feldt (1965).
- `mcdonald_omega`: the same without assuming that all items weigh alike (McDonald 1999).
- `split_half`: the correlation of two halves, as of a test and its retest on other items.
- `ability_reliability`: of ability estimates, from their standard errors (marginal, or empirical,
reliability).

All are shares of variance, 1 at best. They describe a test in a group of persons: the same test is less
reliable where everybody is alike.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.distributions import beta_quantile
from toprope.stats.quality.chance import correlate
from toprope.stats.quality.scores import Floats, check_column, check_scores

_ITERATIONS = 500
_SPLITS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Reliability:
    """A reliability with its interval. `value` is None, and the interval everything, where scores do not
    vary.
    """

    value: float | None
    low: float
    high: float


_UNKNOWN = Reliability(None, -float("inf"), 1.0)


def cronbach_alpha(scores: ArrayLike, *, probability: float = 0.95) -> Reliability:
    """Cronbach's (1951) alpha with Feldt's (1965) interval.

    scores: (N, J), complete, of at least two persons and two items. (1 - alpha) / (1 - estimate) follows
    F with N - 1 and (N - 1)(J - 1) degrees of freedom, for items of equal covariances. Alpha can be below 0
    where items contradict each other (a reversed key). Raises ValueError for gaps and for fewer persons or
    items.
    """
    table = check_scores(scores, persons=2, items=2, complete=True)
    _check_probability(probability)
    persons, count = table.shape
    total = float(table.sum(axis=1).var(ddof=1))
    if total <= 1e-12:
        return _UNKNOWN
    alpha = count / (count - 1.0) * (1.0 - float(table.var(axis=0, ddof=1).sum()) / total)
    tail = (1.0 - probability) / 2.0
    first, second = persons - 1.0, (persons - 1.0) * (count - 1.0)
    low = 1.0 - (1.0 - alpha) * _f_quantile(1.0 - tail, first, second)
    high = 1.0 - (1.0 - alpha) * _f_quantile(tail, first, second)
    return Reliability(alpha, low, high)


def _f_quantile(probability: float, first: float, second: float) -> float:
    share = beta_quantile(probability, first / 2.0, second / 2.0)
    return second * share / (first * (1.0 - share)) if share < 1.0 else float("inf")


def mcdonald_omega(scores: ArrayLike) -> float | None:
    """McDonald's (1999) omega: the share of the total's variance that one common factor carries.

    scores: (N, J), complete, of at least three persons and three items. The factor is fitted to the
    covariances by unweighted least squares (iterated principal axes). None where an item does not vary, or
    where one factor leaves an item without error (the fit has then no proper solution). Raises ValueError for
    gaps.
    """
    table = check_scores(scores, persons=3, items=3, complete=True)
    deviation = table.std(axis=0, ddof=1)
    if (deviation <= 1e-12).any():
        return None
    correlation = np.atleast_2d(np.corrcoef(table, rowvar=False))
    common = np.full(len(correlation), 0.5)
    loading = np.sqrt(common)
    for _ in range(_ITERATIONS):
        reduced = correlation - np.diag(1.0 - common)
        values, vectors = np.linalg.eigh(reduced)
        loading = vectors[:, -1] * np.sqrt(max(float(values[-1]), 0.0))
        change = float(np.abs(loading**2 - common).max())
        common = np.minimum(loading**2, 1.0)
        if change < 1e-9:
            break
    if (common >= 1.0 - 1e-6).any():
        return None
    shared = float(loading @ deviation) ** 2
    return shared / (shared + float(((1.0 - common) * deviation**2).sum()))


@dataclass(frozen=True, slots=True)
class SplitHalf:
    """Reliability of the whole test from its halves: the median over random splits, and the 5 % and 95 %
    points.

    None where in no split both halves vary. The points say how much it matters which items one happens to
    get; they are no confidence interval.
    """

    median: float | None
    low: float | None
    high: float | None


def split_half(
    scores: ArrayLike, generator: np.random.Generator, *, splits: int = 200, strata: ArrayLike | None = None
) -> SplitHalf:
    """The correlation of two random halves, stepped up to the full length (Spearman 1910; Brown 1910).

    scores: (N, J), NaN where not asked; halves are compared by the share of points reached. generator: draws
    the splits, so that the same generator gives the same answer. strata: (J,) for example competencies or
    levels of difficulty, each shared out evenly to both halves. Raises ValueError for fewer than two items or
    no splits.
    """
    table = check_scores(scores, persons=3, items=2)
    if splits < 1:
        raise ValueError(f"{splits} splits; at least one is asked")
    count = table.shape[1]
    stratum = np.zeros(count) if strata is None else check_column(strata, count, "strata")
    asked = ~np.isnan(table)
    points = np.where(asked, table, 0.0)
    top = np.maximum(points.max(axis=0), 1.0)
    found = []
    for first in range(0, splits, _SPLITS_AT_ONCE):
        side = np.empty((min(_SPLITS_AT_ONCE, splits - first), count))
        for split in side:
            split[np.lexsort(np.stack([generator.random(count), stratum]))] = np.arange(count) % 2
        for one, two in zip(*(_shares(points, asked, top, half) for half in (side, 1.0 - side)), strict=True):
            both = ~np.isnan(one + two)
            half = correlate(one[both], two[both])
            if half is not None and half > -1.0:
                found.append(2.0 * half / (1.0 + half))
    if not found:
        return SplitHalf(None, None, None)
    low, median, high = np.quantile(found, [0.05, 0.5, 0.95])
    return SplitHalf(float(median), float(low), float(high))


def _shares(points: Floats, asked: NDArray[np.bool_], top: Floats, chosen: Floats) -> Floats:
    """The share of points of each person on the chosen items (splits, J): (splits, N), NaN where none."""
    possible, reached = chosen @ (asked * top).T, chosen @ points.T
    return np.where(possible > 0.0, reached / np.maximum(possible, 1.0), np.nan)


def ability_reliability(
    ability: ArrayLike, standard_error: ArrayLike, *, posterior: bool = True
) -> float | None:
    """The share of variance in ability estimates that is not error (Green & al. 1984; Bechger & al. 2003).

    ability, standard_error: (N,) in logits, N >= 2; not the same as the error of a single decision, which is
    its own.
    posterior: true for means of a posterior, which are drawn to the middle,

        var(ability) / (var(ability) + mean(standard_error^2));

    false for maximum-likelihood estimates, which spread too far: 1 - mean(standard_error^2) / var(ability),
    at least 0. None where all abilities are the same. Raises ValueError for numbers that are not finite, or
    errors below 0.
    """
    value = check_column(ability, np.size(ability), "ability")
    error = check_column(standard_error, len(value), "standard error")
    if len(value) < 2:
        raise ValueError(f"{len(value)} abilities; at least two are asked")
    if (error < 0.0).any():
        raise ValueError("a standard error is below 0")
    spread, noise = float(value.var(ddof=1)), float((error**2).mean())
    if spread <= 1e-12:
        return None
    return spread / (spread + noise) if posterior else max(0.0, 1.0 - noise / spread)


def _check_probability(probability: float) -> None:
    if not 0.0 < probability < 1.0:
        raise ValueError(f"probability is {probability}; it lies strictly between 0 and 1")
