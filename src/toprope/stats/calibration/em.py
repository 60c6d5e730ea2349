"""Item calibration: marginal maximum likelihood by EM with quadrature.

Abilities are normal in the population and integrated out; items get the parameters under which the
responses are most likely (Bock & Aitkin 1981), of the two-parameter logistic where scored 0 and 1 and of
the generalised partial credit model (Muraki 1992) where scored higher. Anderson's mixing (1965; Walker & Ni
2011) shortens the climb: it takes half of the steps of SQUAREM (Varadhan & Roland 2008) here. Large data
are climbed on an even sample first and then whole, in single precision; the finish is in double precision.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.calibration.beginning import Anchors, beginning
from toprope.stats.calibration.errors import covariances, layout, missing_information, share
from toprope.stats.calibration.expectation import Expectation, expect
from toprope.stats.calibration.maximisation import Flags, Prior, maximise
from toprope.stats.calibration.parameters import REACH, Parameters, items_of, quadrature
from toprope.stats.calibration.survey import Survey, check_determined, survey
from toprope.stats.items import Floats, Integers, Items
from toprope.stats.responses import Responses

LARGE = 1_000_000
"""From so many responses on, single precision leads the way."""
SAMPLE = 2_000_000
"""Responses in the first sample of larger data; and at least so many per item:"""
SAMPLE_PER_ITEM = 500
THINNING = 8
"""How much larger the next sample is."""
MEMORY = 6
"""Steps that the next leap is drawn from."""
ROUNDING = 1e-7
"""A fall of the log-likelihood by less than this share is rounding."""

Sum = TypeVar("Sum")


@runtime_checkable
class Data(Protocol):
    """Responses that lie elsewhere: anything that can sum a function over its parts, in their order."""

    def total(self, part: Callable[[Responses], Sum]) -> Sum: ...


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a calibration found of J items.

    items: (J,), with error covariances (anchors as they were given).
    ability_mean, ability_sd: of the persons; 0 and 1 by definition of the scale unless anchors define it.
    ability_errors: (2,) the standard errors of these two; zeros where given by definition, and beyond 300
    parameters.
    log_likelihood: marginal, in double precision, without the prior's density.
    persons, responses: that were used. answers: (J,) responses of each item.
    reversed: (J,) items that abler persons score lower on: a wrong key, or a misread question. Their
    discrimination is at or near its lower bound of .01 and their difficulty says little.
    groups: (J,) the linked group of each item, -1 without responses. With more than one, nobody answered
    items of two groups, and they share a scale only if their persons are equally able on average.
    iterations: E-steps of all stages. change: the largest change of a parameter in the last EM step.
    converged: whether that fell below the tolerance.
    """

    items: Items
    ability_mean: float
    ability_sd: float
    ability_errors: Floats
    log_likelihood: float
    persons: int
    responses: int
    answers: Integers
    reversed: NDArray[np.bool_]
    groups: Integers
    iterations: int
    change: float
    converged: bool

    @property
    def connected(self) -> bool:
        """Whether all items with responses hang together."""
        return int(self.groups.max()) == 0


