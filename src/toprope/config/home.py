"""The installation's directory: where it is, its secret, and the locks that keep apart what must not meet."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from toprope.config.problem import Problem

SECRET_LENGTH = 64


def home() -> Path:
    """The directory that holds everything this installation keeps on disk."""
    return Path(os.environ.get("TOPROPE_HOME") or "var").resolve()


def installed(directory: Path) -> bool:
    """Whether `toprope serve` has ever made a database in this directory."""
    return (directory / "pg").exists()


def require_installation() -> Path:
    """The installation a command is to work on; a command never makes one by accident."""
    directory = home()
    if not installed(directory) and not os.environ.get("DATABASE_URL"):
        raise Problem(f"No installation found in {directory}; run `toprope serve` here, or set TOPROPE_HOME.")
    return directory


def make_home() -> Path:
    """The installation's directory, made and given a secret if it is new."""
    directory = home()
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not secret_file(directory).exists():
            write_secret(directory)
    except OSError as error:
        raise Problem(
            f"Cannot write to {directory} ({error.strerror}); make room or give this account the right to "
            "write there, or set TOPROPE_HOME to another directory."
        ) from None
    return directory


def secret_file(directory: Path) -> Path:
    return directory / "secret"


def read_secret(directory: Path) -> str:
    """The installation's secret, or nothing where there is none: Django then refuses to work."""
    try:
        return secret_file(directory).read_text().strip()
    except FileNotFoundError:
        return ""


def write_secret(directory: Path) -> None:
    """Write a new secret, whole or not at all, readable by this account only; one that exists stays."""
    draft = directory / f"secret.{os.getpid()}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(SECRET_LENGTH) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, secret_file(directory))
    except FileExistsError:
        pass  # another process was first; its secret counts
    finally:
        draft.unlink()


class Lock:
    """A lock on a file. The system lets go of it when its holder ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def share(self) -> None:
        """Hold the lock beside others who share it."""
        fcntl.flock(self._open(), fcntl.LOCK_SH)

    def wait(self) -> None:
        """Hold the lock alone, as soon as nobody else holds it."""
        fcntl.flock(self._open(), fcntl.LOCK_EX)

    def try_alone(self) -> bool:
        """Hold the lock alone if nobody else holds it; otherwise hold nothing."""
        try:
            fcntl.flock(self._open(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            return False
        return True

    def write(self, text: str) -> None:
        """Leave a note in the lock's file for whoever finds it held."""
        file = self._open()
        file.seek(0)
        file.truncate()
        file.write(text)
        file.flush()

    def fileno(self) -> int:
        """For a child that is to hold the lock too."""
        return self._open().fileno()

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> IO[str]:
        if self._file is None:
            self._file = self.path.open("a+")
        return self._file

    @contextmanager
    def held(self) -> Iterator[None]:
        self.wait()
        try:
            yield
        finally:
            self.release()
