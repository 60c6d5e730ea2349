"""Writes of the measurement stage: estimates follow the statements, by a cursor per person."""

from collections.abc import Callable, Iterator
from itertools import groupby
from uuid import UUID

from django.db import transaction

from toprope.evidence.api import Recorded, list_statements, stream_statements
from toprope.evidence.statement import Verb
from toprope.measurement.logic import Ability, fold_answers
from toprope.measurement.models import AbilityEstimate, MeasuredUpTo
from toprope.measurement.queries import list_abilities

FOLLOWED = frozenset({Verb.ANSWERED, Verb.VOIDED})
_BATCH = 2_000


def refresh_person(person: UUID) -> None:
    """Bring one person's estimates up to the last statement. Safe to call at any time, by anybody."""
    with transaction.atomic():
        MeasuredUpTo.objects.get_or_create(person=person, defaults={"seq": 0})
        cursor = MeasuredUpTo.objects.select_for_update().get(person=person)
        news = list_statements(actor=person, verbs=FOLLOWED, after_seq=cursor.seq)
        if not news:
            if not cursor.seq:  # only there to be locked: a rebuild would not make it
                cursor.delete()
            return
        if any(recorded.statement.verb is Verb.VOIDED for recorded in news):
            # A voided answer may lie anywhere in the past: fold again from the start, without it.
            known: dict[str, Ability] = {}
            answers = list_statements(actor=person, verbs={Verb.ANSWERED})
        else:
            known = list_abilities(person)
            answers = news
        abilities = fold_answers(known, (recorded.statement for recorded in answers))
        AbilityEstimate.objects.filter(person=person).exclude(competency__in=abilities).delete()
        AbilityEstimate.objects.bulk_create(
            _rows(person, abilities),
            update_conflicts=True,
            unique_fields=["person", "competency"],
            update_fields=["value", "standard_error", "responses"],
        )
        cursor.seq = news[-1].seq
        cursor.save(update_fields=["seq"])


def rebuild(progress: Callable[[int], None]) -> None:
    """Drop all estimates and fold every statement again. `progress` is told how many were folded."""
    with transaction.atomic():
        AbilityEstimate.objects.all().delete()
        MeasuredUpTo.objects.all().delete()
        estimates: list[AbilityEstimate] = []
        cursors: list[MeasuredUpTo] = []
        for person, recorded in _by_person(progress):
            abilities = fold_answers({}, (each.statement for each in recorded))
            estimates.extend(_rows(person, abilities))
            cursors.append(MeasuredUpTo(person=person, seq=recorded[-1].seq))
            if len(estimates) >= _BATCH:
                AbilityEstimate.objects.bulk_create(estimates)
                estimates.clear()
        AbilityEstimate.objects.bulk_create(estimates)
        MeasuredUpTo.objects.bulk_create(cursors, batch_size=_BATCH)


def _by_person(progress: Callable[[int], None]) -> Iterator[tuple[UUID, list[Recorded]]]:
    stream = stream_statements(verbs=FOLLOWED)
    for person, group in groupby(stream, key=lambda recorded: recorded.statement.actor):
        recorded = list(group)
        progress(len(recorded))
        yield person, recorded


def _rows(person: UUID, abilities: dict[str, Ability]) -> list[AbilityEstimate]:
    return [
        AbilityEstimate(
            person=person,
            competency=ability.competency,
            value=ability.value,
            standard_error=ability.standard_error,
            responses=ability.responses,
        )
        for ability in abilities.values()
    ]
