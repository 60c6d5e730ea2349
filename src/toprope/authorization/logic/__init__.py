"""The rules of authorization, as pure functions."""

from toprope.authorization.logic.decisions import (
    DECISIONS,
    StepDown,
    Suspension,
    add_working_days,
    next_down,
    next_up,
    supervision_in,
)
from toprope.authorization.logic.emergencies import MAX_HOURS, Emergency, fold_emergencies
from toprope.authorization.logic.grants import GrantFact, GrantState, derive_grants, ladder_order
from toprope.authorization.logic.idleness import SINGLE_USES
from toprope.authorization.logic.standing import (
    RungStanding,
    Standing,
    assess_standing,
    next_change,
    publish_access,
    still_asked,
)

__all__ = [
    "DECISIONS",
    "MAX_HOURS",
    "SINGLE_USES",
    "Emergency",
    "GrantFact",
    "GrantState",
    "RungStanding",
    "Standing",
    "StepDown",
    "Suspension",
    "add_working_days",
    "assess_standing",
    "derive_grants",
    "fold_emergencies",
    "ladder_order",
    "next_change",
    "next_down",
    "next_up",
    "publish_access",
    "still_asked",
    "supervision_in",
]
