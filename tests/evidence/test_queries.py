import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from tests.evidence.making import AMARA, BEN, NOW, make
from tests.tampering import tampered

from toprope.audit.api import record_entry, verify
from toprope.evidence.api import (
    get_statement,
    last_activity,
    last_seq,
    list_actors_after,
    list_by_sitting,
    list_newest,
    list_statements,
    record_statements,
    stream_by_person,
    stream_statements,
    verify_statements,
    void_statement,
)
from toprope.evidence.statement import Context, Verb
from toprope.kit.ids import uuid7

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_record")]


@pytest.fixture
def record(empty_record):  # noqa: ARG001 - it comes first
    """Two people's statements, in turns, each in a sitting; the third of Amara's is voided."""
    sittings = {AMARA: uuid4(), BEN: uuid4()}
    statements = [
        make(
            actor,
            Verb.ANSWERED if number % 2 else Verb.COMPLETED,
            number,
            context=Context(sitting=sittings[actor] if number < 3 else None),
        )
        for number in range(1, 6)
        for actor in (AMARA, BEN)
    ]
    recorded = record_statements(statements)
    voiding = void_statement(statements[4].id, by=BEN, reason="a mistake", now=NOW)
    return [*recorded, voiding]


def seqs(found) -> list[int]:
    return [recorded.seq for recorded in found]


def test_a_persons_statements_come_in_the_order_they_were_recorded(record):
    assert seqs(list_statements(actor=AMARA)) == [1, 3, 7, 9, 11]
    assert [r.statement for r in list_statements(actor=AMARA, limit=1)] == [record[0].statement]
    assert seqs(list_statements(actor=AMARA, after_seq=3, limit=2)) == [7, 9]
    assert seqs(list_statements(actor=AMARA, verbs={Verb.COMPLETED})) == [3, 7]
    assert list_statements(actor=AMARA, verbs=[]) == []
    assert list_statements(actor=uuid4()) == []
    assert not any(r.new for r in list_statements(actor=AMARA))


@pytest.mark.usefixtures("record")
def test_the_newest_come_first_in_pages():
    assert seqs(list_newest(actor=AMARA, limit=2)) == [11, 9]
    assert seqs(list_newest(actor=AMARA, limit=2, before_seq=9)) == [7, 3]
    assert seqs(list_newest(actor=AMARA, verbs=[Verb.ANSWERED])) == [9, 1]


def test_a_sitting_has_its_own_statements(record):
    sitting = record[0].statement.context.sitting
    assert seqs(list_by_sitting(AMARA, sitting)) == [1, 3]
    assert list_by_sitting(BEN, sitting) == []


@pytest.mark.usefixtures("record")
def test_all_are_streamed_person_by_person():
    assert seqs(stream_statements()) == [1, 3, 7, 9, 11, 2, 4, 6, 8, 10]
    assert seqs(stream_statements(verbs=[Verb.COMPLETED])) == [3, 7, 4, 8]
    assert seqs(stream_statements(after_seq=7)) == [9, 11, 8, 10]
    assert seqs(stream_statements(verbs=[])) == []


@pytest.mark.usefixtures("record")
def test_a_person_comes_once_with_all_their_statements():
    told = [(person, seqs(recorded)) for person, recorded in stream_by_person(verbs=[Verb.COMPLETED])]
    assert told == [(AMARA, [3, 7]), (BEN, [4, 8])]


@pytest.mark.django_db(transaction=True)
def test_a_stream_goes_on_while_others_are_recorded():
    record_statements([make(number=n) for n in range(3_000)])
    streamed = 0
    for recorded in stream_statements():
        streamed += 1
        if recorded.statement.object.key.endswith("000"):
            record_statements([make(number=7)])
    assert streamed == 3_000


@pytest.mark.usefixtures("record")
def test_persons_with_news_are_listed_from_the_least_advanced_on():
    assert list_actors_after(0, 10) == [(BEN, 10), (AMARA, 11)]
    assert list_actors_after(0, 1) == [(BEN, 10)]
    assert list_actors_after(10, 10) == [(AMARA, 11)]
    assert list_actors_after(11, 10) == []


@pytest.mark.usefixtures("record")
def test_the_last_number_is_that_of_the_newest_statement():
    record_entry("test.done", actor="system", subject="", detail={}, now=NOW)
    assert last_seq() == 11


def test_an_empty_record_has_nothing():
    assert last_seq() == 0
    assert get_statement(uuid4()) is None
    assert list(stream_statements()) == []
    assert verify_statements() == []


@pytest.mark.usefixtures("record")
def test_activity_is_told_for_those_who_were_active():
    assert last_activity([BEN, uuid4()]) == {BEN: NOW + timedelta(seconds=5)}


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_takes_one_query(rows, django_assert_num_queries):
    record_statements([make(number=n) for n in range(rows)])
    with django_assert_num_queries(1):
        assert len(list_statements(actor=AMARA)) == rows
    with django_assert_num_queries(1):
        assert len(list_newest(actor=AMARA)) == rows


@pytest.mark.usefixtures("record")
def test_an_untouched_record_is_sound():
    told = []
    assert verify_statements(lambda done, total: told.append((done, total))) == []
    assert told == [(11, 11)]


