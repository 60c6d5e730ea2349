"""`toprope serve`: starts everything in order, keeps it running, and stops it in the opposite order."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import click

from toprope import __version__
from toprope.config.child import DRAIN_SECONDS
from toprope.config.database import APP_ROLE, Address, Configured, check_database, configured
from toprope.config.home import Lock, installed, make_home
from toprope.config.postgres import OWNER, VERSION, EmbeddedServer
from toprope.config.problem import Problem
from toprope.config.session import use_database

LOOPBACK = ("127.0.0.1", "::1", "localhost")
ECHO_PORT = 8001
READY_SECONDS = 60
FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS = 0.5, 30.0, 60.0
POOL_SIZE, LARGEST_POOL = "10", 1000


@dataclass
class Child:
    """A process we keep running: started again when it dies, after pauses that grow while it does."""

    name: str
    arguments: list[str]
    environment: dict[str, str]
    inherited: tuple[int, ...]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = field(default=0.0)

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "toprope.config.child", *self.arguments],
            env=self.environment,
            pass_fds=self.inherited,
            stdin=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C in the terminal is for the supervisor, which then stops us in order
        )
        self.started = time.monotonic()

    def keep_running(self, say: Callable[[str], None]) -> None:
        """Start it again if it died and its pause is over."""
        now = time.monotonic()
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return
            if now - self.started > STEADY_SECONDS:
                self.pause = FIRST_PAUSE
            self.process, self.due = None, now + self.pause
            say(f"The {self.name} process ended ({_describe(code)}); starting it again in {self.pause:g} s.")
            self.pause = min(self.pause * 2, LONGEST_PAUSE)
        if now >= self.due:
            self.start()

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended; kill it where it does not."""
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Supervisor:
    """One run of `toprope serve`."""

    def __init__(self, *, host: str, port: int, demo: bool) -> None:
        self.host, self.port, self.demo = host, port, demo
        self.home = make_home()
        self.base_url = _base_url(host, port)
        self.server: EmbeddedServer | None = None
        self.children: list[Child] = []
        self.stopping = False
        self.impatient = False
        self._wake, self._waker = os.pipe()
        self._watch, self._alive = os.pipe()  # children read `_watch`; only we hold `_alive`
        for end in (self._wake, self._waker):
            os.set_blocking(end, False)

    def run(self) -> None:
        """Serve until told to stop."""
        started = time.monotonic()
        click.echo(f"Toprope {__version__}", err=True)
        _check_settings()
        with self._only_run() as family, self._listen() as listener, self._signals():
            setting = configured()
            try:
                app, owner = self._start_database(setting)
                if self.stopping:
                    return
                prepared = self._prepare(app, owner)
                echo = self._start_children(listener, family, app, demo=prepared["demo"])
                self._wait_until_ready()
                if not self.stopping:
                    self._announce(prepared, echo, time.monotonic() - started)
                self._keep_running()
            finally:
                listener.close()
                self._stop()

    # Starting

    @contextmanager
    def _only_run(self) -> Iterator[int]:
        """One run at a time. Yields a lock that our children hold too: the next run waits for them."""
        mine, ours = Lock(self.home / "serve.lock"), Lock(self.home / "serve.children")
        if not mine.try_alone():
            raise Problem(_already_running(mine.path))
        deadline = time.monotonic() + DRAIN_SECONDS + 10
        while not ours.try_alone():
            if time.monotonic() > deadline:
                raise Problem(
                    f"Processes of an earlier run still hold {ours.path}; end them (`fuser {ours.path}` "
                    "names them), and start again."
                )
            time.sleep(0.1)
        try:
            mine.write(json.dumps({"pid": os.getpid(), "url": self.base_url, "port": self.port}))
            yield ours.fileno()
        finally:
            mine.write("")
            ours.release()
            mine.release()

    @contextmanager
    def _listen(self) -> Iterator[socket.socket]:
        """The socket that web children serve on; it stays open while one of them is started again."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((self.host, self.port))
            except (OSError, OverflowError) as error:
                raise Problem(
                    f"Cannot listen on {self.host}:{self.port} ({getattr(error, 'strerror', error)}). "
                    "Stop what uses this port, or choose another, for example: "
                    f"toprope serve --port {self.port % 65000 + 10} (make run PORT={self.port % 65000 + 10})."
                ) from None
            listener.listen(1024)
            listener.set_inheritable(True)
            yield listener

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(_number: int, _frame: FrameType | None) -> None:
            self.impatient = self.stopping
            self.stopping = True

        def wake(_number: int, _frame: FrameType | None) -> None:
            pass

        handlers = dict.fromkeys((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), stop) | {
            signal.SIGCHLD: wake
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        old = signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(old)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start_database(self, setting: Configured | None) -> tuple[Address, Address]:
        if setting is not None:
            facts = check_database(setting.owner)
            app = check_database(setting.app)
            _tell("database", f"PostgreSQL {facts.version} at {setting.app.place}, as {app.user}")
            named = Address(**(vars(setting.app) | {"user": app.user}))
            return named, setting.owner
        new = not installed(self.home)
        self.server = EmbeddedServer(self.home)
        self.server.start()
        how = "found running" if not self.server.started else "made and started" if new else "started"
        _tell("database", f"built-in PostgreSQL {VERSION} in {_short(self.home / 'pg')}, {how}")
        return self.server.address(APP_ROLE), self.server.address(OWNER)

    def _prepare(self, app: Address, owner: Address) -> dict[str, Any]:
        """Tables, privileges, content, demo: in a process of its own, see `prepare`."""
        use_database(app)
        os.environ.pop("DATABASE_ADMIN_URL", None)  # nobody below but `prepare` may have it
        environment = self._environment() | {"DATABASE_ADMIN_URL": owner.url}
        arguments = [sys.executable, "-m", "toprope.config.prepare", *(["--demo"] if self.demo else [])]
        with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, process_group=0) as process:
            while process.poll() is None and not self.stopping:
                self._sleep(0.5)
            if self.stopping:
                process.terminate()
            said = process.communicate()[0]
        if self.stopping:
            return {"organisation": "", "demo": False}
        if process.returncode:
            raise SystemExit(process.returncode)
        result: dict[str, Any] = json.loads(said)
        self._refuse_open_demo(demo=result["demo"])
        return result

    def _refuse_open_demo(self, *, demo: bool) -> None:
        """In a demo anybody can be anybody; that is for this machine alone."""
        if demo and self.host not in LOOPBACK:
            raise Problem(
                f"This is a demo, where every visitor may act as anybody; it is not served on {self.host}. "
                "Serve it on 127.0.0.1 (and reach it through an SSH tunnel), or start a real installation in "
                "another TOPROPE_HOME."
            )

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "TOPROPE_HOME": str(self.home),
            "TOPROPE_BASE_URL": self.base_url,
            "PYTHONUNBUFFERED": "1",
        }

    def _start_children(self, listener: socket.socket, family: int, app: Address, *, demo: bool) -> str:
        """Start web, worker and, without a provider, the echo provider; gives the latter's address."""
        if self.stopping:
            return ""
        environment = self._environment() | {"DATABASE_URL": app.url, "TOPROPE_DEMO": "1" if demo else ""}
        common = ["--pipe", str(self._watch)]
        echo = ""
        if not environment.get("TOPROPE_PROVIDER_URL"):
            port = _free_port(ECHO_PORT)
            echo = f"http://127.0.0.1:{port}/v1"
            environment["TOPROPE_PROVIDER_URL"] = echo
            self._add("echo", [*common, "--port", str(port)], environment, (self._watch, family))
        self._add(
            "web",
            [*common, "--listener", str(listener.fileno())],
            {"TOPROPE_DATABASE_POOL": POOL_SIZE} | environment,
            (self._watch, family, listener.fileno()),
        )
        for child in self.children:
            child.start()
        # The worker's turn is once the web answers: its jobs can wait, the person at the browser need not.
        self._add("worker", common, environment, (self._watch, family))
        return echo

    def _add(
        self, name: str, arguments: list[str], environment: dict[str, str], inherited: tuple[int, ...]
    ) -> None:
        self.children.append(Child(name, [name, *arguments], environment, inherited))

    def _wait_until_ready(self) -> None:
        """Wait for the first answer of `/healthz`; a child that dies before it is no accident."""
        if self.stopping:
            return
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - asked, not bound
        name = urlsplit(self.base_url).netloc
        deadline = time.monotonic() + READY_SECONDS
        with socket.create_connection((host, self.port), timeout=READY_SECONDS) as connection:
            connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            while connection.fileno() not in select.select([connection.fileno(), self._wake], [], [], 0.5)[0]:
                self._sleep(0)
                dead = [one for one in self.children if one.process and one.process.poll() is not None]
                if self.stopping:
                    return
                if dead or time.monotonic() > deadline:
                    which = dead[0].name if dead else "web"
                    why = "ended at once" if dead else f"did not answer within {READY_SECONDS} s"
                    raise Problem(f"The {which} process {why}; it says why above.")
            answer = connection.recv(1024).split(b"\r\n")[0]
        if b" 200 " not in answer:
            raise Problem(f"The web process is not well: it answers {answer.decode(errors='replace')!r}.")

    def _announce(self, prepared: dict[str, Any], echo: str, seconds: float) -> None:
        url = self.base_url
        click.echo(f"\nReady after {seconds:.1f} s.\n", err=True)
        if echo:
            provider = f"answers come from the echo provider at {echo}, which is no model"
        else:
            provider = f"forwards to {os.environ['TOPROPE_PROVIDER_URL']}"
        _tell("pages", f"{url}/")
        _tell("gateway", f"{url}/v1  ({provider})")
        _tell("data", _short(self.home))
        if prepared["demo"]:
            _tell("sign in", f"choose a person on the first page ({prepared['organisation']} is made up)")
        elif not prepared["organisation"]:
            _tell("sign in", "nobody is here yet: `toprope person create` makes the first person")
        _tell("stop", f"Ctrl-C here, or `kill {os.getpid()}`")
        click.echo("", err=True)

    # Running and stopping

    def _sleep(self, seconds: float) -> None:
        """Sleep until a signal comes, or a child ends, or the time is over."""
        select.select([self._wake], [], [], seconds)
        with suppress(BlockingIOError):
            os.read(self._wake, 4096)

    def _keep_running(self) -> None:
        pause, not_before = FIRST_PAUSE, 0.0
        while not self.stopping:
            self._sleep(0.5)
            if self.stopping:
                return
            if self.server is not None and time.monotonic() >= not_before:
                try:
                    if self.server.ensure_running():
                        _say("The database had ended; it was started again.")
                    pause = FIRST_PAUSE
                except Problem as problem:
                    _say(f"{problem.message} Trying again in {pause:g} s.")
                    not_before, pause = time.monotonic() + pause, min(pause * 2, LONGEST_PAUSE)
            for child in self.children:
                child.keep_running(_say)

    def _stop(self) -> None:
        """Web first, so that open answers are finished; then those it needs; the database last."""
        if self.children or self.server:
            _say("Stopping: open requests are finished first." if self.children else "Stopping.")
        for names in (("web",), ("worker", "echo")):
            group = [child for child in self.children if child.name in names]
            for child in group:
                child.ask_to_stop()
            for child in group:
                self._wait_for(child)
        if self.server is not None:
            self.server.stop()
        if self.children:
            _say(f"Stopped. Everything is kept in {_short(self.home)}.")

    def _wait_for(self, child: Child) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS + 5
        while child.process is not None and child.process.poll() is None:
            if time.monotonic() > deadline or self.impatient:
                child.wait(0)
                return
            self._sleep(0.2)


