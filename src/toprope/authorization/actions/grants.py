"""Grants: derived from the statements; suspended and reinstated by people."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from itertools import groupby
from uuid import UUID

from django.db import transaction

from toprope.audit.api import record_entry
from toprope.authorization.actions.publishing import publish_person
from toprope.authorization.logic import DECISIONS, GrantFact, GrantState, Use, derive_grants
from toprope.authorization.models import Grant, GrantedUpTo, RungUse
from toprope.authorization.queries import list_grants, list_uses
from toprope.authorization.refusal import Refused
from toprope.authorization.tags import Tag
from toprope.competency.api import current_framework
from toprope.evidence.api import Recorded, list_statements, record_statements, stream_statements
from toprope.evidence.statement import TOPROPE, Context, Object, ObjectType, Result, Statement, Verb
from toprope.kit.ids import uuid7
from toprope.people.api import Person, get_person, may_supervise
from toprope.progression.api import FOLLOWED, get_situation, list_levels_of, read_history, situation_of
from toprope.progression.api import refresh_person as refresh_progression

_WATCHED = FOLLOWED | DECISIONS | {Verb.USED, Verb.VOIDED}
_BATCH = 1_000
_REASON_LIMIT = 2_000


def refresh_person(person: UUID, now: datetime) -> None:
    """Bring estimates, levels, grants and the published snapshot of one person up to the last statement.

    The whole river for one person. Safe to call at any time, by anybody, as often as one likes.
    """
    with transaction.atomic():
        cursor = _lock(person)
        refresh_progression(person, now)
        news = list_statements(actor=person, verbs=_WATCHED, after_seq=cursor.seq)
        if not news:
            if not cursor.seq:  # only there to be locked: a rebuild would not make it
                cursor.delete()
            return
        uses = _count_uses(person, news, list_uses(person))
        before = {fact.rung for fact in list_grants(person)}
        decisions = [each.statement for each in list_statements(actor=person, verbs=DECISIONS)]
        facts = derive_grants(get_situation(person, now), decisions, uses)
        Grant.objects.filter(person=person).delete()
        Grant.objects.bulk_create([_row(person, fact) for fact in facts])
        RungUse.objects.filter(person=person).delete()
        RungUse.objects.bulk_create(_use_rows(person, uses))
        cursor.seq = news[-1].seq
        cursor.save(update_fields=["seq"])
        publish_person(person)
        for fact in facts:
            if fact.rung not in before:
                _record_issue(person, fact, now)


def rebuild(now: datetime, progress: Callable[[int], None]) -> None:
    """Drop all grants and derive them again from the statements. `progress` is told how many were read."""
    with transaction.atomic():
        for model in (Grant, RungUse, GrantedUpTo):
            model.objects.all().delete()
        stream = stream_statements(verbs=_WATCHED)
        batch: list[tuple[UUID, list[Recorded]]] = []
        for person, group in groupby(stream, key=lambda recorded: recorded.statement.actor):
            recorded = list(group)
            progress(len(recorded))
            batch.append((person, recorded))
            if len(batch) >= _BATCH:
                _rebuild_batch(batch, now)
                batch.clear()
        _rebuild_batch(batch, now)


def suspend_grant(person: UUID, rung: str, *, by: Person, reason: str, now: datetime) -> None:
    """Stop a person's use of a rung at once, and of every rung that builds on it.

    It protects first and is judged later: the reason goes to the person, and a decision is due within five
    working days. Raises `Refused` where `by` may not, or where there is nothing to stop.
    """
    _check_supervisor(by, person)
    grant = _find_grant(person, rung)
    if grant.suspension is not None:
        raise Refused(f"{rung} is suspended already, since {grant.suspension.at:%d %B %Y, %H:%M} UTC.")
    _decide(Verb.WAS_SUSPENDED, person, rung, by=by, reason=reason, now=now)


def reinstate_grant(person: UUID, rung: str, *, by: Person, reason: str, now: datetime) -> None:
    """Lift a suspension. Raises `Refused` where `by` may not, or where there is none."""
    _check_supervisor(by, person)
    suspension = _find_grant(person, rung).suspension
    if suspension is None:
        raise Refused(f"{rung} is not suspended.")
    if suspension.through != rung:
        raise Refused(f"{rung} is stopped because {suspension.through} is suspended; reinstate that one.")
    _decide(Verb.WAS_REINSTATED, person, rung, by=by, reason=reason, now=now)


def _lock(person: UUID) -> GrantedUpTo:
    """The person's cursor, locked. Always taken before the record is written to, so that nobody deadlocks."""
    GrantedUpTo.objects.get_or_create(person=person, defaults={"seq": 0})
    return GrantedUpTo.objects.select_for_update().get(person=person)


def _check_supervisor(by: Person, person: UUID) -> None:
    if not may_supervise(by, get_person(person)):
        raise Refused("Only the person's mentors and the governance lead decide on this, never oneself.")