def calibrate(
    responses: Responses | Iterable[Responses] | Data,
    *,
    prior: Prior | None = None,
    anchors: Anchors | None = None,
    start: Items | None = None,
    scores: ArrayLike | None = None,
    tolerance: float = 1e-4,
    iterations: int = 500,
) -> Calibration:
    """Estimate the items' parameters from these responses.

    `responses` may be an iterable of parts, gone through once per iteration, so that they may lie on a
    disk; all parts have the same items, and no person lies in two of them. They may lie on a cluster
    (`DistributedResponses`). `prior` makes it maximum a posteriori: advised below some 500 responses an
    item, and needed where a score of an item never occurs. `anchors` keep their parameters, and the
    abilities' mean and standard deviation are estimated in their stead (fixed-parameter calibration, Kim
    2006). `start` (J,) are the values to climb from. `scores` (J,) are the items' highest scores, otherwise
    the highest seen (1 at least). `tolerance`: the climb ends when an EM step moves no slope or intercept
    (in logits) by more. `iterations`: or after so many E-steps.

    Raises ValueError where there are no responses, where an item has no finite estimate (naming it), and
    where anchors, start or scores do not fit the responses.
    """
    if not 0.0 < tolerance < np.inf or iterations < 1:
        raise ValueError(f"tolerance is {tolerance} and iterations {iterations}; both must be above 0")
    data = responses if isinstance(responses, Data) else _Parts(responses)
    found = data.total(survey)
    if found.persons == 0:
        raise ValueError("there are no responses")
    parameters, free = beginning(found, anchors, start, scores)
    if prior is None:
        check_determined(found.counts, parameters.scores, free)
    nodes = quadrature_size(found, parameters)
    ascent = _Ascent(data, prior, free, nodes=nodes, moving=anchors is not None, limit=iterations)
    count = int(found.answers.sum())
    step = count // max(SAMPLE, SAMPLE_PER_ITEM * len(free))
    while step > 1 and start is None:
        parameters = ascent.climb(parameters, tolerance * step, single=True, step=step)
        step //= THINNING
    if count > LARGE:
        parameters = ascent.climb(parameters, tolerance, single=True)
    parameters = ascent.climb(parameters, tolerance)
    items, ability_errors = _with_errors(data, found, parameters, ascent, anchors)
    return Calibration(
        items=items,
        ability_mean=parameters.mean,
        ability_sd=parameters.spread,
        ability_errors=ability_errors,
        log_likelihood=ascent.expected.log_likelihood,
        persons=found.persons,
        responses=count,
        answers=found.answers,
        reversed=_reversed(parameters, ascent.expected) & free,
        groups=found.groups(),
        iterations=ascent.iterations,
        change=ascent.change,
        converged=ascent.change < tolerance,
    )


class _Parts:
    """Parts in this process, one after the other."""

    def __init__(self, responses: Responses | Iterable[Responses]) -> None:
        if isinstance(responses, Iterator):
            raise ValueError("parts are gone through many times: give a list of them, not an iterator")  # noqa: TRY004 - a list's content, not its type, is what is missing
        self._parts = [responses] if isinstance(responses, Responses) else responses

    def total(self, part: Callable[[Responses], Sum]) -> Sum:
        return add_up(map(part, self._parts))


def add_up(sums: Iterable[Sum]) -> Sum:
    """The sum, in order. Raises ValueError without any."""
    each = iter(sums)
    for first in each:
        return reduce(add, each, first)
    raise ValueError("there are no responses: not one part")


class _Ascent:
    """EM steps with leaps, and what came of the last one."""

    expected: Expectation

    def __init__(
        self, data: Data, prior: Prior | None, free: Flags, *, nodes: int, moving: bool, limit: int
    ) -> None:
        self._data, self.prior, self.free = data, prior, free
        self.nodes, self._moving, self._limit = nodes, moving, limit
        self.iterations = 0
        self.change = np.inf
        self._leaps = _Leaps()

    def climb(self, here: Parameters, tolerance: float, *, single: bool = False, step: int = 1) -> Parameters:
        """From here until an EM step changes less than the tolerance; the last place that was evaluated.

        A leap that ends lower than it began is taken back: EM itself never falls, so the climb cannot.
        Samples have a prior in any case, for a rare score may be missing from them.
        """
        prior = Prior() if self.prior is None and step > 1 else self.prior
        retreat, best = here, -np.inf
        place = step_there = None
        while True:
            self.expected = self._data.total(
                partial(expect, parameters=here, nodes=self.nodes, single=single, step=step)
            )
            self.iterations += 1
            height = self.expected.log_likelihood
            height += 0.0 if prior is None else prior.log_density(here, self.free)
            if height < best - ROUNDING * abs(best) and self.iterations < self._limit:
                here, best, place = retreat, -np.inf, None
                self._leaps.clear()
                continue
            there = maximise(here, self.expected, prior, self.free, moving=self._moving)
            before, step_before = place, step_there
            place = here.vector()
            step_there = there.vector() - place
            self.change = float(np.abs(step_there).max())
            if self.change < tolerance or self.iterations >= self._limit:
                return here
            if before is not None:
                self._leaps.learn(place - before, step_there - step_before)
            best, retreat = height, there
            here = there.moved(self._leaps.from_step(there.vector(), step_there))


