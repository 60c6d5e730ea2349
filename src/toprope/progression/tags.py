"""What this stage writes into the audit record."""

from enum import StrEnum


class Tag(StrEnum):
    LEVEL_AWARDED = "level.awarded"
