"""What this stage writes into the audit record."""

from enum import StrEnum


class Tag(StrEnum):
    GRANT_ISSUED = "grant.issued"
    GRANT_SUSPENDED = "grant.suspended"
    GRANT_REINSTATED = "grant.reinstated"
    KEY_ISSUED = "key.issued"
    KEY_REVOKED = "key.revoked"
    HOLD_PLACED = "hold.placed"
    HOLD_LIFTED = "hold.lifted"
    TOOL_ADMITTED = "tool.admitted"
    REPOSITORY_ADMITTED = "repository.admitted"
