"""Watches what is published while exchanges run, and stops those that are no longer allowed.

Three ways, each for when the one before fails: a notification from the database, a look twice a second, and
the lease, after which nothing is trusted that the database has not confirmed.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Protocol

from toprope.gateway.access import Directory, Question, View, ask
from toprope.gateway.database import Connection, DatabaseGoneError, Link

log = logging.getLogger("toprope.gateway")

CHANNEL = "gateway_access"
_LOOK_SECONDS = 0.5
_TICK_SECONDS = 0.25
_RETRY_SECONDS = 0.1
_FRESH_SECONDS = 1.0


class Watched(Protocol):
    """An exchange that is under way."""

    key_hash: bytes

    def consider(self, view: View | None) -> None:
        """Stop where `view`, or where None the last one, no longer allows it at this time of day."""

    def mistrust(self) -> None:
        """Stop: what allowed it can no longer be trusted."""


class Watch:
    """The watch of this process."""

    def __init__(self, link: Link, directory: Directory, lease: float, others: Iterable[Link]) -> None:
        self._link, self._directory, self._lease = link, directory, lease
        self._others = tuple(others)  # who should know when the database is gone, and back
        self._exchanges: dict[bytes, set[Watched]] = {}
        self._listening: Connection | None = None
        self._confirmed = float("-inf")
        self._tasks: list[asyncio.Task[None]] = []
        self.count = 0

    async def start(self) -> None:
        """Begin to watch; the first look is over when this returns, well or badly."""
        await self._look()
        self._tasks = [
            asyncio.create_task(self._listen(), name="toprope gateway: listener"),
            asyncio.create_task(self._tick(), name="toprope gateway: lease"),
        ]

    async def stop(self) -> None:
        """Stop watching."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._link.close()

    @property
    def trusted(self) -> bool:
        """Whether the database has confirmed the snapshot lately enough."""
        return time.monotonic() - self._confirmed < self._lease

    def add(self, exchange: Watched) -> None:
        """Watch an exchange."""
        self._exchanges.setdefault(exchange.key_hash, set()).add(exchange)
        self.count += 1

    def remove(self, exchange: Watched) -> None:
        """Stop watching an exchange."""
        same_key = self._exchanges[exchange.key_hash]
        same_key.remove(exchange)
        self.count -= 1
        if not same_key:
            del self._exchanges[exchange.key_hash]

    async def _listen(self) -> None:
        while True:
            if not await self._look(_LOOK_SECONDS):
                await asyncio.sleep(_RETRY_SECONDS)

    async def _look(self, listen_seconds: float = 0.0) -> bool:
        """Look once, then listen for so long or until there is news. Whether the database answered."""
        news: set[str] = set()
        try:
            async with self._link.use() as connection:
                if connection is not self._listening:
                    await self._begin(connection)
                before = time.monotonic()
                keys = list(self._exchanges)
                views = await ask(connection, Question(self._directory, keys))
                self._confirmed = before
                for key, view in zip(keys, views, strict=True):
                    for exchange in self._exchanges.get(key, set()):
                        exchange.consider(view)
                if listen_seconds:
                    async for note in connection.notifies(timeout=listen_seconds, stop_after=1):
                        news.add(note.payload)
        except DatabaseGoneError as error:
            self._note_loss(error)
            return False
        self._directory.forget(news)
        return True

    async def _begin(self, connection: Connection) -> None:
        """A new connection: what happened before it was there has not been told."""
        await connection.execute(f"LISTEN {CHANNEL}")
        self._listening = connection
        self._directory.forget_all()
        for link in self._others:
            link.hope()

    def _note_loss(self, error: DatabaseGoneError) -> None:
        if self._listening is not None:
            log.warning("cannot look at what is published: %s", error)
            for link in self._others:
                link.doubt()
        self._listening = None

    async def _tick(self) -> None:
        """Between looks that fail, time goes on: grants expire, and at last the lease."""
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            if time.monotonic() - self._confirmed < _FRESH_SECONDS:
                continue
            for exchange in [each for same_key in self._exchanges.values() for each in same_key]:
                if self.trusted:
                    exchange.consider(None)
                else:
                    exchange.mistrust()