class _Leaps:
    """Where steps lead to, learnt from how they bent (Anderson 1965; Walker & Ni 2011).

    What was learnt on a sample serves on the whole: the likelihood bends much the same there.
    """

    def __init__(self) -> None:
        self._bends: deque[Floats] = deque(maxlen=MEMORY)
        self._moves: deque[Floats] = deque(maxlen=MEMORY)

    def clear(self) -> None:
        self._bends.clear()
        self._moves.clear()

    def learn(self, move: Floats, bend: Floats) -> None:
        """Between two places `move` apart the EM step changed by `bend`."""
        self._bends.append(bend)
        self._moves.append(move + bend)

    def from_step(self, there: Floats, step: Floats) -> Floats:
        """The place where the EM step would vanish, were it linear in the place; `there` is where it led."""
        if not self._bends:
            return there
        bends = np.stack(self._bends)
        normal = bends @ bends.T
        normal[np.diag_indices_from(normal)] += 1e-8 * normal.diagonal() + np.finfo(np.float64).tiny
        return np.asarray(
            there - np.linalg.solve(normal, bends @ step) @ np.stack(self._moves), dtype=np.float64
        )


def quadrature_size(found: Survey, parameters: Parameters) -> int:
    """Quadrature points: no further apart than 1.25 of the narrowest posterior's standard deviation.

    The error of the sum falls as exp(-2 (pi s / h)^2) with the spacing h; at 1.25 s it is 3e-6 of one
    person's likelihood. A response adds about .4 to the information; a score of m adds as much as m of
    them.
    """
    weight = float((found.answers * parameters.scores).sum() / found.answers.sum())
    narrowest = 1.0 / np.sqrt(1.0 + 0.4 * found.longest * weight)
    return int(np.clip(16 * np.ceil(2.0 * REACH / (1.25 * narrowest) / 16), 32, 512))


def _with_errors(
    data: Data, found: Survey, parameters: Parameters, ascent: _Ascent, anchors: Anchors | None
) -> tuple[Items, Floats]:
    """The items with their error covariances; the standard errors (2,) of the abilities' mean and spread."""
    where = layout(parameters, ascent.free, ability=anchors is not None)
    step = share(where, found.persons, int(found.answers.sum()), ascent.nodes)
    missing = step * data.total(
        partial(missing_information, parameters=parameters, nodes=ascent.nodes, where=where, step=step)
    )
    errors, of_abilities = covariances(parameters, ascent.expected, missing, ascent.prior, where)
    if anchors is not None:
        errors[anchors.places] = anchors.items.covariance
    return items_of(parameters, errors), np.sqrt(np.diag(of_abilities))


def _reversed(parameters: Parameters, expected: Expectation) -> Flags:
    """Whether ability falls with the score: their covariance, over the expected counts."""
    ability = quadrature(expected.counts.shape[1]).points
    item = np.repeat(np.arange(len(parameters.slope)), parameters.scores + 1)
    order = np.arange(len(item)) - parameters.first[item]
    persons, sums = expected.counts.sum(axis=1), expected.counts @ ability
    total, of_order, of_ability, of_both = (
        np.bincount(item, weights=each) for each in (persons, order * persons, sums, order * sums)
    )
    return np.asarray(total * of_both < of_order * of_ability, dtype=np.bool_)
