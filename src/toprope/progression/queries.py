"""Reads of the progression stage."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias
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
    Period,
    Situation,
    UseDay,
    read_history,
)
from toprope.progression.models import LevelAward

Uses: TypeAlias = Mapping[str, tuple[UseDay, ...]]
"""How a person used each rung; the authorization stage keeps count."""


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
                gaps=tuple(map(Period, row.gap_starts, row.gap_ends)),
            )
        )
    return found


def holders_of_level(competency: str, level: int, now: datetime) -> set[UUID]:
    """Everybody who holds a level of a competency, or a higher one, and has not let it lapse."""
    rows = LevelAward.objects.filter(competency=competency, level__gte=level, lapses_at__gt=now)
    return set(rows.filter(provisional=False).values_list("person", flat=True))


def get_situation(person: UUID, now: datetime, uses: Uses) -> Situation:
    """Everything a rung's or a level's requirements are checked against for this person."""
    levels = {(held.competency, held.level): held for held in list_levels(person)}
    return situation_of(current_framework(), get_history(person), levels, now, uses)


def situation_of(
    framework: Framework,
    history: History,
    levels: Mapping[tuple[str, int], LevelHeld],
    now: datetime,
    uses: Uses,
) -> Situation:
    """The situation for a history, levels and uses that the caller already has.

    What is on record has happened: where a clock elsewhere ran ahead, the present is no earlier than that.
    """
    catalogue, policy_version = _offer(framework.reference, framework.digest)
    present = max([now, *history.moments()])
    return Situation(framework, history, levels, catalogue, policy_version, present, uses)


def get_level_checklist(person: UUID, competency: str, level: int, now: datetime) -> Checklist:
    """What a level asks of a person. Raises KeyError for a competency the framework does not have."""
    return get_situation(person, now, {}).check_level(competency, level)
