"""One connection to PostgreSQL that heals itself."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

log = logging.getLogger("toprope.gateway")

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

_FIRST_DELAY, _LONGEST_DELAY = 0.05, 2.0


class DatabaseGoneError(Exception):
    """The database did not do what was asked of it; the message is for the log, not for clients."""


class Link:
    """A connection for one purpose, used by one at a time.

    Lost, it is made again at the next use, but not before a bounded, growing pause after the last failure, in
    which every use fails at once: a caller who waits for an answer is better served by a quick no.
    """

    def __init__(self, database_url: str, purpose: str, limit: float) -> None:
        self._url, self._purpose, self._limit = database_url, purpose, limit
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()
        self._delay, self._not_before = 0.0, 0.0
        self._doubtful = False

    def doubt(self) -> None:
        """The server may have gone since the last use: the next one makes the connection again."""
        self._doubtful = True

    def hope(self) -> None:
        """The server is there again: the next use need not wait any longer."""
        self._not_before = 0.0

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Connection]:
        """The connection, in autocommit mode. Whatever fails with it becomes `DatabaseGoneError`."""
        try:
            async with asyncio.timeout(self._limit), self._lock:
                if self._doubtful:
                    await self.close()
                connection = self._connection or await self._open()
                try:
                    yield connection
                finally:
                    await self._keep_or_drop(connection)
        except (psycopg.Error, OSError, TimeoutError) as error:
            raise DatabaseGoneError(f"{self._purpose}: {type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection, self._doubtful = self._connection, None, False
        if connection is not None:
            with suppress(psycopg.Error, OSError):
                await connection.close()

    async def _open(self) -> Connection:
        if time.monotonic() < self._not_before:
            raise DatabaseGoneError(f"{self._purpose}: not connected")
        self._delay = min(max(self._delay * 2, _FIRST_DELAY), _LONGEST_DELAY)
        self._not_before = time.monotonic() + self._delay
        # In milliseconds; what we no longer wait for must not happen later behind our back.
        limit = sql.Literal(int(self._limit * 800))
        connection = await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, application_name=f"toprope gateway: {self._purpose}"
        )
        try:
            await connection.execute(sql.SQL("SET statement_timeout = {}").format(limit))
            await connection.execute(sql.SQL("SET lock_timeout = {}").format(limit))
            await connection.execute(
                "SELECT set_config('synchronous_commit', 'on', false)"
                " WHERE current_setting('synchronous_commit') = 'off'"
            )
        except BaseException:
            await connection.close()
            raise
        self._connection, self._delay, self._not_before = connection, 0.0, 0.0
        return connection

    async def _keep_or_drop(self, connection: Connection) -> None:
        """Keep a connection that is ready for the next use, drop one in an unknown state."""
        if connection.closed or connection.info.transaction_status is not TransactionStatus.IDLE:
            await self.close()
