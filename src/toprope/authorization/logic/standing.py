"""Where a person stands on the ladder, and the snapshot of it that the gateway gets. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from toprope.authorization.logic.emergencies import SUPERVISION as EMERGENCY_SUPERVISION
from toprope.authorization.logic.emergencies import Emergency
from toprope.authorization.logic.grants import GrantFact, GrantState, ladder_order
from toprope.competency.logic import Rung
from toprope.policy.access import Access
from toprope.policy.access import Grant as PublishedGrant
from toprope.policy.access import GrantState as PublishedState
from toprope.progression.logic import Checklist, Requirement, Situation, Status, check_rung

MIXED = "mixed_items"
_SHOWN = 4
_NEVER = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class RungStanding:
    """One rung for one person. `state` is open, suspended, withdrawn, expired, or closed (never granted).

    `supervision` is what holds now, "" where nothing does; `decided_by` names who suspended or withdrew it.
    `emergency` opens the rung for some hours where the grant does not.
    """

    rung: Rung
    state: str
    grant: GrantFact | None
    supervision: str
    decided_by: str
    checklist: Checklist
    emergency: Emergency | None = None

    @property
    def suspended_by(self) -> str:
        """Who suspended it."""
        return self.decided_by if self.state == GrantState.SUSPENDED else ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands: the highest open rung, the next one to work for, and all of them."""

    person: UUID
    highest: RungStanding | None
    next: RungStanding | None
    rungs: tuple[RungStanding, ...]

    def rung(self, key: str) -> RungStanding:
        """The standing on one rung; KeyError where the ladder has no such rung."""
        for each in self.rungs:
            if each.rung.key == key:
                return each
        raise KeyError(key)


def assess_standing(
    person: UUID,
    situation: Situation,
    grants: Sequence[GrantFact],
    names: Mapping[UUID, str],
    emergencies: Sequence[Emergency] = (),
) -> Standing:
    """The standing at `situation.now`. `names` gives the names of those who decided something."""
    now = situation.now
    facts = {fact.rung: fact for fact in grants}
    opened = {fact.rung: fact.issued_at for fact in grants}
    running = {each.rung: each for each in emergencies if each.running(now)}
    rungs = []
    for rung in ladder_order(situation.framework):
        fact = facts.get(rung.key)
        checklist = check_rung(situation, rung, opened)
        if fact is not None and fact.unused(now):
            checklist = _with_return(checklist, situation, rung, fact)
        state = _state(fact, checklist, now)
        emergency = running.get(rung.key) if state in ("closed", GrantState.EXPIRED) else None
        supervision = fact.supervision_at(now) if fact is not None else ""
        rungs.append(
            RungStanding(
                rung=rung,
                state=GrantState.OPEN if emergency else state,
                grant=fact,
                supervision=EMERGENCY_SUPERVISION if emergency else supervision,
                decided_by=_name(fact, names),
                checklist=checklist,
                emergency=emergency,
            )
        )
    granted = [each for each in rungs if each.state == GrantState.OPEN and each.emergency is None]
    return Standing(
        person=person,
        highest=granted[-1] if granted else None,
        next=next((each for each in rungs if each.state in ("closed", GrantState.EXPIRED)), None),
        rungs=tuple(rungs),
    )


def _state(fact: GrantFact | None, checklist: Checklist, now: datetime) -> str:
    """The state of the grant; a requirement that has to last and no longer is met closes it too."""
    if fact is None:
        return "closed"
    state = fact.state(now)
    lapsed = any(each.lasting and each.status is not Status.DONE for each in checklist.requirements)
    return GrantState.EXPIRED if state is GrantState.OPEN and lapsed else state


