"""Writes of the measurement stage."""

from toprope.measurement.actions.calibrating import Proposal, adopt_calibration, propose_calibration
from toprope.measurement.actions.following import rebuild, refresh_person, refresh_stale

__all__ = [
    "Proposal",
    "adopt_calibration",
    "propose_calibration",
    "rebuild",
    "refresh_person",
    "refresh_stale",
]
