"""What this stage writes into the audit record."""

from enum import StrEnum


class Tag(StrEnum):
    CALIBRATION_ADOPTED = "calibration.adopted"
    STANDARD_ADOPTED = "standard.adopted"
