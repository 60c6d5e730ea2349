"""Identifiers: time-ordered UUIDs for what we write, random tokens for what must not be guessed."""

import hashlib
import secrets
import time
from uuid import UUID

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def uuid7(unix_ms: int | None = None) -> UUID:
    """A version-7 UUID (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits.

    Statements are partitioned by month on their id, so ids must sort by time.
    """
    ms = time.time_ns() // 1_000_000 if unix_ms is None else unix_ms
    value = (ms & 0xFFFF_FFFF_FFFF) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def new_token(prefix: str, length: int = 40) -> str:
    """A secret such as ``tp_4fGh...``: ``length`` characters of base 62 (40 carry 238 bits)."""
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def derive_uuid7(base: UUID, part: str) -> UUID:
    """The id of a part of something that has an id: the time of `base`, the rest from a digest of both.

    The same base and part always give the same id, so a second submission of the same thing is recognised.
    """
    digest = hashlib.sha256(base.bytes + part.encode()).digest()
    tail = int.from_bytes(digest[:10], "big")
    value = base.int & ~((1 << 80) - 1) | tail
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
