"""One embedded PostgreSQL for the whole run, with fsync off; each worker has a database of its own."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import django
import hypothesis
import pytest
from django.db import connection, transaction

from toprope.config.postgres import OWNER, EmbeddedServer
from toprope.kit.clock import now as read_clock

NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# How long an example takes says nothing about right and wrong, on a busy machine least of all.
hypothesis.settings.register_profile("toprope", deadline=None)
hypothesis.settings.load_profile("toprope")

_server: EmbeddedServer | None = None


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("TOPROPE_SECRET_KEY", "not-a-secret-only-for-tests")
    os.environ.setdefault("TOPROPE_DEMO", "1")
    os.environ["DJANGO_SETTINGS_MODULE"] = "toprope.config.settings"
    if not hasattr(config, "workerinput"):
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # `timeout` sends it: clean up
        if "DATABASE_URL" not in os.environ:
            _start_database()
    django.setup()


def _start_database() -> None:
    global _server  # noqa: PLW0603 - pytest offers no better place before Django reads its settings
    home = Path(tempfile.mkdtemp(prefix="toprope-test-"))
    os.environ["TOPROPE_HOME"] = str(home)
    _server = EmbeddedServer(home, NOT_DURABLE)
    _server.start()
    os.environ["DATABASE_URL"] = _server.address(OWNER).url


def pytest_unconfigure() -> None:
    if _server is not None:
        _server.stop()
        shutil.rmtree(_server.home)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[pytest.TestReport]:  # noqa: ARG001
    """In CI everything a test needs is there, so a skipped test is one that silently went missing."""
    report = yield
    return _refuse_skip(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[pytest.CollectReport]:  # noqa: ARG001
    report = yield
    return _refuse_skip(report)


def _refuse_skip(report):
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{reason}\nIn CI a skipped test is a failed one: install what it needs in .ci/run."
    return report


@pytest.fixture
def now() -> datetime:
    """One moment for a whole test."""
    return read_clock()


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
