"""Partitions by month, as the SQL of the migration makes them."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.evidence.making import AMARA, make
from tests.tampering import as_application, run

from toprope.evidence.api import (
    ensure_partitions,
    get_statement,
    list_statements,
    record_statements,
    verify_statements,
)
from toprope.evidence.tasks import make_partitions
from toprope.kit.clock import now
from toprope.kit.ids import uuid7

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_record")]


def partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'evidence_months'")
        return {name for (name,) in cursor.fetchall()}


def place_of(statement_id: UUID) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM evidence_statement WHERE id = %s", [statement_id]
        )
        return cursor.fetchone()[0].removeprefix("evidence_months.")


def month(ahead: int) -> datetime:
    """The first moment of a month, so many months from this one."""
    today = now()
    years, months = divmod(today.year * 12 + today.month - 1 + ahead, 12)
    return datetime(years, months + 1, 1, tzinfo=UTC)


def record_at(moment_ms: int) -> UUID:
    [recorded] = record_statements([make(id=uuid7(moment_ms))])
    return recorded.statement.id


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def test_the_coming_months_have_their_partitions_from_the_start():
    assert partitions() >= {"other", *(f"m{month(ahead):%Y_%m}" for ahead in range(4))}
    assert ensure_partitions() == 0


def test_more_months_are_made_when_they_are_due():
    assert ensure_partitions(months_ahead=5) == 2
    assert ensure_partitions(months_ahead=5) == 0
    assert {f"m{month(4):%Y_%m}", f"m{month(5):%Y_%m}"} <= partitions()
    make_partitions(0)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.datetimes(datetime(1970, 1, 1), datetime(2399, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_months_first_id_is_the_least_of_that_moment(moment):
    with connection.cursor() as cursor:
        cursor.execute("SELECT evidence_first_id(%s)", [moment])
        assert cursor.fetchone() == (UUID(int=(milliseconds(moment) + moment.microsecond // 1000) << 80),)


@pytest.mark.parametrize("time_zone", ["UTC", "Asia/Kolkata", "America/Los_Angeles"])
def test_a_statement_lies_in_the_month_of_its_id(time_zone):
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [time_zone])
    ensure_partitions(months_ahead=14)
    for ahead in range(14):
        name = f"m{month(ahead):%Y_%m}"
        assert place_of(record_at(milliseconds(month(ahead)))) == name
        assert place_of(record_at(milliseconds(month(ahead + 1)) - 1)) == name


def test_what_has_no_partition_goes_to_the_default_and_stays_there():
    old = record_at(milliseconds(month(-2)))
    assert place_of(old) == "other"
    assert ensure_partitions(months_back=3) == 2  # all but the month that is in use already
    assert place_of(record_at(milliseconds(month(-1)))) == f"m{month(-1):%Y_%m}"
    assert place_of(record_at(milliseconds(month(-2)) + 1)) == "other"
    assert get_statement(old).statement.id == old
    assert len(list_statements(actor=AMARA)) == 3
    assert verify_statements() == []


def test_an_id_is_known_again_in_every_partition():
    statement = make(id=uuid7(0))
    record_statements([statement])
    ensure_partitions(months_ahead=6)
    assert not record_statements([statement])[0].new


def test_new_partitions_are_guarded_like_the_others():
    ensure_partitions(months_ahead=4)
    place = f"evidence_months.{place_of(record_at(milliseconds(month(4))))}"
    for attempt in (f"UPDATE {place} SET seq = 7", f"DELETE FROM {place}", f"TRUNCATE {place}"):
        with pytest.raises(Exception, match="the table is append-only"):
            run(attempt)
        with as_application(), pytest.raises(Exception, match="permission denied"):
            run(attempt)


def test_the_application_may_have_partitions_made():
    with as_application():
        assert ensure_partitions(months_ahead=4) == 1


@pytest.mark.parametrize("bounds", [(-1, 0), (121, 0), (0, -1), (0, 121), (None, 0)])
def test_months_are_bounded(bounds):
    with pytest.raises(Exception, match="give 0 to 120"):
        ensure_partitions(*bounds)


def test_a_persons_statements_are_found_by_index_in_every_partition():
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(
            "EXPLAIN SELECT body FROM evidence_statement WHERE actor = %s AND seq > 5 ORDER BY seq LIMIT 9",
            [AMARA],
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert plan.count("Index Scan") == len(partitions())
    assert "Merge Append" in plan
    assert "->  Sort" not in plan