def _with_return(checklist: Checklist, situation: Situation, rung: Rung, fact: GrantFact) -> Checklist:
    """What brings a grant back that was not used for too long: one paired use, and one check."""
    parts = [Requirement("paired_use", "One use beside a supervisor", Status.WAITING, "They record it.")]
    if any(rule.get("mixed_items") for rule in rung.validations):
        step = f"mixed:{rung.key}"
        parts.append(
            Requirement(MIXED, "The mixed questions again", Status.MISSING, "To be passed.", step=step)
        )
    back = Requirement(
        kind="return",
        title=f"Back to {fact.supervision}",
        status=Status.WAITING,
        detail=f"Not used for {rung.unused_days} days, so it is at {fact.supervision_at(situation.now)}.",
        parts=tuple(parts),
    )
    return replace(checklist, requirements=(*checklist.requirements, back))


def _name(fact: GrantFact | None, names: Mapping[UUID, str]) -> str:
    decision = None if fact is None else fact.suspension or fact.step_down
    return "" if decision is None else names.get(decision.by, "a person who has left")


def publish_access(standing: Standing, name: str, now: datetime) -> Access:
    """The snapshot for the gateway: every grant, and in a few words what each closed rung still asks."""
    return Access(
        person=str(standing.person),
        name=name,
        grants=tuple(
            _emergency(each, each.emergency) if each.emergency else _published(each, each.grant, now)
            for each in standing.rungs
            if each.emergency or each.grant
        ),
        missing={
            each.rung.key: still_asked(each.checklist) for each in standing.rungs if each.state != "open"
        },
    )


def next_change(standing: Standing, now: datetime) -> datetime | None:
    """When time alone will change what was published; None where it will not."""
    ahead = [
        at
        for each in standing.rungs
        for at in (
            each.grant.next_change(now) if each.grant else None,
            each.emergency.ends_at if each.emergency else None,
        )
        if at is not None
    ]
    return min(ahead, default=None)


def _emergency(standing: RungStanding, emergency: Emergency) -> PublishedGrant:
    return PublishedGrant(
        rung=standing.rung.key,
        state=PublishedState.ACTIVE,
        supervision=standing.supervision,
        expires_at=emergency.ends_at.timestamp(),
        tiers=tuple(standing.rung.limits.get("tiers", ())),
        data=tuple(standing.rung.limits.get("data", ())),
        focused=True,
    )


def _published(standing: RungStanding, fact: GrantFact | None, now: datetime) -> PublishedGrant:
    assert fact is not None  # noqa: S101 - filtered by the caller
    suspension, step_down = fact.suspension, fact.step_down
    stopped = suspension or (step_down if step_down is not None and step_down.withdraws else None)
    return PublishedGrant(
        rung=fact.rung,
        state=_PUBLISHED.get(fact.state(now), PublishedState.ACTIVE),
        supervision=standing.supervision,
        expires_at=_closes_at(standing, fact, now),
        tiers=fact.tiers,
        data=fact.data,
        provisional=fact.provisional,
        focused=fact.focused(),
        reason=stopped.reason if stopped else "",
        decided_by=standing.decided_by if stopped else "",
        until=suspension.until.timestamp() if suspension else 0.0,
    )


_PUBLISHED = {
    GrantState.SUSPENDED: PublishedState.SUSPENDED,
    GrantState.WITHDRAWN: PublishedState.REVOKED,
}


def _closes_at(standing: RungStanding, fact: GrantFact, now: datetime) -> float:
    """When the gateway stops letting calls through unless it is told otherwise: at the next change by time.

    Where a grant will only drop to S2 then, the worker publishes that within the minute. A requirement that
    lapsed ends the grant before its date; the issue date has surely passed.
    """
    if standing.state == GrantState.EXPIRED:
        return min(fact.issued_at, now).timestamp()
    change = fact.next_change(now)
    return change.timestamp() if change is not None else _NEVER


def still_asked(checklist: Checklist) -> str:
    """What is not met yet, in a few words."""
    titles = [_short(each) for each in checklist.requirements if each.status is not Status.DONE]
    if len(titles) > _SHOWN:
        titles = [*titles[:_SHOWN], f"and {len(titles) - _SHOWN} more"]
    return "; ".join(titles)


def _short(requirement: Requirement) -> str:
    if requirement.status is Status.WAITING:
        return f"{requirement.title} (waiting)"
    return f"{requirement.title} (lapsed)" if requirement.status is Status.EXPIRED else requirement.title
