"""Reads of the authorization stage."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from toprope.authorization.logic import GrantFact, Standing, Suspension, Use, assess_standing, ladder_order
from toprope.authorization.models import (
    GatewayKey,
    Grant,
    RepositoryCeiling,
    RungHold,
    RungUse,
    ToolCeiling,
)
from toprope.competency.api import current_framework
from toprope.people.api import Person, get_people
from toprope.policy.access import Hold, Installation
from toprope.policy.access import Rung as PublishedRung
from toprope.progression.api import get_situation


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as its owner sees it; the secret itself is not kept anywhere."""

    uuid: UUID
    label: str
    prefix: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HoldView:
    rung: str
    reason: str
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class ToolView:
    model: str
    rung: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class RepositoryView:
    key: str
    tier: str
    rung: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What limits everybody: holds by rung, tools and repositories with their highest rung."""

    holds: tuple[HoldView, ...]
    tools: tuple[ToolView, ...]
    repositories: tuple[RepositoryView, ...]


def list_grants(person: UUID) -> list[GrantFact]:
    """Every grant a person was ever issued."""
    return list_grants_of([person]).get(person, [])


def list_grants_of(persons: Collection[UUID]) -> dict[UUID, list[GrantFact]]:
    """The grants of several persons, in one query."""
    found: dict[UUID, list[GrantFact]] = {}
    for row in Grant.objects.filter(person__in=persons).order_by("person", "id"):
        found.setdefault(row.person, []).append(_fact(row))
    return found


def list_uses(person: UUID) -> dict[str, Use]:
    """How often a person used each rung."""
    return {row.rung: Use(row.count, row.last_on) for row in RungUse.objects.filter(person=person)}


def get_standing(person: UUID, now: datetime) -> Standing:
    """Where a person stands on the ladder at `now`, with a checklist for every rung."""
    grants = list_grants(person)
    deciders = {fact.suspension.by for fact in grants if fact.suspension}
    names = {uuid: each.name for uuid, each in get_people(deciders).items()} if deciders else {}
    return assess_standing(person, get_situation(person, now), grants, names)


def list_keys(person: Person) -> list[KeyView]:
    """A person's keys that still open something, newest first."""
    rows = GatewayKey.objects.filter(person=person, revoked_at=None).order_by("-created_at")
    return [KeyView(row.uuid, row.label, row.prefix, row.created_at) for row in rows]


def find_person_by_key(secret: str) -> Person | None:
    """The active person whose key this is; None for anything else.

    The look-up is by digest of a random secret, so that its timing tells nothing about other keys.
    """
    row = (
        GatewayKey.objects.filter(hash=hash_secret(secret), revoked_at=None).select_related("person").first()
    )
    return row.person if row is not None and row.person.is_active else None


def hash_secret(secret: str) -> bytes:
    """SHA-256; enough for a secret of 238 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def get_ceilings() -> Ceilings:
    """Holds, tools and repositories as they stand."""
    holds = list(RungHold.objects.order_by("rung"))
    people = get_people({row.decided_by for row in holds}) if holds else {}
    return Ceilings(
        holds=tuple(
            HoldView(row.rung, row.reason, _name(people.get(row.decided_by)), row.decided_at) for row in holds
        ),
        tools=tuple(
            ToolView(row.model, row.rung, row.decided_at) for row in ToolCeiling.objects.order_by("model")
        ),
        repositories=tuple(
            RepositoryView(row.key, row.tier, row.rung, row.decided_at)
            for row in RepositoryCeiling.objects.order_by("key")
        ),
    )


def describe_installation() -> Installation:
    """The ladder and the ceilings in the form the gateway reads."""
    ceilings = get_ceilings()
    return Installation(
        ladder=tuple(
            PublishedRung(rung.key, rung.name, rung.capability, rung.after)
            for rung in ladder_order(current_framework())
        ),
        tools={tool.model: tool.rung for tool in ceilings.tools},
        repositories={repository.key: repository.rung for repository in ceilings.repositories},
        holds=tuple(Hold(hold.rung, hold.reason, hold.decided_by) for hold in ceilings.holds),
        base_url=settings.BASE_URL,
    )


def _name(person: Person | None) -> str:
    return person.name if person else "a person who has left"


def _fact(row: Grant) -> GrantFact:
    suspension = None
    if row.suspended_at and row.suspended_by and row.suspended_until:
        suspension = Suspension(
            at=row.suspended_at,
            by=row.suspended_by,
            reason=row.suspension_reason,
            until=row.suspended_until,
            through=row.suspended_through,
        )
    return GrantFact(
        rung=row.rung,
        supervision=row.supervision,
        tiers=tuple(row.tiers),
        data=tuple(row.data),
        framework=row.framework,
        provisional=row.provisional,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        focused_until=row.focused_until,
        focused_uses=row.focused_uses,
        evidence=tuple(row.evidence),
        suspension=suspension,
    )
