"""Writes of the measurement stage: estimates follow the statements, by a cursor per person."""

from collections.abc import Callable
from uuid import UUID

from django.db import transaction

from toprope.evidence.api import Recorded, list_statements, stream_by_person
from toprope.evidence.statement import Statement, Verb
from toprope.measurement.logic import (
    FOLLOWED,
    Basis,
    Followed,
    Made,
    follow,
    follow_many,
    read_decisions,
    unpack_followed,
)
from toprope.measurement.models import LevelDecision, PersonAbility
from toprope.measurement.queries import current_basis

_WATCHED = FOLLOWED | {Verb.VOIDED}
_DECIDING = frozenset({Verb.COMPLETED, Verb.VOIDED})
_BATCH = 500


def refresh_person(person: UUID) -> None:
    """Bring one person's estimates up to the last statement. Safe to call at any time, by anybody."""
    basis = current_basis()
    with transaction.atomic():
        PersonAbility.objects.get_or_create(person=person, defaults={"seq": 0, "basis": "", "responses": []})
        row = PersonAbility.objects.select_for_update().get(person=person)
        stale = row.basis != basis.key
        news = list_statements(actor=person, verbs=_WATCHED, after_seq=0 if stale else row.seq)
        if not news:
            if not row.seq:  # only there to be locked: a rebuild would not make it
                row.delete()
            return
        known, statements = None, [recorded.statement for recorded in news]
        if any(each.verb is Verb.VOIDED for each in statements):
            # A voided score may lie anywhere in the past: fold again from the start, without it.
            statements = [each.statement for each in list_statements(actor=person, verbs=FOLLOWED)]
        elif not stale and row.state is not None:
            known = unpack_followed(bytes(row.state), row.responses)
        _row(basis, person, news[-1].seq, follow(basis, known, statements)).save(force_update=True)
        if stale or any(each.statement.verb in _DECIDING for each in news):
            everything = [each.statement for each in list_statements(actor=person, verbs=FOLLOWED)]
            LevelDecision.objects.filter(person=person).delete()
            LevelDecision.objects.bulk_create(map(_decision, read_decisions(basis, everything)))


def refresh_stale(progress: Callable[[int, int], None] = lambda _done, _total: None) -> int:
    """Fold the estimates of another basis anew: after a new framework, a calibration, a panel, an upgrade.

    Person by person, so that nobody has to wait; until then the earlier estimates are shown. Gives how many
    persons that were; `progress` is told how many are done, and of how many.
    """
    basis = current_basis()
    rows = PersonAbility.objects.exclude(basis=basis.key).order_by("person")
    stale = list(rows.values_list("person", flat=True))
    for done, person in enumerate(stale, 1):
        refresh_person(person)
        progress(done, len(stale))
    return len(stale)


def rebuild_if_empty() -> int:
    """Fold every statement where there are no estimates at all, as after an upgrade that dropped the table.

    Gives of how many persons something is believed since.
    """
    if PersonAbility.objects.exists():
        return 0
    rebuild(lambda _: None)
    return PersonAbility.objects.count()


def rebuild(progress: Callable[[int], None]) -> None:
    """Drop all estimates and fold every statement again. `progress` is told how many were folded."""
    basis = current_basis()
    with transaction.atomic():
        for model in (PersonAbility, LevelDecision):
            model.objects.all().delete()
        batch: list[tuple[UUID, list[Recorded]]] = []
        for person, recorded in stream_by_person(verbs=_WATCHED):
            progress(len(recorded))
            batch.append((person, recorded))
            if len(batch) >= _BATCH:
                _rebuild_batch(basis, batch)
                batch.clear()
        _rebuild_batch(basis, batch)


def _rebuild_batch(basis: Basis, batch: list[tuple[UUID, list[Recorded]]]) -> None:
    told: list[tuple[Followed | None, list[Statement]]] = [
        (None, [each.statement for each in recorded]) for _, recorded in batch
    ]
    followed = follow_many(basis, told)
    made = [each for _, statements in told for each in read_decisions(basis, statements)]
    LevelDecision.objects.bulk_create(map(_decision, made))
    PersonAbility.objects.bulk_create(
        _row(basis, person, recorded[-1].seq, known)
        for (person, recorded), known in zip(batch, followed, strict=True)
    )


def _row(basis: Basis, person: UUID, seq: int, followed: Followed | None) -> PersonAbility:
    return PersonAbility(
        person=person,
        seq=seq,
        basis=basis.key,
        state=None if followed is None else followed.packed(),
        responses=[] if followed is None else list(followed.responses),
    )


def _decision(made: Made) -> LevelDecision:
    return LevelDecision(
        statement=made.statement,
        person=made.person,
        competency=made.competency,
        level=made.level,
        at=made.at,
        certainty=made.certainty,
        passed=made.passed,
        by_estimate=made.by_estimate,
        alone=made.alone,
    )
