"""The M-step: each item's slope and intercepts that fit the expected counts best, by Newton's method.

Given the counts the items are independent of each other, and the objective is concave in (a, c_1..c_m) (a
multinomial logistic regression on ability), so that a few damped steps suffice.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toprope.stats.calibration.expectation import Expectation
from toprope.stats.calibration.parameters import SLOPES, Model, Parameters, score_chances
from toprope.stats.compiled import compiled
from toprope.stats.items import Floats, Integers

NEWTON_STEPS = 20
NEWTON_ENOUGH = 1e-4
"""A Newton step this small leaves an error of about its square."""
LONGEST_STEP = 1.0

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of an item before anybody answered; it keeps estimates from few responses finite.

    discrimination: the median; log discriminations are normal around it with `discrimination_spread`.
    easiness_spread: the standard deviation around 0 of each score's log-odds against the score below it, at
    ability 0.

    The defaults are weak: 95 % of items discriminate between .37 and 2.7, with log-odds within 6 logits.
    Raises ValueError unless all three are finite and above 0.
    """

    discrimination: float = 1.0
    discrimination_spread: float = 0.5
    easiness_spread: float = 3.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not 0.0 < value < np.inf:
                raise ValueError(f"the prior's {name} is {value}; it must be a finite number above 0")

    def log_density(self, parameters: Parameters, free: Flags) -> float:
        """Of the free items, up to a constant."""
        off = np.log(parameters.slope[free] / self.discrimination) / self.discrimination_spread
        steps = parameters.steps[free] / self.easiness_spread
        return -0.5 * float((off**2).sum() + (steps**2).sum())

    @property
    def weights(self) -> Floats:
        """(3,) as the loops take it: the log of the median, and the two precisions."""
        spreads = (self.discrimination_spread**-2, self.easiness_spread**-2)
        return np.array([np.log(self.discrimination), *spreads])


NO_PRIOR = np.zeros(3)


class Target(NamedTuple):
    """What items are fitted to: counts (rows, Q) at abilities (Q,), the prior's weights (3,), and bounds."""

    counts: Floats
    ability: Floats
    prior: Floats
    slopes: tuple[float, float] = SLOPES


class Workspace(NamedTuple):
    """One item's gradient (P,), negative second derivatives (P, P) and chances (P,), P = 1 + M."""

    gradient: Floats
    curvature: Floats
    chances: Floats


def maximise(
    parameters: Parameters, expected: Expectation, prior: Prior | None, free: Flags, *, moving: bool
) -> Parameters:
    """The free items' best parameters for these counts; where `moving`, the abilities' distribution's too."""
    ability = parameters.abilities(len(expected.mass))
    given = parameters.model
    model = given._replace(slope=given.slope.copy(), intercepts=given.intercepts.copy())
    _newton(
        model, np.flatnonzero(free), Target(expected.counts, ability, _weights(prior)), _workspace(parameters)
    )
    mean, spread = parameters.mean, parameters.spread
    if moving:
        weights = expected.mass / expected.mass.sum()
        mean = float(weights @ ability)
        spread = float(np.sqrt(weights @ (ability - mean) ** 2))
    return replace(parameters, slope=model.slope, intercepts=model.intercepts, mean=mean, spread=spread)


def curvatures(parameters: Parameters, expected: Expectation, prior: Prior | None, free: Flags) -> Floats:
    """(J, P, P), P = 1 + M: the negative second derivatives of the M-step's objective; zeros where not
    free.
    """
    work = _workspace(parameters)
    out = np.zeros((len(parameters.slope), *work.curvature.shape))
    model = parameters.model
    target = Target(expected.counts, parameters.abilities(len(expected.mass)), _weights(prior))
    for j in np.flatnonzero(free).tolist():
        work.curvature[:] = 0.0
        _derive(model, j, target, work)
        out[j] = work.curvature
    return out


