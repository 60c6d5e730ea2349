"""Grants: derived from the statements, which hold what was shown, used and decided."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from toprope.audit.api import record_entry
from toprope.authorization.actions.publishing import publish_person
from toprope.authorization.actions.uses import add_uses, count_uses, use_rows
from toprope.authorization.logic import (
    DECISIONS,
    Emergency,
    GrantFact,
    GrantState,
    derive_grants,
    fold_emergencies,
)
from toprope.authorization.models import EmergencyGrant, Grant, GrantedUpTo, RungUse
from toprope.authorization.queries import list_grants, list_uses
from toprope.authorization.tags import Tag
from toprope.competency.api import current_framework
from toprope.evidence.api import Recorded, list_statements, stream_by_person
from toprope.evidence.statement import TOPROPE, Verb
from toprope.progression.api import FOLLOWED, get_situation, list_levels_of, read_history, situation_of
from toprope.progression.api import refresh_person as refresh_progression

_WATCHED = FOLLOWED | DECISIONS | {Verb.USED, Verb.VOIDED}
_BATCH = 1_000


def refresh_person(person: UUID, now: datetime) -> None:
    """Bring estimates, levels, grants and the published snapshot of one person up to the last statement.

    The whole river for one person. Safe to call at any time, by anybody, as often as one likes.
    """
    with transaction.atomic():
        cursor = lock_person(person)
        refresh_progression(person, now)
        news = list_statements(actor=person, verbs=_WATCHED, after_seq=cursor.seq)
        if not news:
            if not cursor.seq:  # only there to be locked: a rebuild would not make it
                cursor.delete()
            return
        uses = count_uses(person, news, list_uses(person))
        before = {fact.rung for fact in list_grants(person)}
        decisions = [each.statement for each in list_statements(actor=person, verbs=DECISIONS)]
        facts = derive_grants(get_situation(person, now, uses), decisions)
        Grant.objects.filter(person=person).delete()
        Grant.objects.bulk_create([_row(person, fact) for fact in facts])
        EmergencyGrant.objects.filter(person=person).delete()
        EmergencyGrant.objects.bulk_create(
            map(_emergency_row, fold_emergencies(decisions, current_framework()))
        )
        RungUse.objects.filter(person=person).delete()
        RungUse.objects.bulk_create(use_rows(person, uses))
        cursor.seq = news[-1].seq
        cursor.save(update_fields=["seq"])
        publish_person(person)
        _record_changes(person, before, facts, now)


def rebuild(now: datetime, progress: Callable[[int], None]) -> None:
    """Drop all grants and derive them again from the statements. `progress` is told how many were read."""
    with transaction.atomic():
        for model in (Grant, EmergencyGrant, RungUse, GrantedUpTo):
            model.objects.all().delete()
        batch: list[tuple[UUID, list[Recorded]]] = []
        for person, recorded in stream_by_person(verbs=_WATCHED):
            progress(len(recorded))
            batch.append((person, recorded))
            if len(batch) >= _BATCH:
                _rebuild_batch(batch, now)
                batch.clear()
        _rebuild_batch(batch, now)


def lock_person(person: UUID) -> GrantedUpTo:
    """The person's cursor, locked. Always taken before the record is written to, so that nobody deadlocks."""
    GrantedUpTo.objects.get_or_create(person=person, defaults={"seq": 0})
    return GrantedUpTo.objects.select_for_update().get(person=person)


def _rebuild_batch(batch: list[tuple[UUID, list[Recorded]]], now: datetime) -> None:
    framework = current_framework()
    levels = list_levels_of([person for person, _ in batch])
    grants: list[Grant] = []
    emergencies: list[EmergencyGrant] = []
    uses: list[RungUse] = []
    for person, recorded in batch:
        statements = [each.statement for each in recorded]
        held = {(each.competency, each.level): each for each in levels.get(person, [])}
        used = add_uses({}, recorded)
        situation = situation_of(framework, read_history(statements), held, now, used)
        decisions = [each for each in statements if each.verb in DECISIONS]
        grants.extend(_row(person, fact) for fact in derive_grants(situation, decisions))
        emergencies.extend(map(_emergency_row, fold_emergencies(decisions, framework)))
        uses.extend(use_rows(person, used))
    Grant.objects.bulk_create(grants)
    EmergencyGrant.objects.bulk_create(emergencies)
    RungUse.objects.bulk_create(uses)
    GrantedUpTo.objects.bulk_create(
        [GrantedUpTo(person=person, seq=recorded[-1].seq) for person, recorded in batch]
    )


def _row(person: UUID, fact: GrantFact) -> Grant:
    suspension, step = fact.suspension, fact.step_down
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
        unused_at=fact.unused_at,
        focused_until=fact.focused_until,
        focused_uses=fact.focused_uses,
        evidence=list(fact.evidence),
        suspended_at=suspension.at if suspension else None,
        suspended_by=suspension.by if suspension else None,
        suspended_until=suspension.until if suspension else None,
        suspended_through=suspension.through if suspension else "",
        suspension_reason=suspension.reason if suspension else "",
        confirmed_at=fact.confirmed_at,
        stepped_down_at=step.at if step else None,
        stepped_down_by=step.by if step else None,
        stepped_down_to=step.to if step else "",
        stepped_down_through=step.through if step else "",
        step_down_reason=step.reason if step else "",
        way_back=step.way_back if step else "",
        review_on=step.review_on if step else None,
    )


def _emergency_row(emergency: Emergency) -> EmergencyGrant:
    return EmergencyGrant(
        statement=emergency.statement,
        person=emergency.person,
        rung=emergency.rung,
        granted_at=emergency.granted_at,
        ends_at=emergency.ends_at,
        by=emergency.by,
        paired_with=emergency.paired_with,
        reason=emergency.reason,
        reviewed_at=emergency.reviewed_at,
        reviewed_by=emergency.reviewed_by,
    )


def _record_changes(person: UUID, before: set[str], facts: list[GrantFact], now: datetime) -> None:
    """An audit entry for each grant that came, and for each that went: nothing goes silently."""
    for fact in facts:
        if fact.rung not in before:
            _record_issue(person, fact, now)
    for rung in sorted(before - {fact.rung for fact in facts}):
        detail = {"rung": rung, "why": "what it rested on no longer stands"}
        record_entry(Tag.GRANT_WITHDRAWN, actor=TOPROPE, subject=str(person), detail=detail, now=now)


def _record_issue(person: UUID, fact: GrantFact, now: datetime) -> None:
    record_entry(
        Tag.GRANT_ISSUED,
        actor=TOPROPE,
        subject=str(person),
        detail={
            "rung": fact.rung,
            "supervision": fact.supervision,
            "provisional": fact.provisional,
            "expires_at": fact.expires_at.isoformat() if fact.expires_at else None,
            "suspended": fact.state(now) is GrantState.SUSPENDED,
            "evidence": [str(one) for one in fact.evidence],
        },
        now=now,
    )
