"""Writes of statements. SQL does the recording: see migrations/0001_statements.sql."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import DataError, IntegrityError, connection, transaction

from toprope.audit.api import Receipt, tell_witness
from toprope.evidence.queries import Recorded, get_statement
from toprope.evidence.statement import (
    Context,
    Object,
    ObjectType,
    Result,
    Statement,
    StatementError,
    Verb,
    canonical,
)
from toprope.kit.ids import uuid7


class StatementConflict(StatementError):  # noqa: N818 - a conflict is what it is
    """Another statement is on record under the same id."""


def record_statements(statements: Iterable[Statement]) -> list[Recorded]:
    """Record statements in their order, all or none of them; the same again changes nothing.

    From here to the end of the transaction everybody else who writes to the record waits; so do this last.
    """
    statements = list(statements)
    for statement in statements:
        statement.check()
    if not statements:
        return []
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # A canonical form is one line. For the driver, one text is much quicker than an array.
            cursor.execute(
                "SELECT seq, outcome, hash FROM evidence_append_all(string_to_array(%s, E'\n'))"
                " ORDER BY position",
                ["\n".join(canonical(statement) for statement in statements)],
            )
            rows = cursor.fetchall()
            recorded = [_outcome(statement, *row) for statement, row in zip(statements, rows, strict=True)]
            newest = max(((seq, hash_) for seq, _, hash_ in rows if hash_), default=None)
            if newest:
                tell_witness(Receipt(newest[0], bytes(newest[1])))
    except (DataError, IntegrityError) as error:
        raise StatementError(f"the record refuses a statement: {str(error).splitlines()[0]}") from error
    return recorded


def void_statement(id: UUID, *, by: UUID, reason: str, now: datetime) -> Recorded:  # noqa: A002 - the field's word
    """Take a statement out of all that is derived; it stays on record, with who voided it and why."""
    voided = get_statement(id)
    if voided is None:
        raise StatementError(f"statement {id} is not on record; it cannot be voided")
    if not reason.strip():
        raise StatementError("a statement is voided for a reason; give one")
    statement = Statement(
        id=uuid7(int(now.timestamp() * 1000)),
        actor=voided.statement.actor,
        verb=Verb.VOIDED,
        object=Object(ObjectType.STATEMENT, str(id)),
        timestamp=now,
        authority=str(by),
        result=Result(detail={"reason": reason.strip()}),
        context=Context(voids=id),
    )
    return record_statements([statement])[0]


def ensure_partitions(months_ahead: int = 3, months_back: int = 0) -> int:
    """Make the monthly partitions around this month; gives how many were new. Cheap to repeat.

    Months back are of use before an import only: what is recorded already stays where it is.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT evidence_ensure_partitions(%s, %s)", [months_ahead, months_back])
        (made,) = cursor.fetchone()
    return int(made)


def _outcome(statement: Statement, seq: int, outcome: str, _hash: bytes | None) -> Recorded:
    if outcome == "conflict":
        raise StatementConflict(
            f"statement {statement.id} is on record with other content; new content needs a new id"
        )
    return Recorded(seq, statement, new=outcome == "recorded")
