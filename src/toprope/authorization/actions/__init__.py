"""Writes of the authorization stage."""

from toprope.authorization.actions.ceilings import admit_tool, lift_hold, place_hold, set_repository
from toprope.authorization.actions.following import follow_statements
from toprope.authorization.actions.grants import rebuild, refresh_person, reinstate_grant, suspend_grant
from toprope.authorization.actions.keys import NewKey, close_account, issue_key, revoke_key
from toprope.authorization.actions.publishing import publish_everybody, publish_installation

__all__ = [
    "NewKey",
    "admit_tool",
    "close_account",
    "follow_statements",
    "issue_key",
    "lift_hold",
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
