"""Reads of grants, keys, ceilings, and where somebody stands."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from toprope.authorization.logic import (
    Emergency,
    GrantFact,
    Standing,
    StepDown,
    Suspension,
    assess_standing,
    ladder_order,
)
from toprope.authorization.models import (
    EmergencyGrant,
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
from toprope.progression.api import Situation, UseDay, get_situation

_LISTED = 200


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


def list_uses(person: UUID) -> dict[str, tuple[UseDay, ...]]:
    """The days on which a person used each rung, in order."""
    found: dict[str, list[UseDay]] = {}
    for row in RungUse.objects.filter(person=person).order_by("rung", "day", "condition"):
        use = UseDay(row.day, row.count, row.condition, tuple(row.times), tuple(row.statements))
        found.setdefault(row.rung, []).append(use)
    return {rung: tuple(days) for rung, days in found.items()}


def list_emergencies(person: UUID) -> list[Emergency]:
    """The emergency grants of a person, oldest first."""
    return [_emergency(row) for row in EmergencyGrant.objects.filter(person=person).order_by("granted_at")]


def list_unreviewed() -> list[Emergency]:
    """Emergency grants of everybody that nobody has looked at yet, oldest first."""
    rows = EmergencyGrant.objects.filter(reviewed_at=None).order_by("granted_at")[:_LISTED]
    return [_emergency(row) for row in rows]


def get_case(person: UUID, now: datetime) -> Situation:
    """Everything that is known of a person for a rung's requirements."""
    return get_situation(person, now, list_uses(person))


def get_standing(person: UUID, now: datetime) -> Standing:
    """Where a person stands on the ladder at `now`, with a checklist for every rung."""
    grants = list_grants(person)
    deciders = {each.by for fact in grants for each in (fact.suspension, fact.step_down) if each}
    names = {uuid: each.name for uuid, each in get_people(deciders).items()} if deciders else {}
    return assess_standing(person, get_case(person, now), grants, names, list_emergencies(person))


def supervisors_of(rung: str, now: datetime) -> set[UUID]:
    """Active persons who hold the rung at S5 now, and so may supervise and decide on others there."""
    rows = Grant.objects.filter(rung=rung, supervision="S5", suspended_at=None)
    held = {row.person for row in rows if _is_supervisor(_fact(row), now)}
    return {uuid for uuid, person in get_people(held).items() if person.is_active}


def _is_supervisor(fact: GrantFact, now: datetime) -> bool:
    return fact.state(now) == "open" and fact.supervision_at(now) == "S5"


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


def _emergency(row: EmergencyGrant) -> Emergency:
    return Emergency(
        statement=row.statement,
        person=row.person,
        rung=row.rung,
        granted_at=row.granted_at,
        ends_at=row.ends_at,
        by=row.by,
        paired_with=row.paired_with,
        reason=row.reason,
        reviewed_at=row.reviewed_at,
        reviewed_by=row.reviewed_by,
    )


def _step_down(row: Grant) -> StepDown | None:
    if not (row.stepped_down_at and row.stepped_down_by and row.review_on):
        return None
    return StepDown(
        at=row.stepped_down_at,
        by=row.stepped_down_by,
        reason=row.step_down_reason,
        to=row.stepped_down_to,
        way_back=row.way_back,
        review_on=row.review_on,
        through=row.stepped_down_through,
    )


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
        unused_at=row.unused_at,
        focused_until=row.focused_until,
        focused_uses=row.focused_uses,
        evidence=tuple(row.evidence),
        confirmed_at=row.confirmed_at,
        suspension=suspension,
        step_down=_step_down(row),
    )
