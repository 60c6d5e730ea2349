"""What people said of a person's work: notes, ratings by rubric, decisions. Pure.

Each is read from one statement. What a person says of themselves is passed over here, whatever the actions
let through: nobody rates, observes or decides on themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from toprope.evidence.statement import Statement, Verb

SAID = frozenset({Verb.WAS_OBSERVED, Verb.WAS_APPROVED, Verb.WAS_DECLINED, Verb.CREATED, Verb.COACHED})
"""Verbs that only a person can vouch for."""


class Part(StrEnum):
    """In which part somebody decides on a rung."""

    MENTOR = "mentor"
    SECURITY = "security"
    PANEL = "panel"
    DATA_OWNER = "data_owner"


@dataclass(frozen=True, slots=True)
class Note:
    """An entrustment note: the supervision (1..5) that a supervisor wants for the next piece of such work."""

    statement: UUID
    by: str
    rung: str
    supervision: int
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Rating:
    """One rater's scores (1..4) by criterion; what was not observed is left out, and counted."""

    statement: UUID
    by: str
    scores: Mapping[str, int]
    not_observed: int
    critical_errors: int
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Assessment:
    """A practical carried out before raters, on a competency; a rubric may cover others beside it."""

    attempt: UUID
    rubric: str
    level: int
    competency: str
    framework: str
    ratings: tuple[Rating, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """Who sat on a panel, and what they were then: at S5 on the rung, of another team."""

    person: str
    supervises: bool
    other_team: bool


@dataclass(frozen=True, slots=True)
class Approval:
    """A decision for a rung (or against it), and what qualified whoever took it, as it was then.

    `founding`: nobody could take it by the rule yet, so the governance lead did (docs/decisions/0009).
    """

    statement: UUID
    by: str
    rung: str
    approved: bool
    parts: frozenset[str]
    founding: bool
    line_manager: bool
    members: tuple[Member, ...]
    timestamp: datetime
    purpose: str = ""
    ends_at: datetime | None = None


def about_oneself(statement: Statement) -> bool:
    """Whether somebody vouches for themselves where another person has to."""
    return statement.authority == str(statement.actor)


def read_note(statement: Statement) -> Note:
    """The note in a `was-observed` statement."""
    detail = statement.result.detail if statement.result else {}
    return Note(
        statement.id,
        statement.authority,
        statement.object.key,
        supervision_number(str(detail.get("supervision", ""))),
        statement.timestamp,
    )


def noted_competencies(statement: Statement) -> Mapping[str, int]:
    """The competencies that a note speaks of, with the level of the work that was seen."""
    detail = statement.result.detail if statement.result else {}
    return dict(detail.get("competencies", {}))


def read_rating(statement: Statement) -> Rating:
    """The rating in a `was-rated` statement on a rubric."""
    given = statement.result.response["scores"] if statement.result else {}
    detail = statement.result.detail if statement.result else {}
    return Rating(
        statement=statement.id,
        by=statement.authority,
        scores={key: int(score) for key, score in given.items() if score is not None},
        not_observed=sum(score is None for score in given.values()),
        critical_errors=len(detail.get("critical_errors", ())),
        timestamp=statement.timestamp,
    )


def read_approval(statement: Statement) -> Approval:
    """The decision in a `was-approved` or `was-declined` statement."""
    detail = statement.result.detail if statement.result else {}
    hours = detail.get("hours")
    return Approval(
        statement=statement.id,
        by=statement.authority,
        rung=statement.object.key,
        approved=statement.verb is Verb.WAS_APPROVED,
        parts=frozenset(detail.get("parts", ())),
        founding=bool(detail.get("founding", False)),
        line_manager=bool(detail.get("line_manager", False)),
        members=tuple(
            Member(each["person"], each["supervises"], each["other_team"])
            for each in detail.get("members", ())
            if each["person"] != str(statement.actor)
        ),
        timestamp=statement.timestamp,
        purpose=str(detail.get("purpose", "")),
        ends_at=None if hours is None else statement.timestamp + timedelta(hours=hours),
    )


def supervision_number(key: str) -> int:
    """3 of "S3"; 0 where it is no supervision level."""
    return int(key[1:]) if len(key) == 2 and key[0] == "S" and key[1] in "12345" else 0
