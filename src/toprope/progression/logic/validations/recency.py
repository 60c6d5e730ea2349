"""Uses of a lower rung within the days named; sandbox use may count where the rung says so."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from toprope.progression.logic.periods import Period, unite
from toprope.progression.logic.requirement import Requirement, Status
from toprope.progression.logic.situation import SANDBOX, RungCase

SANDBOX_EVIDENCE = "sandbox_session"
"""A rung that lists this among its sources of evidence lets use in a sandbox count."""


def check(case: RungCase, rule: Mapping[str, Any]) -> Requirement:
    """Met whenever so many uses lie within so many days; it opens a rung, and does not keep it open."""
    key, asked, span = str(rule["rung"]), int(rule["uses"]), timedelta(days=int(rule["days"]))
    uses = _uses(case, key)
    periods = unite(
        Period(uses[last][0], uses[last - asked + 1][0] + span) for last in range(asked - 1, len(uses))
    )
    recent = [(at, statement) for at, statement in uses if at <= case.now < at + span]
    done = any(period.holds(case.now) for period in periods)
    counted = recent[-asked:]
    return Requirement(
        kind="recency",
        title=f"Recent use of {key}",
        status=Status.DONE if done else Status.MISSING,
        detail=f"{len(recent)} of {asked} uses within {span.days} days.",
        evidence=tuple(statement for _, statement in counted),
        met_at=counted[-1][0] if done else None,
        periods=periods,
    )


def _uses(case: RungCase, key: str) -> list[tuple[datetime, UUID]]:
    """The uses that count, oldest first."""
    sandbox = SANDBOX_EVIDENCE in case.rung.evidence_sources
    return sorted(
        use
        for day in case.situation.uses.get(key, ())
        if sandbox or day.condition != SANDBOX
        for use in zip(day.times, day.statements, strict=True)
    )
