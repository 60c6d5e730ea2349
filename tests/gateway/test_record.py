"""No byte of an answer without a durable record, whatever happens to the database; and nothing lost."""

import asyncio
import hashlib
import http.client
import json
import os
import resource
import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager

import openai
import psycopg
import pytest

from toprope.audit.api import verify
from toprope.config.postgres import EmbeddedServer
from toprope.evidence.api import verify_statements
from toprope.kit.witness import list_witnesses, read_witness

ENTRY = {
    "at": "2026-11-23T12:00:00+00:00",
    "tag": "test.wrote",
    "actor": "test",
    "subject": "x",
    "detail": {"padding": "x" * 1800},
}
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream; charset=utf-8")],
}
CHUNK = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]}\n\n'


async def talks_on(send):
    """For longer than the lease by far."""
    await send(START)
    for _ in range(1000):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b""})


class Database:
    """A server of our own that may be broken."""

    def __init__(self, home):
        self._server = EmbeddedServer(home, {"fsync": "off", "full_page_writes": "off"})
        self._server.start()
        self.url = self._server.address().url
        settings = {"DJANGO_SETTINGS_MODULE": "toprope.config.settings", "TOPROPE_SECRET_KEY": "test"}
        subprocess.run(
            [sys.executable, "-m", "django", "migrate", "--verbosity", "0"],
            env={**os.environ, **settings, "DATABASE_URL": self.url, "TOPROPE_HOME": str(home)},
            check=True,
        )

    def kill(self):
        self._server._process.kill()
        self._server._process.wait()

    def start(self):
        self._server.ensure_running()

    def start_anew(self):
        self._server.start()

    def stop(self):
        self._server.stop()


@pytest.fixture(scope="module")
def own_database(tmp_path_factory):
    database = Database(tmp_path_factory.mktemp("own"))
    yield database
    database.start()
    database.stop()


def call(world, person, model="echo"):
    """A call in the background; gives the list that its outcome will be in."""
    outcome = []
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]}).encode()

    def run():
        outcome.append(world.post(person, body))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def call_now(world, person):
    thread, outcome = call(world, person)
    thread.join()
    return outcome[0][0]


