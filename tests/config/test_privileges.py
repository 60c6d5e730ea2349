"""The application's role reads and writes rows, and only appends to the record."""

import json

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from toprope.audit.api import APPEND_ONLY_TABLES as AUDIT_TABLES
from toprope.config.database import APP_ROLE
from toprope.config.privileges import READ_ONLY_TABLES, grant_privileges, missing_grants
from toprope.evidence.api import APPEND_ONLY_TABLES as EVIDENCE_TABLES

pytestmark = pytest.mark.django_db

ENTRY = {"at": "2026-01-01T00:00:00Z", "tag": "test.made", "actor": "test", "subject": "", "detail": {}}


def run(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else None


def may(sql, *parameters):
    """Whether the application's role may do this."""
    try:
        with transaction.atomic():
            run(f"SET LOCAL ROLE {APP_ROLE}")
            run(sql, *parameters)
            run("RESET ROLE")
    except ProgrammingError as error:
        if error.__cause__.sqlstate == "42501":
            return False
        raise
    return True


def tables():
    rows = run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {name for (name,) in rows}


@pytest.fixture(autouse=True)
def _granted():
    assert grant_privileges(APP_ROLE)


def test_it_reads_every_table_and_writes_the_ordinary_ones():
    assert {"people_person", "gateway_access", "procrastinate_jobs"} <= tables() - READ_ONLY_TABLES
    for table in tables():
        assert may(f'SELECT * FROM "{table}" LIMIT 1')
        assert may(f'DELETE FROM "{table}" WHERE false') == (table not in READ_ONLY_TABLES)


@pytest.mark.parametrize("table", [*AUDIT_TABLES, *EVIDENCE_TABLES, "django_migrations"])
def test_the_record_is_not_for_writing(table):
    column = {"django_migrations": "name"}.get(table, "seq")
    assert not may(f"INSERT INTO {table} DEFAULT VALUES")
    assert not may(f"UPDATE {table} SET {column} = {column}")
    assert not may(f"DELETE FROM {table}")


def test_nothing_is_truncated_created_altered_or_dropped():
    for table in sorted(tables()):
        assert not may(f'TRUNCATE "{table}" CASCADE')
        assert not may(f'ALTER TABLE "{table}" ADD COLUMN extra text')
        assert not may(f'ALTER TABLE "{table}" DISABLE TRIGGER ALL')
        assert not may(f'DROP TABLE "{table}" CASCADE')
    assert not may("CREATE TABLE extra (id int)")
    assert not may("SET LOCAL session_replication_role = replica")
    assert not may("CREATE ROLE another")


@pytest.mark.usefixtures("empty_record")
def test_the_record_grows_through_its_door():
    assert may("SELECT audit_append(%s)", json.dumps(ENTRY))
    assert run("SELECT tag, seq FROM audit_entry") == [("test.made", 1)]


def test_granting_again_finds_nothing_to_do():
    assert list(missing_grants(APP_ROLE)) == []


def test_what_was_given_by_hand_is_taken_back():
    run(f"GRANT INSERT, TRUNCATE ON audit_entry TO {APP_ROLE}")
    run(f"REVOKE UPDATE ON people_person FROM {APP_ROLE}")
    run(f"REVOKE EXECUTE ON FUNCTION audit_append(text) FROM {APP_ROLE}")
    assert grant_privileges(APP_ROLE)
    assert list(missing_grants(APP_ROLE)) == []
    assert not may("TRUNCATE audit_entry")
    assert may("UPDATE people_person SET name = name")
    assert may("SELECT audit_append(%s)", json.dumps(ENTRY))


def test_an_application_with_the_owners_rights_is_called_that():
    owner = run("SELECT current_user")[0][0]
    assert not grant_privileges(owner)
    run("CREATE ROLE friend_of_the_owner LOGIN")
    run(f"GRANT {owner} TO friend_of_the_owner")
    assert not grant_privileges("friend_of_the_owner")


def test_any_name_will_do():
    run('CREATE ROLE "Odd ""name""" LOGIN')
    assert grant_privileges('Odd "name"')
    assert list(missing_grants('Odd "name"')) == []
