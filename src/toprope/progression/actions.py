"""Writes of the progression stage: awards follow the statements, by a cursor per person."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from toprope.audit.api import record_entry
from toprope.competency.api import Framework, get_framework
from toprope.evidence.api import list_statements, stream_by_person
from toprope.evidence.statement import TOPROPE, Verb
from toprope.measurement.api import refresh_person as refresh_measurement
from toprope.progression.logic import FOLLOWED, History, LevelHeld, award_levels, read_history
from toprope.progression.models import LevelAward, ProgressedUpTo
from toprope.progression.queries import list_levels
from toprope.progression.tags import Tag

_WATCHED = FOLLOWED | {Verb.VOIDED}
_BATCH = 2_000


def refresh_person(person: UUID, now: datetime) -> None:
    """Bring one person's estimates and levels up to the last statement."""
    refresh_measurement(person)
    with transaction.atomic():
        ProgressedUpTo.objects.get_or_create(person=person, defaults={"seq": 0})
        cursor = ProgressedUpTo.objects.select_for_update().get(person=person)
        news = list_statements(actor=person, verbs=_WATCHED, after_seq=cursor.seq)
        if not news:
            if not cursor.seq:  # only there to be locked: a rebuild would not make it
                cursor.delete()
            return
        everything = list_statements(actor=person, verbs=FOLLOWED)
        history = read_history(recorded.statement for recorded in everything)
        before = {(held.competency, held.level) for held in list_levels(person)}
        levels = _award(history, {})
        LevelAward.objects.filter(person=person).delete()
        LevelAward.objects.bulk_create(_rows(person, levels))
        cursor.seq = news[-1].seq
        cursor.save(update_fields=["seq"])
        for held in levels:
            if (held.competency, held.level) not in before:
                _record_award(person, held, now)


def rebuild(progress: Callable[[int], None]) -> None:
    """Drop all awards and derive them again from the statements. `progress` is told how many were read."""
    with transaction.atomic():
        LevelAward.objects.all().delete()
        ProgressedUpTo.objects.all().delete()
        awards: list[LevelAward] = []
        cursors: list[ProgressedUpTo] = []
        frameworks: dict[str, Framework] = {}
        for person, recorded in stream_by_person(verbs=_WATCHED):
            progress(len(recorded))
            history = read_history(each.statement for each in recorded)
            awards.extend(_rows(person, _award(history, frameworks)))
            cursors.append(ProgressedUpTo(person=person, seq=recorded[-1].seq))
            if len(awards) >= _BATCH:
                LevelAward.objects.bulk_create(awards)
                awards.clear()
        LevelAward.objects.bulk_create(awards)
        ProgressedUpTo.objects.bulk_create(cursors, batch_size=_BATCH)


def _award(history: History, known: dict[str, Framework]) -> list[LevelHeld]:
    """The levels of a history; `known` keeps the frameworks that were looked up."""
    for reference in history.references():
        if reference not in known:
            known[reference] = get_framework(reference)
    return award_levels(known, history)


def _rows(person: UUID, levels: list[LevelHeld]) -> list[LevelAward]:
    return [
        LevelAward(
            person=person,
            competency=held.competency,
            level=held.level,
            framework=held.framework,
            awarded_at=held.awarded_at,
            renewed_at=held.renewed_at,
            refresh_by=held.refresh_by,
            lapses_at=held.lapses_at,
            provisional=held.provisional,
            evidence=list(held.evidence),
            gap_starts=[gap.start for gap in held.gaps],
            gap_ends=[gap.end for gap in held.gaps],
        )
        for held in levels
    ]


def _record_award(person: UUID, held: LevelHeld, now: datetime) -> None:
    record_entry(
        Tag.LEVEL_AWARDED,
        actor=TOPROPE,
        subject=str(person),
        detail={
            "competency": held.competency,
            "level": held.level,
            "provisional": held.provisional,
            "framework": held.framework,
            "evidence": [str(one) for one in held.evidence],
        },
        now=now,
    )