SAME_BODY = """UPDATE evidence_statement SET body = b.changed, digest = sha256(convert_to(b.changed, 'UTF8')),
    object_key = 'SEC-01-999' FROM (
        SELECT id, replace(body, 'SEC-01-002', 'SEC-01-999') AS changed FROM evidence_statement WHERE seq = 3
    ) b WHERE evidence_statement.id = b.id"""
COPY = """INSERT INTO evidence_statement SELECT '{}', {}, actor, verb, object_type, object_key, timestamp,
    authority, sitting, voids, digest, body FROM evidence_statement WHERE seq = 3"""


@pytest.mark.parametrize(
    ("tampering", "expected"),
    [
        (
            "UPDATE evidence_statement SET body = replace(body, ':1.0', ':0.0') WHERE seq = 3",
            [(3, "the body was changed"), (3, "column digest was changed")],
        ),
        (SAME_BODY, [(3, "the body was changed")]),
        (
            """ALTER TABLE evidence_statement ALTER body DROP NOT NULL;
            UPDATE evidence_statement SET body = NULL WHERE seq = 3""",
            [(3, "the body was changed"), (3, "column digest was changed")],
        ),
        (
            "UPDATE evidence_statement SET digest = sha256('x') WHERE seq = 3",
            [(3, "column digest was changed")],
        ),
        (f"UPDATE evidence_statement SET actor = '{BEN}' WHERE seq = 3", [(3, "column actor was changed")]),
        ("UPDATE evidence_statement SET verb = 'answered' WHERE seq = 3", [(3, "column verb was changed")]),
        (
            "UPDATE evidence_statement SET object_type = 'rung' WHERE seq = 3",
            [(3, "column object_type was changed")],
        ),
        (
            "UPDATE evidence_statement SET object_key = 'x' WHERE seq = 3",
            [(3, "column object_key was changed")],
        ),
        (
            "UPDATE evidence_statement SET timestamp = timestamp + interval '1 ms' WHERE seq = 3",
            [(3, "column timestamp was changed")],
        ),
        (
            "UPDATE evidence_statement SET authority = 'x' WHERE seq = 3",
            [(3, "column authority was changed")],
        ),
        ("UPDATE evidence_statement SET sitting = NULL WHERE seq = 3", [(3, "column sitting was changed")]),
        ("UPDATE evidence_statement SET voids = id WHERE seq = 3", [(3, "column voids was changed")]),
        ("UPDATE evidence_statement SET voids = NULL WHERE seq = 11", [(11, "column voids was changed")]),
        (
            f"UPDATE evidence_statement SET id = '{UUID(int=7)}' WHERE seq = 3",
            [(3, f"in its place is {UUID(int=7)}"), (3, "column id was changed")],
        ),
        ("DELETE FROM evidence_statement WHERE seq = 3", [(3, "is gone")]),
        ("DELETE FROM evidence_statement WHERE seq >= 10", [(10, "is gone"), (11, "is gone")]),
        ("TRUNCATE evidence_statement", [(seq, "is gone") for seq in range(1, 12)]),
        (COPY.format(UUID(int=7), 3), [(3, "was added")]),
        (COPY.format(UUID(int=7), 12), [(12, "was added")]),
        (COPY.format(UUID(int=7), 0), [(0, "was added")]),
        ("UPDATE evidence_statement SET seq = 30 WHERE seq = 3", [(3, "is gone"), (30, "was added")]),
        (
            "UPDATE evidence_statement SET seq = 7 - seq WHERE seq IN (3, 4)",
            [
                (3, "in its place is"),
                (3, "the body was changed"),
                (4, "in its place is"),
                (4, "the body was changed"),
            ],
        ),
    ],
)
@pytest.mark.usefixtures("record")
def test_what_was_done_behind_its_back_is_found_though_the_audit_record_is_intact(tampering, expected):
    with tampered(tampering):
        problems = sorted((problem.seq, problem.what) for problem in verify_statements())
        assert verify().problems == ()
    assert [seq for seq, _ in problems] == [seq for seq, _ in expected]
    for part in (part for _, part in expected):
        assert any(part in what for _, what in problems)
    assert verify_statements() == []


@pytest.mark.usefixtures("record")
def test_an_audit_entry_put_in_for_no_statement_is_found():
    entry = {
        "at": "2026-05-04T09:30:00Z",
        "tag": "statement.recorded",
        "actor": "x",
        "subject": "y",
        "detail": {},
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM audit_append(%s)", [json.dumps(entry)])
    [problem] = verify_statements()
    assert (problem.seq, problem.what) == (12, "statement y is gone: the audit record knows it")


@pytest.mark.usefixtures("record")
def test_an_added_statement_does_not_hide_behind_a_voided_one():
    """Reads leave out voided statements; verification does not."""
    with tampered("UPDATE evidence_statement SET object_key = 'x' WHERE seq = 5"):
        [problem] = verify_statements()
    assert problem.seq == 5


@pytest.mark.django_db(transaction=True)
def test_statements_recorded_while_it_reads_do_not_disturb_it():
    record_statements([make(number=n) for n in range(2_500)])
    told = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        record_statements([make(id=uuid7())])

    assert verify_statements(progress) == []
    assert told == [(2_000, 2_500), (2_500, 2_500)]
