"""What a person has shown so far, read out of their statements. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from toprope.evidence.statement import ObjectType, Statement, Verb

FOLLOWED = frozenset({Verb.ACCEPTED, Verb.COMPLETED, Verb.SUBMITTED, Verb.WAS_RATED})
"""Verbs that can change what a person has shown. Single answers count through their sitting's completion."""

POLICY = "policy_accepted"
ITEMS = "auto_items"
MIXED = "mixed_items"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a sitting ended with: P(ability >= cut) then, the certainty asked, and until when that will hold.

    `lasts_until` is None where the certainty asked was not reached.
    """

    certainty: float
    threshold: float
    lasts_until: datetime | None


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence. `score` is scaled to 0..1.

    `asked`, `drawn` and `pool` belong to sittings: how many items the rule asks for, how many were drawn,
    and how many the pool held then. `measured` is what the estimate could vouch for when a sitting ended.
    """

    statement: UUID
    kind: str
    key: str
    version: str
    competency: str
    level: int
    rung: str
    framework: str
    score: float
    timestamp: datetime
    authority: str
    asked: int = 0
    drawn: int = 0
    pool: int = 0
    critical_misses: int = 0
    measured: Measured | None = None


@dataclass(frozen=True, slots=True)
class History:
    """The pieces in the order they were recorded, and what still waits for a person to rate it."""

    pieces: tuple[Piece, ...] = ()
    waiting: tuple[Piece, ...] = ()

    def of(self, kind: str, competency: str = "", level: int = 0) -> list[Piece]:
        """Pieces of a kind, on a competency at a level or above."""
        return [
            piece
            for piece in self.pieces
            if piece.kind == kind and piece.competency == competency and piece.level >= level
        ]

    def up_to_framework(self, reference: str) -> "History":
        """The pieces recorded before the first one under a later pack version than `reference`."""
        references = self.references()
        allowed = set(references[: references.index(reference) + 1])
        return History(tuple(piece for piece in self.pieces if piece.framework in allowed), self.waiting)

    def references(self) -> list[str]:
        """The pack versions the pieces were earned under, oldest first."""
        return list(dict.fromkeys(piece.framework for piece in self.pieces if piece.framework))


def read_history(statements: Iterable[Statement]) -> History:
    """The history that `statements`, in recorded order, tell."""
    pieces: list[Piece] = []
    waiting: dict[UUID | None, Piece] = {}
    for statement in statements:
        if statement.verb is Verb.SUBMITTED:
            waiting[statement.context.sitting] = _piece(statement)
        elif statement.verb in FOLLOWED:
            waiting.pop(statement.context.sitting, None)
            pieces.append(_piece(statement))
    return History(tuple(pieces), tuple(waiting.values()))


def _piece(statement: Statement) -> Piece:
    detail = statement.result.detail if statement.result else {}
    score = statement.result.score if statement.result else None
    context = statement.context
    return Piece(
        statement=statement.id,
        kind=POLICY if statement.object.type is ObjectType.POLICY else context.kind,
        key=statement.object.key,
        version=statement.object.version,
        competency=context.competency,
        level=context.level,
        rung=context.rung,
        framework=context.framework,
        score=0.0 if score is None else score,
        timestamp=statement.timestamp,
        authority=statement.authority,
        asked=detail.get("asked", 0),
        drawn=detail.get("drawn", 0),
        pool=detail.get("pool", 0),
        critical_misses=detail.get("critical_misses", 0),
        measured=_measured(detail.get("measured")),
    )


def _measured(told: Mapping[str, Any] | None) -> Measured | None:
    if told is None:
        return None
    lasts_until = told["lasts_until"]
    return Measured(
        told["certainty"],
        told["threshold"],
        None if lasts_until is None else datetime.fromisoformat(lasts_until),
    )