def _weights(prior: Prior | None) -> Floats:
    """(3,): the log of the median discrimination, and the two precisions; zeros without a prior."""
    if prior is None:
        return np.zeros(3)
    precisions = (prior.discrimination_spread**-2, prior.easiness_spread**-2)
    return np.array([np.log(prior.discrimination), *precisions])


def _workspace(parameters: Parameters) -> Workspace:
    width = 1 + parameters.intercepts.shape[1]
    return Workspace(np.empty(width), np.empty((width, width)), np.empty(width))


@compiled
def _derive(model: Model, j: int, target: Target, work: Workspace) -> None:
    """Item j's gradient and negative second derivatives."""
    top, row = model.scores[j], model.first[j]
    gradient, curvature, chances = work.gradient, work.curvature, work.chances
    gradient[: top + 1] = 0.0
    curvature[: top + 1, : top + 1] = 0.0
    for q in range(len(target.ability)):
        ability = target.ability[q]
        mean, variance = score_chances(model, j, ability, chances)
        persons = 0.0
        for k in range(top + 1):
            persons += target.counts[row + k, q]
        curvature[0, 0] += persons * ability**2 * variance
        for k in range(1, top + 1):
            left = target.counts[row + k, q] - persons * chances[k]
            gradient[0] += k * ability * left
            gradient[k] += left
            curvature[k, 0] += persons * ability * chances[k] * (k - mean)
            curvature[k, k] += persons * chances[k]
            for other in range(1, k + 1):
                curvature[k, other] -= persons * chances[k] * chances[other]
    if target.prior[1] > 0.0:
        slope = model.slope[j]
        gradient[0] -= target.prior[1] * (np.log(slope) - target.prior[0]) / slope
        curvature[0, 0] += target.prior[1] / slope**2
        for k in range(1, top + 1):
            step = model.intercepts[j, k - 1] - (model.intercepts[j, k - 2] if k > 1 else 0.0)
            gradient[k] -= target.prior[2] * step
            curvature[k, k] += target.prior[2]
            if k > 1:
                gradient[k - 1] += target.prior[2] * step
                curvature[k - 1, k - 1] += target.prior[2]
                curvature[k, k - 1] -= target.prior[2]
    for k in range(1, top + 1):
        for other in range(k):
            curvature[other, k] = curvature[k, other]


@compiled
def _solve(matrix: Floats, right: Floats, start: int, size: int) -> None:
    """Solve for right[start:size] in place, by Cholesky; directions without information hardly move."""
    for i in range(start, size):
        for j in range(start, i + 1):
            total = matrix[i, j]
            for k in range(start, j):
                total -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = np.sqrt(max(total, 1e-9)) if i == j else total / matrix[j, j]
    for i in range(start, size):
        for k in range(start, i):
            right[i] -= matrix[i, k] * right[k]
        right[i] /= matrix[i, i]
    for i in range(size - 1, start - 1, -1):
        for k in range(i + 1, size):
            right[i] -= matrix[k, i] * right[k]
        right[i] /= matrix[i, i]


@compiled
def _newton(model: Model, places: Integers, target: Target, work: Workspace) -> None:
    """Fit the items at these places, changing the model."""
    lowest, steepest = target.slopes
    slope, step = model.slope, work.gradient
    for j in places:
        size = model.scores[j] + 1
        for _ in range(NEWTON_STEPS):
            _derive(model, j, target, work)
            stuck = (slope[j] <= lowest and step[0] <= 0.0) or (slope[j] >= steepest and step[0] >= 0.0)
            if stuck:  # at a bound the intercepts move alone
                step[0] = 0.0
            _solve(work.curvature, step, 1 if stuck else 0, size)
            length = np.abs(step[:size]).max()
            damping = min(1.0, LONGEST_STEP / max(length, LONGEST_STEP))
            slope[j] = min(max(slope[j] + damping * step[0], lowest, 0.3 * slope[j]), steepest)
            for k in range(1, size):
                model.intercepts[j, k - 1] += damping * step[k]
            if length < NEWTON_ENOUGH:
                break
