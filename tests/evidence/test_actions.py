import threading
from dataclasses import replace
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.evidence.making import AMARA, BEN, NOW, make
from tests.strategies import statements
from tests.tampering import as_application, run

from toprope.audit.api import get_head, list_entries, record_entry, verify
from toprope.evidence.api import (
    StatementConflict,
    get_statement,
    last_seq,
    list_statements,
    record_statements,
    verify_statements,
    void_statement,
)
from toprope.evidence.statement import (
    Context,
    Object,
    ObjectType,
    Result,
    StatementError,
    Verb,
    canonical,
    digest,
)
from toprope.kit.ids import uuid7
from toprope.kit.witness import list_witnesses, read_witness

pytestmark = pytest.mark.usefixtures("empty_record")


def count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM evidence_statement")
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_a_statement_is_recorded_and_audited():
    record_entry("test.started", actor="system", subject="", detail={}, now=NOW)
    statement = make()
    [recorded] = record_statements([statement])
    assert (recorded.seq, recorded.statement, recorded.new) == (2, statement, True)
    assert get_statement(statement.id) == replace(recorded, new=False)
    [entry] = list_entries(subject=str(statement.id))
    assert (entry.seq, entry.tag, entry.actor) == (2, "statement.recorded", str(AMARA))
    assert entry.detail == {"digest": digest(statement), "verb": "answered", "object": "item:SEC-01-001"}


@pytest.mark.django_db
def test_who_vouches_for_a_statement_is_who_did_it():
    rated = make(verb=Verb.WAS_RATED, authority=str(BEN))
    used = make(verb=Verb.USED, authority="gateway")
    record_statements([rated, used])
    assert [entry.actor for entry in list_entries(subject=str(rated.id))] == [str(BEN)]
    assert [entry.actor for entry in list_entries(subject=str(used.id))] == [str(AMARA)]


@pytest.mark.django_db
def test_the_same_again_changes_nothing():
    statement = make()
    [first] = record_statements([statement])
    head = get_head()
    assert record_statements([statement]) == [replace(first, new=False)]
    assert (count(), get_head()) == (1, head)


@pytest.mark.django_db
def test_many_keep_their_order_and_tell_new_from_known():
    known = make(number=1)
    [first] = record_statements([known])
    two, three = make(number=2), make(number=3)
    recorded = record_statements([three, known, two, three])
    assert [(r.statement, r.new) for r in recorded] == [
        (three, True),
        (known, False),
        (two, True),
        (three, False),
    ]
    assert [r.seq for r in recorded] == [2, first.seq, 3, 2]
    assert [r.statement for r in list_statements(actor=AMARA)] == [known, three, two]
    assert verify_statements() == []


@pytest.mark.django_db
def test_nothing_to_record_is_no_mistake():
    assert record_statements([]) == []
    assert get_head() is None


@pytest.mark.django_db
def test_other_content_under_the_same_id_is_a_conflict_and_undoes_the_whole_call():
    statement = make()
    record_statements([statement])
    other = replace(statement, result=Result(score=0.0))
    with pytest.raises(StatementConflict, match=f"statement {statement.id} is on record with other content"):
        record_statements([make(number=2), other])
    assert [r.statement for r in list_statements(actor=AMARA)] == [statement]
    assert get_head().seq == 1
    with pytest.raises(StatementConflict):
        record_statements([twin := make(number=3), replace(twin, authority="gateway")])
    assert count() == 1


@pytest.mark.django_db
def test_a_conflict_leaves_the_callers_transaction_usable():
    statement = make()
    record_statements([statement])
    with transaction.atomic():
        with pytest.raises(StatementConflict):
            record_statements([replace(statement, authority="gateway")])
        record_statements([make(number=2)])
    assert count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (make(result=Result(score=2)), "scale it to 0..1"),
        (make(verb=Verb.VOIDED, context=Context(voids=uuid7())), "is not on record; it cannot be voided"),
    ],
)
def test_what_cannot_be_recorded_undoes_the_whole_call(wrong, message):
    with pytest.raises(StatementError, match=message):
        record_statements([make(), wrong])
    assert (count(), get_head()) == (0, None)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(statements(), max_size=3, unique_by=lambda statement: statement.id))
def test_whatever_is_recorded_can_be_read_back_and_verified(drawn):
    recorded = record_statements(drawn)
    assert [get_statement(statement.id) for statement in drawn] == [replace(r, new=False) for r in recorded]
    assert (verify_statements(), verify().problems) == ([], ())


@pytest.mark.django_db
def test_recording_takes_one_round_trip_besides_its_savepoint(django_assert_num_queries):
    with django_assert_num_queries(3):
        record_statements([make(number=n) for n in range(20)])


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["", "[]", "{}", '{"id":"x"}', None])
def test_the_sql_function_takes_statements_only(body):
    with pytest.raises(Exception, match=r"invalid input syntax|violates not-null|not an audit entry"):
        run_append(body)


