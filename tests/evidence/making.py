"""Statements for the tests of this package."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.kit.ids import uuid7

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
AMARA = UUID("0198f3a0-0000-7000-8000-00000000000a")
BEN = UUID("0198f3a0-0000-7000-8000-00000000000b")


def make(actor: UUID = AMARA, verb: Verb = Verb.ANSWERED, number: int = 1, **more: Any) -> Statement:
    """A statement like those of practice; `number` tells one from another."""
    facts: dict[str, Any] = {
        "id": uuid7(),
        "object": Object(ObjectType.ITEM, f"SEC-01-{number:03}", "1.0.0"),
        "timestamp": NOW + timedelta(seconds=number),
        "result": Result(score=1.0, success=True, response={"choice": "b", "lines": [number]}),
        "context": Context(competency="SEC-01", level=1),
    }
    return Statement(actor=actor, verb=verb, **facts | more)
