"""Writes of the measurement stage."""

from toprope.measurement.actions.calibrating import Proposal, adopt_calibration, propose_calibration
from toprope.measurement.actions.following import rebuild, rebuild_if_empty, refresh_person, refresh_stale
from toprope.measurement.actions.standards import (
    adopt_standard,
    get_booklet,
    judge_by_angoff,
    judge_by_bookmark,
)

__all__ = [
    "Proposal",
    "adopt_calibration",
    "adopt_standard",
    "get_booklet",
    "judge_by_angoff",
    "judge_by_bookmark",
    "propose_calibration",
    "rebuild",
    "rebuild_if_empty",
    "refresh_person",
    "refresh_stale",
]
