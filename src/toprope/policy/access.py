"""The snapshot: all that the gateway must know of a person and of the installation to decide a call. Pure.

Authorization writes these documents, the gateway reads them; neither knows the other's tables. Times are
seconds since the Unix epoch, so that the hot path compares numbers.
"""

from enum import StrEnum

import msgspec


class GrantState(StrEnum):
    """Where a grant stands. Only `ACTIVE` lets anything through."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Grant(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person's grant on one rung."""

    rung: str
    state: GrantState
    supervision: str  # "S1".."S5"; S1 means watch only and lets nothing through
    expires_at: float
    tiers: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    provisional: bool = False
    focused: bool = False  # still in its focused period: every use is looked at
    reason: str = ""  # for a suspension: what the mentor wrote
    decided_by: str = ""  # for a suspension: who decided, by name
    until: float = 0.0  # for a suspension: when it needs a decision at the latest


class Access(msgspec.Struct, frozen=True, omit_defaults=True):
    """One person as the gateway sees them. `missing` says, by rung not granted, what is still asked."""

    person: str  # uuid
    name: str
    grants: tuple[Grant, ...] = ()
    missing: dict[str, str] = msgspec.field(default_factory=dict)


class Rung(msgspec.Struct, frozen=True):
    """A rung of the ladder. `after` names the rungs that come before it."""

    id: str
    name: str
    capability: str
    after: tuple[str, ...] = ()


class Hold(msgspec.Struct, frozen=True):
    """The global switch on one rung: nobody gets past S1 while it stands."""

    rung: str
    reason: str
    decided_by: str


class Installation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What holds for everybody: the ladder and the ceilings of tools and repositories.

    A tool is a model name as clients send it, with ``*`` at the end standing for any rest; its ceiling is the
    highest rung it is admitted for. A repository goes by its key. What is not listed is not admitted.
    """

    ladder: tuple[Rung, ...] = ()
    tools: dict[str, str] = msgspec.field(default_factory=dict)
    repositories: dict[str, str] = msgspec.field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    base_url: str = ""  # where the pages live, for links in refusals


def encode(document: Access | Installation) -> bytes:
    """The document as JSON."""
    return msgspec.json.encode(document)


def decode_access(text: bytes | str) -> Access:
    """The access document in `text`; raises `msgspec.ValidationError` for anything else."""
    return msgspec.json.decode(text, type=Access)


def decode_installation(text: bytes | str) -> Installation:
    """The installation document in `text`; raises `msgspec.ValidationError` for anything else."""
    return msgspec.json.decode(text, type=Installation)
