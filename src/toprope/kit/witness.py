"""Witnesses of the audit record: small files outside the database that remember how far it had come.

Whoever can write SQL behind the record's back can recompute its whole chain, or cut off its tail, and leave a
chain that is sound in itself. The witnesses still know the number and the hash of the newest entry that each
process saw committed. They are written without fsync: after a power cut one may be behind, which is harmless.
"""

import fcntl
import os
import threading
from pathlib import Path

_SIZE = 20 + 1 + 64 + 1
_SUFFIX = ".witness"


class WitnessError(ValueError):
    """A witness file that cannot be read; the message names the file and the cure."""


class Witness:
    """The witness of this process. Safe between threads; a forked child takes a file of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._file, self._process, self._highest = -1, -1, 0
        self._claim()

    def saw(self, seq: int, hash: bytes) -> None:  # noqa: A002 - the field's word
        """Remember that entry `seq` with `hash` is committed; older news than known is ignored."""
        with self._lock:
            if self._process != os.getpid():
                self._claim()
            if seq > self._highest:
                os.pwrite(self._file, _format(seq, hash), 0)
                self._highest = seq

    def _claim(self) -> None:
        """Take over a file whose process has ended, so that files do not pile up, or begin a new one."""
        self._directory.mkdir(parents=True, exist_ok=True)
        number = 0
        while True:
            path = self._directory / f"{number:04}{_SUFFIX}"
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                number += 1
                continue
            self._file, self._process = file, os.getpid()
            self._highest = _read(path)[0]
            return


def read_witnesses(directory: Path) -> list[tuple[str, int, bytes]]:
    """Name, seq and hash of every witness that has seen anything. Raises `WitnessError` for a spoilt file."""
    found = []
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        seq, hash_ = _read(path)
        if seq:
            found.append((path.name, seq, hash_))
    return found


def _format(seq: int, hash_: bytes) -> bytes:
    return f"{seq:020} {hash_.hex()}\n".encode("ascii")


def _read(path: Path) -> tuple[int, bytes]:
    content = path.read_bytes()
    if not content:
        return 0, b""
    try:
        seq, hash_ = int(content[:20]), bytes.fromhex(content[21:85].decode("ascii"))
    except ValueError:
        seq, hash_ = 0, b""
    if seq < 1 or content != _format(seq, hash_) or len(content) != _SIZE:
        raise WitnessError(
            f"{path} is not a witness of the audit record: it was damaged or changed."
            " Find out how; then move the file away and verify again."
        )
    return seq, hash_
