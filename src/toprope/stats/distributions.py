"""The few distribution functions that measurement needs, by their classical expansions.

SciPy has them all, at 110 MB that a running installation would carry for four functions; it checks these in
the tests instead. Relative errors stay below 1e-10 over the ranges used.
"""

import math
from collections.abc import Callable
from statistics import NormalDist

_NORMAL = NormalDist()
_TINY = 1e-300
_STEPS = 10_000


def normal_cdf(x: float) -> float:
    """P(Z <= x) for a standard normal Z; exact in both tails."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def normal_quantile(probability: float) -> float:
    """The x with P(Z <= x) = probability, 0 < probability < 1 (Wichura 1988, AS 241)."""
    if not 0.0 < probability < 1.0:
        raise ValueError(f"probability is {probability}; it lies strictly between 0 and 1")
    return _NORMAL.inv_cdf(probability)


def chi_square_sf(x: float, degrees: float) -> float:
    """P(X > x) for a chi-square X with `degrees` > 0 degrees of freedom; x >= 0.

    The regularised incomplete gamma function: its series below the mean, Legendre's continued fraction above.
    """
    if degrees <= 0.0 or x < 0.0 or math.isnan(x):
        raise ValueError(f"chi-square asks for x >= 0 and degrees > 0, not {x} and {degrees}")
    shape, half = degrees / 2.0, x / 2.0
    if half == 0.0:
        return 1.0
    if math.isinf(half):
        return 0.0
    front = math.exp(shape * math.log(half) - half - math.lgamma(shape))
    if half < shape + 1.0:
        term = total = 1.0 / shape
        for n in range(1, _STEPS):
            term *= half / (shape + n)
            total += term
            if term < total * 1e-16:
                break
        return 1.0 - front * total
    return front / _lentz(half + 1.0 - shape, lambda n: (n * (shape - n), half + 2.0 * n + 1.0 - shape))


def beta_cdf(x: float, a: float, b: float) -> float:
    """P(X <= x) for X ~ Beta(a, b), a, b > 0 (continued fraction, DLMF 8.17.22)."""
    if a <= 0.0 or b <= 0.0 or not 0.0 <= x <= 1.0:
        raise ValueError(f"beta asks for 0 <= x <= 1 and a, b > 0, not {x}, {a}, {b}")
    if x in (0.0, 1.0):
        return x
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - beta_cdf(1.0 - x, b, a)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )

    def part(n: int) -> tuple[float, float]:
        m = n // 2
        if n % 2:
            return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0)), 1.0
        return m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m)), 1.0

    return front / a / _lentz(1.0, part)


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x with P(X <= x) = probability for X ~ Beta(a, b), by bisection to the last bit."""
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"probability is {probability}; it lies between 0 and 1")
    low, high = 0.0, 1.0
    while True:
        middle = 0.5 * (low + high)
        if middle in (low, high):
            return middle
        if beta_cdf(middle, a, b) < probability:
            low = middle
        else:
            high = middle


def proportion_interval(successes: int, trials: int, probability: float = 0.95) -> tuple[float, float]:
    """The exact two-sided interval of a proportion (Clopper & Pearson 1934); (0, 1) without trials."""
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials")
    tail = (1.0 - probability) / 2.0
    low = beta_quantile(tail, successes, trials - successes + 1) if successes else 0.0
    high = beta_quantile(1.0 - tail, successes + 1, trials - successes) if successes < trials else 1.0
    return low, high


def proportion_upper_bound(successes: int, trials: int, probability: float = 0.95) -> float:
    """The exact one-sided upper bound of a proportion (Clopper & Pearson 1934); 1 without trials."""
    return proportion_interval(successes, trials, 2.0 * probability - 1.0)[1]


def _lentz(first: float, part: Callable[[int], tuple[float, float]]) -> float:
    """The fraction first + a_1/(b_1 + a_2/(b_2 + ...)), (a_n, b_n) = part(n) (Lentz 1976, Thompson 1986)."""
    value = first or _TINY
    c, d = value, 0.0
    for n in range(1, _STEPS):
        numerator, denominator = part(n)
        d = denominator + numerator * d
        d = 1.0 / (d or _TINY)
        c = denominator + numerator / c
        c = c or _TINY
        change = c * d
        value *= change
        if abs(change - 1.0) < 1e-16:
            break
    return value
