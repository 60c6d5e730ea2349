"""`toprope rebuild`: drop every derived table and make it anew from the statements."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Model

from toprope.audit.api import record_entry
from toprope.authorization import api as authorization
from toprope.kit.clock import now as read_clock
from toprope.learning import api as learning
from toprope.measurement import api as measurement
from toprope.progression import api as progression

DERIVED: tuple[type[Model], ...] = (
    *measurement.DERIVED_MODELS,
    *progression.DERIVED_MODELS,
    *authorization.DERIVED_MODELS,
    *learning.DERIVED_MODELS,
)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Digests of all derived tables before and after; the same where nothing had gone astray."""

    before: str
    after: str
    statements: int

    @property
    def identical(self) -> bool:
        return self.before == self.after


def rebuild(progress: Callable[[int], None] = lambda _: None) -> Rebuilt:
    """Rebuild everything derived, in one transaction: readers see the old tables until the new ones stand.

    Nothing may be recorded meanwhile, so that the digests compare like with like. `progress` is told how many
    statements were read; each stage reads those it follows.
    """
    read = 0

    def count(statements: int) -> None:
        nonlocal read
        read += statements
        progress(statements)

    now = read_clock()
    authorization.follow_statements(now)  # what merely lags behind has not gone astray
    measurement.refresh_stale()
    with transaction.atomic():
        _hold_still(now)
        before = digest_derived()
        measurement.rebuild(count)
        progression.rebuild(count)
        authorization.rebuild(now, count)
        learning.rebuild(count)
        after = digest_derived()
        detail = {"before": before, "after": after, "statements": read}
        record_entry("derived.rebuilt", actor="operator", subject="derived tables", detail=detail, now=now)
    authorization.publish_everybody()
    return Rebuilt(before, after, read)


def digest_derived() -> str:
    """SHA-256 over the rows of every derived table, whatever order they lie in; surrogate ids left out."""
    total = hashlib.sha256()
    for model in DERIVED:
        table = connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001 - Django's documented way
        fields = [str(field.column) for field in model._meta.concrete_fields]  # noqa: SLF001 - as above
        columns = ", ".join(connection.ops.quote_name(column) for column in fields if column != "id")
        with connection.cursor() as cursor:
            # The table's text form gives floats in full and times in one zone, so equal rows are equal text.
            cursor.execute(
                f"SELECT COALESCE(encode(sha256(string_agg(sha256(convert_to(line, 'UTF8')), NULL ORDER BY line)),"  # noqa: S608, E501 - names come from our own models
                f" 'hex'), '') FROM (SELECT ROW({columns})::text AS line FROM {table}) AS lines"
            )
            total.update(f"{table}:{cursor.fetchone()[0]}\n".encode())
    return total.hexdigest()


def _hold_still(now: datetime) -> None:
    """Let nobody derive or record anything before this transaction ends.

    In the order in which everybody takes these locks: derived tables first, then the record.
    """
    with connection.cursor() as cursor:
        for model in (learning.Submission, authorization.GrantedUpTo, measurement.PersonAbility):
            table = connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001 - as above
            cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
    record_entry("derived.rebuild_started", actor="operator", subject="derived tables", detail={}, now=now)
