from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from tests.tampering import tampered

from toprope.audit.api import get_head, list_entries, record_entry, stream_entries, verify
from toprope.audit.logic import write_payload
from toprope.kit.witness import Witness, list_witnesses

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_record")]

ADD = "INSERT INTO audit_entry (seq, hash, payload) SELECT {}, hash, payload FROM audit_entry WHERE seq = 6"

RECOMPUTE = """
DO $$
DECLARE
    previous bytea := decode(repeat('00', 32), 'hex');
    entry record;
BEGIN
    FOR entry IN SELECT seq, payload FROM audit_entry ORDER BY seq LOOP
        previous := sha256(previous || int8send(entry.seq) || convert_to(entry.payload, 'UTF8'));
        UPDATE audit_entry SET hash = previous WHERE seq = entry.seq;
    END LOOP;
END
$$
"""
"""What a clever forger does after changing an entry."""


@pytest.fixture
def record(django_capture_on_commit_callbacks) -> Callable[[int], None]:
    """Records so many entries; the witness hears of them as if they were committed."""

    def record(count: int) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            for n in range(1, count + 1):
                at = NOW + timedelta(seconds=n)
                record_entry("test.done", actor=f"actor {n}", subject=f"thing {n}", detail={"n": n}, now=at)

    return record


def found() -> list[tuple[int, str]]:
    return [(problem.seq, problem.what) for problem in verify().problems]


def test_an_untouched_record_is_sound(record):
    record(6)
    report = verify()
    assert (report.entries, report.head, report.problems, report.witnesses) == (6, get_head(), (), 1)


@pytest.mark.parametrize(
    ("tampering", "expected"),
    [
        (
            ["""UPDATE audit_entry SET payload = replace(payload, '"n":3', '"n":33') WHERE seq = 3"""],
            [(3, "the entry was changed")],
        ),
        (
            ["""UPDATE audit_entry SET payload = replace(payload, 'actor 3', 'nobody') WHERE seq = 3"""],
            [(3, "the entry was changed")],
        ),
        (
            ["UPDATE audit_entry SET hash = sha256('x') WHERE seq = 3"],
            [(3, "the entry was changed"), (3, "rewritten: witness"), (4, "the entry was changed")],
        ),
        (
            [
                "ALTER TABLE audit_entry ALTER COLUMN actor DROP EXPRESSION",
                "UPDATE audit_entry SET actor = 'nobody' WHERE seq = 3",
            ],
            [(3, "column actor was changed")],
        ),
        (
            [
                "ALTER TABLE audit_entry ALTER COLUMN at DROP EXPRESSION",
                "UPDATE audit_entry SET at = at + interval '1 second' WHERE seq = 3",
            ],
            [(3, "column at was changed")],
        ),
        (
            [
                "ALTER TABLE audit_entry ALTER COLUMN tag DROP EXPRESSION, ALTER COLUMN tag DROP NOT NULL",
                "ALTER TABLE audit_entry ALTER COLUMN hash DROP NOT NULL",
                "UPDATE audit_entry SET tag = NULL, hash = NULL WHERE seq = 6",
            ],
            [(6, "the entry was changed"), (6, "column tag was changed"), (6, "rewritten: witness")],
        ),
        (["DELETE FROM audit_entry WHERE seq = 3"], [(3, "the entry is missing"), (3, "gone: witness")]),
        (
            ["DELETE FROM audit_entry WHERE seq IN (2, 3)"],
            [(2, "entries 2 to 3 are missing"), (2, "gone: witness")],
        ),
        (["DELETE FROM audit_entry WHERE seq = 1"], [(1, "the entry is missing"), (1, "gone: witness")]),
        (["DELETE FROM audit_entry WHERE seq >= 5"], [(5, "gone: witness")]),
        (["TRUNCATE audit_entry"], [(1, "gone: witness")]),
        (
            ["UPDATE audit_entry a SET payload = b.payload FROM audit_entry b WHERE a.seq * b.seq = 8"],
            [(2, "the entry was changed"), (4, "the entry was changed")],
        ),
        (
            [
                "UPDATE audit_entry SET seq = seq + 100 WHERE seq IN (2, 4)",
                "UPDATE audit_entry SET seq = 106 - seq WHERE seq > 100",
            ],
            [
                (2, "the entry was changed"),
                (2, "rewritten: witness"),
                (3, "the entry was changed"),
                (4, "the entry was changed"),
                (5, "the entry was changed"),
            ],
        ),
        (
            [ADD.format(7)],
            [(7, "the entry was changed")],
        ),
        (
            [
                "ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_pkey",
                ADD.format(6),
            ],
            [(6, "this number comes up more than once")],
        ),
        (
            [
                """UPDATE audit_entry SET payload = replace(payload, '"n":3', '"n":33') WHERE seq = 3""",
                RECOMPUTE,
            ],
            [(3, "rewritten: witness")],
        ),
        (
            [
                "DELETE FROM audit_entry WHERE seq = 2",
                "UPDATE audit_entry SET seq = seq - 1 WHERE seq > 2",
                RECOMPUTE,
            ],
            [(2, "rewritten: witness")],
        ),
    ],
)
def test_what_was_done_behind_its_back_is_found_and_named(tampering, expected, record):
    record(6)
    with tampered(*tampering):
        problems = found()
    assert [seq for seq, _ in problems] == [seq for seq, _ in expected]
    for (_, what), (_, part) in zip(problems, expected, strict=True):
        assert part in what
    assert found() == []


