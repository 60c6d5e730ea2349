"""Standard errors: the observed information, by Louis's identity (1982).

    observed = complete - missing:   I = E[-d2 log L_complete] - Var[d log L_complete | responses]

The complete part falls out of the M-step. The missing part is the covariance of the scores s(theta) of the
answered items under each person's posterior, summed over its points.

With up to `FULL` parameters the whole matrix is inverted; beyond, each item's own block, and what all items
share - the error of the scale - is added from theory: within 2 % of the whole on average. Of large data an
even sample of persons stands for all.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from toprope.stats.calibration.expectation import Block, Expectation, who_answered
from toprope.stats.calibration.kernels import Cells
from toprope.stats.calibration.maximisation import Flags, Prior, curvatures
from toprope.stats.calibration.parameters import Parameters, quadrature
from toprope.stats.compiled import compiled_fast
from toprope.stats.items import Floats, Integers
from toprope.stats.responses import Responses

FULL = 300
LEAST_INFORMATION = 1e-6
"""No direction gets less: variances end at a million, wide enough to say that nothing is known."""
MULTIPLICATIONS = 1e9
"""About so many may a whole matrix cost, and at least so many persons are in any sample:"""
PERSONS = 1_000
RESPONSES_PER_ITEM = 500
"""At least so many, on average, are in the sample that blocks are taken from."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parameters stand in the information matrix.

    column: (J,) of each item's slope, its intercepts after it; -1 for known items.
    size: of the matrix. ability: whether the abilities' mean and spread stand at its end.
    """

    column: Integers
    size: int
    ability: bool

    @property
    def full(self) -> bool:
        return self.size <= FULL

    @property
    def free(self) -> Flags:
        return np.asarray(self.column >= 0, dtype=np.bool_)


def layout(parameters: Parameters, free: Flags, *, ability: bool) -> Layout:
    widths = np.where(free, parameters.scores + 1, 0)
    column = np.where(free, np.cumsum(widths) - widths, -1)
    return Layout(column, int(widths.sum()) + 2 * ability, ability)


def share(where: Layout, persons: int, responses: int, nodes: int) -> int:
    """Every how many persons to look at one."""
    if where.full:
        enough = max(PERSONS, int(MULTIPLICATIONS / (nodes * max(where.size, 1) ** 2)))
        return max(1, persons // enough)
    return max(1, responses // (RESPONSES_PER_ITEM * len(where.column)))


class Scores(NamedTuple):
    """The complete-data scores as the loops take them: gradients (rows, 1 + M, Q), and where they belong."""

    gradients: Floats
    highest: Integers
    column: Integers


def missing_information(
    responses: Responses, parameters: Parameters, nodes: int, where: Layout, step: int
) -> Floats:
    """The missing information of every `step`-th person: (size, size), or if that is too large (J, P, P)."""
    block = Block(responses, parameters, nodes, single=False)
    points = quadrature(nodes).points
    scores = Scores(_gradients(parameters, parameters.abilities(nodes)), parameters.scores, where.column)
    width = scores.gradients.shape[1]
    total = np.zeros((where.size, where.size) if where.full else (len(where.column), width, width))
    answered = who_answered(responses, step)
    of_ability = np.stack([points, points**2]) / parameters.spread if where.ability else np.zeros((0, nodes))
    for low in range(0, len(answered), block.size):
        persons = answered[low : low + block.size]
        block.fill(persons)
        if where.full:
            _add_matrix(block.cells, persons, block.posterior, scores, of_ability, total)
        else:
            _add_blocks(block.cells, persons, block.posterior, scores, total)
    return total


def covariances(
    parameters: Parameters, expected: Expectation, missing: Floats, prior: Prior | None, where: Layout
) -> tuple[Floats, Floats]:
    """The error covariances (J, 2, 2) of discrimination and difficulty; zeros for known items.

    And those (2, 2) of the abilities' mean and spread: zeros where they are given, or blocks were inverted.
    """
    complete = curvatures(parameters, expected, prior, where.free)
    if where.full:
        blocks, of_abilities = _from_matrix(parameters, expected.persons, complete, missing, where)
    else:
        blocks, of_abilities = _from_blocks(parameters, complete, missing, where), np.zeros((2, 2))
    found = _of_difficulty(parameters, blocks)
    if not where.full and not where.ability:
        found += _of_scale(parameters, expected.persons)
    found[~where.free] = 0.0
    return found, of_abilities


def _from_matrix(
    parameters: Parameters, persons: int, complete: Floats, missing: Floats, where: Layout
) -> tuple[Floats, Floats]:
    information = -missing
    inside = [
        slice(column, column + highest + 1)
        for column, highest in zip(where.column, parameters.scores, strict=True)
    ]
    for j in np.flatnonzero(where.free):
        size = parameters.scores[j] + 1
        information[inside[j], inside[j]] += complete[j, :size, :size]
    if where.ability:
        information[[-2, -1], [-2, -1]] += np.array([1.0, 2.0]) * persons / parameters.spread**2
    inverse = _inverse(information)
    blocks = np.zeros_like(complete)
    for j in np.flatnonzero(where.free):
        size = parameters.scores[j] + 1
        blocks[j, :size, :size] = inverse[inside[j], inside[j]]
    return blocks, inverse[-2:, -2:] if where.ability else np.zeros((2, 2))


def _from_blocks(parameters: Parameters, complete: Floats, missing: Floats, where: Layout) -> Floats:
    diagonal = np.arange(complete.shape[1])
    information = complete - missing
    information[:, diagonal, diagonal] += diagonal > parameters.scores[:, None]  # not theirs: stand apart
    blocks = np.zeros_like(complete)
    blocks[where.free] = _inverse(information[where.free])
    return blocks


def _of_difficulty(parameters: Parameters, blocks: Floats) -> Floats:
    """The covariance of (a, b) from that of (a, c_m), by the delta method: b = -c_m / (m a)."""
    count = len(parameters.slope)
    places, last = np.arange(count), parameters.scores
    difficulty = -parameters.intercepts[places, last - 1] / (last * parameters.slope)
    change = np.zeros((count, 2, 2))
    change[:, 0, 0] = 1.0
    change[:, 1, 0] = -difficulty / parameters.slope
    change[:, 1, 1] = -1.0 / (last * parameters.slope)
    pairs = np.empty((count, 2, 2))
    pairs[:, 0, 0] = blocks[:, 0, 0]
    pairs[:, 0, 1] = pairs[:, 1, 0] = blocks[places, 0, last]
    pairs[:, 1, 1] = blocks[places, last, last]
    found = change @ pairs @ change.transpose(0, 2, 1)
    return np.asarray(found, dtype=np.float64)


def _of_scale(parameters: Parameters, persons: int) -> Floats:
    """What all items share: the scale is that of these persons, whose mean and spread are a sample's.

    A shift of variance 1 / N moves every difficulty, a stretch of variance 1 / 2N difficulty and
    discrimination.
    """
    slope = parameters.slope
    difficulty = -parameters.steps.sum(axis=1) / (parameters.scores * slope)
    found = np.empty((len(slope), 2, 2))
    found[:, 0, 0] = 0.5 * slope**2
    found[:, 0, 1] = found[:, 1, 0] = -0.5 * slope * difficulty
    found[:, 1, 1] = 1.0 + 0.5 * difficulty**2
    return found / persons


def _inverse(information: Floats) -> Floats:
    """The inverse; where a direction has no information (no maximum, or a flat one), a very wide one."""
    even = 0.5 * (information + np.swapaxes(information, -1, -2))
    try:
        np.linalg.cholesky(even - LEAST_INFORMATION * np.eye(even.shape[-1]))
        return np.asarray(np.linalg.inv(even), dtype=np.float64)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(even)
        scaled = vectors / np.maximum(values, LEAST_INFORMATION)[..., None, :]
        return np.asarray(scaled @ np.swapaxes(vectors, -1, -2), dtype=np.float64)


def _gradients(parameters: Parameters, ability: Floats) -> Floats:
    """(rows, 1 + M, Q): derivatives of log P(score | ability) by slope and intercepts, up to constants."""
    chances = np.exp(parameters.log_chances(ability))
    first, scores = parameters.first, parameters.scores
    item = np.repeat(np.arange(len(scores)), scores + 1)
    order = np.arange(len(item)) - first[item]
    mean = np.add.reduceat(order[:, None] * chances, first[:-1], axis=0)
    table = np.zeros((len(item), 1 + parameters.intercepts.shape[1], len(ability)))
    table[:, 0] = ability * (order[:, None] - mean[item])
    for k in range(1, table.shape[1]):
        has = scores[item] >= k
        table[has, k] = -chances[first[item[has]] + k]
    return table


@compiled_fast
def _deviate(posterior: Floats, score: Floats, deviation: Floats) -> None:
    """(score - E[score]) sqrt(posterior), at each point."""
    mean = 0.0
    for q in range(len(posterior)):
        mean += posterior[q] * score[q]
    for q in range(len(posterior)):
        deviation[q] = (score[q] - mean) * np.sqrt(posterior[q])


@compiled_fast
def _add_matrix(
    cells: Cells, persons: Integers, posterior: Floats, scores: Scores, of_ability: Floats, total: Floats
) -> None:
    """Add each person's covariance of scores to the matrix, those `of_ability` (2 or 0, Q) at its end."""
    nodes, size = posterior.shape[1], len(total)
    deviations = np.empty((size, nodes))
    columns = np.empty(size, dtype=np.int64)
    for p in range(len(persons)):
        count = 0
        for k in range(cells.indptr[persons[p]], cells.indptr[persons[p] + 1]):
            j = cells.item[k]
            row = cells.first[j] + cells.score[k]
            for t in range(scores.highest[j] + 1 if scores.column[j] >= 0 else 0):
                _deviate(posterior[p], scores.gradients[row, t], deviations[count])
                columns[count] = scores.column[j] + t
                count += 1
        for t in range(len(of_ability)):
            _deviate(posterior[p], of_ability[t], deviations[count])
            columns[count] = size - len(of_ability) + t
            count += 1
        for one in range(count):
            for other in range(one + 1):
                product = 0.0
                for q in range(nodes):
                    product += deviations[one, q] * deviations[other, q]
                total[columns[one], columns[other]] += product
                if other < one:
                    total[columns[other], columns[one]] += product


@compiled_fast
def _add_blocks(cells: Cells, persons: Integers, posterior: Floats, scores: Scores, blocks: Floats) -> None:
    """Add each response's covariance of scores to its item's block."""
    nodes = posterior.shape[1]
    means = np.empty(blocks.shape[1])
    for p in range(len(persons)):
        for k in range(cells.indptr[persons[p]], cells.indptr[persons[p] + 1]):
            j = cells.item[k]
            row = cells.first[j] + cells.score[k]
            if scores.column[j] < 0:
                continue
            for t in range(scores.highest[j] + 1):
                mean = 0.0
                for q in range(nodes):
                    mean += posterior[p, q] * scores.gradients[row, t, q]
                means[t] = mean
                for other in range(t + 1):
                    product = 0.0
                    for q in range(nodes):
                        weighted = posterior[p, q] * scores.gradients[row, t, q]
                        product += weighted * scores.gradients[row, other, q]
                    blocks[j, t, other] += product - mean * means[other]
                    blocks[j, other, t] = blocks[j, t, other]
