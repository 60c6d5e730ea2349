"""Reads of the progression stage."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from toprope.competency.api import Framework, current_framework
from toprope.content.api import current_policy, list_practicals, pool_sizes
from toprope.evidence.api import list_statements
from toprope.progression.logic import (
    FOLLOWED,
    Catalogue,
    Checklist,
    History,
    LevelHeld,
    Situation,
    check_rung,
    read_history,
)
from toprope.progression.models import LevelAward


def get_history(person: UUID) -> History:
    """What a person has shown so far."""
    return read_history(recorded.statement for recorded in list_statements(actor=person, verbs=FOLLOWED))


def get_catalogue(framework: Framework) -> Catalogue:
    """What a pack offers: practicals and item pools."""
    return _offer(framework.reference, framework.digest)[0]


@lru_cache(maxsize=8)
def _offer(reference: str, digest: str) -> tuple[Catalogue, str]:
    """What a pack offers, and the version of its policy. A pack that was loaded never changes."""
    del digest  # part of the key: two databases may know different packs by one reference
    practicals = list_practicals(reference)
    catalogue = Catalogue(
        practicals={(each.competency, each.level, each.evidence_kind): each.key for each in practicals},
        pools=pool_sizes(reference),
        minutes={each.key: each.minutes for each in practicals},
    )
    return catalogue, current_policy(reference).version


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
    return situation_of(current_framework(), get_history(person), levels, now)


def situation_of(
    framework: Framework, history: History, levels: Mapping[tuple[str, int], LevelHeld], now: datetime
) -> Situation:
    """The situation for a history and levels that the caller already has."""
    catalogue, policy_version = _offer(framework.reference, framework.digest)
    return Situation(framework, history, levels, catalogue, policy_version, now)


def get_rung_checklist(person: UUID, rung: str, opened: Mapping[str, datetime], now: datetime) -> Checklist:
    """What a rung asks of a person. Raises KeyError for a rung the framework does not have."""
    situation = get_situation(person, now)
    return check_rung(situation, situation.framework.rungs[rung], opened)


def get_level_checklist(person: UUID, competency: str, level: int, now: datetime) -> Checklist:
    """What a level asks of a person. Raises KeyError for a competency the framework does not have."""
    situation = get_situation(person, now)
    return situation.check_level(competency, level)
