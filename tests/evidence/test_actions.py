from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from toprope.audit.api import list_entries, record_entry, verify
from toprope.evidence.api import StatementConflict, get_statement, list_statements, record_statements
from toprope.evidence.statement import Object, ObjectType, Result, Statement, Verb, digest
from toprope.kit.ids import uuid7

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def make(actor: UUID, score: float = 1.0) -> Statement:
    return Statement(
        id=uuid7(),
        actor=actor,
        verb=Verb.ANSWERED,
        object=Object(ObjectType.ITEM, "SEC-01-1"),
        timestamp=NOW,
        result=Result(score=score),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("empty_record")
def test_a_statement_is_recorded_once_and_audited():
    record_entry("test.started", actor="system", subject="x", detail={"a": 1}, now=NOW)
    actor = uuid4()
    statement = make(actor)
    [first] = record_statements([statement])
    [again] = record_statements([statement])
    assert first.new
    assert not again.new
    assert again.seq == first.seq
    assert [r.statement for r in list_statements(actor=actor)] == [statement]
    assert get_statement(statement.id).seq == first.seq
    [entry] = list_entries(subject=str(statement.id))
    assert entry.detail == {"digest": digest(statement), "verb": "answered", "object": "item:SEC-01-1"}
    assert verify().problems == ()
    from dataclasses import replace

    with pytest.raises(StatementConflict):
        record_statements([replace(statement, authority="gateway")])
    import time

    many = [make(actor) for _ in range(1000)]
    t = time.perf_counter()
    record_statements(many)
    print("1000 in", time.perf_counter() - t)
    t = time.perf_counter()
    assert verify().entries > 1000
    print("verify in", time.perf_counter() - t)
