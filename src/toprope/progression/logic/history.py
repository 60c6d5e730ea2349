"""What a person has shown so far, read out of their statements. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from toprope.evidence.statement import ObjectType, Statement, Verb
from toprope.progression.logic.said import (
    SAID,
    Approval,
    Assessment,
    Note,
    Rating,
    about_oneself,
    noted_competencies,
    read_approval,
    read_note,
    read_rating,
)

FOLLOWED = SAID | {Verb.ACCEPTED, Verb.COMPLETED, Verb.SUBMITTED, Verb.WAS_RATED}
"""Verbs that can change what a person has shown. Single answers count through their sitting's completion."""

POLICY = "policy_accepted"
ITEMS = "auto_items"
MIXED = "mixed_items"
NOTE = "work_note"
RUBRIC = "rubric_assessment"
ARTEFACT = "artefact"
COACHING = "coaching"


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
    flaws: int = 0
    supervision: int = 0
    team: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """What happened, in the order of time, and what still waits for a person to rate it."""

    pieces: tuple[Piece, ...] = ()
    waiting: tuple[Piece, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    notes: tuple[Note, ...] = ()
    approvals: tuple[Approval, ...] = ()
    _by_kind: dict[tuple[str, str], list[Piece]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def of(self, kind: str, competency: str = "", level: int = 0) -> list[Piece]:
        """Pieces of a kind, on a competency at a level or above, oldest first."""
        if not self._by_kind:
            for piece in sorted(self.pieces, key=lambda each: each.timestamp):
                self._by_kind.setdefault((piece.kind, piece.competency), []).append(piece)
        return [each for each in self._by_kind.get((kind, competency), ()) if each.level >= level]

    def up_to_framework(self, reference: str) -> "History":
        """The pieces recorded before the first one under a later pack version than `reference`."""
        references = self.references()
        allowed = set(references[: references.index(reference) + 1])
        return replace(
            self,
            pieces=tuple(piece for piece in self.pieces if piece.framework in allowed),
            assessments=tuple(each for each in self.assessments if each.framework in allowed),
        )

    def moments(self) -> Iterator[datetime]:
        """When each thing happened, in no order."""
        yield from (piece.timestamp for piece in self.pieces)
        yield from (note.timestamp for note in self.notes)
        yield from (approval.timestamp for approval in self.approvals)
        yield from (rating.timestamp for each in self.assessments for rating in each.ratings)

    def references(self) -> list[str]:
        """The pack versions the pieces were earned under, oldest first."""
        seen = [(piece.timestamp, piece.framework) for piece in self.pieces]
        seen += [(each.ratings[0].timestamp, each.framework) for each in self.assessments]
        return list(dict.fromkeys(name for _, name in sorted(seen, key=lambda each: each[0]) if name))


def read_history(statements: Iterable[Statement]) -> History:
    """The history that `statements` tell. When something happened counts, not when it was recorded."""
    pieces: list[Piece] = []
    waiting: dict[UUID | None, Piece] = {}
    assessments: dict[UUID, Assessment] = {}
    notes: list[Note] = []
    approvals: list[Approval] = []
    for statement in sorted(statements, key=lambda each: each.timestamp):
        if statement.verb not in FOLLOWED or (_needs_another(statement) and about_oneself(statement)):
            continue
        if statement.verb is Verb.SUBMITTED:
            waiting[statement.context.sitting] = _piece(statement)
        elif statement.verb in (Verb.WAS_APPROVED, Verb.WAS_DECLINED):
            approvals.append(read_approval(statement))
        elif statement.verb is Verb.WAS_OBSERVED:
            notes.append(read_note(statement))
            pieces.extend(_noted(statement, notes[-1]))
        elif statement.object.type is ObjectType.RUBRIC:
            _add_rating(assessments, statement)
        else:
            waiting.pop(statement.context.sitting, None)
            pieces.append(_piece(statement))
    return History(
        tuple(pieces), tuple(waiting.values()), tuple(assessments.values()), tuple(notes), tuple(approvals)
    )


def _needs_another(statement: Statement) -> bool:
    return statement.verb in SAID or statement.verb is Verb.WAS_RATED


def _noted(statement: Statement, note: Note) -> Iterable[Piece]:
    """A note as evidence on each competency it speaks of, at the level of the work that was seen."""
    for competency, level in sorted(noted_competencies(statement).items()):
        yield replace(
            _piece(statement), kind=NOTE, competency=competency, level=level, supervision=note.supervision
        )


def _add_rating(assessments: dict[UUID, Assessment], statement: Statement) -> None:
    attempt, context = statement.context.sitting, statement.context
    if attempt is None:
        return
    rating: Rating = read_rating(statement)
    known = assessments.get(attempt)
    assessments[attempt] = Assessment(
        attempt=attempt,
        rubric=statement.object.key,
        level=context.level,
        competency=context.competency,
        framework=context.framework,
        ratings=(*(known.ratings if known else ()), rating),
    )


_KINDS = {ObjectType.POLICY: POLICY, ObjectType.ARTEFACT: ARTEFACT, ObjectType.PERSON: COACHING}


def _piece(statement: Statement) -> Piece:
    detail = statement.result.detail if statement.result else {}
    score = statement.result.score if statement.result else None
    context = statement.context
    return Piece(
        statement=statement.id,
        kind=_KINDS.get(statement.object.type, context.kind),
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
        flaws=detail.get("flawed", 0),
        team=detail.get("team", ""),
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
