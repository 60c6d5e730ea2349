"""Reads of the statements. Voided ones are left out everywhere but in `get_statement`."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Exists, Max, OuterRef, QuerySet

from toprope.audit.api import Problem, Problems, get_head, stream_entries
from toprope.evidence.logic import Noted, Row, Tag, check_statements
from toprope.evidence.models import StatementRow
from toprope.evidence.statement import Statement, Verb, parse

_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """A statement on record. `seq` orders all statements as they were recorded; it has gaps.

    `new` tells whether this very call recorded it; reads give False.
    """

    seq: int
    statement: Statement
    new: bool = False


def get_statement(id: UUID) -> Recorded | None:  # noqa: A002 - the field's word
    """The statement of this id, voided or not."""
    row = StatementRow.objects.filter(id=id).values_list("seq", "body").first()
    return _read(row) if row else None


def list_statements(
    *, actor: UUID, verbs: Collection[Verb] | None = None, after_seq: int = 0, limit: int | None = None
) -> list[Recorded]:
    """Statements about a person, in the order they were recorded."""
    # In SQL: everything derived reads through here, and building the query took longer than answering it.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.seq, s.body FROM evidence_statement s"
            " WHERE s.actor = %(actor)s AND s.seq > %(after)s"
            " AND (%(verbs)s::text[] IS NULL OR s.verb = ANY(%(verbs)s))"
            " AND NOT EXISTS (SELECT FROM evidence_statement v"
            "  WHERE v.actor = s.actor AND v.voids = s.id AND v.voids IS NOT NULL)"
            " ORDER BY s.seq LIMIT %(limit)s",
            {
                "actor": actor,
                "after": after_seq,
                "verbs": None if verbs is None else [verb.value for verb in verbs],
                "limit": limit,
            },
        )
        return [_read(row) for row in cursor.fetchall()]


def count_by_object(actor: UUID, verb: Verb) -> dict[str, int]:
    """How often `verb` is on record about this person, by the key of its object."""
    rows = _standing().filter(actor=actor, verb=verb).values("object_key").annotate(times=Count("id"))
    return dict(rows.values_list("object_key", "times"))


def list_newest(
    *, actor: UUID, verbs: Collection[Verb] | None = None, before_seq: int | None = None, limit: int = 50
) -> list[Recorded]:
    """Statements about a person, newest first; `before_seq` is the last one seen, for the next page."""
    rows = _standing().filter(actor=actor)
    if verbs is not None:
        rows = rows.filter(verb__in=verbs)
    if before_seq is not None:
        rows = rows.filter(seq__lt=before_seq)
    return [_read(row) for row in rows.order_by("-seq").values_list("seq", "body")[:limit]]


def last_activity(actors: Collection[UUID]) -> dict[UUID, datetime]:
    """When something was last recorded about each of these persons, in one query."""
    rows = StatementRow.objects.filter(actor__in=actors).values("actor")
    return dict(rows.annotate(newest=Max("timestamp")).values_list("actor", "newest"))


def list_by_sitting(actor: UUID, sitting: UUID) -> list[Recorded]:
    """Statements about a person that belong to one sitting, in the order they were recorded."""
    rows = _standing().filter(actor=actor, sitting=sitting)
    return [_read(row) for row in rows.order_by("seq").values_list("seq", "body")]


def list_actors_after(seq: int, limit: int) -> list[tuple[UUID, int]]:
    """Persons with statements newer than `seq`, each with the number of the newest; the least advanced first.

    Who has worked off a list carries on after the last number on it, and misses nobody.
    """
    rows = StatementRow.objects.filter(seq__gt=seq).values("actor").annotate(newest=Max("seq"))
    return list(rows.order_by("newest").values_list("actor", "newest")[:limit])


def last_seq() -> int:
    """The number of the newest statement, 0 where there is none."""
    return StatementRow.objects.aggregate(newest=Max("seq"))["newest"] or 0


def stream_statements(*, verbs: Collection[Verb] | None = None, after_seq: int = 0) -> Iterator[Recorded]:
    """All statements, person by person and each in the order they were recorded, in bounded memory.

    Outside a transaction the server sets the whole answer aside first; inside one it does not need to.
    """
    wanted = "" if verbs is None else "AND s.verb = ANY(%s)"
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT s.seq, s.body FROM evidence_statement s WHERE s.seq > %s"  # noqa: S608 - a constant
            " AND NOT EXISTS (SELECT FROM evidence_statement v"
            f" WHERE v.actor = s.actor AND v.voids = s.id AND v.voids IS NOT NULL) {wanted}"
            " ORDER BY s.actor, s.seq",
            [after_seq] if verbs is None else [after_seq, [verb.value for verb in verbs]],
        )
        while rows := cursor.fetchmany(_CHUNK):
            for row in rows:
                yield _read(row)


def stream_by_person(*, verbs: Collection[Verb]) -> Iterator[tuple[UUID, list[Recorded]]]:
    """Each person with the statements about them, in the order they were recorded; one person in memory."""
    for person, group in groupby(stream_statements(verbs=verbs), key=lambda each: each.statement.actor):
        yield person, list(group)


def verify_statements(progress: Callable[[int, int], None] | None = None) -> list[Problem]:
    """Check every statement against its columns, its digest and the audit entry that recorded it."""
    # What has a committed number has all lower ones committed too: both readings below see them all.
    head = get_head()
    up_to = max(head.seq if head else 0, last_seq())
    problems = Problems()
    with transaction.atomic():
        noted = (
            Noted(entry.seq, entry.subject, str(entry.detail.get("digest")))
            for entry in stream_entries(Tag.STATEMENT_RECORDED, up_to=up_to)
        )
        for seq, what in check_statements(_stream_rows(up_to, progress), noted):
            problems.add(seq, what)
    return list(problems.told())


def _stream_rows(up_to: int, progress: Callable[[int, int], None] | None) -> Iterator[Row]:
    total, done = StatementRow.objects.filter(seq__lte=up_to).count(), 0
    with connection.chunked_cursor() as cursor:
        # Whoever drops a constraint can write NULL anywhere; that must not stop the verification.
        cursor.execute(
            "SELECT seq, id, actor, verb, object_type, object_key, timestamp, authority, sitting, voids,"
            " digest, coalesce(body, '') FROM evidence_statement WHERE seq <= %s ORDER BY seq",
            [up_to],
        )
        while rows := cursor.fetchmany(_CHUNK):
            yield from map(Row._make, rows)
            done += len(rows)
            if progress:
                progress(done, max(done, total))


def _standing() -> QuerySet[StatementRow]:
    voiding = StatementRow.objects.filter(actor=OuterRef("actor"), voids=OuterRef("id"), voids__isnull=False)
    return StatementRow.objects.filter(~Exists(voiding))


def _read(row: tuple[int, str]) -> Recorded:
    return Recorded(row[0], parse(row[1]))