@contextmanager
def largest_file(size):
    """What is started in this context cannot write larger files, and is told so as by a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def someone_waits_for_the_record(world):
    return world.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


def health(world):
    return world.request("GET", "/v1/health")[0]


def test_nothing_of_an_answer_leaves_before_it_is_on_record(world):
    person = world.add_person("R1")
    answered = threading.Event()

    async def script(send):
        await send(START)
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
        answered.set()
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})

    model = world.upstream.script(script)
    with (
        psycopg.connect(world.settings.database_url) as busy,
        closing(socket.create_connection(("127.0.0.1", world.port))) as link,
    ):
        busy.execute("SELECT audit_append(%s)", (json.dumps(ENTRY),))
        body = json.dumps({"model": model, "messages": [], "stream": True})
        lines = ("POST /v1/chat/completions HTTP/1.1", "host: x", f"authorization: Bearer {person.key}")
        link.sendall("\r\n".join([*lines, f"content-length: {len(body)}", "", body]).encode())
        assert answered.wait(10)
        world.wait_until(lambda: someone_waits_for_the_record(world))
        link.setblocking(False)
        with pytest.raises(BlockingIOError):
            link.recv(1)
        link.settimeout(10)
        busy.rollback()
        assert link.recv(1) == b"H"
        assert world.tags(person)[0] == "exchange.started"


def test_those_who_wait_together_are_recorded_together(world):
    person = world.add_person("R1")
    with psycopg.connect(world.settings.database_url) as busy:
        busy.execute("SELECT audit_append(%s)", (json.dumps(ENTRY),))
        calls = [call(world, person) for _ in range(12)]
        world.wait_until(lambda: world.request("GET", "/v1/health")[2]["open"] == 12)
        world.wait_until(lambda: someone_waits_for_the_record(world))
    for thread, outcome in calls:
        thread.join()
        assert outcome[0][0] == 200
    ((commits,),) = world.sql(
        "SELECT count(DISTINCT xmin::text) FROM audit_entry WHERE tag = 'exchange.started' AND actor = %s",
        str(person.uuid),
    )
    assert commits < 12
    assert len(world.uses(person)) == 12


def test_the_record_verifies_and_the_witness_has_seen_its_head(world):
    person = world.add_person("R1")
    world.chat(person)
    assert verify().problems == ()
    assert verify_statements() == []
    ((seq, head),) = world.sql("SELECT seq, hash FROM audit_entry ORDER BY seq DESC LIMIT 1")
    (path,) = list_witnesses(world.settings.home / "witness")
    assert (seq, bytes(head)) == read_witness(path)[-1]


@pytest.mark.django_db
def test_an_answer_that_cannot_be_recorded_in_time_is_withheld_and_the_exchange_recorded_later(run_gateway):
    with run_gateway(record_timeout=0.5) as hasty:
        hasty.publish_installation()
        person = hasty.add_person("R1")
        hasty.chat(person)
        with psycopg.connect(hasty.settings.database_url) as busy:
            busy.execute("SELECT audit_append(%s)", (json.dumps(ENTRY),))
            thread, outcome = call(hasty, person)
            thread.join()
            ((status, headers, document),) = outcome
            assert (status, document["error"]["code"]) == (503, "record_unavailable")
            assert headers["x-should-retry"] == "true"
            assert "echo provider" not in json.dumps(document)
            assert len(hasty.entries(person)) == 3
        hasty.wait_until(lambda: hasty.tags(person)[3:] == ["exchange.started", "exchange.completed"])
        assert hasty.entries(person)[-1]["detail"]["outcome"] == "withheld"
        assert len(hasty.uses(person)) == 1
        hasty.chat(person)


@pytest.mark.django_db
def test_a_database_that_dies_and_comes_back(run_gateway, own_database):
    with run_gateway(database_url=own_database.url, lease=1.0) as world:
        world.publish_installation()
        person = world.add_person("R1")
        with world.client(person) as client:
            stream = client.chat.completions.create(
                model=world.upstream.script(talks_on), messages=[], stream=True
            )
            next(iter(stream))
            own_database.kill()
            statuses = set()
            for _ in range(5):
                with pytest.raises(openai.InternalServerError) as refused:
                    world.chat(person)
                statuses.add((refused.value.status_code, refused.value.code))
            assert statuses <= {(503, "record_unavailable"), (503, "access_unconfirmed")}
            with pytest.raises(openai.APIError) as cut:
                list(stream)
            assert cut.value.code == "access_unconfirmed"
        world.wait_until(lambda: health(world) == 503)
        own_database.start()
        world.wait_until(lambda: health(world) == 200)
        world.reconnect()
        world.chat(person)
        outcomes = world.wait_until(
            lambda: [e for e in world.entries(person) if e["detail"].get("outcome") == "cut"]
        )
        assert outcomes[0]["detail"]["code"] == "access_unconfirmed"
        started = {e["subject"] for e in world.entries(person) if e["tag"] == "exchange.started"}
        completed = {e["subject"] for e in world.entries(person) if e["tag"] == "exchange.completed"}
        assert started == completed


@pytest.mark.django_db
def test_a_gateway_that_starts_before_its_database(run_gateway, own_database):
    own_database.kill()
    try:
        with run_gateway(database_url=own_database.url, lease=1.0) as world:
            assert health(world) == 503
            status, headers, document = world.request(
                "POST", "/v1/chat/completions", b"{}", {"authorization": "Bearer tp_" + "x" * 40}
            )
            assert (status, document["error"]["code"]) == (503, "access_unconfirmed")
            assert headers["x-should-retry"] == "true"
            own_database.start()
            world.wait_until(lambda: health(world) == 200)
            world.reconnect()
            world.publish_installation()
            world.chat(world.add_person("R1"))
    finally:
        own_database.start()


@pytest.mark.django_db
def test_a_full_disk_withholds_answers_until_there_is_room(run_gateway, own_database):
    """PostgreSQL may not let a file grow beyond 16 MiB, and its table of entries is that large already."""
    room = 16 * 1024 * 1024  # as large as a segment of the write-ahead log, which has to go on
    with psycopg.connect(own_database.url) as connection:
        connection.execute(
            "SELECT count(*) FROM audit_append_all(%s)", ([json.dumps(ENTRY)] * (room // 1900),)
        )
    with run_gateway(database_url=own_database.url, lease=60.0) as world:
        world.publish_installation()
        person = world.add_person("R1")
        world.chat(person)
        own_database.stop()
        with largest_file(room):
            own_database.start_anew()
        world.wait_until(lambda: psycopg.connect(own_database.url).close() is None)
        statuses = []
        while statuses[-3:] != [503] * 3:
            thread, outcome = call(world, person)
            thread.join()
            statuses.append(outcome[0][0])
            assert set(statuses) <= {200, 503}
            assert len(statuses) < 200
        assert outcome[0][2]["error"]["code"] == "record_unavailable"
        forwarded = len(world.upstream.bodies("echo"))
        assert call_now(world, person) == 503
        assert len(world.upstream.bodies("echo")) == forwarded
        own_database.kill()
        own_database.start()
        world.reconnect()
        world.wait_until(lambda: call_now(world, person) == 200)
        answered = len([e for e in world.entries(person) if e["detail"].get("outcome") == "completed"])
        assert answered == len(world.uses(person)) == statuses.count(200) + 2


@pytest.mark.django_db
def test_a_gateway_killed_with_an_answer_under_way_loses_no_delivered_exchange(world, tmp_path):
    person = world.add_person("R1")
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    environment = {
        **os.environ,
        "DATABASE_URL": world.settings.database_url,
        "TOPROPE_HOME": str(tmp_path),
        "TOPROPE_PROVIDER_URL": world.settings.provider_url,
    }
    command = [sys.executable, "-m", "uvicorn", "--factory", "toprope.gateway.app:application"]
    delivered = []
    with subprocess.Popen([*command, "--port", str(port), "--no-access-log"], env=environment) as gateway:

        def reachable():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        def work():
            body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "x"}]})
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                while True:
                    link.request(
                        "POST", "/v1/chat/completions", body, {"authorization": f"Bearer {person.key}"}
                    )
                    response = link.getresponse()
                    digest = hashlib.sha256(response.read()).hexdigest()
                    delivered.append((response.getheader("x-toprope-exchange"), digest))
            except (OSError, http.client.HTTPException):
                link.close()

        world.wait_until(reachable)
        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        world.wait_until(lambda: len(delivered) > 20)
        gateway.kill()
        for worker in workers:
            worker.join()
    completed = {
        (e["subject"], e["detail"]["answer"]["sha256"])
        for e in world.entries(person)
        if e["tag"] == "exchange.completed"
    }
    assert set(delivered) <= completed
    assert len(world.uses(person)) == len(completed)
