import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from django.db import OperationalError, connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.strategies import json_values, texts
from tests.tampering import as_application, run

from toprope.audit.api import EntryError, Receipt, get_head, list_entries, record_entry, verify
from toprope.audit.logic import GENESIS, chain_hash
from toprope.kit.witness import list_witnesses, read_witness

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
SOMEBODY = UUID("0198f3a0-0000-7000-8000-000000000002")

committing = pytest.mark.django_db(transaction=True)
pytestmark = pytest.mark.usefixtures("empty_record")


def record(n: int = 1) -> Receipt:
    return record_entry("test.done", actor=SOMEBODY, subject="a thing", detail={"n": n}, now=NOW)


def every_payload() -> list[tuple[int, bytes, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, hash, payload FROM audit_entry ORDER BY seq")
        return cursor.fetchall()


@pytest.mark.django_db
def test_an_entry_is_appended_and_can_be_read():
    receipt = record()
    [(seq, hash_, payload)] = every_payload()
    assert receipt == Receipt(seq, hash_) == Receipt(1, chain_hash(GENESIS, 1, payload)) == get_head()
    assert json.loads(payload) == {
        "at": "2026-05-04T09:30:00.000000+00:00",
        "tag": "test.done",
        "actor": str(SOMEBODY),
        "subject": "a thing",
        "detail": {"n": 1},
    }
    [entry] = list_entries()
    assert (entry.seq, entry.at, entry.tag, entry.actor) == (1, NOW, "test.done", str(SOMEBODY))
    assert (entry.subject, entry.detail, entry.hash) == ("a thing", {"n": 1}, hash_)


@pytest.mark.django_db
def test_every_entry_follows_from_the_one_before():
    receipts = [record(n) for n in range(3)]
    rows = every_payload()
    assert [row[0] for row in rows] == [1, 2, 3]
    assert rows[2][1] == chain_hash(receipts[1].hash, 3, rows[2][2])


@pytest.mark.django_db
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts.filter(bool), texts.filter(bool), texts, st.dictionaries(texts, json_values, max_size=3))
def test_database_and_check_agree_on_any_entry(tag, actor, subject, detail):
    record_entry(tag, actor=actor, subject=subject, detail=detail, now=NOW)
    assert list_entries(limit=1)[0].detail == detail
    assert verify().problems == ()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("tag", "subject", "detail"),
    [
        ("x" * 101, "", {}),
        ("test.done", "x" * 501, {}),
        ("test.done", "", {"a": "\0"}),
        ("t", "", {"a": "x" * 2**20}),
    ],
)
def test_what_the_database_refuses_is_told_as_such(tag, subject, detail):
    with pytest.raises(EntryError, match=f"refuses the entry {tag}"), transaction.atomic():
        record_entry(tag, actor="system", subject=subject, detail=detail, now=NOW)
    assert list_entries() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "payload",
    [
        None,
        "null",
        "[]",
        "{}",
        '{"at":"2026-05-04T09:30:00Z","tag":"t","actor":"a","subject":"s"}',
        '{"at":"2026-05-04T09:30:00Z","tag":"t","actor":"a","subject":"s","detail":{},"more":1}',
        '{"at":"2026-05-04T09:30:00Z","tag":1,"actor":"a","subject":"s","detail":{}}',
        '{"at":"2026-05-04T09:30:00Z","tag":"t","actor":"a","subject":"s","detail":[]}',
        '{"at":"2026-05-04T09:30:00","tag":"t","actor":"a","subject":"s","detail":{}}',
        '{"at":"2026-05-04T09:30:00+02:00","tag":"t","actor":"a","subject":"s","detail":{}}',
    ],
)
def test_the_sql_function_takes_entries_only(payload):
    with pytest.raises(Exception, match="not an audit entry"), connection.cursor() as cursor:
        cursor.execute("SELECT audit_append(%s)", [payload])


@committing
def test_an_entry_that_is_rolled_back_leaves_no_gap_and_no_witness(empty_record):
    record(1)
    with transaction.atomic():
        record(2)
        record(3)
        transaction.set_rollback(True)
    with transaction.atomic():
        record(4)
        with transaction.atomic():  # a savepoint of the outer one
            record(5)
            transaction.set_rollback(True)
        record(6)
    assert [entry.detail["n"] for entry in list_entries()] == [6, 4, 1]
    assert [entry.seq for entry in list_entries()] == [3, 2, 1]
    [witness] = list_witnesses(empty_record / "witness")
    assert [seq for seq, _ in read_witness(witness)] == [1, 2, 3]
    assert verify().problems == ()


