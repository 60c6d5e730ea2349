"""What the gateway adds to a call: direct, bare pass-through of the same stack, the gateway with its record.

    python benchmarks/gateway_overhead.py [--seconds 4]

Starts everything itself: the built-in PostgreSQL with fsync on, an upstream that answers at once or after
50 ms, the echo provider, the pass-through and the gateway, each in a process of its own, and the load
generator in another. The gateway and the pass-through have the first CPU to themselves, if there are two.

The record costs two commits a call: one while the upstream thinks, one before the answer leaves. So with one
call at a time the figures are those of the disk's fsync; with many, of group commit.
"""

import argparse
import asyncio
import hashlib
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
KEY = "tp_" + "b" * 40
DELAY = 0.05
TICKS = os.sysconf("SC_CLK_TCK")
BODY = json.dumps(
    {"model": "echo", "messages": [{"role": "user", "content": "What does this function do? " * 70}]}
).encode()
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "echo",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "It adds. " * 25},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 400, "completion_tokens": 50, "total_tokens": 450},
    }
).encode()


# The upstream and the load generator: plain protocols, so that the measuring does not bound the measured.


class Upstream(asyncio.Protocol):
    """Answers every request with the same completion; those whose path says so, after 50 ms."""

    RESPONSE = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER)
        + ANSWER
    )

    def connection_made(self, transport: Any) -> None:
        self._transport, self._data = transport, b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            at = head.find(b"content-length: ")
            length = int(head[at + 16 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._data) < end + 4 + length:
                return
            self._data = self._data[end + 4 + length :]
            if b"/slow/" in head.split(b"\r\n", 1)[0]:
                asyncio.get_running_loop().call_later(DELAY, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        self._transport.write(self.RESPONSE)


class Client(asyncio.Protocol):
    """One connection of the load generator: asks again as soon as it is answered."""

    def __init__(self, request: bytes, until: float, latencies: list[float]) -> None:
        self._request, self._until, self._latencies = request, until, latencies
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._data = b""
        self._asked = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._data[:end].lower()
        at = head.find(b"content-length: ")
        length = int(head[at + 16 :].split(b"\r\n", 1)[0])
        if len(self._data) < end + 4 + length:
            return
        now = time.perf_counter()
        if not head.startswith(b"http/1.1 200"):
            self.done.set_exception(RuntimeError(self._data.decode()))
            self._transport.close()
            return
        self._latencies.append(now - self._asked)
        if now < self._until:
            self._ask()
        else:
            self.done.set_result(None)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError())


async def serve_upstream(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, HOST, port, backlog=1024)
    await server.serve_forever()


async def generate_load(port: int, path: str, concurrency: int, seconds: float) -> dict[str, float]:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {KEY}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
    )
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    started = time.perf_counter()
    clients = []
    for _ in range(concurrency):
        _, client = await loop.create_connection(
            lambda: Client(head.encode() + BODY, started + seconds, latencies), HOST, port
        )
        clients.append(client.done)
    await asyncio.gather(*clients)
    spent = time.perf_counter() - started
    latencies.sort()
    count = len(latencies)
    return {
        "count": count,
        "rps": count / spent,
        "p50": latencies[count // 2] * 1000,
        "p99": latencies[int(count * 0.99)] * 1000,
    }


def make_passthrough() -> Any:
    """The same server and the same client library, and nothing in between. For ``uvicorn --factory``."""
    from toprope.gateway.forward import Provider
    from toprope.gateway.settings import load_settings

    provider: Provider | None = None

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal provider
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                provider = Provider(load_settings())
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        assert provider is not None
        async with provider.post("/chat/completions", scope["headers"], body) as answer:
            content = await answer.read()
            headers = [*answer.headers, (b"content-length", str(len(content)).encode())]
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": content})

    return app


# The run.


def find_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def process(
    *arguments: str, port: int, cpus: set[int], **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that listens on `port`, on these CPUs, until the context ends."""
    child = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        cwd=Path(__file__).parent,
        preexec_fn=lambda: os.sched_setaffinity(0, cpus),  # noqa: PLW1509 - no threads yet
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, port)) == 0:
                    break
            if child.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{arguments} did not start")
            time.sleep(0.05)
        yield child
    finally:
        child.terminate()
        child.wait()


def cpu_seconds(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def backends(database: str) -> list[int]:
    import psycopg

    with psycopg.connect(database) as connection:
        return [
            pid for (pid,) in connection.execute("SELECT pid FROM pg_stat_activity WHERE pid IS NOT NULL")
        ]


def prepare(database: str, home: str) -> None:
    """Make the tables, and publish one person who may chat."""
    import psycopg

    from toprope.policy.access import Access, Grant, GrantState, Installation, Rung, encode

    settings = {"DJANGO_SETTINGS_MODULE": "toprope.config.settings", "TOPROPE_SECRET_KEY": "benchmark"}
    subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--verbosity", "0"],
        env={**os.environ, **settings, "DATABASE_URL": database, "TOPROPE_HOME": home},
        check=True,
    )
    person = uuid.uuid4()
    grant = Grant("R1", GrantState.ACTIVE, "S4", time.time() + 1e6)
    installation = Installation((Rung("R1", "Chat", "chat"),), {"echo": "R1"}, base_url="http://localhost")
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO gateway_access VALUES (%s, %s, 1, %s)",
            (
                hashlib.sha256(KEY.encode()).digest(),
                person,
                encode(Access(str(person), "A", (grant,))).decode(),
            ),
        )
        connection.execute("DELETE FROM gateway_installation")
        connection.execute(
            "INSERT INTO gateway_installation VALUES (1, 1, %s)", (encode(installation).decode(),)
        )


def generate(port: int, path: str, concurrency: int, seconds: float, cpus: set[int]) -> dict[str, float]:
    run = subprocess.run(
        [sys.executable, __file__, "load", str(port), path, str(concurrency), str(seconds)],
        check=True,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, cpus),
    )
    return json.loads(run.stdout)


class Bench:
    """The processes, and what is asked of them."""

    def __init__(self, stack: ExitStack, seconds: float) -> None:
        from toprope.config.postgres import EmbeddedServer

        self._stack, self._seconds = stack, seconds
        cpus = sorted(os.sched_getaffinity(0))
        self._first, self._rest = {cpus[0]}, set(cpus[1:]) or {cpus[0]}
        self._home = stack.enter_context(tempfile.TemporaryDirectory(prefix="toprope-bench-"))
        self._database = stack.enter_context(EmbeddedServer(Path(self._home), {"fsync": "on"})).address().url
        prepare(self._database, self._home)
        self.upstream, _ = self._start(self._rest, lambda port: (__file__, "upstream", str(port)))
        echo = "from toprope.gateway.echo import run; run"
        self.echo, _ = self._start(self._rest, lambda port: ("-c", f"{echo}({HOST!r}, {port})"))

    def serve(self, factory: str, path: str) -> tuple[int, int]:
        """Start an application before the upstream; gives its port and its process."""
        uvicorn = ("-m", "uvicorn", "--factory", "--no-access-log", "--log-level", "warning", "--host", HOST)
        return self._start(
            self._first,
            lambda port: (*uvicorn, "--port", str(port), factory),
            DATABASE_URL=self._database,
            TOPROPE_HOME=self._home,
            TOPROPE_PROVIDER_URL=f"http://{HOST}:{self.upstream}/{path}",
        )

    def _start(
        self, cpus: set[int], command: Callable[[int], tuple[str, ...]], **environment: str
    ) -> tuple[int, int]:
        port = find_port()
        child = self._stack.enter_context(process(*command(port), port=port, cpus=cpus, **environment))
        return port, child.pid

    def row(
        self, title: str, port: int, path: str, concurrency: int, *, pid: int = 0, record: bool = False
    ) -> None:
        """Measure one cell and print it."""
        generate(port, path, concurrency, 1.0, self._rest)  # warm up
        postgres = backends(self._database)
        before, before_postgres = cpu_seconds([pid]), cpu_seconds(postgres)
        found = generate(port, path, concurrency, self._seconds, self._rest)
        ours = (cpu_seconds([pid]) - before) * 1e6 / found["count"]
        theirs = (cpu_seconds(postgres) - before_postgres) * 1e6 / found["count"]
        print(
            f"{title:34}{concurrency:>4}{found['p50']:>9.2f}{found['p99']:>9.2f}{found['rps']:>9,.0f}"
            f"{f'{ours:,.0f}' if pid else '':>13}{f'{theirs:,.0f}' if record else '':>15}",
            flush=True,
        )


def compare(seconds: float) -> None:
    with ExitStack() as stack:
        bench = Bench(stack, seconds)
        passes = "gateway_overhead:make_passthrough"
        gateway = "toprope.gateway.app:application"
        print(f"{describe_machine()}; request {len(BODY):,} bytes, answer {len(ANSWER):,} bytes\n")
        print(f"{'':34}{'c':>4}{'p50 ms':>9}{'p99 ms':>9}{'RPS':>9}{'CPU us/call':>13}{'PostgreSQL us':>15}")
        chat = "/v1/chat/completions"
        for name, path in (("at once", "v1"), ("after 50 ms", "slow")):
            pass_port, pass_pid = bench.serve(passes, path)
            gateway_port, gateway_pid = bench.serve(gateway, path)
            for concurrency in (1, 64):
                bench.row(f"direct, {name}", bench.upstream, f"/{path}/chat/completions", concurrency)
                if path == "v1":
                    bench.row("direct to the echo provider", bench.echo, chat, concurrency)
                bench.row(f"bare pass-through, {name}", pass_port, chat, concurrency, pid=pass_pid)
                bench.row(f"gateway, {name}", gateway_port, chat, concurrency, pid=gateway_pid, record=True)


def describe_machine() -> str:
    model = next(
        (
            line.split(": ")[1]
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return f"{model}, {os.cpu_count()} CPUs, Python {platform.python_version()}, {platform.system()}"


def main() -> None:
    if sys.argv[1:2] == ["upstream"]:
        asyncio.run(serve_upstream(int(sys.argv[2])))
    elif sys.argv[1:2] == ["load"]:
        port, path, concurrency, seconds = sys.argv[2:]
        print(json.dumps(asyncio.run(generate_load(int(port), path, int(concurrency), float(seconds)))))
    else:
        parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
        parser.add_argument("--seconds", type=float, default=4.0, help="for each cell (default 4)")
        compare(parser.parse_args().seconds)


if __name__ == "__main__":
    main()
