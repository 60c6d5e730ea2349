"""`toprope migrate` on a server of the user's own, with two roles and with one."""

import json
import os
import subprocess
from dataclasses import replace

import psycopg
import pytest
from tests.installation import TOPROPE

from toprope.config.database import parse_url


@pytest.fixture(scope="module")
def addresses(worker_id):
    """A new database on the run's server, owned by one role and used by another; both are ordinary."""
    server = parse_url(os.environ["DATABASE_URL"])
    name, owner, app = (f"own_{worker_id}_{part}" for part in ("db", "owner", "app"))
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {owner} LOGIN")
        connection.execute(f"CREATE ROLE {app} LOGIN")
        connection.execute(f"CREATE DATABASE {name} OWNER {owner}")
        yield replace(server, name=name, user=owner), replace(server, name=name, user=app)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"DROP ROLE {owner}, {app}")


def migrate(app, owner=None):
    outcome = subprocess.run(
        [TOPROPE, "migrate"],
        env=os.environ | {"DATABASE_URL": app.url} | ({"DATABASE_ADMIN_URL": owner.url} if owner else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stderr


def test_two_roles_guard_the_record_and_one_is_told_of(addresses):
    owner, app = addresses
    assert "triggers alone" not in migrate(app, owner)
    entry = {"at": "2026-01-01T00:00:00Z", "tag": "test.made", "actor": "test", "subject": "", "detail": {}}
    with psycopg.connect(app.url, autocommit=True) as connection:
        connection.execute("SELECT audit_append(%s)", [json.dumps(entry)])
        assert connection.execute("SELECT count(*) FROM audit_entry").fetchone() == (1,)
        connection.execute("DELETE FROM people_person")
        for forbidden in (
            "DELETE FROM audit_entry",
            "TRUNCATE evidence_statement",
            "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
            "CREATE TABLE extra (id int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)
    assert "triggers alone protect the record: set DATABASE_ADMIN_URL" in migrate(owner)
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only")
    with psycopg.connect(owner.url, autocommit=True) as connection, refused:
        connection.execute("DELETE FROM audit_entry")
