"""The measurement stage: from statements to estimates of ability."""

from toprope.measurement.actions import (
    Proposal,
    adopt_calibration,
    propose_calibration,
    rebuild,
    refresh_person,
    refresh_stale,
)
from toprope.measurement.logic import RULE, Ability, AbilityStep, Decision, Judgement, Question, level_cut
from toprope.measurement.models import PersonAbility
from toprope.measurement.queries import (
    choose_question,
    explain_ability,
    judge_level,
    list_abilities,
    list_abilities_of,
)

DERIVED_MODELS = (PersonAbility,)
"""What `rebuild` drops and rebuilds."""

__all__ = [
    "DERIVED_MODELS",
    "RULE",
    "Ability",
    "AbilityStep",
    "Decision",
    "Judgement",
    "PersonAbility",
    "Proposal",
    "Question",
    "adopt_calibration",
    "choose_question",
    "explain_ability",
    "judge_level",
    "level_cut",
    "list_abilities",
    "list_abilities_of",
    "propose_calibration",
    "rebuild",
    "refresh_person",
    "refresh_stale",
]
