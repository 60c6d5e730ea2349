"""The built-in PostgreSQL: private, shared by those who use it, and there again after any kind of end."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from tests.conftest import NOT_DURABLE
from tests.installation import wait_for

from toprope.config.postgres import OWNER, VERSION, EmbeddedServer
from toprope.config.problem import Problem


@pytest.fixture
def tmp_path():
    """Not pytest's own: each pytest that starts closes that again to the account a root's server runs as."""
    with TemporaryDirectory(prefix="toprope-test-") as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def home():
    """A home with a database that is stopped; every test leaves it so."""
    with TemporaryDirectory(prefix="toprope-test 'with', an \"odd\" name ") as directory:
        with EmbeddedServer(Path(directory), NOT_DURABLE):
            pass
        yield Path(directory)


def make_server(home):
    return EmbeddedServer(home, NOT_DURABLE)


def pid_of(server):
    return int((server.data / "postmaster.pid").read_text().split()[0])


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[-1].split()[0]


def ask(server, query, user=OWNER):
    with psycopg.connect(server.address(user).url, autocommit=True) as connection:
        return connection.execute(query).fetchone()[0]


def test_it_starts_with_its_roles_and_stops(home):
    with make_server(home) as server:
        assert server.started
        pid = pid_of(server)
        assert ask(server, "SHOW server_version").split(".")[0] == str(VERSION)
        assert ask(server, "SELECT current_user", user="toprope_app") == "toprope_app"
        assert ask(server, "SELECT rolsuper FROM pg_roles WHERE rolname = 'toprope_app'") is False
    assert not is_running(pid)


def test_it_listens_on_no_network_and_in_a_private_place(home):
    with make_server(home) as server:
        assert ask(server, "SHOW listen_addresses") == ""
        assert server.data.stat().st_mode & 0o077 == 0
        sockets = subprocess.run(["ss", "-ltnp"], capture_output=True, text=True, check=False).stdout
        assert f"pid={pid_of(server)}," not in sockets


def test_it_is_durable_where_nobody_says_otherwise(tmp_path):
    # Not started: a durable start is slow. What would be started is what counts.
    assert EmbeddedServer(tmp_path)._settings == {}


def test_the_last_to_leave_stops_it(home):
    first, second = make_server(home), make_server(home)
    first.start()
    second.start()
    assert not second.started
    pid = pid_of(first)
    first.stop()
    assert is_running(pid)
    assert ask(second, "SELECT 1") == 1
    second.stop()
    assert not is_running(pid)


def test_a_killed_user_does_not_keep_it(home):
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from toprope.config.postgres import EmbeddedServer;"
        f"EmbeddedServer(Path({str(home)!r}), {NOT_DURABLE!r}).start();"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    server = make_server(home)
    pid = pid_of(server)
    assert is_running(pid)
    server.start()
    assert not server.started  # attached to what the killed one left
    assert not server.ensure_running()
    server.stop()
    assert not is_running(pid)


def test_a_killed_server_is_started_again_with_what_was_committed(home):
    with make_server(home) as server:
        with psycopg.connect(server.address().url, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = on")
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        assert not server.ensure_running()
        os.kill(pid_of(server), signal.SIGKILL)
        wait_for(server.ensure_running, "the death is noticed")
        assert ask(server, "SELECT answer FROM kept") == 42
        assert not server.ensure_running()


def test_a_killed_server_that_we_found_running_is_started_again_too(home):
    with make_server(home) as first, make_server(home) as second:
        os.kill(pid_of(first), signal.SIGKILL)
        first._process.wait()
        assert second.ensure_running()
        assert ask(second, "SELECT 1") == 1


def test_the_number_of_another_program_is_not_taken_for_the_server(home):
    """After a power cut the old server's process id may be anybody's, of our account too."""
    (home / "pg" / "postmaster.pid").write_text(f"{os.getpid()}\n{home / 'pg'}\n1\n5432\n\n\n\nready\n")
    with make_server(home) as server:
        assert ask(server, "SELECT 1") == 1


def test_a_path_too_long_for_a_socket_gets_a_private_place(tmp_path):
    long = tmp_path / ("long" * 30)
    long.mkdir()
    with make_server(long) as server:
        place = Path(server.address().host)
        assert place.name.startswith("toprope-")
        assert place.stat().st_mode & 0o077 == 0
        assert ask(server, "SELECT 1") == 1
    place.chmod(0o755)
    with pytest.raises(Problem, match="belongs to somebody else"):
        server.start()
    place.rmdir()


def test_a_database_half_made_is_made_anew(tmp_path):
    (tmp_path / "pg.new").mkdir()
    (tmp_path / "pg.new" / "PG_VERSION").write_text("half")
    with make_server(tmp_path) as server:
        assert ask(server, "SELECT 1") == 1
    assert not (tmp_path / "pg.new").exists()


@pytest.mark.parametrize(
    ("version", "told"),
    [("17", "was made by PostgreSQL 17, this Toprope brings 18"), (None, "holds no database")],
)
def test_data_of_another_kind_are_left_alone(tmp_path, version, told):
    (tmp_path / "pg").mkdir()
    if version:
        (tmp_path / "pg" / "PG_VERSION").write_text(version)
    with pytest.raises(Problem, match=told):
        make_server(tmp_path).start()


def test_a_server_that_cannot_start_says_why(home):
    with pytest.raises(Problem, match=r"does not start: .*max_connections"):
        EmbeddedServer(home, {"max_connections": "none"}).start()


def test_the_users_own_libpq_variables_are_for_other_servers(home, monkeypatch):
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGOPTIONS", "-c nonsense=1")
    with make_server(home) as server:
        assert ask(server, "SELECT 1") == 1
