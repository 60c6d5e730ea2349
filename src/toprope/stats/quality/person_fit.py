"""Whether a person's answers go together: hard items right and easy ones wrong are a reason to look.

With l the log-likelihood of a person's answers at ability theta, E and V its expectation and variance,

    l_z = (l - E) / sqrt(V)                                  (Drasgow, Levine & Williams 1985)

is not standard normal when theta is estimated from the same answers: its spread is too small, and misfit is
missed. The correction takes out what the estimation of theta took in (Snijders 2001; for ordered scores
Sinharay 2016): with S the slope of l in theta and c = cov(l, S) / var(S),

    l_z* = (l - E - c S) / sqrt(V - c cov(l, S))

S is 0 at the maximum-likelihood estimate; subtracted as it stands, any estimate near the truth may be used
(the mean of a posterior too), since the corrected statistic does not change with theta to first order.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.distributions import normal_cdf
from toprope.stats.items import Items
from toprope.stats.quality.expected import chances_by_item, check_ability
from toprope.stats.quality.scores import Floats
from toprope.stats.responses import Responses

_NOTHING = 1e-9  # variance of a log-likelihood below which the answers could hardly have come out otherwise
_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class PersonFit:
    """Person fit of N persons; each field is (N,).

    answers: how many. standardised: l_z. corrected: l_z*; low is odd. p_value: P(a model person is as low or
    lower), by the normal approximation. judged: false where nothing can be said (no answers, or too few to
    vary at the estimated ability); there the statistics are 0 and the p-value 1.
    """

    answers: NDArray[np.int64]
    standardised: Floats
    corrected: Floats
    p_value: Floats
    judged: NDArray[np.bool_]


def person_fit(responses: Responses, items: Items, ability: ArrayLike) -> PersonFit:
    """The fit of every person. Asymptotic in the number of answers: below about 20 take p-values as rough.

    responses: of N persons on J items. ability: (N,) in logits, each estimated from that person's answers.
    Raises ValueError where responses, items and abilities do not go together.
    """
    theta = check_ability(responses, items, ability)
    excess, variance, slope, shared, information = (np.zeros(responses.persons) for _ in range(5))
    for item, places, persons, chances in chances_by_item(responses, items, theta):
        log = np.log(np.maximum(chances, _TINY))
        rise = _slopes(items, item, chances)
        mean = (chances * log).sum(axis=1)
        row = np.arange(len(places))
        score = responses.score[places]
        excess[persons] += log[row, score] - mean
        variance[persons] += (chances * log**2).sum(axis=1) - mean**2
        slope[persons] += rise[row, score]
        shared[persons] += (chances * log * rise).sum(axis=1)
        information[persons] += (chances * rise**2).sum(axis=1)
    share = np.divide(shared, information, out=np.zeros_like(shared), where=information > _NOTHING)
    left = variance - share * shared
    judged = (variance > _NOTHING) & (left > _NOTHING * np.maximum(1.0, variance))
    standardised = np.where(judged, excess / np.sqrt(np.maximum(variance, _NOTHING)), 0.0)
    corrected = np.where(judged, (excess - share * slope) / np.sqrt(np.maximum(left, _NOTHING)), 0.0)
    p_value = np.where(judged, [normal_cdf(each) for each in corrected], 1.0)
    return PersonFit(np.diff(responses.indptr), standardised, corrected, p_value, judged)


def _slopes(items: Items, item: int, chances: Floats) -> Floats:
    """D log P(k) / d theta for every score k, (answers, m + 1); the mean over P is 0."""
    guess, slip = float(items.guess[item]), float(items.slip[item])
    steepness = float(items.discrimination[item])
    if guess + slip == 0.0:
        scores = np.arange(chances.shape[1])
        return np.asarray(steepness * (scores - (chances @ scores)[:, None]), dtype=np.float64)
    right = chances[:, 1]
    pure = np.clip((right - guess) / (1.0 - guess - slip), 0.0, 1.0)
    rise = steepness * (1.0 - guess - slip) * pure * (1.0 - pure)
    return np.column_stack([-rise / np.maximum(1.0 - right, _TINY), rise / np.maximum(right, _TINY)])


def read_person_fit(corrected: float) -> str:
    """What an l_z* says, in plain words for whoever looks at it; never a finding about the person."""
    if not math.isfinite(corrected):
        raise ValueError(f"l_z* is {corrected}; a finite number is asked")
    if corrected < -3.0:
        return (
            "these answers go together far less than usual; about 1 in 700 persons looks like this by chance"
        )
    if corrected < -1.645:
        return "these answers go together less than usual; about 1 in 20 persons looks like this by chance"
    if corrected > 3.0:
        return "these answers are more orderly than usual, as if each item were surely known or surely not"
    return "these answers go together as usual"