def _check_settings() -> None:
    """What our children would stumble over, said by us."""
    pool = os.environ.get("TOPROPE_DATABASE_POOL") or POOL_SIZE
    if not pool.isdecimal() or not 0 < int(pool) <= LARGEST_POOL:
        raise Problem(f"TOPROPE_DATABASE_POOL is {pool!r}; write a whole number from 1 to {LARGEST_POOL}.")
    from toprope.gateway.settings import SettingsError, load_settings  # psycopg with it: not for `--help`

    try:
        load_settings(os.environ)
    except SettingsError as error:
        raise Problem(f"{error}.") from None


def _base_url(host: str, port: int) -> str:
    """The address people use, told by the operator or, on this machine alone, guessed."""
    told = os.environ.get("TOPROPE_BASE_URL", "").rstrip("/")
    if not told and host not in LOOPBACK:
        raise Problem(
            f"Serving on {host} needs to know by which address people come: set TOPROPE_BASE_URL, for "
            f"example http://{socket.gethostname()}:{port}."
        )
    if told and urlsplit(told).scheme not in ("http", "https"):
        raise Problem(f"TOPROPE_BASE_URL must begin with http:// or https://; it is {told!r}.")
    return told or f"http://localhost:{port}"


def _already_running(lock: Path) -> str:
    try:
        note = json.loads(lock.read_text())
        who = f"process {note['pid']}, {note['url']}"
        cure = f"Open {note['url']}, or stop it first: kill {note['pid']}"
    except (OSError, ValueError, KeyError):
        who, cure = "starting or stopping just now", "Try again in a moment."
    return f"Toprope runs already in {_short(lock.parent)} ({who}). {cure}"


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise Problem("No free port on 127.0.0.1 for the echo provider; set TOPROPE_PROVIDER_URL.")


def _describe(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _short(path: Path) -> str:
    """A path as the person at the terminal would write it."""
    with suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def _say(text: str) -> None:
    click.echo(f"toprope: {text}", err=True)


def _tell(topic: str, text: str) -> None:
    click.echo(f"  {topic:<10} {text}", err=True)
