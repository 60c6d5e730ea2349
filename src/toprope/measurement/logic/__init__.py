"""Measurement, as pure functions: statements in, beliefs and judgements out."""

from toprope.measurement.logic.calibrating import (
    Answers,
    CompetencyResult,
    ItemKey,
    RatersResult,
    calibrate_competency,
    calibrate_raters,
)
from toprope.measurement.logic.following import (
    Ability,
    AbilityStep,
    Basis,
    Belief,
    Followed,
    expect_right,
    follow,
    follow_many,
    list_steps,
    read_abilities,
    severities_of,
    start_following,
    unpack_followed,
)
from toprope.measurement.logic.judging import RULE, Judgement, Question, choose, judge
from toprope.measurement.logic.readings import FOLLOWED, Known, Parameters, plan_parameters, read_statement
from toprope.measurement.logic.scale import level_cut, population_of
from toprope.stats import Decision

__all__ = [
    "FOLLOWED",
    "RULE",
    "Ability",
    "AbilityStep",
    "Answers",
    "Basis",
    "Belief",
    "CompetencyResult",
    "Decision",
    "Followed",
    "ItemKey",
    "Judgement",
    "Known",
    "Parameters",
    "Question",
    "RatersResult",
    "calibrate_competency",
    "calibrate_raters",
    "choose",
    "expect_right",
    "follow",
    "follow_many",
    "judge",
    "level_cut",
    "list_steps",
    "plan_parameters",
    "population_of",
    "read_abilities",
    "read_statement",
    "severities_of",
    "start_following",
    "unpack_followed",
]
