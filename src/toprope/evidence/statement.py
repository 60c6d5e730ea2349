"""What a statement is: one thing that happened, in the shape of xAPI (IEEE 9274.1.1). Pure.

``actor`` is always the person the statement is about; ``authority`` is who vouches for it. So a mentor's
rating of Amara's work reads "Amara was rated on GOV-01, says mentor Ben".
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

MAX_BYTES = 65_536
"""Upper bound on a statement's canonical form; longer ones are refused by `Statement.check`."""

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # as JSON writes it, not behind an escaped backslash


class Verb(StrEnum):
    """What happened. Written from the actor's point of view."""

    ACCEPTED = "accepted"  # a policy version
    STARTED = "started"  # a sitting, with the items drawn for it
    ANSWERED = "answered"  # an item
    COMPLETED = "completed"  # a sitting, or a practical scored by execution
    SUBMITTED = "submitted"  # work that a person has to rate
    WAS_RATED = "was-rated"  # that work, or a practical by its rubric; by a person
    WAS_OBSERVED = "was-observed"  # doing a piece of a rung's work: an entrustment note
    CREATED = "created"  # something that a team took into use
    COACHED = "coached"  # a person, who reached what they were coached for
    WAS_APPROVED = "was-approved"  # for a rung, by an authority that the rung names
    WAS_DECLINED = "was-declined"  # for a rung, with reasons
    WAS_MOVED_UP = "was-moved-up"  # on a rung, to more independence
    WAS_STEPPED_DOWN = "was-stepped-down"  # on a rung, to less independence, or from it
    WAS_CONFIRMED = "was-confirmed"  # on a rung, at the end of the focused period
    WAS_SUSPENDED = "was-suspended"  # from a rung
    WAS_REINSTATED = "was-reinstated"  # on a rung
    WAS_LET_IN = "was-let-in"  # on a rung, for some hours of an incident
    WAS_REVIEWED = "was-reviewed"  # afterwards: how those hours went
    USED = "used"  # a rung: through the gateway, or beside a supervisor
    VOIDED = "voided"  # an earlier statement, named in `context.voids`


class ObjectType(StrEnum):
    """What it happened to."""

    POLICY = "policy"
    SITTING = "sitting"
    ITEM = "item"
    PRACTICAL = "practical"
    RUNG = "rung"
    RUBRIC = "rubric"
    ARTEFACT = "artefact"
    PERSON = "person"
    STATEMENT = "statement"


TOPROPE = "toprope"
"""Authority of statements that Toprope itself vouches for (scored by rule or by execution)."""

GATEWAY = "gateway"
"""Authority of statements that the gateway records."""


class StatementError(ValueError):
    """A statement that cannot be recorded; the message says which part, and what would be right."""


@dataclass(frozen=True, slots=True)
class Object:
    """What the statement is about: `key` and `version` as the content pack names them."""

    type: ObjectType
    key: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """How it went. `score` is scaled to 0..1; `response` is what the person gave, as JSON values."""

    score: float | None = None
    success: bool | None = None
    response: Any = None
    seconds: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """Under what circumstances. Empty strings mean "does not apply"."""

    framework: str = ""  # "toprope-default@1.0.0": the pack version that was in force
    competency: str = ""  # "SEC-01"
    level: int = 0  # 1..4, 0 where no level applies
    rung: str = ""  # "R1"
    kind: str = ""  # evidence kind of the framework: auto_items, flaw_hunt, sandbox_session, ...
    sitting: UUID | None = None  # groups the answers of one sitting, the parts of one attempt
    condition: str = ""  # "", "unaided", "ai_allowed", "paired", "sandbox", ...
    voids: UUID | None = None  # only with Verb.VOIDED


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that happened. Immutable; a mistake is corrected by a voiding statement."""

    id: UUID
    actor: UUID
    verb: Verb
    object: Object
    timestamp: datetime
    authority: str = TOPROPE
    result: Result | None = None
    context: Context = field(default_factory=Context)

    def check(self) -> None:
        """Raise `StatementError` where the statement breaks the rules that all statements keep."""
        if self.timestamp.utcoffset() is None:
            raise StatementError("timestamp has no time zone; give an aware datetime, best in UTC")
        if not 0 < len(self.object.key) <= 500:
            raise StatementError("object.key names the thing the statement is about, in 1 to 500 characters")
        if not 0 < len(self.authority) <= 200:
            raise StatementError("authority names who vouches for the statement, in 1 to 200 characters")
        if (self.verb is Verb.VOIDED) != (self.context.voids is not None):
            raise StatementError("context.voids goes with the verb 'voided', and only with it")
        score = self.result.score if self.result else None
        if score is not None and not 0.0 <= score <= 1.0:
            raise StatementError(f"result.score is {score}; scale it to 0..1")
        text = canonical(self)
        if _NUL.search(text):
            raise StatementError("a text holds the character NUL, which no database takes; leave it out")
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise StatementError(f"a text holds half a character, which is no Unicode: {error}") from error
        if size > MAX_BYTES:
            raise StatementError(f"statement has {size:,} bytes; at most {MAX_BYTES:,} are taken")


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def _fields(part: Any) -> dict[str, Any]:
    """The fields of a slotted dataclass; `dataclasses.asdict` copies all values, and takes far longer."""
    return {name: getattr(part, name) for name in part.__slots__}


def canonical(statement: Statement) -> str:
    """The one JSON text of a statement: sorted keys, no spaces, UTC times. Digests are taken of this."""
    body = _fields(statement)
    body["id"], body["actor"] = str(statement.id), str(statement.actor)
    body["timestamp"] = statement.timestamp.astimezone(UTC).isoformat(timespec="microseconds")
    body["object"], body["context"] = _fields(statement.object), _fields(statement.context)
    body["result"] = None if statement.result is None else _fields(statement.result)
    for name in ("sitting", "voids"):
        value = body["context"][name]
        body["context"][name] = None if value is None else str(value)
    try:
        return _encode(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise StatementError(f"result holds a value that JSON cannot: {error}") from error


def digest(statement: Statement) -> str:
    """SHA-256 of the canonical form, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(statement).encode()).hexdigest()


def parse(text: str) -> Statement:
    """The statement that `canonical` wrote. Raises `StatementError` for anything else."""
    try:
        body = json.loads(text)
        context = body["context"]
        for name in ("sitting", "voids"):
            if context[name] is not None:
                context[name] = UUID(context[name])
        return Statement(
            id=UUID(body["id"]),
            actor=UUID(body["actor"]),
            verb=Verb(body["verb"]),
            object=Object(
                ObjectType(body["object"]["type"]), body["object"]["key"], body["object"]["version"]
            ),
            timestamp=datetime.fromisoformat(body["timestamp"]),
            authority=body["authority"],
            result=None if body["result"] is None else Result(**body["result"]),
            context=Context(**context),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StatementError(f"not a statement in canonical form: {error}") from error
