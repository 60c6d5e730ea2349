"""Retention: how ability fades without evidence, and how stability is learnt from retention probes.

What sets a person apart from the population, theta - mu, shrinks over D days without evidence to the share

    rho(D) = (1 + (19/81) D / S)^(-1/2),        so that rho(S) = 0.9,

the power law of forgetting in the form and with the decay of FSRS-4.5 (Ye 2022; Wixted & Ebbesen 1991 for
the law). S is the stability in days. Its half-life, rho = 1/2, is at D = S * 243/19. With this decay sqrt(A
+ D) (theta - mu), where A = S * 81/19, is a Brownian motion: predictions by way of any point between agree
with the direct one, for each competency and for all of them together (`states`).

The first success starts the clock. A success after D days proves the ability at that age: it adds 2 D to A
for the D that it takes off the clock, until S is four times what the competency's class gives. So fading
goes on no faster than without the success, as long as A + D is within that bound, and slower with every
spaced success. A success takes a quarter of the days on the clock, so that one lucky answer does not count
for a whole sitting and the order within a sitting does not matter; repeats on one day find no days on the
clock, and add nothing. A wrong answer lowers the ability, not the stability.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

AGE_PER_STABILITY = 81.0 / 19.0
"""A / S, from rho(S) = 0.9 with the decay 1/2 (FSRS-4.5)."""

SPACING_GAIN = 2.0
"""Days that A gains for each day that a success takes off the clock: planning value; at least 1."""

SUCCESS_SHARE = 0.25
"""Share of the days on the clock that one full success takes: planning value."""

LONGEST_STABILITY = 4.0
"""How often its first value a stability may become, as tools change meanwhile: planning value."""

STABILITY_DOUBT = math.log(2.0)
"""Prior deviation of log stability within a currency class, a factor of 2 either way: planning value."""


def stability_from_half_life(half_life_days: float) -> float:
    """The stability in days whose half-life, rho = 1/2, is `half_life_days` > 0."""
    if not 0.0 < half_life_days < math.inf:
        raise ValueError(f"a half-life is {half_life_days} days; it must be given, above 0 and finite")
    return half_life_days / (3.0 * AGE_PER_STABILITY)


def half_life_of(stability: float) -> float:
    """The half-life in days of a stability in days; the inverse of `stability_from_half_life`."""
    return stability * 3.0 * AGE_PER_STABILITY


def retained_share(elapsed_days: ArrayLike, stability: ArrayLike) -> Floats:
    """rho, the share left after `elapsed_days` >= 0 at a stability in days > 0; the shapes broadcast."""
    elapsed, days = np.asarray(elapsed_days, dtype=np.float64), np.asarray(stability, dtype=np.float64)
    if not (np.all(elapsed >= 0.0) and np.all(days > 0.0)):
        raise ValueError("elapsed_days must be 0 or more, and stability above 0")
    return np.asarray((1.0 + elapsed / (AGE_PER_STABILITY * days)) ** -0.5)


@dataclass(frozen=True, slots=True)
class RetentionProbes:
    """n answers given after a time without evidence, on one competency. All (n,).

    elapsed_days: since the last evidence. success: 1 right, 0 wrong.
    stability: days, as it was assumed of the person at that time.
    fresh_logit, fresh_variance: the logit a (theta - b) of success, predicted as if nothing had been
    forgotten.
    faded_logit, faded_variance: the same at the population's mean ability, with its variance.
    guess: the chance of a right answer without any ability.
    """

    elapsed_days: Floats
    success: Floats
    stability: Floats
    fresh_logit: Floats
    fresh_variance: Floats
    faded_logit: Floats
    faded_variance: Floats
    guess: Floats

    def __post_init__(self) -> None:
        for name in self.__slots__:
            column = getattr(self, name)
            if column.shape != self.elapsed_days.shape or column.ndim != 1 or not np.isfinite(column).all():
                raise ValueError(f"{name} must hold one finite number for each probe")
        ranges = (
            ("elapsed_days", self.elapsed_days >= 0.0),
            ("success", (self.success == 0.0) | (self.success == 1.0)),
            ("stability", self.stability > 0.0),
            ("fresh_variance", self.fresh_variance >= 0.0),
            ("faded_variance", self.faded_variance >= 0.0),
            ("guess", (self.guess >= 0.0) & (self.guess < 1.0)),
        )
        for name, good in ranges:
            if not good.all():
                raise ValueError(
                    f"{name} of probe {int(np.argmin(good))} is {getattr(self, name)[np.argmin(good)]}"
                )


@dataclass(frozen=True, slots=True)
class StabilityEstimate:
    """`stability` in days; `standard_error` of its logarithm: the 68 % interval is a factor exp(it)."""

    stability: float
    standard_error: float
    probes: int


def fit_stability(
    prior_stability: float, probes: RetentionProbes, *, doubt: float = STABILITY_DOUBT
) -> StabilityEstimate:
    """The stability of one competency, most probable after `probes`; with none of them, the prior's.

    prior_stability: days, that of the competency's currency class; doubt: the prior standard deviation of its
    logarithm. One factor f multiplies the stabilities assumed of the probes. With rho at f S,

        P(success) = c + (1 - c) logistic( l / sqrt(1 + pi v / 8) ),
        l = faded + rho (fresh - faded),    v = rho^2 fresh_variance + (1 - rho^2) faded_variance

    (MacKay 1992 for the logistic of a normal). Maximum a posteriori over log f within five prior
    deviations; the standard error is the posterior's on the same grid, so it is finite whatever the data.
    """
    if not (0.0 < prior_stability < math.inf and 0.0 < doubt < math.inf):
        raise ValueError(f"prior stability {prior_stability} and doubt {doubt} must be above 0 and finite")
    log_factor = np.linspace(-5.0 * doubt, 5.0 * doubt, 401)
    log_posterior = -0.5 * (log_factor / doubt) ** 2
    for place, each in enumerate(log_factor):
        log_posterior[place] += _log_likelihood(math.exp(each), probes)
    chances = np.exp(log_posterior - log_posterior.max())
    chances /= chances.sum()
    mean = float(chances @ log_factor)
    error = math.sqrt(float(chances @ (log_factor - mean) ** 2))
    best = _vertex(log_factor, log_posterior)
    return StabilityEstimate(prior_stability * math.exp(best), error, len(probes.success))


def _log_likelihood(factor: float, probes: RetentionProbes) -> float:
    rho = retained_share(probes.elapsed_days, factor * probes.stability)
    logit = probes.faded_logit + rho * (probes.fresh_logit - probes.faded_logit)
    variance = rho**2 * probes.fresh_variance + (1.0 - rho**2) * probes.faded_variance
    logit = logit / np.sqrt(1.0 + math.pi / 8.0 * variance)
    knows = -np.logaddexp(0.0, -logit)
    wrong = np.log1p(-probes.guess) - np.logaddexp(0.0, logit)
    with np.errstate(divide="ignore"):  # log of a guess rate of 0: minus infinity adds nothing below
        right = np.logaddexp(np.log(probes.guess), np.log1p(-probes.guess) + knows)
    return float(np.where(probes.success == 1.0, right, wrong).sum())


def _vertex(x: Floats, y: Floats) -> float:
    """Where the parabola through the highest point of y and its neighbours peaks."""
    top = int(np.clip(np.argmax(y), 1, len(x) - 2))
    bend = float(y[top - 1] - 2.0 * y[top] + y[top + 1])
    if bend >= 0.0:
        return float(x[np.argmax(y)])
    step = 0.5 * float(y[top - 1] - y[top + 1]) / bend
    return float(x[top] + np.clip(step, -1.0, 1.0) * (x[1] - x[0]))
