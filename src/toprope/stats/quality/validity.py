"""Criterion validity: does the measure go with what it is meant to foretell?"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from toprope.stats.distributions import normal_quantile
from toprope.stats.quality.chance import correlate, correlation_interval
from toprope.stats.quality.scores import Floats, check_column, check_flags

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CriterionValidity:
    """How a measure goes with a criterion that was met or not.

    correlation: point-biserial, with Fisher's interval; None, and (-1, 1), where the measure does not vary.
    area: P(a person who met it measures higher than one who did not), ties counting half (area under the ROC
    curve), with the interval of DeLong, DeLong & Clarke-Pearson (1988) on the logit scale; (0, 1) where it
    cannot be told.
    """

    persons: int
    met: int
    correlation: float | None
    correlation_interval: Interval
    area: float
    area_interval: Interval


def criterion_validity(
    measure: ArrayLike, criterion: ArrayLike, *, probability: float = 0.95
) -> CriterionValidity:
    """The validity of a measure (N,) for a criterion (N,) of 0 and 1, with intervals of the given
    probability.

    Leave out persons whose criterion is not known. Raises ValueError for numbers that are not finite, and for
    a criterion that all or none met.
    """
    value = check_column(measure, np.size(measure), "measure")
    met = check_flags(criterion, len(value), "criterion")
    if not 0.0 < probability < 1.0:
        raise ValueError(f"probability is {probability}; it lies strictly between 0 and 1")
    link = correlate(value, met.astype(np.float64))
    link_interval = (-1.0, 1.0) if link is None else correlation_interval(link, len(value), probability)
    above, below = _placements(value[met], value[~met]), 1.0 - _placements(value[~met], value[met])
    area = float(above.mean())
    return CriterionValidity(
        len(value), int(met.sum()), link, link_interval, area, _area_interval(area, above, below, probability)
    )


def area_difference(
    first: ArrayLike, second: ArrayLike, criterion: ArrayLike, *, probability: float = 0.95
) -> tuple[float, Interval]:
    """The area of one measure less that of another on the same persons, with its interval (DeLong & al.
    1988).

    first, second, criterion: (N,). Raises ValueError as `criterion_validity`, and for fewer than two persons
    of each kind.
    """
    met = check_flags(criterion, np.size(criterion), "criterion")
    if met.sum() < 2 or (~met).sum() < 2:
        raise ValueError("at least two persons who met the criterion and two who did not are asked")
    parts = []
    for measure in (first, second):
        value = check_column(measure, len(met), "measure")
        parts.append((_placements(value[met], value[~met]), 1.0 - _placements(value[~met], value[met])))
    above, below = parts[0][0] - parts[1][0], parts[0][1] - parts[1][1]
    gap = float(above.mean())
    error = math.sqrt(float(above.var(ddof=1)) / len(above) + float(below.var(ddof=1)) / len(below))
    reach = normal_quantile(0.5 + probability / 2.0) * error
    return gap, (gap - reach, gap + reach)


def _placements(values: Floats, others: Floats) -> Floats:
    """For each value the share of the others that lie below it, those equal counting half."""
    ranked = np.sort(others)
    low, high = np.searchsorted(ranked, values, "left"), np.searchsorted(ranked, values, "right")
    return np.asarray((low + high) / (2.0 * len(others)), dtype=np.float64)


def _area_interval(area: float, above: Floats, below: Floats, probability: float) -> Interval:
    if len(above) < 2 or len(below) < 2 or not 0.0 < area < 1.0:
        return 0.0, 1.0
    error = math.sqrt(float(above.var(ddof=1)) / len(above) + float(below.var(ddof=1)) / len(below))
    middle = math.log(area / (1.0 - area))
    reach = normal_quantile(0.5 + probability / 2.0) * error / (area * (1.0 - area))
    low, high = (1.0 / (1.0 + math.exp(-min(max(middle + side, -700.0), 700.0))) for side in (-reach, reach))
    return low, high
