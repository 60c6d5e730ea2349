"""Where a person stands on the ladder, and the snapshot of it that the gateway gets. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from toprope.authorization.logic.grants import GrantFact, GrantState, ladder_order
from toprope.competency.logic import Rung
from toprope.policy.access import Access
from toprope.policy.access import Grant as PublishedGrant
from toprope.policy.access import GrantState as PublishedState
from toprope.progression.logic import Checklist, Requirement, Situation, Status, check_rung

_SHOWN = 4


@dataclass(frozen=True, slots=True)
class RungStanding:
    """One rung for one person. `state` is open, suspended, expired, or closed (never granted)."""

    rung: Rung
    state: str
    grant: GrantFact | None
    suspended_by: str
    checklist: Checklist


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
    person: UUID, situation: Situation, grants: Sequence[GrantFact], names: Mapping[UUID, str]
) -> Standing:
    """The standing at `situation.now`. `names` gives the names of those who suspended something."""
    facts = {fact.rung: fact for fact in grants}
    opened = {fact.rung: fact.issued_at for fact in grants}
    rungs = []
    for rung in ladder_order(situation.framework):
        fact = facts.get(rung.key)
        checklist = check_rung(situation, rung, opened)
        rungs.append(
            RungStanding(
                rung=rung,
                state=_state(fact, checklist, situation.now),
                grant=fact,
                suspended_by=_name(fact, names),
                checklist=checklist,
            )
        )
    open_rungs = [each for each in rungs if each.state == GrantState.OPEN]
    return Standing(
        person=person,
        highest=open_rungs[-1] if open_rungs else None,
        next=next((each for each in rungs if each.state in ("closed", GrantState.EXPIRED)), None),
        rungs=tuple(rungs),
    )


def _state(fact: GrantFact | None, checklist: Checklist, now: datetime) -> str:
    if fact is None:
        return "closed"
    state = fact.state(now)
    lapsed = any(each.status is Status.EXPIRED for each in checklist.requirements)
    return GrantState.EXPIRED if state is GrantState.OPEN and lapsed else state


def _name(fact: GrantFact | None, names: Mapping[UUID, str]) -> str:
    if fact is None or fact.suspension is None:
        return ""
    return names.get(fact.suspension.by, "a person who has left")


def publish_access(standing: Standing, name: str) -> Access:
    """The snapshot for the gateway: every grant, and in a few words what each closed rung still asks."""
    return Access(
        person=str(standing.person),
        name=name,
        grants=tuple(_published(each) for each in standing.rungs if each.grant is not None),
        missing={
            each.rung.key: still_asked(each.checklist) for each in standing.rungs if each.state != "open"
        },
    )


def _published(standing: RungStanding) -> PublishedGrant:
    fact = standing.grant
    assert fact is not None  # noqa: S101 - filtered by the caller
    suspension = fact.suspension
    lapsed = standing.state == GrantState.EXPIRED
    return PublishedGrant(
        rung=fact.rung,
        state=PublishedState.SUSPENDED if suspension else PublishedState.ACTIVE,
        supervision=fact.supervision,
        # A lapsed requirement ends the grant before its date; the issue date has surely passed.
        expires_at=(fact.issued_at if lapsed else fact.expires_at).timestamp(),
        tiers=fact.tiers,
        data=fact.data,
        provisional=fact.provisional,
        focused=fact.focused_uses > 0,
        reason=suspension.reason if suspension else "",
        decided_by=standing.suspended_by,
        until=suspension.until.timestamp() if suspension else 0.0,
    )


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
