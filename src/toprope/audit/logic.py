"""The hash chain of the audit record. Pure.

Every entry's hash covers its number, its payload and the hash before it, so that no entry can be changed, taken out
or moved without the chain showing it from there on. What the chain cannot show, a tail cut off or a chain computed
anew from some entry on, the witnesses do (`toprope.kit.witness`).
"""

import json
from collections.abc import Collection, Iterable, Mapping
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
    """What a verification found. `head` is the newest entry, None in an empty record."""

    entries: int
    head: Receipt | None
    problems: tuple[Problem, ...]


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
    """The hash of entry `seq`, given the hash before it. The SQL function `audit_append` computes the same."""
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


def read_entry(seq: int, hash_: bytes, payload: str) -> Entry:
    """The entry that a payload describes."""
    body = json.loads(payload)
    return Entry(
        seq=seq,
        at=datetime.fromisoformat(body["at"]),
        tag=body["tag"],
        actor=body["actor"],
        subject=body["subject"],
        detail=body["detail"],
        hash=bytes(hash_),
    )


def check_chain(rows: Iterable[Row], sightings: Collection[Sighting] = ()) -> Report:
    """Walk through the whole record, in order of `seq`, and tell everything that is not as it was written."""
    problems = Problems()
    previous, count, last = GENESIS, 0, 0
    seen: dict[int, list[Sighting]] = {}
    for sighting in sightings:
        seen.setdefault(sighting.seq, []).append(sighting)
    for row in rows:
        count += 1
        if row.seq <= last:
            problems.add(row.seq, "there is more than one entry of this number")
        elif row.seq > last + 1:
            problems.add(last + 1, _missing(last + 1, row.seq - 1))
        elif chain_hash(previous, row.seq, row.payload) != row.hash:
            problems.add(row.seq, "the entry was changed: its hash does not follow from its content and the one before")
        for what in _check_columns(row):
            problems.add(row.seq, what)
        for sighting in seen.pop(row.seq, ()):
            if sighting.hash != row.hash:
                problems.add(row.seq, f"the record was rewritten: witness {sighting.name} saw another hash")
        previous, last = row.hash, row.seq
    for seq in sorted(seen):
        for sighting in seen[seq]:
            problems.add(
                seq,
                f"the entry is gone: witness {sighting.name} saw it, and the record ends at {last}"
                if seq > last
                else f"the entry is gone: witness {sighting.name} saw it",
            )
    head = Receipt(last, previous) if count else None
    return Report(entries=count, head=head, problems=problems.told())


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


def _missing(first: int, last: int) -> str:
    return "the entry is missing" if first == last else f"the entries {first} to {last} are missing"


def _check_columns(row: Row) -> list[str]:
    try:
        body = json.loads(row.payload)
        expected = (datetime.fromisoformat(body["at"]), body["tag"], body["actor"], body["subject"])
    except (KeyError, TypeError, ValueError):
        return ["the payload is not that of an entry"]
    if expected == row[3:]:
        return []
    names = ("at", "tag", "actor", "subject")
    return [
        f"column {name} differs from the payload"
        for name, wanted, found in zip(names, expected, row[3:], strict=True)
        if wanted != found
    ]
