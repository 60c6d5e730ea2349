"""The loops over responses: gather a person's likelihood, normalise it, scatter the posterior to the items.

They work on a block of persons whose posteriors (B, Q) stay in the cache. Tables, posteriors and accumulators
(rows, Q) are in single precision on the way - twice as many numbers to an instruction, half the cache - and
in double precision for the finish; the same source serves both.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toprope.stats.compiled import compiled, compiled_fast
from toprope.stats.items import Floats, Integers

Real = NDArray[Any]
"""Single or double precision."""
Places = NDArray[np.int32]
Scores = NDArray[np.int8]


class Cells(NamedTuple):
    """Responses as the loops take them, with the first row of each item (J + 1,)."""

    indptr: Integers
    item: Places
    score: Scores
    first: Integers


_LOG2_E = np.float32(1.4426950408889634)
_LEAST_POWER = np.float32(-100.0)
# 2**x on [0, 1] as a polynomial through both ends, minimax in relative error (2e-9; rounding adds 8e-8)
_POWER_1 = np.float32(0.6931470323987492)
_POWER_2 = np.float32(0.24022951328798733)
_POWER_3 = np.float32(0.055484152546277116)
_POWER_4 = np.float32(0.009678063616285117)
_POWER_5 = np.float32(0.0012440880292655917)
_POWER_6 = np.float32(0.0002171501214356927)
_ONE = np.float32(1.0)


@compiled_fast
def gather(
    cells: Cells,
    persons: Integers,
    table: Real,
    posterior: Real,
    rows: Places,
) -> None:
    """Add the log-chances of each person's scores to the person's row; note the rows of the table they
    used.
    """
    place = 0
    width = table.shape[1]
    for p in range(len(persons)):
        low, high = cells.indptr[persons[p]], cells.indptr[persons[p] + 1]
        k, end = place, place + high - low
        for t in range(high - low):
            rows[place + t] = cells.first[cells.item[low + t]] + cells.score[low + t]
        while k + 4 <= end:  # four at a time: the person's row is read and written once for them
            a, b, c, d = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
            for q in range(width):
                posterior[p, q] += (table[a, q] + table[b, q]) + (table[c, q] + table[d, q])
            k += 4
        while k < end:
            a = rows[k]
            for q in range(width):
                posterior[p, q] += table[a, q]
            k += 1
        place = end


@compiled_fast
def scatter(cells: Cells, persons: Integers, posterior: Real, rows: Places, counts: Real) -> None:
    """Add each person's posterior to the rows of the person's scores."""
    place = 0
    width = counts.shape[1]
    for p in range(len(persons)):
        for _ in range(cells.indptr[persons[p] + 1] - cells.indptr[persons[p]]):
            row = rows[place]
            for q in range(width):
                counts[row, q] += posterior[p, q]
            place += 1


@compiled_fast
def sort_by_item(
    cells: Cells,
    persons: Integers,
    shift: int,
    rows: Places,
    member: Places,
) -> int:
    """Note rows and persons of a block's responses, items of a group of 2**shift together; how many there
    are.

    With very many items the table leaves the cache; taken group by group it is read once per block instead
    of once per response.
    """
    starts = np.zeros(((len(cells.first) - 1) >> shift) + 2, dtype=np.int64)
    for p in persons:
        for k in range(cells.indptr[p], cells.indptr[p + 1]):
            starts[(cells.item[k] >> shift) + 1] += 1
    for group in range(1, len(starts)):
        starts[group] += starts[group - 1]
    total = starts[-1]
    for p in range(len(persons)):
        for k in range(cells.indptr[persons[p]], cells.indptr[persons[p] + 1]):
            group = cells.item[k] >> shift
            place = starts[group]
            starts[group] = place + 1
            member[place] = p
            rows[place] = cells.first[cells.item[k]] + cells.score[k]
    return int(total)


@compiled_fast
def gather_sorted(rows: Places, member: Places, total: int, table: Real, posterior: Real) -> None:
    for k in range(total):
        row, p = rows[k], member[k]
        for q in range(table.shape[1]):
            posterior[p, q] += table[row, q]


@compiled_fast
def scatter_sorted(rows: Places, member: Places, total: int, posterior: Real, counts: Real) -> None:
    for k in range(total):
        row, p = rows[k], member[k]
        for q in range(counts.shape[1]):
            counts[row, q] += posterior[p, q]


@compiled_fast
def normalise_single(posterior: NDArray[np.float32], persons: int) -> float:
    """Log-likelihoods to posteriors, in place; the sum of the persons' marginal log-likelihoods.

    exp(x) = 2**n 2**f with n whole, by writing n into the exponent's bits: a loop that the compiler
    vectorises.
    """
    width = posterior.shape[1]
    powers = np.empty(width, dtype=np.int32)
    scale = powers.view(np.float32)
    likelihood = 0.0
    for p in range(persons):
        top = posterior[p, 0]
        for q in range(width):
            top = max(top, posterior[p, q])
        for q in range(width):
            x = max((posterior[p, q] - top) * _LOG2_E, _LEAST_POWER)
            whole = np.floor(x)
            f = x - whole
            powers[q] = (np.int32(whole) + np.int32(127)) << np.int32(23)
            tail = f * (_POWER_4 + f * (_POWER_5 + f * _POWER_6))
            posterior[p, q] = _ONE + f * (_POWER_1 + f * (_POWER_2 + f * (_POWER_3 + tail)))
        total = np.float32(0.0)
        for q in range(width):
            posterior[p, q] *= scale[q]
            total += posterior[p, q]
        for q in range(width):
            posterior[p, q] *= _ONE / total
        likelihood += top + np.log(np.float64(total))
    return likelihood


@compiled
def normalise_double(posterior: Floats, persons: int) -> float:
    """The same in double precision."""
    width = posterior.shape[1]
    likelihood = 0.0
    for p in range(persons):
        top = posterior[p].max()
        total = 0.0
        for q in range(width):
            posterior[p, q] = np.exp(posterior[p, q] - top)
            total += posterior[p, q]
        for q in range(width):
            posterior[p, q] /= total
        likelihood += top + np.log(total)
    return likelihood


@compiled
def count_scores(item: Places, score: Scores, counts: Integers) -> None:
    """Add to counts (J, scores) how often each item got each score."""
    for k in range(len(item)):
        counts[item[k], score[k]] += 1


@compiled
def link_items(indptr: Integers, item: Places, parent: Places) -> None:
    """Join the items of each person into one group of the forest `parent` (Tarjan 1975, path halving)."""
    for p in range(len(indptr) - 1):
        for k in range(indptr[p] + 1, indptr[p + 1]):
            a, b = item[k - 1], item[k]
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            if a < b:
                parent[b] = a
            elif b < a:
                parent[a] = b
