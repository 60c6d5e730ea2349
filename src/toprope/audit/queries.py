"""Reads of the audit record."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from toprope.audit import models
from toprope.audit.logic import Entry, Problem, Receipt, Report, Row, Sighting, check_chain, read_detail
from toprope.kit.witness import WitnessError, list_witnesses, read_witness

_CHUNK = 2_000
_COLUMNS = ("seq", "at", "tag", "actor", "subject", "payload", "hash")

Progress = Callable[[int, int], None]
"""Called with how much is done, and how much there is in all."""


def witness_directory() -> Path:
    """Where the processes of this installation keep their witness files."""
    return Path(settings.HOME) / "witness"


def list_entries(
    *, tag: str = "", subject: str = "", actor: str = "", before: int | None = None, limit: int = 50
) -> list[Entry]:
    """Entries, newest first; `before` is the number of the last one seen, for the next page."""
    wanted = {"tag": tag, "subject": subject, "actor": actor}
    entries = models.Entry.objects.filter(**{name: value for name, value in wanted.items() if value})
    if before is not None:
        entries = entries.filter(seq__lt=before)
    return [_read(row) for row in entries.order_by("-seq").values_list(*_COLUMNS)[:limit]]


def stream_entries(tag: str, *, up_to: int) -> Iterator[Entry]:
    """All entries of a tag up to and with number `up_to`, oldest first, in bounded memory."""
    rows = models.Entry.objects.filter(tag=tag, seq__lte=up_to).order_by("seq").values_list(*_COLUMNS)
    return map(_read, rows.iterator(chunk_size=_CHUNK))


def get_head() -> Receipt | None:
    """The newest entry, None in an empty record."""
    row = models.Entry.objects.order_by("-seq").values_list("seq", "hash").first()
    # As below, NULL must not stop a verification.
    return Receipt(row[0], bytes(row[1] or b"")) if row else None


def verify(progress: Progress | None = None) -> Report:
    """Check every entry against the chain, its columns and all witnesses."""
    # The witnesses first: what they saw by now is committed, so that the snapshot read below must have it.
    sightings, spoilt = [], []
    files = list_witnesses(witness_directory())
    for file in files:
        try:
            sightings += [Sighting(file.name, seq, hash_) for seq, hash_ in read_witness(file)]
        except WitnessError as error:
            spoilt.append(Problem(0, str(error)))
    with transaction.atomic():
        report = check_chain(_stream_rows(progress), sightings)
    return replace(report, problems=(*spoilt, *report.problems), witnesses=len(files))


def _stream_rows(progress: Progress | None) -> Iterator[Row]:
    head = get_head()
    total, done = head.seq if head else 0, 0
    with connection.chunked_cursor() as cursor:
        # Whoever drops a constraint can write NULL anywhere; that must not stop the verification.
        cursor.execute(
            "SELECT coalesce(seq, 0), coalesce(hash, ''), coalesce(payload, ''), at, tag, actor, subject"
            " FROM audit_entry ORDER BY audit_entry.seq"
        )
        while rows := cursor.fetchmany(_CHUNK):
            yield from map(Row._make, rows)
            done += len(rows)
            if progress:
                progress(done, max(done, total))


def _read(row: tuple[Any, ...]) -> Entry:
    seq, at, tag, actor, subject, payload, hash_ = row
    return Entry(seq, at, tag, actor, subject, read_detail(payload), bytes(hash_))