def _find_grant(person: UUID, rung: str) -> GrantFact:
    for fact in list_grants(person):
        if fact.rung == rung:
            return fact
    raise Refused(f"There is no grant on {rung}.")


def _decide(verb: Verb, person: UUID, rung: str, *, by: Person, reason: str, now: datetime) -> None:
    reason = reason.strip()
    if not reason:
        raise Refused("Write a reason: the person reads it, and may appeal.")
    if len(reason) > _REASON_LIMIT:
        raise Refused(f"The reason has {len(reason):,} characters; at most {_REASON_LIMIT:,} are kept.")
    statement = Statement(
        id=uuid7(),
        actor=person,
        verb=verb,
        object=Object(ObjectType.RUNG, rung),
        timestamp=now,
        authority=str(by.uuid),
        result=Result(response=reason),
        context=Context(framework=current_framework().reference, rung=rung),
    )
    with transaction.atomic():
        _lock(person)
        recorded = record_statements([statement])[0]
        detail = {"rung": rung, "reason": reason, "statement": str(recorded.statement.id)}
        tag = Tag.GRANT_SUSPENDED if verb is Verb.WAS_SUSPENDED else Tag.GRANT_REINSTATED
        record_entry(tag, actor=by.uuid, subject=str(person), detail=detail, now=now)
        refresh_person(person, now)


def _count_uses(person: UUID, news: Iterable[Recorded], known: dict[str, Use]) -> dict[str, Use]:
    """Uses so far and in `news`; counted again from the start where something was voided."""
    news = list(news)
    if any(each.statement.verb is Verb.VOIDED for each in news):
        news, known = list_statements(actor=person, verbs={Verb.USED}), {}
    return _add_uses(known, news)


def _add_uses(known: dict[str, Use], news: Iterable[Recorded]) -> dict[str, Use]:
    used = [each.statement for each in news if each.statement.verb is Verb.USED]
    counts = Counter(each.object.key for each in used)
    last: dict[str, date] = {rung: use.last_on for rung, use in known.items()}
    for each in used:
        day = each.timestamp.astimezone(UTC).date()
        last[each.object.key] = max(day, last.get(each.object.key, day))
    before = {rung: use.count for rung, use in known.items()}
    return {rung: Use(before.get(rung, 0) + counts[rung], day) for rung, day in last.items()}


def _rebuild_batch(batch: list[tuple[UUID, list[Recorded]]], now: datetime) -> None:
    framework = current_framework()
    levels = list_levels_of([person for person, _ in batch])
    grants: list[Grant] = []
    uses: list[RungUse] = []
    for person, recorded in batch:
        statements = [each.statement for each in recorded]
        held = {(each.competency, each.level): each for each in levels.get(person, [])}
        situation = situation_of(framework, read_history(statements), held, now)
        used = _add_uses({}, recorded)
        decisions = [each for each in statements if each.verb in DECISIONS]
        grants.extend(_row(person, fact) for fact in derive_grants(situation, decisions, used))
        uses.extend(_use_rows(person, used))
    Grant.objects.bulk_create(grants)
    RungUse.objects.bulk_create(uses)
    GrantedUpTo.objects.bulk_create(
        [GrantedUpTo(person=person, seq=recorded[-1].seq) for person, recorded in batch]
    )


def _row(person: UUID, fact: GrantFact) -> Grant:
    suspension = fact.suspension
    return Grant(
        person=person,
        rung=fact.rung,
        supervision=fact.supervision,
        tiers=list(fact.tiers),
        data=list(fact.data),
        framework=fact.framework,
        provisional=fact.provisional,
        issued_at=fact.issued_at,
        expires_at=fact.expires_at,
        focused_until=fact.focused_until,
        focused_uses=fact.focused_uses,
        evidence=list(fact.evidence),
        suspended_at=suspension.at if suspension else None,
        suspended_by=suspension.by if suspension else None,
        suspended_until=suspension.until if suspension else None,
        suspended_through=suspension.through if suspension else "",
        suspension_reason=suspension.reason if suspension else "",
    )


def _use_rows(person: UUID, uses: dict[str, Use]) -> list[RungUse]:
    return [
        RungUse(person=person, rung=rung, count=use.count, last_on=use.last_on)
        for rung, use in sorted(uses.items())
    ]


def _record_issue(person: UUID, fact: GrantFact, now: datetime) -> None:
    record_entry(
        Tag.GRANT_ISSUED,
        actor=TOPROPE,
        subject=str(person),
        detail={
            "rung": fact.rung,
            "supervision": fact.supervision,
            "provisional": fact.provisional,
            "expires_at": fact.expires_at.isoformat(),
            "suspended": fact.state(now) is GrantState.SUSPENDED,
            "evidence": [str(one) for one in fact.evidence],
        },
        now=now,
    )
