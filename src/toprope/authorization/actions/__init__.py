"""Writes of the authorization stage."""

from toprope.authorization.actions.boards import (
    approve_data,
    grant_emergency,
    record_panel,
    review_emergency,
)
from toprope.authorization.actions.ceilings import admit_tool, lift_hold, place_hold, set_repository
from toprope.authorization.actions.decisions import (
    approve_rung,
    confirm_grant,
    decline_rung,
    move_up,
    reinstate_grant,
    step_down,
    suspend_grant,
)
from toprope.authorization.actions.following import follow_statements
from toprope.authorization.actions.grants import rebuild, refresh_person
from toprope.authorization.actions.keys import NewKey, close_account, issue_key, revoke_key
from toprope.authorization.actions.publishing import publish_everybody, publish_installation, publish_stale

__all__ = [
    "NewKey",
    "admit_tool",
    "approve_data",
    "approve_rung",
    "close_account",
    "confirm_grant",
    "decline_rung",
    "follow_statements",
    "grant_emergency",
    "issue_key",
    "lift_hold",
    "move_up",
    "place_hold",
    "publish_everybody",
    "publish_installation",
    "publish_stale",
    "rebuild",
    "record_panel",
    "refresh_person",
    "reinstate_grant",
    "review_emergency",
    "revoke_key",
    "set_repository",
    "step_down",
    "suspend_grant",
]
