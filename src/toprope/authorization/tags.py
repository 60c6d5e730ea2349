"""What this stage writes into the audit record."""

from enum import StrEnum


class Tag(StrEnum):
    GRANT_ISSUED = "grant.issued"
    GRANT_WITHDRAWN = "grant.withdrawn"
    GRANT_APPROVED = "grant.approved"
    GRANT_DECLINED = "grant.declined"
    GRANT_MOVED_UP = "grant.moved_up"
    GRANT_STEPPED_DOWN = "grant.stepped_down"
    GRANT_CONFIRMED = "grant.confirmed"
    EMERGENCY_GRANTED = "emergency.granted"
    EMERGENCY_REVIEWED = "emergency.reviewed"
    GRANT_SUSPENDED = "grant.suspended"
    GRANT_REINSTATED = "grant.reinstated"
    KEY_ISSUED = "key.issued"
    KEY_REVOKED = "key.revoked"
    HOLD_PLACED = "hold.placed"
    HOLD_LIFTED = "hold.lifted"
    TOOL_ADMITTED = "tool.admitted"
    REPOSITORY_ADMITTED = "repository.admitted"
