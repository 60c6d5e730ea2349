"""The E-step: what the responses would count if abilities were seen (Bock & Aitkin 1981).

For each row (item and score) and quadrature point, the expected number of persons there who scored so: sums
over persons, so parts of the data give parts of the sum, whatever machine they lie on.
"""

from dataclasses import dataclass

import numpy as np

from toprope.stats.calibration.kernels import (
    Cells,
    Real,
    gather,
    gather_sorted,
    normalise_double,
    normalise_single,
    scatter,
    scatter_sorted,
    sort_by_item,
)
from toprope.stats.calibration.parameters import Parameters, quadrature
from toprope.stats.items import Floats, Integers
from toprope.stats.responses import Responses

BLOCK = 1024
"""Persons whose posteriors are held at a time."""
SORTED_BLOCK = 2048
MANY_ITEMS = 10_000
"""Beyond so many items their table leaves the cache, and responses are taken by groups of items."""
GROUP_SHIFT = 9
FOLD = 16
"""Blocks after which single-precision sums go over to the double-precision ones, before rounding tells."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """Expected numbers of persons: counts (rows, Q) by item score and point, mass (Q,) by point.

    log_likelihood: the marginal log-likelihood of the responses. persons: those who answered anything.
    """

    counts: Floats
    mass: Floats
    log_likelihood: float
    persons: int

    def __add__(self, other: "Expectation") -> "Expectation":
        return Expectation(
            self.counts + other.counts,
            self.mass + other.mass,
            self.log_likelihood + other.log_likelihood,
            self.persons + other.persons,
        )


class Block:
    """The way of a block of persons through the loops: posteriors in, sums out."""

    def __init__(self, responses: Responses, parameters: Parameters, nodes: int, *, single: bool) -> None:
        self.cells = cells_of(responses, parameters)
        self._table = _real(parameters.log_chances(parameters.abilities(nodes)), single)
        self._log_weights = _real(quadrature(nodes).log_weights, single)
        self._sorted = responses.items > MANY_ITEMS
        self.size = SORTED_BLOCK if self._sorted else BLOCK
        self.posterior = _real(np.zeros((self.size, nodes)), single)
        self._normalise = normalise_single if single else normalise_double
        self._rows = self._member = np.empty(0, dtype=np.int32)
        self._total = 0

    def fill(self, persons: Integers) -> float:
        """Compute the posteriors of these persons (their numbers, rising); their log-likelihood."""
        posterior = self.posterior[: len(persons)]
        posterior[:] = self._log_weights
        total = int((self.cells.indptr[persons + 1] - self.cells.indptr[persons]).sum())
        if total > len(self._rows):
            self._rows = np.empty(total, dtype=np.int32)
            self._member = np.empty(total if self._sorted else 0, dtype=np.int32)
        if self._sorted:
            self._total = sort_by_item(self.cells, persons, GROUP_SHIFT, self._rows, self._member)
            gather_sorted(self._rows, self._member, self._total, self._table, posterior)
        else:
            gather(self.cells, persons, self._table, posterior, self._rows)
        return float(self._normalise(posterior, len(persons)))

    def pour(self, persons: Integers, counts: Real) -> None:
        """Add the posteriors to the rows (rows, Q) of the persons' scores."""
        if self._sorted:
            scatter_sorted(self._rows, self._member, self._total, self.posterior, counts)
        else:
            scatter(self.cells, persons, self.posterior, self._rows, counts)


def cells_of(responses: Responses, parameters: Parameters) -> Cells:
    return Cells(responses.indptr, responses.item, responses.score, parameters.first)


def who_answered(responses: Responses, step: int) -> Integers:
    """The numbers of every `step`-th person who answered anything."""
    return np.flatnonzero(np.diff(responses.indptr))[::step].astype(np.int64)


def expect(
    responses: Responses, parameters: Parameters, nodes: int, *, single: bool, step: int = 1
) -> Expectation:
    """The expected counts of these responses at these parameters, of every `step`-th person who answered."""
    block = Block(responses, parameters, nodes, single=single)
    counts = np.zeros((parameters.first[-1], nodes))
    mass = np.zeros(nodes)
    rough = _real(np.zeros_like(counts), single)
    answered = who_answered(responses, step)
    log_likelihood = 0.0
    for turn, low in enumerate(range(0, len(answered), block.size), start=1):
        persons = answered[low : low + block.size]
        log_likelihood += block.fill(persons)
        block.pour(persons, rough)
        mass += block.posterior[: len(persons)].sum(axis=0, dtype=np.float64)
        if turn % FOLD == 0:
            counts += rough
            rough[:] = 0.0
    return Expectation(counts + rough, mass, log_likelihood, len(answered))


def _real(array: Floats, single: bool) -> Real:
    return array.astype(np.float32) if single else array
