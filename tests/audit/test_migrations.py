"""The SQL of the migrations, run in a database of its own: without the right to make roles, and backwards."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg import sql

import toprope.audit.migrations
import toprope.evidence.migrations

RECORD = Path(toprope.audit.migrations.__file__).parent
STATEMENTS = Path(toprope.evidence.migrations.__file__).parent
pytestmark = pytest.mark.django_db

ENTRY = '{"at":"2026-05-04T09:30:00Z","tag":"t","actor":"a","subject":"s","detail":{}}'


@pytest.fixture
def empty_database() -> Iterator[psycopg.Connection]:
    """A connection to a new database, as a role that owns it and can do nothing else."""
    name = f"{connection.settings_dict['NAME']}_plain"
    owner = sql.Identifier(f"owner_of_{name}")
    server = psycopg.conninfo.conninfo_to_dict(os.environ["DATABASE_URL"])
    with psycopg.connect(**server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {}").format(owner))
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), owner))
        try:
            with psycopg.connect(**server | {"dbname": name}, autocommit=True) as plain:
                plain.execute(sql.SQL("SET ROLE {}").format(owner))
                yield plain
        finally:
            admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
            admin.execute(sql.SQL("DROP ROLE {}").format(owner))


def read(path: Path, role: str = "toprope_app") -> str:
    return path.read_text(encoding="utf-8").replace("toprope_app", role)


def test_where_roles_cannot_be_made_the_triggers_protect_alone(empty_database):
    told = []
    empty_database.add_notice_handler(
        lambda notice: told.append((notice.message_primary, notice.message_hint))
    )
    empty_database.execute(read(RECORD / "0001_record.sql", "a_role_that_is_not_there"))
    empty_database.execute(read(STATEMENTS / "0001_statements.sql", "a_role_that_is_not_there"))
    [(message, hint)] = told
    assert message.startswith("role a_role_that_is_not_there was not made")
    assert "CREATE ROLE a_role_that_is_not_there" in hint
    assert empty_database.execute("SELECT seq FROM audit_append(%s)", [ENTRY]).fetchall() == [(1,)]
    for attempt in ("UPDATE audit_entry SET seq = 7", "DELETE FROM audit_entry", "TRUNCATE audit_entry"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            empty_database.execute(attempt)


def test_a_role_that_another_database_made_is_used(empty_database):
    empty_database.execute(read(RECORD / "0001_record.sql"))
    empty_database.execute(read(STATEMENTS / "0001_statements.sql"))
    for table in ("audit_entry", "evidence_statement"):
        for right, has_it in (("SELECT", True), ("INSERT", False), ("UPDATE", False), ("TRUNCATE", False)):
            asked = empty_database.execute(
                "SELECT has_table_privilege('toprope_app', %s, %s)", [table, right]
            )
            assert asked.fetchone() == (has_it,), (table, right)


def test_the_way_back_leaves_nothing(empty_database):
    remains = (
        "SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text IN ('public', 'evidence_months')"
        " UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " UNION SELECT nspname FROM pg_namespace WHERE nspname = 'evidence_months'"
    )
    before = empty_database.execute(remains).fetchall()
    empty_database.execute(read(RECORD / "0001_record.sql"))
    empty_database.execute(read(STATEMENTS / "0001_statements.sql"))
    assert len(empty_database.execute(remains).fetchall()) > len(before) + 20
    empty_database.execute(read(STATEMENTS / "0001_statements_reverse.sql"))
    empty_database.execute(read(RECORD / "0001_record_reverse.sql"))
    assert empty_database.execute(remains).fetchall() == before


def test_two_databases_may_be_migrated_at_once(empty_database):
    """The role is made once in the cluster; who comes second, in the middle of it, carries on."""
    make_role = read(RECORD / "0001_record.sql", "a_role_made_by_two").split("-- ISO 8601")[0]
    empty_database.execute("RESET ROLE")
    server = psycopg.conninfo.conninfo_to_dict(os.environ["DATABASE_URL"])
    try:
        with psycopg.connect(**server) as first, ThreadPoolExecutor(1) as second:
            first.execute(make_role)
            made = second.submit(empty_database.execute, make_role)
            waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
            with psycopg.connect(**server, autocommit=True) as onlooker:
                while onlooker.execute(waits, [empty_database.info.backend_pid]).fetchone() != (True,):
                    assert not made.done(), "the second one did not meet the first"
            first.commit()
            made.result()
    finally:
        empty_database.execute("DROP ROLE IF EXISTS a_role_made_by_two")
