"""What chance alone would do: p-values over many comparisons, and correlations with their intervals."""

import math

import numpy as np
from numpy.typing import ArrayLike

from toprope.stats.distributions import normal_quantile
from toprope.stats.quality.scores import Floats

_FLAT = 1e-12  # a spread below this share of the values' size is rounding, not spread


def adjust_p_values(p_values: ArrayLike) -> Floats:
    """P-values of many comparisons, adjusted so that a cut at q keeps the false discovery rate at q.

    p_values: any number of values in [0, 1], independent or positively dependent; the answer has their order.
    Raises ValueError for values outside [0, 1]. Source: Benjamini & Hochberg 1995, step-up.
    """
    given = np.atleast_1d(np.asarray(p_values, dtype=np.float64))
    if given.ndim != 1 or not ((given >= 0.0) & (given <= 1.0)).all():
        raise ValueError("p-values form one row of numbers between 0 and 1")
    order = np.argsort(given, kind="stable")[::-1]
    ranks = np.arange(len(given), 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum.accumulate(np.minimum(1.0, given[order] * (len(given) / ranks)))
    return adjusted


def correlate(first: Floats, second: Floats) -> float | None:
    """Pearson's correlation of two columns; None with fewer than three pairs, or where one does not vary."""
    if len(first) < 3 or is_flat(first) or is_flat(second):
        return None
    x, y = first - first.mean(), second - second.mean()
    scale = math.sqrt(float((x * x).sum()) * float((y * y).sum()))
    return float(np.clip(float((x * y).sum()) / scale, -1.0, 1.0))


def is_flat(values: Floats) -> bool:
    """Whether the values are all the same, but for rounding."""
    return not len(values) or bool(np.ptp(values) <= _FLAT * max(1.0, float(np.abs(values).max())))


def correlation_interval(correlation: float, pairs: int, probability: float = 0.95) -> tuple[float, float]:
    """The interval of a correlation seen on `pairs` pairs, by Fisher's (1921) transformation.

    With three pairs or fewer, or a correlation of exactly 1 in size, nothing is known: (-1, 1).
    """
    if pairs <= 3 or abs(correlation) >= 1.0:
        return -1.0, 1.0
    middle = math.atanh(correlation)
    reach = normal_quantile(0.5 + probability / 2.0) / math.sqrt(pairs - 3)
    return math.tanh(middle - reach), math.tanh(middle + reach)
