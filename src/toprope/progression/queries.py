"""Reads of the progression stage."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from toprope.competency.api import current_framework
from toprope.content.api import current_policy, list_practicals, pool_sizes
from toprope.evidence.api import list_statements
from toprope.progression.logic import (
    FOLLOWED,
    Catalogue,
    Checklist,
    History,
    LevelHeld,
    Situation,
    check_level,
    check_rung,
    read_history,
)
from toprope.progression.models import LevelAward


def get_history(person: UUID) -> History:
    """What a person has shown so far."""
    return read_history(recorded.statement for recorded in list_statements(actor=person, verbs=FOLLOWED))


def get_catalogue() -> Catalogue:
    """What the pack in force offers: practicals and item pools."""
    practicals = {
        (practical.competency, practical.level, practical.evidence_kind): practical.key
        for practical in list_practicals()
    }
    return Catalogue(practicals, pool_sizes())


def list_levels(person: UUID) -> list[LevelHeld]:
    """The levels a person holds, lapsed ones included; ask `LevelHeld.current(now)`."""
    return list_levels_of([person]).get(person, [])


def list_levels_of(persons: Collection[UUID]) -> dict[UUID, list[LevelHeld]]:
    """The levels of several persons, in one query."""
    found: dict[UUID, list[LevelHeld]] = {}
    for row in LevelAward.objects.filter(person__in=persons).order_by("person", "competency", "level"):
        found.setdefault(row.person, []).append(
            LevelHeld(
                competency=row.competency,
                level=row.level,
                awarded_at=row.awarded_at,
                renewed_at=row.renewed_at,
                provisional=row.provisional,
                framework=row.framework,
                refresh_by=row.refresh_by,
                lapses_at=row.lapses_at,
                evidence=tuple(row.evidence),
            )
        )
    return found


def get_situation(person: UUID, now: datetime) -> Situation:
    """Everything a rung's or a level's requirements are checked against for this person."""
    levels = {(held.competency, held.level): held for held in list_levels(person)}
    return situation_of(get_history(person), levels, now)


def situation_of(history: History, levels: Mapping[tuple[str, int], LevelHeld], now: datetime) -> Situation:
    """The situation for a history and levels that the caller already has."""
    return Situation(
        framework=current_framework(),
        history=history,
        levels=levels,
        catalogue=get_catalogue(),
        policy_version=current_policy().version,
        now=now,
    )


def get_rung_checklist(person: UUID, rung: str, opened: Mapping[str, datetime], now: datetime) -> Checklist:
    """What a rung asks of a person. Raises KeyError for a rung the framework does not have."""
    situation = get_situation(person, now)
    return check_rung(situation, situation.framework.rungs[rung], opened)


def get_level_checklist(person: UUID, competency: str, level: int, now: datetime) -> Checklist:
    """What a level asks of a person. Raises KeyError for a competency the framework does not have."""
    situation = get_situation(person, now)
    return check_level(situation.case(competency, level))