def test_a_rewritten_record_is_found_even_when_it_was_used_since(record):
    record(6)
    with tampered("DELETE FROM audit_entry WHERE seq >= 5"):
        record(4)
        assert found()[0][0] == 5
    with tampered(
        "DELETE FROM audit_entry WHERE seq = 3",
        "UPDATE audit_entry SET seq = seq - 1 WHERE seq > 3",
        RECOMPUTE,
    ):
        record(40)
        assert [seq for seq, _ in found()] == [3]


def test_a_spoilt_witness_is_named_and_the_others_are_still_asked(empty_record, record):
    record(2)
    (empty_record / "witness" / "0007.witness").write_bytes(
        b"rubbish\n" + list_witnesses(empty_record / "witness")[0].read_bytes()
    )
    with tampered("DELETE FROM audit_entry WHERE seq = 2"):
        report = verify()
    assert report.witnesses == 2
    assert [problem.seq for problem in report.problems] == [0, 2]
    assert "0007.witness was damaged or changed" in report.problems[0].what


def test_a_witness_of_another_process_counts(empty_record, record):
    record(2)
    Witness(Path(empty_record) / "witness").saw(9, bytes(32))
    [(seq, what)] = found()
    assert (seq, what) == (9, "the entry is gone: witness 0001.witness saw it; the record now ends at 2")


def test_entries_recorded_while_it_reads_do_not_disturb_it(record):
    with connection.cursor() as cursor:
        payload = write_payload("test.done", "system", "", {}, NOW)
        cursor.execute("SELECT count(*) FROM audit_append_all(array_fill(%s::text, ARRAY[2500]))", [payload])
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        record(1)

    assert verify(progress).problems == ()
    assert told == [(2_000, 2_500), (2_500, 2_500)]


def test_entries_are_listed_newest_first_in_pages(record):
    record(5)
    assert [entry.seq for entry in list_entries(limit=2)] == [5, 4]
    assert [entry.seq for entry in list_entries(limit=2, before=4)] == [3, 2]
    assert [entry.seq for entry in list_entries(tag="test.done")] == [5, 4, 3, 2, 1]
    assert list_entries(tag="test.undone") == []
    assert [entry.seq for entry in list_entries(subject="thing 3")] == [3]
    assert [entry.seq for entry in list_entries(actor="actor 4")] == [4]
    assert list_entries(actor="actor 4", subject="thing 3") == []


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_takes_one_query(rows, django_assert_num_queries, record):
    record(rows)
    with django_assert_num_queries(1):
        assert len(list_entries()) == rows


def test_entries_of_a_tag_are_streamed_in_order(record):
    record(4)
    record_entry("test.other", actor="system", subject="", detail={}, now=NOW)
    assert [entry.seq for entry in stream_entries("test.done", up_to=3)] == [1, 2, 3]
    assert [entry.seq for entry in stream_entries("test.other", up_to=9)] == [5]


@pytest.mark.parametrize("query", ["tag = 'x'", "actor = 'x'", "subject = 'x'"])
def test_look_ups_use_an_index(query):
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN SELECT * FROM audit_entry WHERE {query} ORDER BY seq DESC LIMIT 50")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert f"Index Scan Backward using audit_entry_{query.split()[0]}" in plan
    assert "Sort" not in plan
