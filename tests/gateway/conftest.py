"""A real gateway on a real server, before a provider that does as tests tell it, on the run's PostgreSQL."""

import asyncio
import hashlib
import http.client
import json
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import openai
import psycopg
import pytest
import uvicorn
from django.db import connection
from psycopg.conninfo import make_conninfo

from toprope.gateway import echo
from toprope.gateway.app import create_app
from toprope.gateway.settings import Settings
from toprope.kit.ids import new_token
from toprope.policy.access import Access, Grant, GrantState, Hold, Installation, Rung, encode

LADDER = (
    Rung("R0", "Tutor in the sandbox", "tutor"),
    Rung("R1", "Chat without code context", "chat", ("R0",)),
    Rung("R4", "Edit and apply with review", "edit", ("R1",)),
    Rung("R6", "Agent through pull requests", "agent_pr", ("R4",)),
)
BASE_URL = "https://toprope.example"
PATIENCE = 10.0
DATABASES: set[str] = set()  # that these tests have written to

Message = dict[str, Any]
Script = Callable[[Any], Awaitable[None]]  # given ASGI's `send`


def wait_until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true value of `condition`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        threading.Event().wait(0.002)
    return value


class Server:
    """An ASGI application on a free port of the loopback, in a thread of its own."""

    def __init__(self, app: Any) -> None:
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, log_level="warning", lifespan="on", timeout_graceful_shutdown=3
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        wait_until(lambda: self._server.started or not self._thread.is_alive())
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@dataclass
class Upstream:
    """The provider. A model's name picks the script; models without one are echoed."""

    scripts: dict[str, Script] = field(default_factory=dict)
    seen: list[tuple[Message, bytes]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await echo.app(scope, receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.seen.append((scope, body))
        model = json.loads(body)["model"]
        script = self.scripts.get(model)
        if script is not None:
            await self._run(model, script(send), receive)
            return
        replayed = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return replayed.pop() if replayed else await receive()

        await echo.app(scope, replay, send)

    async def _run(self, model: str, work: Awaitable[None], receive: Any) -> None:
        """Run a script, but no longer than the gateway listens."""
        playing = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({playing, gone}, return_when=asyncio.FIRST_COMPLETED)
            self.ended.append(f"{model} {'done' if playing.done() else 'cancelled'}")
            if playing.done():
                await playing
        finally:
            playing.cancel()
            gone.cancel()

    def script(self, script: Script) -> str:
        """Register a script; gives the model that plays it."""
        model = f"scripted-{uuid.uuid4()}"
        self.scripts[model] = script
        return model

    def bodies(self, model: str) -> list[bytes]:
        return [body for _, body in list(self.seen) if json.loads(body)["model"] == model]


@dataclass(frozen=True)
class Person:
    """Somebody with a key."""

    key: str
    uuid: uuid.UUID

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.key.encode()).digest()


class World:
    """What a test works with: the gateway's address, the provider, and what authorization would publish."""

    def __init__(self, url: str, settings: Settings, upstream: Upstream) -> None:
        DATABASES.add(settings.database_url)
        self.url, self.settings, self.upstream = url, settings, upstream
        self.port = int(url.split(":")[2].removesuffix("/v1"))
        self._connect()

    wait_until = staticmethod(wait_until)

    def _connect(self) -> None:
        self._connection: psycopg.Connection[Any] | None = None
        with suppress(psycopg.OperationalError):  # some tests break the database
            self._connection = psycopg.connect(self.settings.database_url, autocommit=True)

    def as_owner(self, database_url: str) -> "World":
        """The same gateway, seen by a test with more rights than the gateway has."""
        return World(self.url, replace(self.settings, database_url=database_url), self.upstream)

    def reconnect(self) -> None:
        self.close()
        self._connect()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _transaction(self) -> AbstractContextManager[Any]:
        assert self._connection is not None
        return self._connection.transaction()

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        assert self._connection is not None
        cursor = self._connection.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []

    # What authorization does.

    def publish_installation(self, **changes: Any) -> None:
        facts = {
            "ladder": LADDER,
            "tools": {"*": "R6"},
            "repositories": {"web-shop": "R6"},
            "base_url": BASE_URL,
        }
        document = encode(Installation(**{**facts, **changes})).decode()
        with self._transaction():
            self.sql(
                "INSERT INTO gateway_installation (id, version, document) VALUES (1, %s, %s)"
                " ON CONFLICT (id) DO UPDATE SET version = excluded.version, document = excluded.document",
                time.time_ns(),
                document,
            )
            self.sql("SELECT pg_notify('gateway_access', 'installation')")

    def hold(self, rung: str) -> None:
        self.publish_installation(holds=(Hold(rung, "a leak is looked into", "Gita"),))

    def add_person(self, *rungs: str, **missing: str) -> Person:
        person = Person(new_token("tp"), uuid.uuid4())
        self.publish(person, *rungs, **missing)
        return person

    def publish(
        self, person: Person, *rungs: str, grants: tuple[Grant, ...] = (), tell: bool = True, **missing: str
    ) -> None:
        """Publish what a person may; `tell` the gateways, or leave it to them to find out."""
        year = time.time() + 31_536_000
        granted = tuple(Grant(rung, GrantState.ACTIVE, "S4", year) for rung in rungs)
        document = encode(Access(str(person.uuid), "Amara", (*granted, *grants), missing)).decode()
        self._change(
            person,
            "INSERT INTO gateway_access (key_hash, person, version, document) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (key_hash) DO UPDATE SET version = excluded.version, document = excluded.document",
            person.hash,
            person.uuid,
            time.time_ns(),
            document,
            tell=tell,
        )

    def suspend(self, person: Person, rung: str = "R1") -> None:
        grant = Grant(
            rung, GrantState.SUSPENDED, "S4", time.time() + 9e6, reason="a look is due", decided_by="Ben"
        )
        self.publish(person, grants=(grant,))

    def revoke_key(self, person: Person) -> None:
        self._change(person, "DELETE FROM gateway_access WHERE key_hash = %s", person.hash)

    def _change(self, person: Person, statement: str, *parameters: Any, tell: bool = True) -> None:
        entry = {
            "at": "2026-11-23T12:00:00+00:00",
            "tag": "grant.changed",
            "actor": "test",
            "subject": str(person.uuid),
            "detail": {},
        }
        with self._transaction():
            self.sql(statement, *parameters)
            self.sql("SELECT audit_append(%s)", json.dumps(entry))
            if tell:
                self.sql("SELECT pg_notify('gateway_access', %s)", str(person.uuid))

    # What clients do.

    def client(self, person: Person, **options: Any) -> openai.OpenAI:
        options = {"max_retries": 0, "timeout": PATIENCE, **options}
        return openai.OpenAI(base_url=self.url, api_key=person.key, **options)

    def chat(self, person: Person, model: str = "echo", text: str = "hello there", **more: Any) -> Any:
        with self.client(person) as client:
            messages = [{"role": "user", "content": text}]
            return client.chat.completions.create(model=model, messages=messages, **more)

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers and JSON of a bare request."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            link.request(method, path, body, {"content-type": "application/json", **(headers or {})})
            response = link.getresponse()
            content = response.read()
            lower = {name.lower(): value for name, value in response.getheaders()}
            return response.status, lower, json.loads(content) if content else None
        finally:
            link.close()

    def post(self, person: Person, body: bytes, **headers: str) -> tuple[int, dict[str, str], Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(
            "POST", "/v1/chat/completions", body, {"authorization": f"Bearer {person.key}", **named}
        )

    # What is on record.

    def entries(self, person: Person) -> list[Message]:
        rows = self.sql("SELECT payload FROM audit_entry WHERE actor = %s ORDER BY seq", str(person.uuid))
        return [json.loads(payload) for (payload,) in rows]

    def tags(self, person: Person) -> list[str]:
        return [entry["tag"] for entry in self.entries(person)]

    def completed(self, person: Person) -> Message:
        """The detail of the one completed exchange, waited for."""

        def find() -> list[Message]:
            return [e for e in self.entries(person) if e["tag"] == "exchange.completed"]

        (entry,) = wait_until(find)
        return entry["detail"]

    def uses(self, person: Person) -> list[Message]:
        rows = self.sql("SELECT body FROM evidence_statement WHERE actor = %s ORDER BY seq", person.uuid)
        return [json.loads(body) for (body,) in rows]

    def idle(self) -> bool:
        return self.request("GET", "/v1/health")[2]["open"] == 0


@pytest.fixture(scope="session")
def upstream_server() -> Iterator[tuple[Upstream, Server]]:
    upstream = Upstream()
    server = Server(upstream)
    yield upstream, server
    server.stop()


@pytest.fixture(scope="session")
def database_url(django_db_setup: None) -> str:  # noqa: ARG001 - asked for so that the database is there
    settings = connection.settings_dict
    return make_conninfo(
        dbname=settings["NAME"],
        user=settings["USER"] or None,
        password=settings["PASSWORD"] or None,
        host=settings["HOST"] or None,
        port=settings["PORT"] or None,
    )


@pytest.fixture(scope="session")
def make_settings(
    upstream_server: tuple[Upstream, Server], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Settings]:
    """Settings of a gateway, with what a test wants otherwise."""

    def make(**changes: Any) -> Settings:
        facts = {
            "home": tmp_path_factory.mktemp("home"),
            "base_url": BASE_URL,
            "provider_url": upstream_server[1].url,
            "provider_key": "the-provider's-key",
            "body_timeout": 1.0,
        }
        return Settings(**{**facts, **changes})

    return make


@pytest.fixture(scope="session")
def run_gateway(
    database_url: str,
    upstream_server: tuple[Upstream, Server],
    make_settings: Callable[..., Settings],
) -> Callable[..., AbstractContextManager[World]]:
    """A gateway with what a test wants otherwise."""

    @contextmanager
    def run(**changes: Any) -> Iterator[World]:
        settings = make_settings(**{"database_url": database_url, **changes})
        server = Server(create_app(settings))
        world = World(server.url, settings, upstream_server[0])
        try:
            yield world
        finally:
            world.close()
            server.stop()

    return run


@pytest.fixture(scope="session")
def running(run_gateway: Callable[..., AbstractContextManager[World]]) -> Iterator[World]:
    with run_gateway() as world:
        yield world


@pytest.fixture
def world(
    db: None,  # noqa: ARG001 - asked for so that pytest-django makes the database
    running: World,
) -> Iterator[World]:
    """The running gateway, with an installation that admits every model, and no exchange under way."""
    DATABASES.add(running.settings.database_url)
    running.publish_installation()
    yield running
    wait_until(running.idle)


@pytest.fixture(scope="module", autouse=True)
def _leave_no_trace() -> Iterator[None]:
    """Take away what was committed here: other tests may want an empty record."""
    yield
    while DATABASES:
        # Some tests break their database, or may not empty its tables.
        with suppress(psycopg.Error), psycopg.connect(DATABASES.pop()) as link:
            link.execute("SET LOCAL session_replication_role = replica")
            link.execute("TRUNCATE evidence_statement, audit_entry, gateway_access, gateway_installation")
