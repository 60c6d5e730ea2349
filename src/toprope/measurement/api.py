"""The measurement stage: from statements to estimates of ability."""

from toprope.measurement.actions import (
    Proposal,
    adopt_calibration,
    propose_calibration,
    rebuild,
    refresh_person,
    refresh_stale,
)
from toprope.measurement.logic import (
    RULE,
    Ability,
    AbilityStep,
    Decision,
    Judgement,
    Question,
    RetentionResult,
    RungDecisions,
    level_cut,
)
from toprope.measurement.models import CalibratedItem, LevelDecision, PersonAbility
from toprope.measurement.queries import (
    CalibrationView,
    choose_question,
    explain_ability,
    forecast_ability,
    get_calibration,
    judge_level,
    list_abilities,
    list_abilities_of,
    list_rung_decisions,
    rehearse_sitting,
)

DERIVED_MODELS = (PersonAbility, LevelDecision)
"""What `rebuild` drops and rebuilds."""

__all__ = [
    "DERIVED_MODELS",
    "RULE",
    "Ability",
    "AbilityStep",
    "CalibratedItem",
    "CalibrationView",
    "Decision",
    "Judgement",
    "PersonAbility",
    "Proposal",
    "Question",
    "RetentionResult",
    "RungDecisions",
    "adopt_calibration",
    "choose_question",
    "explain_ability",
    "forecast_ability",
    "get_calibration",
    "judge_level",
    "level_cut",
    "list_abilities",
    "list_abilities_of",
    "list_rung_decisions",
    "propose_calibration",
    "rebuild",
    "refresh_person",
    "refresh_stale",
    "rehearse_sitting",
]
