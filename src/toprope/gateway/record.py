"""The record of exchanges: group commit, and the fence.

One writer drains a bounded queue; whatever waits when it is free goes into one transaction, sent in one
round trip. An entry's promise resolves after COMMIT, and to None where the record could not be written.

The fence: after the entries are appended, and so while the transaction holds the lock that every append to
the audit record takes until its commit, it reads again what is published for the keys concerned. Whoever
revokes access appends to the record too. So a revocation either committed before this transaction's look, and
is seen, or commits after the exchange is on record.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from toprope.gateway.access import Directory, Question, View
from toprope.gateway.database import Connection, DatabaseGoneError, Link
from toprope.kit.witness import Witness

log = logging.getLogger("toprope.gateway")

_BATCH = 256
_QUEUE = 8192
_OWED = 65_536
_RETRY_SECONDS = 0.25
_STOP_SECONDS = 5.0

_STATEMENTS = "SELECT outcome FROM evidence_append_all(%b::text[])"
_ENTRIES = "SELECT seq, hash FROM audit_append_all(%b::text[]) ORDER BY seq DESC LIMIT 1"


class Tag(StrEnum):
    """What the gateway puts on record."""

    EXCHANGE_STARTED = "exchange.started"
    EXCHANGE_COMPLETED = "exchange.completed"
    EXCHANGE_REFUSED = "exchange.refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the audit record. `fence` is a key to look at again, `statement` goes along as evidence."""

    payload: str
    fence: bytes | None = None
    statement: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The entry is durable. `view` is what was published for its fence at that moment."""

    view: View | None = None


Promise = asyncio.Future[Recorded | None]


def make_payload(tag: Tag, at: datetime, actor: UUID, subject: str, detail: Mapping[str, Any]) -> str:
    """An entry as the audit record takes it."""
    document = {"at": at.isoformat(), "tag": tag, "actor": str(actor), "subject": subject, "detail": detail}
    return msgspec.json.encode(document).decode()


class Recorder:
    """The one writer of this process."""

    def __init__(self, link: Link, directory: Directory, witness: Witness) -> None:
        self._link, self._directory, self._witness = link, directory, witness
        self._queue: deque[tuple[Entry, Promise]] = deque()
        self._owed: deque[Entry] = deque()
        self._wake = asyncio.Event()
        self.healthy = True  # whether the last attempt to write went well
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run(), name="toprope gateway: recorder")

    async def stop(self) -> None:
        """Write what waits, as far as a few seconds allow, and stop."""
        if self._task is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                while self._queue or self._owed:
                    self._wake.set()
                    await asyncio.sleep(0.01)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        if self._owed:
            log.error("stopped with %d entries that could not be recorded", len(self._owed))
        await self._link.close()

    def submit(self, entry: Entry) -> Promise:
        """Record an entry now or not at all: resolves to None where that fails."""
        promise: Promise = asyncio.get_running_loop().create_future()
        if len(self._queue) >= _QUEUE:
            promise.set_result(None)
        else:
            self._queue.append((entry, promise))
            self._wake.set()
        return promise

    def owe(self, entry: Entry) -> None:
        """Record an entry as soon as it can be done: something happened already and belongs on record.

        Where a commit's fate stays unknown, the entry is written again; twice is better than never.
        """
        if len(self._owed) >= _OWED:
            self._owed.popleft()
            log.error("more than %d entries wait for the record; the oldest is lost", _OWED)
        self._owed.append(entry)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wait()
            owed = [self._owed.popleft() for _ in range(min(len(self._owed), _BATCH))]
            taken = [self._queue.popleft() for _ in range(min(len(self._queue), _BATCH))]
            try:
                async with self._link.use() as connection:
                    views = await self._write(connection, [*owed, *(entry for entry, _ in taken)])
            except (DatabaseGoneError, asyncio.CancelledError) as error:
                self._owed.extendleft(reversed(owed))
                _resolve(taken, None)
                if not isinstance(error, DatabaseGoneError):
                    raise
                self._note_health(error)
            else:
                _resolve(taken, views)
                self._note_health(None)

    def _note_health(self, error: Exception | None) -> None:
        if error is not None and self.healthy:
            log.warning("the audit record cannot be written; answers are withheld: %s", error)
        elif error is None and not self.healthy:
            log.warning("the audit record can be written again")
        self.healthy = error is None

    async def _wait(self) -> None:
        """Until there is something to write; what is owed is tried again after a pause."""
        if self._queue or (self._owed and self.healthy):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_RETRY_SECONDS if self._owed else None):
                await self._wake.wait()
        self._wake.clear()

    async def _write(self, connection: Connection, entries: list[Entry]) -> dict[bytes, View]:
        """All of it, or an error. Gives the views of the fences."""
        fences = list({entry.fence for entry in entries if entry.fence is not None})
        statements = [entry.statement for entry in entries if entry.statement]
        question = Question(self._directory, fences)
        outcomes = None
        async with connection.pipeline():
            await connection.execute("BEGIN")
            if statements:
                outcomes = await connection.execute(_STATEMENTS, (statements,))
            head = await connection.execute(_ENTRIES, ([entry.payload for entry in entries],))
            if fences:
                await question.send(connection)
            end = await connection.execute("COMMIT")
        if end.statusmessage != "COMMIT":  # a failed transaction ends with ROLLBACK, and no error
            raise psycopg.OperationalError(f"the transaction ended with {end.statusmessage}")
        if (row := await head.fetchone()) is not None:
            self._tell_witness(*row)
        if outcomes is not None and ("conflict",) in await outcomes.fetchall():
            log.error("a statement of use was refused: another one has its id")
        return dict(zip(fences, await question.receive(), strict=True)) if fences else {}

    def _tell_witness(self, seq: int, head: bytes) -> None:
        try:
            self._witness.saw(seq, head)
        except OSError:
            log.exception("the witness of the audit record could not be updated")


def _resolve(taken: list[tuple[Entry, Promise]], views: Mapping[bytes, View] | None) -> None:
    for entry, promise in taken:
        if promise.done():  # nobody waits any more
            continue
        if views is None:
            promise.set_result(None)
        else:
            promise.set_result(Recorded(views[entry.fence] if entry.fence is not None else None))
