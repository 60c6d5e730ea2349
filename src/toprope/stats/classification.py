"""How well persons are sorted by a cut: accuracy and consistency, expected and observed.

*Accuracy* is the share of persons whose class is their true one; *consistency* the share that a second,
independent measurement of the same quality would put into the same class again.

- `rudner` (Rudner 2001, 2005): from estimates and their standard errors. With p_ik the chance, under
  normal(estimate_i, error_i), of person i being in class k,
  accuracy = mean p_i(class of the estimate), consistency = mean of sum over k of p_ik^2.
- `lee` (Lee 2010): before anybody has answered, from the items of a fixed form, cuts on the summed score and
  a distribution of ability. With p_k(theta) the chance of a summed score in class k (Lord & Wingersky 1984,
  for items with steps: Thissen, Pommerich, Billeaud & Williams 1995), accuracy = sum over theta of w p_(true
  class), consistency = sum over theta of w sum over k of p_k^2, where the true class is that of the expected
  summed score at theta.

`false_rates` counts what happened instead. Abilities are in logits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from toprope.stats.compiled import compiled
from toprope.stats.distributions import normal_cdf, proportion_interval
from toprope.stats.items import Floats, Integers, Items, score_probabilities


@dataclass(frozen=True, slots=True)
class Classification:
    """Expected quality of a sorting into K classes by K - 1 cuts.

    accuracy, consistency: shares. kappa: consistency beyond chance (Cohen 1960), NaN where all are in one
    class. table: (K, K), the expected share of persons of true class (row) that are put into each class
    (column).
    """

    accuracy: float
    consistency: float
    kappa: float
    table: Floats

    @property
    def false_passes(self) -> float:
        """The expected share of those in the highest class who do not belong there; NaN if nobody is in
        it.
        """
        given = float(self.table[:, -1].sum())
        return float(self.table[:-1, -1].sum()) / given if given > 0.0 else math.nan


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` in `total`, their share (NaN in none) and its 95 % Clopper-Pearson interval."""

    count: int
    total: int
    share: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class FalseRates:
    """What decisions turned out to be.

    false_passes: those below the cut among the passed. false_fails: those at or above it among the others.
    able_passed: the passed among those at or above the cut. accuracy: right decisions among all.
    """

    false_passes: Rate
    false_fails: Rate
    able_passed: Rate
    accuracy: Rate


def rudner(abilities: ArrayLike, standard_errors: ArrayLike, cuts: Sequence[float]) -> Classification:
    """Expected accuracy and consistency from (N,) estimates and their standard errors (0 for a known
    ability).

    The table takes the belief about each person as the truth and the class of the estimate as the decision.
    Raises ValueError for no persons, values that are not finite, or cuts that do not rise.
    """
    estimates, errors = np.broadcast_arrays(
        np.atleast_1d(np.asarray(abilities, dtype=np.float64)), np.asarray(standard_errors, dtype=np.float64)
    )
    edges = _rising(cuts)
    if len(estimates) == 0 or not np.isfinite(estimates).all():
        raise ValueError("abilities must be at least one finite number")
    if not (np.isfinite(errors) & (errors >= 0.0)).all():
        raise ValueError("standard errors must be finite and not negative")
    below = np.ones((len(estimates), len(edges) + 2))
    below[:, 0] = 0.0
    for k, edge in enumerate(edges):
        below[:, k + 1] = [
            normal_cdf((edge - value) / error) if error > 0.0 else float(value < edge)
            for value, error in zip(estimates, errors, strict=True)
        ]
    chances = np.diff(below, axis=1)
    decided = np.searchsorted(edges, estimates, side="right")
    table = np.zeros((len(edges) + 1, len(edges) + 1))
    np.add.at(table.T, decided, chances)
    table /= len(estimates)
    return _classification(table, float((chances**2).sum(axis=1).mean()), chances.mean(axis=0))