@committing
def test_the_witness_hears_of_an_entry_when_it_is_committed_not_before(empty_record):
    with transaction.atomic():
        receipt = record()
        assert list_witnesses(empty_record / "witness") == []
    [witness] = list_witnesses(empty_record / "witness")
    assert read_witness(witness) == [(receipt.seq, receipt.hash)]


@committing
def test_a_witness_that_cannot_write_is_reported_and_the_entry_stays(empty_record, caplog):
    empty_record.mkdir()
    (empty_record / "witness").write_text("a file where the directory should be")
    record()
    assert get_head().seq == 1
    assert "could not be written" in caplog.text
    assert "make the directory writable" in caplog.text


def in_threads(work: Callable[[int], None], count: int) -> None:
    """Run `work` in so many threads at once, each on its own connection; raise what one of them raised."""
    raised: list[BaseException] = []
    start = threading.Barrier(count)

    def run_one(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as error:  # noqa: BLE001 - passed on below
            raised.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run_one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


@committing
def test_appends_at_the_same_time_make_one_chain_in_the_order_of_commits():
    gaps = []
    writers = 4
    left = threading.Semaphore(0)

    def work(number: int) -> None:
        if number == writers:  # one who only looks on: what is committed never has a gap
            while not left.acquire(blocking=False):
                with connection.cursor() as cursor:
                    cursor.execute("SELECT count(*), coalesce(max(seq), 0) FROM audit_entry")
                    count, newest = cursor.fetchone()
                if count != newest:
                    gaps.append((count, newest))
            return
        for n in range(25):
            with transaction.atomic():
                record(n)
                record(-n)
                if n % 5 == 4:
                    transaction.set_rollback(True)
        if number == 0:
            left.release()

    in_threads(work, writers + 1)
    report = verify()
    assert report.entries == report.head.seq == writers * 20 * 2
    assert report.problems == ()
    assert gaps == []


@committing
def test_whoever_appends_waits_for_the_one_before_to_commit():
    with transaction.atomic():
        record(1)

        def work(_: int) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '50ms'")
            with pytest.raises(OperationalError, match="lock timeout"):
                record(2)

        in_threads(work, 1)
    record(3)
    assert [entry.detail["n"] for entry in list_entries()] == [3, 1]


@committing
def test_an_isolation_level_that_would_not_see_the_head_is_refused():
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(Exception, match="cannot be written under isolation level repeatable read"):
            record()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "attempt",
    [
        "INSERT INTO audit_entry (seq, hash, payload) SELECT seq + 1, hash, payload FROM audit_entry",
        "UPDATE audit_entry SET payload = payload",
        "UPDATE audit_entry SET seq = 7",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "TRUNCATE audit_entry CASCADE",
        "MERGE INTO audit_entry a USING audit_entry b ON a.seq = b.seq WHEN MATCHED THEN DELETE",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "ALTER TABLE audit_entry ALTER COLUMN tag DROP EXPRESSION",
        "DROP TABLE audit_entry",
        "DROP TRIGGER audit_entry_append_only ON audit_entry",
        "CREATE TRIGGER t BEFORE INSERT ON audit_entry EXECUTE FUNCTION audit_refuse_change()",
        "SET session_replication_role = replica",
        "SELECT audit_lock()",
        "CREATE OR REPLACE FUNCTION audit_lock() RETURNS void LANGUAGE sql AS ''",
    ],
)
def test_the_application_may_append_and_nothing_else(attempt):
    record()
    before = every_payload()
    with as_application():
        with pytest.raises(Exception, match=r"permission denied|must be owner|must be able"):
            run(attempt)
        assert every_payload() == before
        assert record(2).seq == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "attempt",
    [
        "UPDATE audit_entry SET payload = payload",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "MERGE INTO audit_entry a USING audit_entry b ON a.seq = b.seq WHEN MATCHED THEN DELETE",
    ],
)
def test_the_owner_too_is_refused_by_the_triggers(attempt):
    record()
    before = every_payload()
    with pytest.raises(Exception, match="on audit_entry is refused: the table is append-only"):
        run(attempt)
    assert every_payload() == before


@committing
def test_the_role_can_sign_in_where_the_server_lets_it():
    url = psycopg.conninfo.conninfo_to_dict(os.environ["DATABASE_URL"])
    record()
    with psycopg.connect(
        **url | {"user": "toprope_app", "dbname": connection.settings_dict["NAME"]}, autocommit=True
    ) as app:
        assert app.execute("SELECT count(*) FROM audit_entry").fetchone() == (1,)
        for attempt in ("UPDATE audit_entry SET seq = 7", "SET ROLE postgres", "DROP TABLE audit_entry"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(attempt)
