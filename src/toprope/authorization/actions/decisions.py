"""What people decide on a grant, always with reasons: for it, against it, up, down, and off for a while."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from toprope.audit.api import record_entry
from toprope.authorization.actions.grants import lock_person, refresh_person
from toprope.authorization.logic import GrantFact, GrantState, next_down, next_up
from toprope.authorization.queries import (
    find_deciding,
    get_standing,
    list_emergencies,
    list_grants,
)
from toprope.authorization.refusal import Refused
from toprope.authorization.tags import Tag
from toprope.competency.api import current_framework
from toprope.evidence.api import get_statement, list_statements, record_statements
from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.kit.ids import uuid7
from toprope.people.api import Person, get_person, may_supervise

REASON_LIMIT = 2_000
JOB_SIGNAL = "job_signal"


def approve_rung(person: UUID, rung: str, *, by: Person, reason: str, now: datetime) -> None:
    """Decide for a rung, in the part that `by` may take: a mentor at S5 on it, or security.

    Taken on complete evidence only. Raises `Refused` where `by` may not, or where something else is missing.
    """
    with transaction.atomic():
        lock_person(person)
        deciding = find_deciding(person, rung, by, now)
        if deciding.refusal:
            raise Refused(deciding.refusal)
        detail = {
            "parts": sorted(deciding.parts),
            "founding": deciding.founding,
            "line_manager": deciding.line_manager,
        }
        decide(Verb.WAS_APPROVED, person, rung, by=by, reason=reason, detail=detail, now=now)


def decline_rung(person: UUID, rung: str, *, by: Person, reason: str, now: datetime) -> None:
    """Decide against a rung, with reasons. What was decided for it before no longer counts."""
    with transaction.atomic():
        lock_person(person)
        deciding = find_deciding(person, rung, by, now)
        if not deciding.qualified:
            raise Refused(deciding.refusal)
        if any(fact.rung == rung for fact in list_grants(person)):
            raise Refused(f"{rung} is granted already; suspend it, or step it down.")
        detail = {"parts": sorted(deciding.qualified), "founding": deciding.founding}
        decide(Verb.WAS_DECLINED, person, rung, by=by, reason=reason, detail=detail, now=now)


def move_up(person: UUID, rung: str, to: str, *, by: Person, reason: str, now: datetime) -> None:
    """Give one step more independence on a rung (S2, S3, S4, S5), under the caps of its tiers.

    Decided by somebody at S5 on the rung; the first ones by the governance lead, as founding authority.
    """
    with transaction.atomic():
        lock_person(person)
        grant = _open_grant(person, rung, now)
        deciding = find_deciding(person, rung, by, now, moving=True)
        if deciding.refusal:
            raise Refused(deciding.refusal)
        wanted = next_up(current_framework().rungs[rung], grant.supervision)
        if not wanted:
            raise Refused(f"{rung} is at {grant.supervision} already; there is no step above.")
        if grant.unused(now):
            raise Refused(
                f"{rung} was not used for long; it comes back first, with a paired use and a check."
            )
        if to != wanted:
            raise Refused(f"{rung} is at {grant.supervision}; the next step is {wanted}.")
        detail = {"to": to, "founding": deciding.founding}
        at = max(now, grant.issued_at)  # clocks differ; what is decided on a grant comes after it
        decide(Verb.WAS_MOVED_UP, person, rung, by=by, reason=reason, detail=detail, now=at)


def step_down(
    person: UUID,
    rung: str,
    to: str,
    *,
    by: Person,
    reason: str,
    evidence: Sequence[UUID],
    way_back: str,
    review_on: date,
    now: datetime,
) -> None:
    """Take one supervision level back, or (`to` empty) the rung. Names evidence, a way back and a date.

    Raises `Refused` where `by` may not, for more than one step, or where only job signals speak for it.
    """
    check_supervisor(by, person)
    way_back = way_back.strip()
    if not way_back or len(way_back) > REASON_LIMIT:
        raise Refused(f"Say what leads back, in at most {REASON_LIMIT:,} characters.")
    if review_on <= now.date():
        raise Refused("Name a date ahead on which you look at it again.")
    _check_evidence(person, evidence)
    with transaction.atomic():
        lock_person(person)
        grant = _find_grant(person, rung)
        if grant.step_down is not None and grant.step_down.withdraws:
            raise Refused(f"{rung} is withdrawn already.")
        wanted = next_down(grant.supervision)
        if to and to != wanted:
            raise Refused(f"{rung} is at {grant.supervision}; one step down is {wanted}.")
        if to and to == grant.supervision:
            raise Refused(f"{rung} is at {to}, which only watches; the step left is to withdraw the rung.")
        detail = {
            "to": to,
            "evidence": [str(one) for one in evidence],
            "way_back": way_back,
            "review_on": review_on.isoformat(),
        }
        decide(Verb.WAS_STEPPED_DOWN, person, rung, by=by, reason=reason, detail=detail, now=now)


def confirm_grant(person: UUID, rung: str, *, by: Person, reason: str, now: datetime) -> None:
    """End the focused period of a grant, once it has had its uses or its days."""
    check_supervisor(by, person)
    with transaction.atomic():
        lock_person(person)
        grant = _open_grant(person, rung, now)
        if not grant.focused():
            raise Refused(f"The focused period of {rung} is over already.")
        if grant.focused_uses and now < grant.focused_until:
            when = f"{grant.focused_until:%d %B %Y}"
            raise Refused(f"Every result is looked at for {grant.focused_uses} more uses, or until {when}.")
        at = max(now, grant.issued_at)
        decide(Verb.WAS_CONFIRMED, person, rung, by=by, reason=reason, detail={}, now=at)


def suspend_grant(person: UUID, rung: str, *, by: Person, reason: str, now: datetime) -> None:
    """Stop a person's use of a rung at once, and of every rung that builds on it.

    It protects first and is judged later: the reason goes to the person, and a decision is due within five
    working days. Raises `Refused` where `by` may not, or where there is nothing to stop.
    """
    check_supervisor(by, person)
    grant = next((fact for fact in list_grants(person) if fact.rung == rung), None)
    if grant is None and not any(
        each.rung == rung and each.running(now) for each in list_emergencies(person)
    ):
        raise Refused(f"There is no grant on {rung}.")
    if grant is not None and grant.suspension is not None:
        raise Refused(f"{rung} is suspended already, since {grant.suspension.at:%d %B %Y, %H:%M} UTC.")
    decide(Verb.WAS_SUSPENDED, person, rung, by=by, reason=reason, detail={}, now=now)


def reinstate_grant(person: UUID, rung: str, *, by: Person, reason: str, now: datetime) -> None:
    """Lift a suspension, or give a withdrawn rung back. Raises `Refused` where there is neither."""
    check_supervisor(by, person)
    grant = next((fact for fact in list_grants(person) if fact.rung == rung), None)
    if grant is None:
        _check_stopped(person, rung)
        decide(Verb.WAS_REINSTATED, person, rung, by=by, reason=reason, detail={}, now=now)
        return
    stopped = grant.suspension or grant.step_down
    if grant.state(now) not in (GrantState.SUSPENDED, GrantState.WITHDRAWN) or stopped is None:
        raise Refused(f"{rung} is not suspended.")
    if stopped.through != rung:
        raise Refused(f"{rung} is stopped because {stopped.through} is suspended; reinstate that one.")
    decide(Verb.WAS_REINSTATED, person, rung, by=by, reason=reason, detail={}, now=now)


def decide(
    verb: Verb,
    person: UUID,
    rung: str,
    *,
    by: Person,
    reason: str,
    detail: dict[str, Any],
    now: datetime,
) -> UUID:
    """Record a decision on a rung, with its one audit entry, and let it take effect at once."""
    if by.uuid == person:
        raise Refused("Nobody decides on themselves.")
    reason = reason.strip()
    if not reason:
        raise Refused("Write a reason: the person reads it, and may appeal.")
    if len(reason) > REASON_LIMIT:
        raise Refused(f"The reason has {len(reason):,} characters; at most {REASON_LIMIT:,} are kept.")
    statement = Statement(
        id=uuid7(),
        actor=person,
        verb=verb,
        object=Object(ObjectType.RUNG, rung),
        timestamp=now,
        authority=str(by.uuid),
        result=Result(response=reason, detail=detail),
        context=Context(framework=current_framework().reference, rung=rung),
    )
    with transaction.atomic():
        lock_person(person)
        record_statements([statement])
        told = {"rung": rung, "reason": reason, "statement": str(statement.id), **detail}
        record_entry(_TAGS[verb], actor=by.uuid, subject=str(person), detail=told, now=now)
        refresh_person(person, now)
    return statement.id


_TAGS = {
    Verb.WAS_APPROVED: Tag.GRANT_APPROVED,
    Verb.WAS_DECLINED: Tag.GRANT_DECLINED,
    Verb.WAS_MOVED_UP: Tag.GRANT_MOVED_UP,
    Verb.WAS_STEPPED_DOWN: Tag.GRANT_STEPPED_DOWN,
    Verb.WAS_CONFIRMED: Tag.GRANT_CONFIRMED,
    Verb.WAS_SUSPENDED: Tag.GRANT_SUSPENDED,
    Verb.WAS_REINSTATED: Tag.GRANT_REINSTATED,
    Verb.WAS_LET_IN: Tag.EMERGENCY_GRANTED,
}


def check_supervisor(by: Person, person: UUID) -> None:
    """Raise `Refused` unless `by` looks after the person."""
    if not may_supervise(by, get_person(person)):
        raise Refused("Only the person's mentors and the governance lead decide on this, never oneself.")


def _find_grant(person: UUID, rung: str) -> GrantFact:
    for fact in list_grants(person):
        if fact.rung == rung:
            return fact
    raise Refused(f"There is no grant on {rung}.")


def _check_stopped(person: UUID, rung: str) -> None:
    """Raise `Refused` unless a rung without a grant is suspended: an emergency grant on it was stopped."""
    verbs = {Verb.WAS_SUSPENDED, Verb.WAS_REINSTATED}
    decisions = [each.statement for each in list_statements(actor=person, verbs=verbs)]
    on_rung = [each.verb for each in decisions if each.object.key == rung]
    if not on_rung or on_rung[-1] is not Verb.WAS_SUSPENDED:
        raise Refused(f"There is no grant on {rung}.")


def _open_grant(person: UUID, rung: str, now: datetime) -> GrantFact:
    grant = _find_grant(person, rung)
    state = get_standing(person, now).rung(rung).state
    if state != GrantState.OPEN:
        raise Refused(f"{rung} is {state} now; decide on that first.")
    return grant


def _check_evidence(person: UUID, evidence: Sequence[UUID]) -> None:
    found = [recorded.statement for one in evidence if (recorded := get_statement(one)) is not None]
    if not found or len(found) < len(set(evidence)) or any(each.actor != person for each in found):
        raise Refused("Name the statements it rests on; they have to be about this person.")
    if all(each.context.kind == JOB_SIGNAL or each.verb is Verb.USED for each in found):
        raise Refused("Signals from the job alone move nobody: look at the causes, and name what you found.")
