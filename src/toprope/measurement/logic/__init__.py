"""Measurement, as pure functions: statements in, beliefs and judgements out."""

from toprope.measurement.logic.following import (
    Ability,
    AbilityStep,
    Basis,
    Belief,
    Followed,
    follow,
    follow_many,
    list_steps,
    read_abilities,
    start_following,
    unpack_followed,
)
from toprope.measurement.logic.judging import RULE, Judgement, Question, choose, judge
from toprope.measurement.logic.readings import FOLLOWED, Parameters, plan_parameters
from toprope.measurement.logic.scale import level_cut, population_of
from toprope.stats import Decision

__all__ = [
    "FOLLOWED",
    "RULE",
    "Ability",
    "AbilityStep",
    "Basis",
    "Belief",
    "Decision",
    "Followed",
    "Judgement",
    "Parameters",
    "Question",
    "choose",
    "follow",
    "follow_many",
    "judge",
    "level_cut",
    "list_steps",
    "plan_parameters",
    "population_of",
    "read_abilities",
    "start_following",
    "unpack_followed",
]
