"""The rules of authorization, as pure functions."""

from toprope.authorization.logic.grants import (
    DECISIONS,
    GrantFact,
    GrantState,
    Suspension,
    Use,
    derive_grants,
    ladder_order,
)
from toprope.authorization.logic.standing import (
    RungStanding,
    Standing,
    assess_standing,
    publish_access,
    still_asked,
)

__all__ = [
    "DECISIONS",
    "GrantFact",
    "GrantState",
    "RungStanding",
    "Standing",
    "Suspension",
    "Use",
    "assess_standing",
    "derive_grants",
    "ladder_order",
    "publish_access",
    "still_asked",
]
