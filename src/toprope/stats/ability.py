"""How an answer moves an ability estimate.

The response model is the three-parameter logistic: with ability theta and an item of discrimination a,
difficulty b and guess rate c,

    P(right | theta) = c + (1 - c) / (1 + exp(-a (theta - b)))                       (Birnbaum 1968)

The belief about theta is normal. After an answer the posterior is no longer normal; it is replaced by the
normal with the same mean and variance (assumed-density filtering: Opper 1998, Minka 2001). Everything
happens on the scalar eta = a (theta - b), whose prior is normal with variance a^2 (Var theta + Var b): an
item whose difficulty is uncertain moves the estimate less, never as if its difficulty were known.

Units: abilities and difficulties are in logits on one scale; standard errors likewise.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

_NODES, _WEIGHTS = (tuple(map(float, part)) for part in np.polynomial.hermite_e.hermegauss(41))


@dataclass(frozen=True, slots=True)
class Belief:
    """A normal belief about an ability: `value` and `standard_error` in logits."""

    value: float
    standard_error: float

    def probability_above(self, cut: float) -> float:
        """P(ability >= cut)."""
        return 1.0 - NormalDist(self.value, self.standard_error).cdf(cut)

    def interval(self, probability: float = 0.9) -> tuple[float, float]:
        """The central interval that holds the ability with `probability` (0 < probability < 1)."""
        if not 0.0 < probability < 1.0:
            raise ValueError(f"probability is {probability}; it lies strictly between 0 and 1")
        reach = NormalDist().inv_cdf(0.5 + probability / 2.0) * self.standard_error
        return self.value - reach, self.value + reach


@dataclass(frozen=True, slots=True)
class ItemParameters:
    """What is known of an item. `difficulty_error` is the standard error of `difficulty`, in logits."""

    difficulty: float
    difficulty_error: float
    guess: float = 0.0
    discrimination: float = 1.0

    def __post_init__(self) -> None:
        values = (self.difficulty, self.difficulty_error, self.guess, self.discrimination)
        if not all(math.isfinite(value) for value in values):
            raise ValueError(f"item parameters must be finite numbers: {self}")
        if not 0.0 <= self.guess < 1.0 or self.difficulty_error < 0.0 or self.discrimination <= 0.0:
            raise ValueError(f"guess in [0, 1), difficulty_error >= 0 and discrimination > 0 asked: {self}")


def probability_right(ability: float, item: ItemParameters) -> float:
    """P(right) at a known ability, with the item's difficulty taken at its best estimate."""
    return item.guess + (1.0 - item.guess) * _logistic(item.discrimination * (ability - item.difficulty))


def update_belief(belief: Belief, item: ItemParameters, right: bool) -> Belief:
    """The belief after one answer. Deterministic; finite for every finite input."""
    a = item.discrimination
    theta_variance = belief.standard_error**2
    mean = a * (belief.value - item.difficulty)
    variance = a * a * (theta_variance + item.difficulty_error**2)
    if variance == 0.0:
        return belief
    spread = math.sqrt(variance)

    total = first = second = 0.0
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        probability = item.guess + (1.0 - item.guess) * _logistic(mean + spread * node)
        mass = weight * (probability if right else 1.0 - probability)
        total += mass
        first += mass * node
        second += mass * node * node
    if total <= 0.0:  # an answer that the model holds impossible to machine precision teaches nothing
        return belief
    shift = first / total  # posterior mean of the standardised eta
    shrink = 1.0 - (second / total - shift * shift)  # share of eta's variance that the answer took away

    value = belief.value + a * theta_variance * shift / spread
    kept = theta_variance - (a * theta_variance) ** 2 * shrink / variance
    return Belief(value, math.sqrt(max(kept, 1e-12)))


def cut_score(item: ItemParameters, pass_mark: float) -> float:
    """The ability at which a person is expected to reach `pass_mark` (share right) on items such as `item`.

    Inverts the response function; `pass_mark` must lie strictly between the guess rate and 1.
    """
    if not item.guess < pass_mark < 1.0:
        raise ValueError(f"pass mark {pass_mark} lies outside ({item.guess}, 1): guessing alone would decide")
    share = (pass_mark - item.guess) / (1.0 - item.guess)
    return item.difficulty + math.log(share / (1.0 - share)) / item.discrimination


def _logistic(x: float) -> float:
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    grown = math.exp(x)
    return grown / (1.0 + grown)