def lee(
    items: Items, abilities: ArrayLike, cut_scores: Sequence[float], weights: ArrayLike | None = None
) -> Classification:
    """Expected accuracy and consistency of a fixed form, sorted by its summed score.

    abilities: (Q,) quadrature points with `weights` (Q,), or persons, who weigh alike. cut_scores: the summed
    scores, out of the sum of the items' highest, from which on each higher class begins.
    """
    theta = np.atleast_1d(np.asarray(abilities, dtype=np.float64))
    mass = np.ones(len(theta)) if weights is None else np.asarray(weights, dtype=np.float64)
    if len(items) == 0 or len(theta) == 0 or not np.isfinite(theta).all():
        raise ValueError("at least one item and one finite ability are needed")
    if mass.shape != theta.shape or not (mass >= 0.0).all() or not 0.0 < mass.sum() < math.inf:
        raise ValueError("weights must be one for each ability, not negative, and not all 0")
    mass = mass / mass.sum()
    edges = _rising(cut_scores)
    sums = summed_scores(items, theta)
    scores = np.arange(sums.shape[1])
    classes = np.searchsorted(edges, scores, side="right")
    chances = np.stack([sums[:, classes == k].sum(axis=1) for k in range(len(edges) + 1)], axis=1)
    # An expected score that rounding left a hair below the cut has reached it.
    truth = np.searchsorted(edges, sums @ scores + 1e-9, side="right")
    table = np.zeros((len(edges) + 1, len(edges) + 1))
    np.add.at(table, truth, mass[:, None] * chances)
    return _classification(table, float(mass @ (chances**2).sum(axis=1)), mass @ chances)


def summed_scores(items: Items, abilities: ArrayLike) -> Floats:
    """P(summed score = s | ability), of shape (Q, S + 1), S the sum of the items' highest scores."""
    chances = score_probabilities(items, np.atleast_1d(np.asarray(abilities, dtype=np.float64)))
    return _convolve(chances, items.scores)


def false_rates(passed: ArrayLike, able: ArrayLike) -> FalseRates:
    """Count what (N,) decisions were worth, once it is known who was `able`, that is at or above the cut."""
    yes, good = np.asarray(passed, dtype=np.bool_), np.asarray(able, dtype=np.bool_)
    if yes.shape != good.shape or yes.ndim != 1:
        raise ValueError(
            f"one decision and one truth for each person are asked, not {yes.shape} and {good.shape}"
        )
    return FalseRates(
        false_passes=_rate(int((yes & ~good).sum()), int(yes.sum())),
        false_fails=_rate(int((~yes & good).sum()), int((~yes).sum())),
        able_passed=_rate(int((yes & good).sum()), int(good.sum())),
        accuracy=_rate(int((yes == good).sum()), len(yes)),
    )


def _rate(count: int, total: int) -> Rate:
    return Rate(count, total, count / total if total else math.nan, proportion_interval(count, total))


def _rising(cuts: Sequence[float]) -> Floats:
    edges = np.atleast_1d(np.asarray(cuts, dtype=np.float64))
    if len(edges) == 0 or not np.isfinite(edges).all() or (np.diff(edges) <= 0.0).any():
        raise ValueError(f"cuts must be finite and rise: {edges.tolist()}")
    return edges


def _classification(table: Floats, consistency: float, shares: Floats) -> Classification:
    chance = float((shares**2).sum())
    kappa = (consistency - chance) / (1.0 - chance) if chance < 1.0 - 1e-12 else math.nan
    return Classification(float(np.trace(table)), consistency, kappa, table)


@compiled
def _convolve(chances: Floats, highest: Integers) -> Floats:
    """The distribution of the sum over items (Lord & Wingersky's recursion), for each ability."""
    total = highest.sum()
    sums = np.zeros((len(chances), total + 1))
    for q in range(len(chances)):
        sums[q, 0] = 1.0
        reach = 0
        for j in range(len(highest)):
            top = highest[j]
            for score in range(reach + top, -1, -1):
                value = 0.0
                for k in range(max(0, score - reach), min(top, score) + 1):
                    value += sums[q, score - k] * chances[q, j, k]
                sums[q, score] = value
            reach += top
    return sums
