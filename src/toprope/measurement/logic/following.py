"""Taking evidence into what is believed of a person, and reading that belief. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import numpy as np

from toprope.evidence.statement import Statement
from toprope.measurement.logic.readings import KnownItems, Parameters, Reading, days_of, read_statement
from toprope.measurement.logic.scale import planned_cuts
from toprope.stats import (
    AbilityState,
    DecisionRule,
    Items,
    Population,
    Severities,
    age_state,
    fold_observations,
    guard_items,
    make_items,
    make_observations,
    normal_cdf,
    normal_quantile,
    predict_ability,
    start_state,
)

_REACH = normal_quantile(0.95)  # of the 90 % interval, in standard errors


RULE = DecisionRule()
"""When a sitting ends, and the certainty asked, until audits teach another."""


def rule_asking(certainty: float | None) -> DecisionRule:
    """The rule that asks for this certainty; the usual one where it is None."""
    if certainty is None:
        return RULE
    return replace(RULE, certainty=certainty, plain=max(RULE.plain, certainty))


@dataclass(frozen=True, slots=True)
class Basis:
    """What estimates rest on besides the evidence: the prior, known items, severities of raters, and the
    rule.

    `key` names it: estimates of another key are folded anew.
    """

    key: str
    population: Population
    known: KnownItems = field(default_factory=dict)
    severities: Severities | None = None
    rule: DecisionRule = RULE
    cuts: Mapping[int, float] = field(default_factory=planned_cuts)


@dataclass(frozen=True, slots=True)
class Belief:
    """A normal belief about one ability: `value` and `standard_error` in logits."""

    value: float
    standard_error: float

    @property
    def interval(self) -> tuple[float, float]:
        """The 90 % interval."""
        return self.value - _REACH * self.standard_error, self.value + _REACH * self.standard_error

    def probability_above(self, cut: float) -> float:
        """P(ability >= cut)."""
        return normal_cdf((self.value - cut) / self.standard_error)


@dataclass(frozen=True, slots=True)
class Ability:
    """An estimate of one competency: a belief, resting on `responses` scores of its own."""

    competency: str
    belief: Belief
    responses: int

    @property
    def value(self) -> float:
        """Logits."""
        return self.belief.value

    @property
    def standard_error(self) -> float:
        """Logits."""
        return self.belief.standard_error

    @property
    def interval(self) -> tuple[float, float]:
        """The 90 % interval."""
        return self.belief.interval


@dataclass(frozen=True, slots=True)
class AbilityStep:
    """One score and how it moved the estimate of its competency. `before` has aged until then."""

    statement: UUID
    item: str
    score: float
    difficulty: float
    before: Belief
    after: Belief
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Followed:
    """What is believed of one person, and how many scores there were on each competency, (K,)."""

    state: AbilityState
    responses: tuple[int, ...]

    def packed(self) -> bytes:
        """The state, exact to the bit, for `unpack_followed`."""
        return self.state.to_bytes()


def unpack_followed(packed: bytes, responses: Iterable[int]) -> Followed:
    """What `Followed.packed` wrote. Raises ValueError for anything else."""
    return Followed(AbilityState.from_bytes(packed), tuple(responses))


def start_following(basis: Basis, at: datetime) -> Followed:
    """What is believed of somebody before any evidence."""
    state = start_state(basis.population, days_of(at))
    return Followed(state, (0,) * len(state.competencies))


def follow(basis: Basis, known: Followed | None, statements: Iterable[Statement]) -> Followed | None:
    """The belief after `statements`, in the order given; None while none said anything."""
    return follow_many(basis, [(known, statements)])[0]


def follow_many(
    basis: Basis, persons: Sequence[tuple[Followed | None, Iterable[Statement]]]
) -> list[Followed | None]:
    """`follow` for several persons, in one pass."""
    readings = [read_all(basis, statements) for _, statements in persons]
    taken = [place for place, each in enumerate(readings) if each]
    before = [persons[place][0] or _start(basis, readings[place]) for place in taken]
    after = fold_readings(basis, [each.state for each in before], [readings[place] for place in taken])[0]
    found = [known for known, _ in persons]
    for place, known, state in zip(taken, before, after, strict=True):
        found[place] = Followed(state, _count(known, readings[place]))
    return found


def list_steps(basis: Basis, competency: str, statements: Iterable[Statement]) -> list[AbilityStep]:
    """How each score on a competency moved its estimate, in the order of the statements."""
    readings = read_all(basis, statements)
    if not readings:
        return []
    rows = fold_readings(basis, [_start(basis, readings).state], [readings])[1]
    return [
        AbilityStep(
            statement=each.statement,
            item=each.item,
            score=each.share,
            difficulty=each.parameters.difficulty,
            before=Belief(float(row[0]), float(row[1])),
            after=Belief(float(row[2]), float(row[3])),
            timestamp=each.timestamp,
        )
        for each, row in zip(readings, rows, strict=True)
        if each.competency == competency
    ]


def read_abilities(basis: Basis, followed: Followed, at: datetime) -> dict[str, Ability]:
    """The abilities at a time, by competency; those without a score of their own are left out."""
    prediction = predict_ability(basis.population, followed.state, days_of(at))
    return {
        competency: Ability(competency, Belief(float(value), float(error)), count)
        for competency, value, error, count in zip(
            followed.state.competencies,
            prediction.value,
            prediction.standard_error,
            followed.responses,
            strict=True,
        )
        if count
    }


def belief_about(basis: Basis, state: AbilityState, competency: str, at: datetime) -> Belief:
    """What is believed of one ability at a time."""
    aged = age_state(basis.population, state, days_of(at))
    place = aged.competencies.index(competency)
    return Belief(float(aged.mean[place]), float(np.sqrt(aged.covariance[place, place])))


def expect_right(basis: Basis, followed: Followed | None, statement: Statement) -> tuple[float, float]:
    """P(right) on the question of an answer by what is believed of the person now, and that belief's value.

    The question is taken as easier by its standard error, so that none is suspected for being easy
    (`toprope.stats.exposure`). Without a belief: a half, and the middle of the scale.
    """
    readings = read_all(basis, [statement])
    if followed is None or not readings:
        return 0.5, 0.0
    place = followed.state.competencies.index(readings[0].competency)
    parameters, value = readings[0].parameters, float(followed.state.mean[place])
    error = float(followed.state.covariance[place, place])
    # The mean of a logistic over a normal, nearly (MacKay 1992).
    slope = parameters.discrimination / math.sqrt(1.0 + math.pi / 8.0 * parameters.discrimination**2 * error)
    gap = value - parameters.difficulty + math.sqrt(parameters.covariance[2])
    return parameters.guess + (1.0 - parameters.guess) / (1.0 + math.exp(-slope * gap)), value


def severities_of(raters: Mapping[str, tuple[float, float]], spread: float | None) -> Severities | None:
    """What a calibration told of raters: severity and standard error by name; None where it told nothing."""
    if spread is None:
        return None
    names = tuple(sorted(raters))
    columns = np.array([raters[name] for name in names], dtype=np.float64).reshape(len(names), 2)
    return Severities(names, columns[:, 0].copy(), columns[:, 1].copy(), spread)


def items_of(parameters: Sequence[Parameters]) -> Items:
    """The parameters as columns, with what is likely known beforehand taken into account."""
    width = max(len(each.steps) for each in parameters)
    items = make_items(
        [each.difficulty for each in parameters],
        [each.discrimination for each in parameters],
        guess=[each.guess for each in parameters],
        steps=[(*each.steps, *(0.0,) * (width - len(each.steps))) for each in parameters],
        scores=[len(each.steps) for each in parameters],
        covariance=[
            [[each.covariance[0], each.covariance[1]], [each.covariance[1], each.covariance[2]]]
            for each in parameters
        ],
    )
    return guard_items(items, [each.exposed for each in parameters])


def read_all(basis: Basis, statements: Iterable[Statement]) -> list[Reading]:
    """What statements say of ability, in their order."""
    known = set(basis.population.competencies)
    return [
        reading
        for statement in statements
        for reading in read_statement(statement, basis.known)
        if reading.competency in known  # an earlier framework may have had others
    ]


def _start(basis: Basis, readings: Sequence[Reading]) -> Followed:
    return start_following(basis, readings[0].timestamp)


def fold_readings(
    basis: Basis, states: Sequence[AbilityState], readings: Sequence[Sequence[Reading]]
) -> tuple[Sequence[AbilityState], np.ndarray]:
    """The states after each person's readings, and (n, 4) how each reading moved its competency."""
    every = [reading for each in readings for reading in each]
    if not every:
        return states, np.empty((0, 4))
    place: Mapping[str, int] = {key: number for number, key in enumerate(basis.population.competencies)}
    observations = make_observations(
        range(len(every)),
        [each.score for each in every],
        [each.at for each in every],
        [place[each.competency] for each in every],
        rater=[each.rater for each in every],
        weight=[each.weight for each in every],
        job=[each.job for each in every],
    )
    starts = np.cumsum([0, *(len(each) for each in readings)])
    folded = fold_observations(
        basis.population,
        states,
        items_of([each.parameters for each in every]),
        observations,
        starts=starts,
        severities=basis.severities,
    )
    return folded.states, folded.steps


def _count(known: Followed, readings: Sequence[Reading]) -> tuple[int, ...]:
    place = {key: number for number, key in enumerate(known.state.competencies)}
    counts = list(known.responses)
    for each in readings:
        counts[place[each.competency]] += 1
    return tuple(counts)
