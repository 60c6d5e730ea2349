"""Whether the statements are as they were recorded. Pure."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID


class Tag(StrEnum):
    """What this stage writes to the audit record. SQL writes it: see migrations/0001_statements.sql."""

    STATEMENT_RECORDED = "statement.recorded"


class Row(NamedTuple):
    """A statement as the table has it."""

    seq: int
    id: UUID | None
    actor: UUID | None
    verb: str | None
    object_type: str | None
    object_key: str | None
    timestamp: datetime | None
    authority: str | None
    sitting: UUID | None
    voids: UUID | None
    digest: bytes | None
    body: str


class Noted(NamedTuple):
    """What the audit record says about a statement; `digest` is hexadecimal."""

    seq: int
    statement: str
    digest: str


def check_statements(rows: Iterable[Row], noted: Iterable[Noted]) -> Iterator[tuple[int, str]]:
    """Number and description of everything that is not as it was recorded. Both come in order of `seq`."""
    rows, noted = iter(rows), iter(noted)
    row, entry = next(rows, None), next(noted, None)
    while row or entry:
        if row and entry and row.seq == entry.seq:
            for what in _check_row(row, entry):
                yield row.seq, f"statement {entry.statement}: {what}"
            row, entry = next(rows, None), next(noted, None)
        elif row and (not entry or row.seq < entry.seq):
            yield row.seq, f"statement {row.id} was added: the audit record does not know it"
            row = next(rows, None)
        elif entry:
            yield entry.seq, f"statement {entry.statement} is gone: the audit record knows it"
            entry = next(noted, None)


def _check_row(row: Row, entry: Noted) -> Iterator[str]:
    found = sha256(row.body.encode()).digest()
    if found.hex() != entry.digest:
        yield "the body was changed: the audit record has another digest"
    if found != row.digest:
        yield "column digest was changed: it differs from the body's"
    if str(row.id) != entry.statement:
        yield f"the audit record has it, but in its place is {row.id}"
    try:
        expected = _columns(json.loads(row.body))
    except (KeyError, TypeError, ValueError):
        return  # such a body was not recorded by us, and the digest says so
    if expected != row[1:10]:
        for name, wanted, is_ in zip(Row._fields[1:10], expected, row[1:10], strict=True):
            if wanted != is_:
                yield f"column {name} was changed: it differs from the body"


def _columns(body: dict[str, Any]) -> tuple[Any, ...]:
    sitting, voids = body["context"]["sitting"], body["context"]["voids"]
    return (
        UUID(body["id"]),
        UUID(body["actor"]),
        body["verb"],
        body["object"]["type"],
        body["object"]["key"],
        datetime.fromisoformat(body["timestamp"]),
        body["authority"],
        None if sitting is None else UUID(sitting),
        None if voids is None else UUID(voids),
    )
