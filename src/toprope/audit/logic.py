"""The hash chain of the audit record. Pure.

Every entry's hash covers its number, its payload and the hash before it, so that no entry can be changed,
taken out or moved without the chain showing it. What the chain cannot show, the witnesses do: a tail cut off,
or a chain computed anew from some entry on (`toprope.kit.witness`).
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

GENESIS = bytes(32)
"""The hash before the first entry."""

MAX_PROBLEMS = 1_000
"""So many problems are told one by one; further ones are counted."""


class EntryError(ValueError):
    """An entry that cannot be recorded; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an entry was appended: its number, and the hash of the chain up to it."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done: `tag` says what, `actor` who, `subject` to whom or what."""

    seq: int
    at: datetime
    tag: str
    actor: str
    subject: str
    detail: dict[str, Any]
    hash: bytes


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was written. `seq` is 0 where no entry can be named."""

    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found. `head` is the newest entry, None in an empty record.

    `witnesses` is how many there were to ask: with none, a tail that was cut off cannot be noticed.
    """

    entries: int
    head: Receipt | None
    problems: tuple[Problem, ...]
    witnesses: int = 0


class Row(NamedTuple):
    """An entry as the table has it."""

    seq: int
    hash: bytes
    payload: str
    at: datetime | None
    tag: str | None
    actor: str | None
    subject: str | None


class Sighting(NamedTuple):
    """What a witness saw: `name` says which one."""

    name: str
    seq: int
    hash: bytes


def chain_hash(previous: bytes, seq: int, payload: str) -> bytes:
    """The hash of entry `seq`, given the one before. The SQL function `audit_append` computes the same."""
    return sha256(previous + seq.to_bytes(8, "big", signed=True) + payload.encode()).digest()


def write_payload(tag: str, actor: UUID | str, subject: str, detail: Mapping[str, Any], at: datetime) -> str:
    """The JSON text of an entry. Raises `EntryError` for what JSON or PostgreSQL cannot hold."""
    if at.utcoffset() is None:
        raise EntryError("the entry's time has no time zone; give an aware datetime, best in UTC")
    if not tag or not str(actor):
        raise EntryError("an audit entry needs a tag and an actor")
    payload = {
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "tag": tag,
        "actor": str(actor),
        "subject": subject,
        "detail": dict(detail),
    }
    try:
        text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise EntryError(f"detail of {tag} holds what JSON cannot: {error}") from error
    return text


def read_detail(payload: str) -> dict[str, Any]:
    """The detail of an entry; empty where the payload was spoilt, so that it can still be looked at."""
    try:
        detail = json.loads(payload)["detail"]
    except (KeyError, TypeError, ValueError):
        return {}
    return detail if isinstance(detail, dict) else {}


def check_chain(rows: Iterable[Row], sightings: Collection[Sighting] = ()) -> Report:
    """Walk through the whole record, in order of `seq`, and tell everything that is not as it was written."""
    problems = Problems()
    seen: dict[int, list[Sighting]] = {}
    for sighting in sightings:
        seen.setdefault(sighting.seq, []).append(sighting)
    told: set[str] = set()  # a record computed anew contradicts a witness everywhere; once is enough
    count, head = 0, Receipt(0, GENESIS)
    for row in rows:
        count += 1
        for seq, what in _check_row(head, row):
            problems.add(seq, what)
        for sighting in seen.pop(row.seq, ()):
            if sighting.hash != row.hash and sighting.name not in told:
                told.add(sighting.name)
                problems.add(row.seq, f"the record was rewritten: witness {sighting.name} saw another hash")
        head = Receipt(row.seq, row.hash)
    for seq, gone in sorted(seen.items()):
        for name in {sighting.name for sighting in gone} - told:
            told.add(name)
            problems.add(seq, f"the entry is gone: witness {name} saw it; the record now ends at {head.seq}")
    return Report(entries=count, head=head if count else None, problems=problems.told())


class Problems:
    """Collects problems, at most `MAX_PROBLEMS` of them one by one."""

    def __init__(self) -> None:
        self._told: list[Problem] = []
        self._more = 0

    def add(self, seq: int, what: str) -> None:
        """Tell a problem, or count it where too many were told."""
        if len(self._told) < MAX_PROBLEMS:
            self._told.append(Problem(seq, what))
        else:
            self._more += 1

    def told(self) -> tuple[Problem, ...]:
        """All problems so far, with a last one that counts those not told one by one."""
        more = (Problem(0, f"and {self._more:,} further problems"),) if self._more else ()
        return (*self._told, *more)


def _check_row(before: Receipt, row: Row) -> Iterator[tuple[int, str]]:
    if row.seq <= before.seq:
        yield row.seq, "this number comes up more than once"
    elif row.seq == before.seq + 2:
        yield before.seq + 1, "the entry is missing"
    elif row.seq > before.seq + 2:
        yield before.seq + 1, f"the entries {before.seq + 1} to {row.seq - 1} are missing"
    elif chain_hash(before.hash, row.seq, row.payload) != row.hash:
        yield (
            row.seq,
            "the entry was changed: its hash does not follow from its payload and the hash before it",
        )
    for name in _differing_columns(row):
        yield row.seq, f"column {name} was changed: it differs from the payload"


def _differing_columns(row: Row) -> list[str]:
    try:
        body = json.loads(row.payload)
        expected = (datetime.fromisoformat(body["at"]), body["tag"], body["actor"], body["subject"])
    except (KeyError, TypeError, ValueError):
        return []  # such a payload was not written by us, and the hash says so
    if expected == row[3:]:
        return []
    names = ("at", "tag", "actor", "subject")
    return [name for name, wanted, found in zip(names, expected, row[3:], strict=True) if wanted != found]
