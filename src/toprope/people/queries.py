"""Reads. Persons come with their team and department, so that showing them asks nothing more."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from toprope.people import logic
from toprope.people.logic import Charge
from toprope.people.models import Department, Duty, DutyKind, Organisation, Person, SignInTry, Team


def _persons() -> QuerySet[Person]:
    return Person.objects.select_related("team__department")


def get_organisation() -> Organisation | None:
    """The organisation of this installation; None before it is set up."""
    return Organisation.objects.order_by("id").first()


def get_person(uuid: UUID) -> Person:
    """The person with this uuid; raises `Person.DoesNotExist`."""
    return _persons().get(uuid=uuid)


def find_person(key: str) -> Person | None:
    """The person with this key."""
    return _persons().filter(key=key).first()


def get_people(uuids: Iterable[UUID]) -> dict[UUID, Person]:
    """These persons by uuid, in one query; unknown ones are left out."""
    return {person.uuid: person for person in _persons().filter(uuid__in=set(uuids))}


def list_people(*, demo: bool | None = None, after_key: str = "", limit: int = 1000) -> list[Person]:
    """Active persons by key, at most `limit` after `after_key`; only (or no) demo persons if asked."""
    people = _persons().filter(is_active=True, key__gt=after_key).order_by("key")
    return list((people if demo is None else people.filter(demo=demo))[:limit])


def list_teams() -> list[Team]:
    """All teams with their departments, by name."""
    return list(Team.objects.select_related("department").order_by("name"))


def list_departments() -> list[Department]:
    """All departments by name."""
    return list(Department.objects.order_by("name"))


def duties_of(person: Person) -> set[DutyKind]:
    """The kinds of duty that a person carries anywhere."""
    kinds = Duty.objects.filter(person=person).values_list("kind", flat=True)
    return {DutyKind(kind) for kind in kinds}


def list_duties(people: Iterable[Person]) -> dict[UUID, set[DutyKind]]:
    """The duties of several persons by uuid, in one query; those without any are left out."""
    rows = Duty.objects.filter(person__in=list(people)).values_list("person__uuid", "kind")
    found: dict[UUID, set[DutyKind]] = {}
    for uuid, kind in rows:
        found.setdefault(uuid, set()).add(DutyKind(kind))
    return found


def governance_leads() -> list[Person]:
    """Active persons who answer for the limits of the whole organisation."""
    return list(_persons().filter(is_active=True, pk__in=_holders(DutyKind.GOVERNANCE)).order_by("name"))


def mentors_of(person: Person) -> list[Person]:
    """Active mentors of the person's team, never the person."""
    holders = Duty.objects.filter(Q(team=person.team_id) | Q(team=None), kind=DutyKind.MENTOR)
    people = _persons().filter(is_active=True, pk__in=holders.values("person"))
    return list(people.exclude(pk=person.pk).order_by("name"))


def _holders(kind: DutyKind) -> QuerySet[Duty, int]:
    return Duty.objects.filter(kind=kind).values_list("person", flat=True)


def _charges(person: Person) -> list[Charge]:
    duties = Duty.objects.filter(person=person).values_list("kind", "team")
    return [Charge(kind, team) for kind, team in duties]


def may_supervise(by: Person, person: Person) -> bool:
    """Whether `by` may see, rate and suspend `person`: mentor of their team, or governance lead."""
    return logic.may_supervise(
        by=by.pk, by_active=by.is_active, charges=_charges(by), person=person.pk, team=person.team_id
    )


def manages(by: Person, person: Person) -> bool:
    """Whether `by` is the line manager of `person`: manager of their team, or of everybody."""
    charges = [charge for charge in _charges(by) if charge.kind == DutyKind.MANAGER]
    return by.pk != person.pk and any(charge.team in (None, person.team_id) for charge in charges)


def list_supervised(by: Person) -> list[Person]:
    """Everybody active whom `by` may supervise, by name."""
    charges = _charges(by)
    if not by.is_active or not charges:
        return []
    teams = [team.pk for team in Team.objects.only("pk") if logic.covers(charges, team.pk)]
    return list(_persons().filter(is_active=True, team__in=teams).exclude(pk=by.pk).order_by("name", "key"))


def count_tries(account: str, address: str, since: datetime) -> tuple[int, int]:
    """Failed sign-ins since then: on the account, and from the address."""
    recent = SignInTry.objects.filter(at__gt=since)
    return recent.filter(account=account).count(), recent.filter(address=address).count()


def list_taken(*, key: str, email: str) -> list[str]:
    """Which of key and e-mail address some person has already."""
    taken = {"key": Q(key=key), "e-mail address": Q(email=email)}
    return [name for name, same in taken.items() if Person.objects.filter(same).exists()]
