"""What a statement says of ability, if anything. Pure.

Questions count by right or wrong, with the chance of guessing among their options; practicals that are
scored by execution count as one question passed or not; ratings count by their score, less the severity of
who gave them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from toprope.evidence.statement import ObjectType, Statement, Verb
from toprope.measurement.logic.scale import DIFFICULTY_ERROR, DISCRIMINATION_ERROR, LEVEL_DIFFICULTY
from toprope.stats import evidence_weight

FOLLOWED = frozenset({Verb.ANSWERED, Verb.COMPLETED, Verb.WAS_RATED})
"""Verbs that can say something of ability."""

RATING_STEP = 1.0
"""Thresholds of a rating scale lie this far apart, in logits: planning value."""

_SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Parameters:
    """An item as the model needs it: see `toprope.stats.Items` for the equation and the units.

    `steps` holds the thresholds' deviations from the difficulty: one of 0 for right or wrong. `exposed` is
    the chance that the answer has got about, which makes a right one say less.
    """

    difficulty: float
    discrimination: float = 1.0
    guess: float = 0.0
    steps: tuple[float, ...] = (0.0,)
    covariance: tuple[float, float, float] = (DISCRIMINATION_ERROR**2, 0.0, DIFFICULTY_ERROR**2)
    exposed: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One score on one competency. `at` is in days since 1970; `rater` is None where nobody rated."""

    statement: UUID
    item: str
    competency: str
    score: int
    at: float
    timestamp: datetime
    parameters: Parameters
    weight: float
    rater: str | None
    job: bool

    @property
    def share(self) -> float:
        """The score as a share of the highest."""
        return self.score / len(self.parameters.steps)


@dataclass(frozen=True, slots=True)
class Known:
    """What a calibration told of an item: its parameters, None where the planned ones stay; its exposure."""

    parameters: Parameters | None
    exposed: float = 0.0


KnownItems = Mapping[tuple[str, str], Known]
"""What calibrations told, by an item's key and version."""


def parameters_of(key: str, version: str, level: int, options: int, known: KnownItems) -> Parameters:
    """A question's parameters: calibrated where answers did so, else planned by its level and options."""
    told = known.get((key, version), Known(None))
    guess = 1.0 / options if options > 1 else 0.0
    return replace(told.parameters or plan_parameters(level, guess), exposed=told.exposed)


def days_of(moment: datetime) -> float:
    """The model's time: days since 1970."""
    return moment.timestamp() / _SECONDS_PER_DAY


def read_statement(statement: Statement, known: KnownItems) -> list[Reading]:
    """What the statement says of ability: nothing, one score, or one for each criterion that was rated.

    A second answer to an item whose key the person has been shown says nothing, nor does a rating of oneself.
    """
    result, context = statement.result, statement.context
    if result is None or not context.competency:
        return []
    if statement.verb is Verb.ANSWERED and result.success is not None and not result.detail.get("repeat"):
        told, options = statement.object, result.detail.get("options", 0)
        options = options if isinstance(options, int) else 0
        parameters = parameters_of(told.key, told.version, context.level, options, known)
        return [_reading(statement, int(result.success), parameters)]
    if statement.verb is Verb.COMPLETED and statement.object.type is ObjectType.PRACTICAL:
        return [_reading(statement, int(bool(result.success)), plan_parameters(context.level))]
    if statement.verb is Verb.WAS_RATED and statement.authority != str(statement.actor):
        return [
            _reading(statement, score, plan_parameters(context.level, highest=highest), criterion)
            for criterion, score, highest in _ratings(result.response)
        ]
    return []


def plan_parameters(level: int, guess: float = 0.0, highest: int = 1) -> Parameters:
    """What is assumed of an item written for a level, before anybody answered it."""
    middle = (highest - 1) / 2
    steps = tuple(RATING_STEP * (step - middle) for step in range(highest))
    return Parameters(LEVEL_DIFFICULTY.get(level, 0.0), guess=guess, steps=steps)


def _ratings(response: Any) -> list[tuple[str, int, int]]:
    """(criterion, score from 0, highest score) of each rating: one from 0 to 4, or criteria from 1 to 4."""
    if isinstance(response, int):
        return [("", response, 4)]
    if isinstance(response, Mapping):
        scores = response.get("scores", {})
        return [(str(key), score - 1, 3) for key, score in sorted(scores.items()) if isinstance(score, int)]
    return []


def _reading(statement: Statement, score: int, parameters: Parameters, criterion: str = "") -> Reading:
    assert statement.result is not None  # noqa: S101 - the caller looked
    context, detail = statement.context, statement.result.detail
    rated = statement.verb is Verb.WAS_RATED
    return Reading(
        statement=statement.id,
        item=f"{statement.object.key}:{criterion}" if criterion else statement.object.key,
        competency=context.competency,
        score=score,
        at=days_of(statement.timestamp),
        timestamp=statement.timestamp,
        parameters=parameters,
        weight=evidence_weight(context.condition, detail.get("hints", 0)),
        rater=statement.authority if rated else None,
        job=context.kind == "job_signal",
    )
