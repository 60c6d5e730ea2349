"""A real installation of its own: `toprope serve` in a directory, on a free port, with real processes."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psycopg

TOPROPE = Path(sys.executable).with_name("toprope")
START_SECONDS = 120
T = TypeVar("T")


def wait_for(condition: Callable[[], T], what: str, seconds: float = 20) -> T:
    """What `condition` gives once it is true; fails where it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(0.02)
    return value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """`toprope serve` with its home in `home`."""

    def __init__(self, home: Path, *arguments: str, **environment: str) -> None:
        self.home, self.arguments = home, arguments
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home.with_suffix(".log")
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith(("TOPROPE_", "DATABASE_"))
        }
        self.environment = {**clean, "TOPROPE_HOME": str(home), **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [TOPROPE, "serve", "--port", str(self.port), *self.arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(self._ready, f"the installation is ready\n{self.log.read_text()}", START_SECONDS)

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:  # noqa: S310 - our own
                return answer.status == 200 and "Ready" in self.log.read_text()
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(180)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError(f"it does not stop:\n{self.log.read_text()}") from None

    def run(self, *arguments: str, stdin: str = "", timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """A `toprope` command in this installation."""
        return subprocess.run(
            [TOPROPE, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def connect_as_owner(self) -> psycopg.Connection:
        """Behind Toprope's back: the database as its owner sees it."""
        return psycopg.connect(host=str(self.home / "pg"), user="postgres", dbname="toprope", autocommit=True)
