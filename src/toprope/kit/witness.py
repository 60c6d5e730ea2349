"""Witnesses of the audit record: files outside the database that remember how it looked.

Whoever can write SQL behind the record's back can recompute its whole chain, or cut off its tail, and leave a
chain that is sound in itself. The witnesses still know number and hash of the entries that each process saw
committed. Every process has one file, and adds a line at every commit. Lines are not forced to the disk: a
power cut may take the newest, which is harmless.
"""

import errno
import fcntl
import os
import re
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

_SUFFIX = ".witness"
_LINE = re.compile(rb"(\d{20}) ([0-9a-f]{64})\n")
_LINE_SIZE = 20 + 1 + 64 + 1
_MAX_LINES = 10_000
_KEPT_WHOLE = 1_000


class WitnessError(ValueError):
    """A witness file that cannot be read; the message names the file and the cure."""


class Witness:
    """The witness of this process. Safe between threads; a forked child takes a file of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._close: Callable[[], object] = _no_file
        self._claim()

    def saw(self, seq: int, hash: bytes) -> None:  # noqa: A002 - the field's word
        """Remember that entry `seq` is committed and has this `hash`. Raises `OSError` where that fails."""
        if self._process != os.getpid():
            self._claim()
        line = f"{seq:020} {hash.hex()}\n".encode("ascii")
        with self._lock:
            _write(self._file, line, self._end)
            self._end += len(line)
            if self._end >= _MAX_LINES * _LINE_SIZE:
                self._thin_out()

    def _claim(self) -> None:
        """Carry on a file whose process has ended, so that files do not pile up, or begin a new one."""
        self._lock, self._process = threading.Lock(), os.getpid()
        self._directory.mkdir(parents=True, exist_ok=True)
        number = 0
        while not self._take(self._directory / f"{number:04}{_SUFFIX}"):
            number += 1

    def _take(self, path: Path) -> bool:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            end = len(read_witness(path)) * _LINE_SIZE
            os.ftruncate(file, end)
            replaced = os.fstat(file).st_ino != path.stat().st_ino  # just now, by one thinned out
        except (BlockingIOError, WitnessError):
            os.close(file)
            return False
        except OSError:
            os.close(file)
            raise
        if replaced:
            os.close(file)
            return False
        self._use(path, file, end)
        return True

    def _use(self, path: Path, file: int, end: int) -> None:
        self._close()
        self._path, self._file, self._end = path, file, end
        self._close = weakref.finalize(self, os.close, file)

    def _thin_out(self) -> None:
        """Leave out every other of the older lines: the further back, the fewer are enough."""
        lines = os.pread(self._file, self._end, 0)
        kept = self._end - _KEPT_WHOLE * _LINE_SIZE
        older = [lines[start : start + _LINE_SIZE] for start in range(0, kept, 2 * _LINE_SIZE)]
        thinned = b"".join(older) + lines[kept:]
        path = self._path.with_suffix(".new")
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            _write(file, thinned, 0)
            os.fsync(file)
            path.replace(self._path)
        except OSError:
            os.close(file)
            raise
        self._use(self._path, file, len(thinned))


def _no_file() -> None:
    """There is nothing to close before the first file."""


def _write(file: int, data: bytes, at: int) -> None:
    """Write all of it, or leave the file as it was and raise `OSError`."""
    if os.pwrite(file, data, at) != len(data):
        os.ftruncate(file, at)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def list_witnesses(directory: Path) -> list[Path]:
    """The witness files of an installation."""
    return sorted(directory.glob(f"*{_SUFFIX}"))


def read_witness(path: Path) -> list[tuple[int, bytes]]:
    """Number and hash of the entries that a witness saw. Raises `WitnessError` if the file is spoilt.

    What a power cut left of the last lines is no damage.
    """
    content = path.read_bytes()
    seen = []
    end = 0
    while match := _LINE.match(content, end):
        seen.append((int(match[1]), bytes.fromhex(match[2].decode("ascii"))))
        end = match.end()
    if _LINE.search(content, end):
        raise WitnessError(
            f"{path} was damaged or changed: line {len(seen) + 1} is not a witness's."
            " Find out how; then put the file aside, and verify again."
        )
    return seen
