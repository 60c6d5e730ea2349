"""Approval per purpose and time window."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from toprope.progression.logic.periods import Period, unite
from toprope.progression.logic.requirement import Requirement, Status
from toprope.progression.logic.said import Part
from toprope.progression.logic.situation import RungCase


def check(case: RungCase, rule: Mapping[str, Any]) -> Requirement:
    """Met while an approval runs; it opens per purpose and closes by itself."""
    longest = timedelta(hours=int(rule["hours"]))
    windows = [
        (approval, Period(approval.timestamp, min(approval.ends_at, approval.timestamp + longest)))
        for approval in case.history.approvals
        if approval.rung == case.rung.key
        and approval.approved
        and Part.DATA_OWNER in approval.parts
        and approval.ends_at is not None
        and approval.purpose
    ]
    detail = f"The owner of the data approves one purpose, for {rule['hours']} hours at most."
    requirement = Requirement(
        "data_owner_approval",
        "The data owner's approval",
        Status.WAITING,
        detail,
        periods=unite(window for _, window in windows),
        lasting=True,
    )
    running = [(approval, window) for approval, window in windows if window.holds(case.now)]
    if running:
        approval, window = max(running, key=lambda each: each[1].end or each[1].start)
        return requirement.but(
            status=Status.DONE,
            detail=f"For “{approval.purpose}”, until {window.end:%d %B %Y, %H:%M} UTC.",
            evidence=(approval.statement,),
            met_at=window.start,
        )
    if windows:
        return requirement.but(status=Status.EXPIRED, detail=f"{detail} The last approval is over.")
    return requirement
