"""Local dependence: items that hang together by more than the ability they measure.

Two items that share a text, or of which one gives the other away, are not two independent witnesses;
estimates that count them as two are surer than they should be. Yen's (1984) Q3 is the correlation of the two
items' residuals, each score less its expectation at the person's ability, over the persons who answered both.

Q3 of independent items is not 0 but about -1 / (J - 1), since the ability was estimated from the same
answers; what counts is its excess over the mean of all pairs. An excess of 0.2 is rarely reached without
dependence (Christensen, Makransky & Horton 2017).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.compiled import compiled
from toprope.stats.distributions import normal_quantile
from toprope.stats.items import Items
from toprope.stats.quality.expected import chances_by_item, check_ability, moments
from toprope.stats.quality.scores import Floats
from toprope.stats.responses import Responses

MOST_ITEMS = 4_000
CRITICAL_EXCESS = 0.2

_FEWEST = 10  # answers to both items, below which a correlation tells nothing
_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class DependentPair:
    """Two items whose residuals go together. `excess` is Q3 over the mean of all pairs; `answers` were to
    both.
    """

    first: int
    second: int
    q3: float
    excess: float
    answers: int


@dataclass(frozen=True, slots=True)
class LocalDependence:
    """Q3 of all pairs of J items.

    q3: (J, J), symmetric, 1 on the diagonal; 0 where `known` is false.
    known: (J, J), whether at least ten persons answered both items and both residuals vary.
    mean: of the known pairs; None where no pair is known.
    pairs: those whose excess reaches 0.2 and is also beyond chance at 5 % over all pairs (Bonferroni, on
    Fisher's transformed correlations), the strongest first.
    """

    q3: Floats
    known: NDArray[np.bool_]
    mean: float | None
    pairs: tuple[DependentPair, ...]


def local_dependence(
    responses: Responses, items: Items, ability: ArrayLike, *, critical: float = CRITICAL_EXCESS
) -> LocalDependence:
    """Q3 of every pair of items, from responses however sparse.

    responses: of N persons on J <= 4,000 items; pairs nobody shares are marked unknown. ability: (N,) in
    logits.
    critical: the excess over the mean from which a pair is reported, above 0. Time grows with the pairs of
    items that each person answered, memory with J^2. Raises ValueError for more items, or where inputs do not
    go together.
    """
    theta = check_ability(responses, items, ability)
    if responses.items > MOST_ITEMS:
        raise ValueError(f"{responses.items} items are {MOST_ITEMS} at most here; study them by competency")
    if not critical > 0.0:
        raise ValueError(f"the critical excess is {critical}; it must be above 0")
    residual = np.empty(len(responses))
    for _, places, _, chances in chances_by_item(responses, items, theta):
        residual[places] = responses.score[places] - moments(chances)[0]
    counts, sums, squares, products = _pair_sums(responses.indptr, responses.item, residual, responses.items)
    upper = np.triu_indices(responses.items, 1)
    n = counts[upper].astype(np.float64)
    shared = np.maximum(n, 1.0)
    first_spread = squares[upper] - sums[upper] ** 2 / shared
    second_spread = squares.T[upper] - sums.T[upper] ** 2 / shared
    covariance = products[upper] - sums[upper] * sums.T[upper] / shared
    floor = 1e-12 * np.maximum(shared, squares[upper] + squares.T[upper])
    enough = (n >= _FEWEST) & (first_spread > floor) & (second_spread > floor)
    scale = np.sqrt(np.maximum(first_spread * second_spread, 1e-300))
    values = np.where(enough, np.clip(covariance / scale, -1.0, 1.0), 0.0)
    mean = float(values[enough].mean()) if enough.any() else None
    q3, known = np.eye(responses.items), np.eye(responses.items, dtype=np.bool_)
    q3[upper], known[upper] = values, enough
    q3.T[upper], known.T[upper] = values, enough
    pairs = () if mean is None else _report(upper, values, np.where(enough, n, 0.0), mean, critical)
    return LocalDependence(q3, known, mean, pairs)


def _report(
    upper: tuple[NDArray[np.int64], ...], values: Floats, answers: Floats, mean: float, critical: float
) -> tuple[DependentPair, ...]:
    known = answers > 0.0
    bound = normal_quantile(1.0 - _LEVEL / int(known.sum()))
    beyond = np.sqrt(np.maximum(answers - 1.0, 0.0)) * (values - mean)
    chosen = np.flatnonzero(known & (values - mean >= critical) & (beyond > bound))
    first, second = upper
    ranked = chosen[np.argsort(-values[chosen], kind="stable")]
    columns = (first[ranked], second[ranked], values[ranked], values[ranked] - mean, answers[ranked])
    return tuple(
        DependentPair(int(one), int(two), float(q3), float(excess), int(count))
        for one, two, q3, excess, count in zip(*columns, strict=True)
    )


@compiled
def _pair_sums(
    indptr: NDArray[np.int64], item: NDArray[np.int32], residual: Floats, items: int
) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    """Over persons who answered both i and j: their number and the products at [i, j], i < j; the sum and the
    sum of squares of i's residuals at [i, j], of j's at [j, i].
    """
    counts = np.zeros((items, items), dtype=np.int64)
    sums = np.zeros((items, items))
    squares = np.zeros((items, items))
    products = np.zeros((items, items))
    for person in range(len(indptr) - 1):
        for k in range(indptr[person], indptr[person + 1]):
            i, x = item[k], residual[k]
            for m in range(k + 1, indptr[person + 1]):
                j, y = item[m], residual[m]
                counts[i, j] += 1
                products[i, j] += x * y
                sums[i, j] += x
                sums[j, i] += y
                squares[i, j] += x * x
                squares[j, i] += y * y
    return counts, sums, squares, products
