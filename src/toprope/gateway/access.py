"""Who holds a key and what holds for everybody: a bounded copy of the published snapshot.

The copy may be old, and what arrives last wins, in whatever order it was asked. So a refusal is only given on
a fresh look, and an answer only leaves after the transaction that records the exchange has looked again (see
`record`).
"""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from toprope.gateway.database import Connection, Link
from toprope.policy.access import Access, Installation, decode_access, decode_installation

log = logging.getLogger("toprope.gateway")

CACHED_KEYS = 10_000
"""Keys kept in memory; the least recently used are forgotten first."""

# Documents travel only where the version is another than the one known.
_HOLDERS = """
    SELECT a.person, a.version, CASE WHEN a.version <> known.version THEN a.document END
    FROM unnest(%b::bytea[], %b::bigint[]) WITH ORDINALITY AS known (key_hash, version, number)
    LEFT JOIN gateway_access a ON a.key_hash = known.key_hash
    ORDER BY known.number
"""
_INSTALLATION = """
    SELECT version, CASE WHEN version <> %s THEN document END FROM gateway_installation WHERE id = 1
"""
_UNKNOWN = -(2**63)


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of a key, as published. A document that cannot be read is None, and opens nothing."""

    person: UUID
    version: int
    access: Access | None


@dataclass(frozen=True, slots=True)
class View:
    """What a decision is taken on; `holder` is None for a key that does not exist (any more)."""

    holder: Holder | None
    installation: Installation


class Question:
    """What is published for these keys, beyond what is known already? Asked within one transaction."""

    def __init__(self, directory: "Directory", keys: Sequence[bytes]) -> None:
        self._directory, self._keys = directory, keys
        self._known = [directory.cached(key) for key in keys]
        self._version, self._installation = directory.installation

    async def send(self, connection: Connection) -> None:
        """Send it; in a pipeline this does not wait."""
        versions = [_UNKNOWN if holder is None else holder.version for holder in self._known]
        self._holders = await connection.execute(_HOLDERS, (self._keys, versions))
        self._installed = await connection.execute(_INSTALLATION, (self._version,))

    async def receive(self) -> list[View]:
        """The answer, one view for each key; the directory learns from it."""
        row = await self._installed.fetchone()
        if row is None:
            self._version, self._installation = _UNKNOWN, Installation()
        elif row[1] is not None:
            self._version, self._installation = row[0], _read_installation(row[1])
        self._directory.installation = (self._version, self._installation)
        views = []
        rows = await self._holders.fetchall()
        for key, known, found in zip(self._keys, self._known, rows, strict=True):
            holder = _read_holder(known, found)
            self._directory.learn(key, holder)
            views.append(View(holder, self._installation))
        return views


class Directory:
    """The copy, and the way to look again."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._holders: OrderedDict[bytes, Holder] = OrderedDict()
        self.installation: tuple[int, Installation] = (_UNKNOWN, Installation())

    async def look_up(self, key_hash: bytes, *, fresh: bool = False) -> View:
        """The view on one key: the copy's if it has one, else, or if `fresh`, the database's."""
        if not fresh and (holder := self._holders.get(key_hash)) is not None:
            self._holders.move_to_end(key_hash)
            return View(holder, self.installation[1])
        async with self._link.use() as connection:
            (view,) = await ask(connection, Question(self, [key_hash]))
        return view

    def cached(self, key_hash: bytes) -> Holder | None:
        """What the copy says of a key."""
        return self._holders.get(key_hash)

    def learn(self, key_hash: bytes, holder: Holder | None) -> None:
        """Take in news of a key."""
        if holder is None:
            self._holders.pop(key_hash, None)
            return
        self._holders[key_hash] = holder
        self._holders.move_to_end(key_hash)
        if len(self._holders) > CACHED_KEYS:
            self._holders.popitem(last=False)

    def forget(self, persons: Iterable[str]) -> None:
        """Drop the copies of these persons' keys: something about them has changed."""
        changed = set(persons)
        for key in [key for key, holder in self._holders.items() if str(holder.person) in changed]:
            del self._holders[key]

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()

    def forget_all(self) -> None:
        """Drop every copy: news may have been missed."""
        self._holders.clear()


async def ask(connection: Connection, question: Question) -> list[View]:
    """Ask outside of any transaction, in one round trip."""
    async with connection.pipeline():
        await question.send(connection)
    return await question.receive()


def _read_holder(known: Holder | None, row: tuple[Any, ...]) -> Holder | None:
    person, version, document = row
    if version is None:
        return None
    if document is None:
        return known
    try:
        return Holder(person, version, decode_access(document))
    except msgspec.MsgspecError:
        log.exception("gateway_access holds a document that cannot be read, for person %s; refusing", person)
        return Holder(person, version, None)


def _read_installation(document: str) -> Installation:
    try:
        return decode_installation(document)
    except msgspec.MsgspecError:
        log.exception("gateway_installation holds a document that cannot be read; refusing everybody")
        return Installation()
