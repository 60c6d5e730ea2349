"""The authorization stage: from levels to grants, under the ceilings of tool and repository."""

from toprope.authorization.actions import (
    NewKey,
    admit_tool,
    close_account,
    follow_statements,
    issue_key,
    lift_hold,
    place_hold,
    publish_everybody,
    publish_installation,
    rebuild,
    refresh_person,
    reinstate_grant,
    revoke_key,
    set_repository,
    suspend_grant,
)
from toprope.authorization.logic import GrantFact, GrantState, RungStanding, Standing, Suspension
from toprope.authorization.models import Grant, GrantedUpTo, RungUse
from toprope.authorization.queries import (
    Ceilings,
    HoldView,
    KeyView,
    find_person_by_key,
    get_ceilings,
    get_standing,
    list_grants,
    list_grants_of,
    list_keys,
)
from toprope.authorization.refusal import Refused

DERIVED_MODELS = (Grant, RungUse, GrantedUpTo)
"""What `rebuild` drops and rebuilds."""

__all__ = [
    "DERIVED_MODELS",
    "Ceilings",
    "GrantFact",
    "GrantState",
    "GrantedUpTo",
    "HoldView",
    "KeyView",
    "NewKey",
    "Refused",
    "RungStanding",
    "Standing",
    "Suspension",
    "admit_tool",
    "close_account",
    "find_person_by_key",
    "follow_statements",
    "get_ceilings",
    "get_standing",
    "issue_key",
    "lift_hold",
    "list_grants",
    "list_grants_of",
    "list_keys",
    "place_hold",
    "publish_everybody",
    "publish_installation",
    "rebuild",
    "refresh_person",
    "reinstate_grant",
    "revoke_key",
    "set_repository",
    "suspend_grant",
]
