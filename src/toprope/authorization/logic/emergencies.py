"""Emergency grants: one rung, a few hours, beside a named person, looked at the next day. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from toprope.authorization.logic.decisions import add_working_days, detail_of, reason_of
from toprope.competency.logic import Framework
from toprope.evidence.statement import Statement, Verb

MAX_HOURS = 4
"""No emergency grant is longer (the ladder's emergency rule)."""

SUPERVISION = "S2"


@dataclass(frozen=True, slots=True)
class Emergency:
    """An emergency grant. It ends by itself at `ends_at`, or when the rung is suspended before."""

    statement: UUID
    person: UUID
    rung: str
    granted_at: datetime
    ends_at: datetime
    by: UUID
    paired_with: UUID
    reason: str
    reviewed_at: datetime | None = None
    reviewed_by: UUID | None = None

    @property
    def review_by(self) -> datetime:
        """When it has to be looked at: the next working day."""
        return add_working_days(self.granted_at, 1)

    def running(self, now: datetime) -> bool:
        return self.granted_at <= now < self.ends_at


def fold_emergencies(decisions: Iterable[Statement], framework: Framework) -> list[Emergency]:
    """The emergency grants that `decisions`, in recorded order, tell. Suspension always wins."""
    found: dict[UUID, Emergency] = {}
    suspended: set[str] = set()
    withdrawn: set[str] = set()
    for decision in decisions:
        if decision.authority == str(decision.actor):
            continue
        rung = decision.object.key
        if decision.verb is Verb.WAS_LET_IN and rung in framework.rungs:
            emergency = _let_in(decision)
            closed = bool((suspended | withdrawn) & {rung, *_below(framework, rung)})
            found[decision.id] = replace(emergency, ends_at=emergency.granted_at) if closed else emergency
        elif decision.verb is Verb.WAS_REVIEWED:
            _review(found, decision)
        elif decision.verb is Verb.WAS_REINSTATED:
            (suspended if rung in suspended else withdrawn).discard(rung)
        elif _stops(decision):
            (suspended if decision.verb is Verb.WAS_SUSPENDED else withdrawn).add(rung)
            for key, each in found.items():
                if rung in {each.rung, *_below(framework, each.rung)}:
                    found[key] = replace(each, ends_at=min(each.ends_at, decision.timestamp))
    return list(found.values())


def _stops(decision: Statement) -> bool:
    if decision.verb is Verb.WAS_STEPPED_DOWN:
        return not detail_of(decision).get("to")
    return decision.verb is Verb.WAS_SUSPENDED


def _let_in(decision: Statement) -> Emergency:
    detail = detail_of(decision)
    hours = min(float(detail.get("hours", 0)), MAX_HOURS)
    return Emergency(
        statement=decision.id,
        person=decision.actor,
        rung=decision.object.key,
        granted_at=decision.timestamp,
        ends_at=decision.timestamp + timedelta(hours=max(0.0, hours)),
        by=UUID(decision.authority),
        paired_with=UUID(str(detail["paired_with"])),
        reason=reason_of(decision),
    )


def _review(found: dict[UUID, Emergency], decision: Statement) -> None:
    """A look by somebody who did not grant it."""
    emergency = found.get(UUID(decision.object.key))
    if emergency is not None and emergency.reviewed_at is None and str(emergency.by) != decision.authority:
        found[emergency.statement] = replace(
            emergency, reviewed_at=decision.timestamp, reviewed_by=UUID(decision.authority)
        )


def _below(framework: Framework, rung: str) -> set[str]:
    """Every rung that this one builds on, directly or not."""
    found: set[str] = set()
    waiting = list(framework.rungs[rung].after)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += framework.rungs[key].after
    return found