def run_append(body: str | None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM evidence_append(%s)", [body])


@pytest.mark.django_db
def test_the_gateways_way_in_records_one_at_a_time():
    statement = make()
    outcomes = []
    for body in (
        canonical(statement),
        canonical(statement),
        canonical(replace(statement, authority="gateway")),
    ):
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq, outcome, hash FROM evidence_append(%s)", [body])
            outcomes.append(cursor.fetchone())
    assert outcomes == [(1, "recorded", get_head().hash), (1, "duplicate", None), (1, "conflict", None)]


@pytest.mark.django_db(transaction=True)
def test_the_witness_hears_of_the_newest_entry(empty_record):
    record_statements([make(number=n) for n in range(3)])
    record_statements([statement := make()])
    record_statements([statement])
    [witness] = list_witnesses(empty_record / "witness")
    assert [seq for seq, _ in read_witness(witness)] == [3, 4]
    assert verify().problems == ()


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_record_one_answer():
    statement = make()
    outcomes: list[tuple[UUID, int, bool]] = []
    start = threading.Barrier(4)

    def answer() -> None:
        try:
            start.wait()
            [recorded] = record_statements([statement])
            outcomes.append((recorded.statement.id, recorded.seq, recorded.new))
        finally:
            connections.close_all()

    tabs = [threading.Thread(target=answer) for _ in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert sorted(outcomes) == [(statement.id, 1, False)] * 3 + [(statement.id, 1, True)]
    assert (count(), get_head().seq) == (1, 1)


@pytest.mark.django_db
def test_voiding_leaves_the_statement_on_record_and_out_of_all_else():
    kept, wrong = make(number=1), make(number=2)
    record_statements([kept, wrong])
    recorded = void_statement(wrong.id, by=BEN, reason=" wrong person ", now=NOW)
    voiding = recorded.statement
    assert (voiding.actor, voiding.verb, voiding.authority) == (AMARA, Verb.VOIDED, str(BEN))
    assert (voiding.context.voids, voiding.result.detail) == (wrong.id, {"reason": "wrong person"})
    assert [r.statement for r in list_statements(actor=AMARA)] == [kept, voiding]
    assert get_statement(wrong.id).statement == wrong
    assert last_seq() == 3
    [entry] = list_entries(subject=str(voiding.id))
    assert (entry.actor, entry.detail["verb"], entry.detail["object"]) == (
        str(BEN),
        "voided",
        f"statement:{wrong.id}",
    )
    assert verify_statements() == []


@pytest.mark.django_db
def test_what_may_not_be_voided_is_told_why():
    statement = make()
    record_statements([statement])
    unknown = uuid7()
    with pytest.raises(StatementError, match=f"statement {unknown} is not on record"):
        void_statement(unknown, by=BEN, reason="no such thing", now=NOW)
    with pytest.raises(StatementError, match="give one"):
        void_statement(statement.id, by=BEN, reason="  ", now=NOW)
    other_person = make(
        BEN, Verb.VOIDED, object=Object(ObjectType.STATEMENT, "x"), context=Context(voids=statement.id)
    )
    with pytest.raises(StatementError, match="is about another person"):
        record_statements([other_person])
    voided = void_statement(statement.id, by=BEN, reason="a mistake", now=NOW)
    with pytest.raises(StatementError, match=f"statement {statement.id} is voided already"):
        void_statement(statement.id, by=BEN, reason="again", now=NOW)
    with pytest.raises(StatementError, match="voids another; it cannot be voided itself"):
        void_statement(voided.statement.id, by=BEN, reason="back again", now=NOW)
    assert count() == 2


@pytest.mark.django_db
def test_a_statement_may_be_voided_by_one_recorded_with_it_but_not_before_it():
    statement = make()
    voiding = make(verb=Verb.VOIDED, context=Context(voids=statement.id))
    with pytest.raises(StatementError, match="is not on record"):
        record_statements([voiding, statement])
    record_statements([statement, voiding])
    assert [r.statement for r in list_statements(actor=AMARA)] == [voiding]


ATTEMPTS = [
    "UPDATE {} SET body = body",
    "UPDATE {} SET seq = 7",
    "DELETE FROM {}",
    "TRUNCATE {}",
    "MERGE INTO {} a USING evidence_statement b ON a.id = b.id WHEN MATCHED THEN DELETE",
]


def places() -> list[str]:
    """The table, and the partition where a new statement goes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM evidence_statement")
        return ["evidence_statement", *(row[0] for row in cursor.fetchall())]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "attempt", [*ATTEMPTS, "INSERT INTO {} SELECT * FROM evidence_statement", "DROP TABLE {}"]
)
def test_the_application_may_append_and_nothing_else(attempt):
    statement = make()
    record_statements([statement, make(id=uuid7(0))])  # one now, one in the default partition
    tables = places()
    assert len(tables) == 3
    with as_application():
        for table in tables:
            with pytest.raises(Exception, match=r"permission denied|must be owner"):
                run(attempt.format(table))
        assert get_statement(statement.id).statement == statement
        record_statements([make()])
        assert count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_the_owner_too_is_refused_by_the_triggers(attempt):
    record_statements([make(), make(id=uuid7(0))])
    for table in places():
        with pytest.raises(Exception, match="is refused: the table is append-only"):
            run(attempt.format(table))
    assert count() == 2
