"""The parameters as the engine moves them, and what they make of a person's score.

Within the engine an item scored 0..m has a slope a and m intercepts c_1..c_m (c_0 = 0),

    P(score k | theta)  is proportional to  exp(k a theta + c_k),

the model of `stats.items` with c_k = -a (k b + delta_1 + ... + delta_k): in this form the expected log-
likelihood is concave, and the two-parameter logistic is the case m = 1 (Muraki 1992). An item's scores have
rows of their own in every table, `first[j] + k` for score k of item j, so that one loop serves all kinds of
items.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toprope.stats.compiled import compiled
from toprope.stats.items import Floats, Integers, Items, make_items

SLOPES = (0.01, 10.0)
"""Discriminations end here: an item whose key is reversed has no positive estimate, one that sorts people
without error no finite one; and beyond 10 the quadrature's points are too far apart to tell.
"""
SPREADS = (0.05, 20.0)
REACH = 6.0
"""Abilities are integrated over so many standard deviations on either side of the mean."""


LEAST_CHANCE = 1e-300


class Model(NamedTuple):
    """The parameters as the loops take them."""

    slope: Floats
    intercepts: Floats
    scores: Integers
    first: Integers


@dataclass(frozen=True, slots=True)
class Parameters:
    """slope: (J,); intercepts: (J, M), zeros beyond an item's highest score; scores: (J,) those highest
    scores.

    guess, slip: (J,) of items whose parameters are known; zeros elsewhere.
    mean, spread: of the abilities, the spread as a standard deviation.
    """

    slope: Floats
    intercepts: Floats
    scores: Integers
    guess: Floats
    slip: Floats
    mean: float = 0.0
    spread: float = 1.0

    @property
    def first(self) -> Integers:
        """(J + 1,): the first row of each item, and the number of rows."""
        return np.concatenate([[0], np.cumsum(self.scores + 1)]).astype(np.int64)

    @property
    def model(self) -> Model:
        return Model(self.slope, self.intercepts, self.scores, self.first)

    @property
    def steps(self) -> Floats:
        """(J, M) the log-odds of each score against the one below, at ability 0; zeros beyond the highest."""
        inside = np.arange(self.intercepts.shape[1]) < self.scores[:, None]
        return np.where(inside, np.diff(self.intercepts, axis=1, prepend=0.0), 0.0)

    def abilities(self, nodes: int) -> Floats:
        """The quadrature points (Q,) on the scale of the items."""
        return self.mean + self.spread * quadrature(nodes).points

    def vector(self) -> Floats:
        return np.concatenate([self.slope, self.intercepts.ravel(), [self.mean, self.spread]])

    def moved(self, vector: Floats) -> "Parameters":
        """The same items at the place `vector`, inside the bounds; items at a bound stay where they are."""
        count = len(self.slope)
        bound = (self.slope <= SLOPES[0]) | (self.slope >= SLOPES[1])
        intercepts = vector[count:-2].reshape(self.intercepts.shape)
        return replace(
            self,
            slope=np.where(bound, self.slope, np.clip(vector[:count], *SLOPES)),
            intercepts=np.where(bound[:, None], self.intercepts, intercepts),
            mean=float(vector[-2]),
            spread=float(np.clip(vector[-1], *SPREADS)),
        )

    def log_chances(self, ability: Floats) -> Floats:
        """Log P(score | ability), of shape (rows, Q) for abilities (Q,)."""
        table = np.empty((self.first[-1], len(ability)))
        _log_chances(self.model, ability, table)
        for j in np.flatnonzero(self.guess + self.slip):
            row = self.first[j]
            right = self.guess[j] + (1.0 - self.guess[j] - self.slip[j]) * np.exp(table[row + 1])
            table[row], table[row + 1] = np.log1p(-right), np.log(right)
        return table


@dataclass(frozen=True, slots=True)
class Quadrature:
    """Equally spaced points and their weights under the standard normal distribution (Q,): spectrally exact
    for smooth posteriors that are not narrow beside the spacing.
    """

    points: Floats
    log_weights: Floats


def quadrature(count: int) -> Quadrature:
    points = np.linspace(-REACH, REACH, count)
    log_weights = -0.5 * points**2
    return Quadrature(points, log_weights - np.log(np.exp(log_weights).sum()))


def parameters_of(items: Items) -> Parameters:
    """The engine's form of these items."""
    orders = np.arange(1, items.steps.shape[1] + 1)
    inside = orders <= items.scores[:, None]
    sums = orders * items.difficulty[:, None] + np.cumsum(items.steps, axis=1)
    intercepts = np.where(inside, -items.discrimination[:, None] * sums, 0.0)
    return Parameters(items.discrimination, intercepts, items.scores, items.guess, items.slip)


def items_of(parameters: Parameters, covariance: NDArray[np.float64]) -> Items:
    """The items in the words of `stats.items`, with these covariances (J, 2, 2) of discrimination and
    difficulty.
    """
    thresholds = -parameters.steps / parameters.slope[:, None]
    difficulty = thresholds.sum(axis=1) / parameters.scores
    inside = np.arange(thresholds.shape[1]) < parameters.scores[:, None]
    return make_items(
        difficulty,
        parameters.slope,
        guess=parameters.guess,
        slip=parameters.slip,
        steps=np.where(inside, thresholds - difficulty[:, None], 0.0),
        scores=parameters.scores,
        covariance=covariance,
    )


@compiled
def score_chances(model: Model, j: int, ability: float, chances: Floats) -> tuple[float, float]:
    """Item j's P(score | ability) into `chances`; the score's mean and variance."""
    highest = 0.0
    chances[0] = 0.0
    for k in range(1, model.scores[j] + 1):
        chances[k] = k * model.slope[j] * ability + model.intercepts[j, k - 1]
        highest = max(highest, chances[k])
    total = 0.0
    for k in range(model.scores[j] + 1):
        chances[k] = np.exp(chances[k] - highest)
        total += chances[k]
    mean = 0.0
    square = 0.0
    for k in range(model.scores[j] + 1):
        chances[k] /= total
        mean += k * chances[k]
        square += k * k * chances[k]
    return mean, square - mean * mean


@compiled
def _log_chances(model: Model, ability: Floats, table: Floats) -> None:
    chances = np.empty(model.intercepts.shape[1] + 1)
    for j in range(len(model.slope)):
        for q in range(len(ability)):
            score_chances(model, j, ability[q], chances)
            for k in range(model.scores[j] + 1):
                table[model.first[j] + k, q] = np.log(max(chances[k], LEAST_CHANCE))
