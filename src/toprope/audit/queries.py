"""Reads of the audit record."""

from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from toprope.audit import models
from toprope.audit.logic import Entry, Receipt, Report, Row, Sighting, check_chain, read_entry
from toprope.kit.witness import read_witnesses

_CHUNK = 2_000

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
    rows = entries.order_by("-seq").values_list("seq", "hash", "payload")[:limit]
    return [read_entry(*row) for row in rows]


def stream_entries(tag: str, *, up_to: int) -> Iterator[Entry]:
    """All entries of a tag up to and with number `up_to`, oldest first, in bounded memory."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT seq, hash, payload FROM audit_entry WHERE tag = %s AND seq <= %s ORDER BY seq", [tag, up_to]
        )
        while rows := cursor.fetchmany(_CHUNK):
            for row in rows:
                yield read_entry(*row)


def get_head() -> Receipt | None:
    """The newest entry, None in an empty record."""
    row = models.Entry.objects.order_by("-seq").values_list("seq", "hash").first()
    return Receipt(row[0], bytes(row[1])) if row else None


def verify(progress: Progress | None = None) -> Report:
    """Check every entry against the chain, its columns and all witnesses."""
    # The witnesses first: what they saw by now is committed, so that the snapshot read below must have it.
    sightings = [Sighting(*found) for found in read_witnesses(witness_directory())]
    with transaction.atomic():
        return check_chain(_stream_rows(progress), sightings)


def _stream_rows(progress: Progress | None) -> Iterator[Row]:
    head = get_head()
    total, done = head.seq if head else 0, 0
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT seq, hash, payload, at, tag, actor, subject FROM audit_entry ORDER BY seq")
        while rows := cursor.fetchmany(_CHUNK):
            yield from map(Row._make, rows)
            done += len(rows)
            if progress:
                progress(done, max(done, total))
