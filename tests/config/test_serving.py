"""`toprope serve` and the commands beside it, as real processes on a database of their own."""

import json
import os
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from tests.installation import TOPROPE, Installation, free_port, wait_for

PASSWORD = "a quiet rope holds"


@pytest.fixture(scope="module")
def installation():
    # Not under pytest's own directory: see test_postgres.
    with TemporaryDirectory(prefix="toprope-test-") as directory:
        made = Installation(Path(directory) / "home")
        made.start()
        yield made
        made.stop()


def get(installation, path, **headers):
    request = urllib.request.Request(installation.url + path, headers=headers)  # noqa: S310 - our own
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - our own
            return answer.status, answer.headers, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


def family_of(pid):
    """The processes that a supervisor started, PostgreSQL's among them."""
    command = ["ps", "-eo", "pid=,ppid=,stat=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split(None, 3) for line in listed.stdout.splitlines()]
    living = [(int(own), int(parent), args) for own, parent, state, args in rows if not state.startswith("Z")]
    found = {pid}
    while more := {own for own, parent, _ in living if parent in found} - found:
        found |= more
    return {own: args for own, _, args in living if own in found}


def child_of(installation, kind):
    for pid, args in family_of(installation.process.pid).items():
        if f"toprope.config.child {kind}" in args:
            return pid
    return None


def postmaster_of(installation):
    return int((installation.home / "pg" / "postmaster.pid").read_text().split()[0])


def is_running(pid):
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return state.stdout.strip() != "" and not state.stdout.startswith("Z")


def is_well(installation):
    try:
        return get(installation, "/healthz")[:1] == (200,)
    except OSError:
        return False


# What is served


def test_the_pages_the_api_and_the_gateway_share_an_address(installation):
    assert get(installation, "/healthz")[2] == "ok\n"
    status, headers, body = get(installation, "/sign-in/")
    assert (status, headers["X-Frame-Options"]) == (200, "DENY")
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "<html" in body
    assert json.loads(get(installation, "/api/openapi.json")[2])["info"]["title"] == "Toprope"
    status, headers, body = get(installation, "/v1/models")
    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
    assert json.loads(body)["error"]["code"] == "invalid_api_key"


def test_what_only_looks_like_the_gateway_is_not(installation):
    status, headers, _ = get(installation, "/v10")
    assert (status, headers.get_content_type()) == (404, "text/html")
    assert get(installation, "/v1")[1].get_content_type() == "application/json"


def test_files_are_kept_for_ever_under_their_hashed_names(installation):
    names = json.loads((installation.home / "static" / "staticfiles.json").read_text())["paths"]
    plain = next(name for name in names if name.endswith(".css"))
    status, headers, _ = get(installation, f"/static/{names[plain]}", **{"Accept-Encoding": "gzip"})
    assert status == 200
    assert headers["Content-Encoding"] == "gzip"
    assert "immutable" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Access-Control-Allow-Origin"] is None
    assert "immutable" not in get(installation, f"/static/{plain}")[1]["Cache-Control"]
    assert get(installation, "/static/../secret")[0] == 404
    assert get(installation, "/static/%2e%2e/secret")[0] == 404


def test_another_name_is_not_answered(installation):
    assert get(installation, "/sign-in/", Host="evil.example")[0] == 400


def test_the_persona_switcher_is_not_there_outside_a_demo(installation):
    assert get(installation, "/personas/")[0] == 404


def test_it_listens_on_loopback_only(installation):
    with socket.create_server(("127.0.0.2", installation.port)):
        pass  # another address of the same machine is free


def test_the_serving_processes_are_not_the_owner(installation):
    with installation.connect_as_owner() as connection:
        rows = connection.execute(
            "SELECT DISTINCT usename FROM pg_stat_activity"
            " WHERE datname = 'toprope' AND pid <> pg_backend_pid()"
        ).fetchall()
    assert rows == [("toprope_app",)]


def test_the_owners_address_is_in_nobodys_environment(installation):
    if not Path("/proc").is_dir():
        return
    for pid, args in family_of(installation.process.pid).items():
        if "toprope.config.child" in args:
            environment = Path(f"/proc/{pid}/environ").read_text()
            assert "DATABASE_URL=postgresql://toprope_app@" in environment
            assert "DATABASE_ADMIN_URL" not in environment


# A second one


def test_a_second_run_says_that_one_runs_already(installation):
    outcome = installation.run("serve", "--port", str(free_port()))
    assert outcome.returncode == 3
    assert f"process {installation.process.pid}, http://localhost:{installation.port}" in outcome.stderr
    assert f"kill {installation.process.pid}" in outcome.stderr


def test_a_taken_port_is_named_with_a_way_out(installation, tmp_path):
    other = Installation(tmp_path / "other")
    outcome = other.run("serve", "--port", str(installation.port))
    assert outcome.returncode == 3
    assert f"Cannot listen on 127.0.0.1:{installation.port}" in outcome.stderr
    assert "toprope serve --port" in outcome.stderr


# Commands beside it


def create_person(installation, name, *more, stdin=f"{PASSWORD}\n"):
    mail, role = f"{name}@acme.example", "junior_engineer"
    return installation.run(
        "person", "create", "--email", mail, "--name", name.title(), "--role", role, *more, stdin=stdin
    )


@pytest.fixture(scope="module")
def ada(installation):
    outcome = create_person(installation, "ada", "--organisation", "Acme", "--duty", "governance")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout == "Ada can sign in as ada@acme.example; their key is ada.\n"
    return "ada"


@pytest.mark.usefixtures("ada")
def test_a_person_who_cannot_be_created_leaves_nothing_behind(installation):
    for name, more, stdin, code, told in (
        ("ada", [], f"{PASSWORD}\n", 1, "Another person has this key and e-mail address"),
        ("bob", [], "", 3, "No password: type it at a terminal"),
        ("bob", ["--role", "wizard"], f"{PASSWORD}\n", 2, "'wizard' is no role of the framework"),
    ):
        outcome = create_person(installation, name, "--team", "a new team", *more, stdin=stdin)
        assert outcome.returncode == code
        assert told in outcome.stderr
        assert "Traceback" not in outcome.stderr
    with installation.connect_as_owner() as connection:
        assert connection.execute("SELECT name FROM people_team").fetchall() == [("Everybody",)]
    listed = installation.run("person", "list").stdout
    assert listed == "ada\tAda\tada@acme.example\tjunior_engineer\tEverybody\n"


def test_a_password_can_be_set_and_is_never_shown(installation, ada):
    outcome = installation.run("person", "set-password", ada, stdin="another quiet rope\n")
    assert (outcome.returncode, outcome.stdout) == (0, "Ada has a new password.\n")
    assert "another quiet rope" not in outcome.stdout + outcome.stderr
    assert "Nobody here has the key 'eve'" in installation.run("person", "set-password", "eve").stderr


@pytest.mark.usefixtures("ada")
def test_a_closed_account_is_listed_no_more(installation):
    made = installation.run(
        *("person", "create", "--email", "eva@acme.example", "--name", "Eva", "--role", "junior_engineer"),
        stdin="a quiet rope holds\n",
    )
    assert made.returncode == 0, made.stderr
    closed = installation.run("person", "close", "eva")
    assert (closed.returncode, "Eva is let in no more" in closed.stdout) == (0, True)
    assert "Eva" not in installation.run("person", "list").stdout


def test_a_key_works_until_it_is_revoked(installation, ada):
    made = installation.run("key", "create", ada, "--label", "test")
    secret = made.stdout.strip()
    assert made.stdout == f"{secret}\n"  # and nothing else, for scripts
    assert get(installation, "/v1/models", Authorization=f"Bearer {secret}")[0] == 200
    assert installation.run("key", "revoke", ada, "tp_other").returncode == 1
    assert installation.run("key", "revoke", ada, secret[:8]).returncode == 0
    assert get(installation, "/v1/models", Authorization=f"Bearer {secret}")[0] == 401


@pytest.mark.usefixtures("ada")
def test_status_says_what_runs(installation):
    lines = dict(line.split(None, 1) for line in installation.run("status").stdout.splitlines())
    assert (
        lines["serving"] == f"yes, http://localhost:{installation.port} (process {installation.process.pid})"
    )
    assert lines["organisation"] == "Acme"
    assert lines["framework"].startswith("toprope-default@")
    assert lines["database"].startswith("PostgreSQL 18")
    assert lines["database"].endswith("as toprope_app")


@pytest.mark.usefixtures("ada")
def test_the_record_is_red_while_somebody_has_changed_it(installation):
    with installation.connect_as_owner() as connection:
        connection.execute("SET session_replication_role = replica")
        change = "UPDATE audit_entry SET payload = replace(payload, %s, %s) WHERE tag = 'person.created'"
        connection.execute(change, ["junior_engineer", "chief_engineer"])
        outcome = installation.run("audit", "verify")
        connection.execute(change, ["chief_engineer", "junior_engineer"])
    assert outcome.returncode == 1
    assert outcome.stdout.startswith("audit entry ")
    assert "RED: the record is not as it was written." in outcome.stdout
    outcome = installation.run("audit", "verify")
    assert outcome.returncode == 0, outcome.stdout
    assert outcome.stdout.startswith("Green: the record is as it was written.")


def test_a_rebuild_changes_nothing(installation):
    outcome = installation.run("rebuild")
    assert outcome.returncode == 0, outcome.stderr
    assert "Identical to what was there." in outcome.stdout


def test_calibrating_tells_what_it_found_and_adopts_it(installation):
    told = installation.run("calibrate", "--dry-run")
    assert told.returncode == 0, told.stderr
    assert "Certainty to ask for a level, as before" in told.stdout
    assert told.stdout.endswith("Nothing was changed (--dry-run).\n")
    assert "Calibration 1 is in force." in installation.run("calibrate").stdout
    assert installation.run("rebuild").returncode == 0


def test_a_cluster_that_does_not_answer_is_named(installation):
    for arguments, code, said in (
        (
            ("--engine", "dask", "--scheduler", "tcp://127.0.0.1:9"),
            3,
            "No Dask scheduler answers at tcp://127",
        ),
        (("--engine", "dask"), 2, "--engine dask needs --scheduler"),
        (("--scheduler", "tcp://127.0.0.1:9"), 2, "--scheduler goes with --engine dask"),
    ):
        told = installation.run("calibrate", *arguments)
        assert told.returncode == code
        assert said in told.stderr
        assert "Traceback" not in told.stderr


def test_migrating_and_loading_again_change_nothing(installation):
    assert installation.run("migrate").returncode == 0
    pack = Path(__file__).parents[2] / "src/toprope/content/packs/toprope-default"
    outcome = installation.run("framework", "load", str(pack))
    assert outcome.returncode == 0, outcome.stderr
    assert "was loaded before; no change." in outcome.stdout


@pytest.mark.usefixtures("ada")
def test_a_demo_does_not_move_in_with_a_real_organisation(installation):
    outcome = installation.run("demo")
    assert outcome.returncode == 1
    assert "serves Acme already" in outcome.stderr


# Ends of every kind


class Writer:
    """Appends entries to the record as the application does, and notes which ones were acknowledged."""

    def __init__(self, installation):
        self._place = str(installation.home / "pg")
        self.acknowledged = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join(30)

    def wait_for_more(self):
        before = len(self.acknowledged)
        wait_for(lambda: len(self.acknowledged) > before + 20, "entries are written", 60)

    def _write(self):
        number = 0
        while not self._end.is_set():
            try:
                with psycopg.connect(
                    host=self._place, user="toprope_app", dbname="toprope", autocommit=True
                ) as connection:
                    while not self._end.is_set():
                        number += 1
                        entry = {"at": "2026-01-01T00:00:00Z", "tag": "test.written", "actor": "test"}
                        payload = json.dumps(entry | {"subject": str(number), "detail": {}})
                        seq, hash_ = connection.execute(
                            "SELECT * FROM audit_append(%s)", [payload]
                        ).fetchone()
                        self.acknowledged[seq] = (str(number), hash_)
            except psycopg.OperationalError:
                self._end.wait(0.02)


def test_what_was_acknowledged_survives_every_kill_and_nothing_is_left_behind():
    with TemporaryDirectory(prefix="toprope-test-") as directory:
        installation = Installation(Path(directory) / "home")
        installation.start()
        try:
            with Writer(installation) as writer:
                writer.wait_for_more()
                kill_web(installation)
                writer.wait_for_more()
                kill_postgresql(installation)
                writer.wait_for_more()
                kill_supervisor(installation)
                writer.wait_for_more()  # the database lives on alone
                os.kill(postmaster_of(installation), signal.SIGKILL)
            installation.start()
            assert is_well(installation)
            assert_all_there(installation, writer.acknowledged)
            assert installation.run("audit", "verify").returncode == 0
            stop_and_look_around(installation)
        finally:
            installation.stop()
            installation.run("status")  # whatever went wrong: the last to leave stops the database


def kill_web(installation):
    web = child_of(installation, "web")
    os.kill(web, signal.SIGKILL)
    assert is_well(installation)  # it waits for the new one, and is not refused
    assert child_of(installation, "web") not in (web, None)
    assert "The web process ended (signal 9); starting it again" in installation.log.read_text()


def kill_postgresql(installation):
    os.kill(postmaster_of(installation), signal.SIGKILL)
    wait_for(
        lambda: "The database had ended; it was started again." in installation.log.read_text(), "restart"
    )
    wait_for(lambda: is_well(installation), "the web is well again")


def kill_supervisor(installation):
    children = [pid for pid, args in family_of(installation.process.pid).items() if "config.child" in args]
    assert len(children) == 3
    installation.process.kill()
    installation.process.wait()
    wait_for(lambda: not any(is_running(pid) for pid in children), "its children follow it", 40)


def assert_all_there(installation, acknowledged):
    with installation.connect_as_owner() as connection:
        rows = connection.execute("SELECT seq, subject, hash FROM audit_entry WHERE tag = 'test.written'")
        found = {seq: (subject, hash_) for seq, subject, hash_ in rows}
    assert len(acknowledged) >= 80
    assert {seq: found.get(seq) for seq in acknowledged} == acknowledged


def stop_and_look_around(installation):
    family = family_of(installation.process.pid)
    postmaster = postmaster_of(installation)
    assert len(family) >= 4
    installation.process.send_signal(signal.SIGTERM)
    assert installation.process.wait(60) == 0
    assert [args for pid, args in family.items() if is_running(pid)] == []
    assert not is_running(postmaster)
    assert not (installation.home / "pg" / "postmaster.pid").exists()
    with socket.create_server(("127.0.0.1", installation.port)):
        pass
    assert "Stopped. Everything is kept in" in installation.log.read_text()


def test_a_stop_while_it_is_still_starting_leaves_nothing_behind():
    with TemporaryDirectory(prefix="toprope-test-") as directory:
        installation = Installation(Path(directory) / "home")
        process = subprocess.Popen(
            [TOPROPE, "serve", "--port", str(installation.port)],
            env=installation.environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert any("made and started" in line for line in process.stderr)
            family = family_of(process.pid)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
            assert process.stderr.read().endswith("toprope: Stopping.\n")
        assert len(family) >= 2
        assert [args for pid, args in family.items() if is_running(pid)] == []
