"""Writes. One function is one transaction and one audit entry."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.contrib.auth import authenticate
from django.db import connection, transaction

from toprope.audit.api import record_entry
from toprope.people import logic, queries
from toprope.people.logic import Tag
from toprope.people.models import Department, Duty, DutyKind, Organisation, Person, SignInTry, Team

OPERATOR = "operator"
"""Actor of what is done on the command line of the installation."""

_SIGN_IN_LOCK = 0x746F70_5349474E  # "topSIGN": tries are counted and taken one after the other

Actor = UUID | str


class PeopleError(ValueError):
    """What cannot be done with these people; the message says why and what to do."""


class SignInError(Exception):
    """A sign-in that does not go through; the message is for the person at the keyboard."""


def _record(tag: Tag, subject: UUID, detail: Mapping[str, object], *, actor: Actor, now: datetime) -> None:
    record_entry(tag, actor=actor, subject=str(subject), detail=detail, now=now)


@transaction.atomic
def create_organisation(
    name: str, *, now: datetime, demo: bool = False, actor: Actor = OPERATOR
) -> Organisation:
    """Set up the one organisation of this installation."""
    if queries.get_organisation() is not None:
        raise PeopleError("This installation has its organisation already; one installation serves one.")
    organisation = Organisation.objects.create(name=name, demo=demo)
    _record(Tag.ORGANISATION_CREATED, organisation.uuid, {"name": name, "demo": demo}, actor=actor, now=now)
    return organisation


@transaction.atomic
def create_department(key: str, name: str, *, now: datetime, actor: Actor = OPERATOR) -> Department:
    """Add a department."""
    department = Department.objects.create(key=key, name=name)
    _record(Tag.DEPARTMENT_CREATED, department.uuid, {"key": key, "name": name}, actor=actor, now=now)
    return department


@transaction.atomic
def create_team(
    key: str, name: str, *, department: Department, now: datetime, actor: Actor = OPERATOR
) -> Team:
    """Add a team to a department."""
    team = Team.objects.create(key=key, name=name, department=department)
    detail = {"key": key, "name": name, "department": department.key}
    _record(Tag.TEAM_CREATED, team.uuid, detail, actor=actor, now=now)
    return team


@transaction.atomic
def create_person(
    key: str,
    *,
    email: str,
    name: str,
    role: str,
    team: Team,
    now: datetime,
    password: str | None = None,
    demo: bool = False,
    actor: Actor = OPERATOR,
) -> Person:
    """Add a person. Without a password they cannot sign in until one is set. Raises `PeopleError`."""
    email = email.strip().lower()
    taken = queries.list_taken(key=key, email=email)
    if taken:
        raise PeopleError(f"Another person has this {' and '.join(taken)} already; give {key!r} another.")
    person = Person(key=key, email=email, name=name, role=role, team=team, demo=demo)
    _put_password(person, password)
    person.save()
    detail = {"key": key, "role": role, "team": team.key, "demo": demo}
    _record(Tag.PERSON_CREATED, person.uuid, detail, actor=actor, now=now)
    return person


def _put_password(person: Person, password: str | None) -> None:
    if password is not None:
        problem = logic.password_problem(password, email=person.email, name=person.name)
        if problem:
            raise PeopleError(problem)
    person.set_password(password)


@transaction.atomic
def set_password(person: Person, password: str, *, now: datetime, actor: Actor = OPERATOR) -> None:
    """Give a person a new password; their other sessions end with the old one. Raises `PeopleError`."""
    _put_password(person, password)
    person.save(update_fields=["password"])
    _record(Tag.PASSWORD_SET, person.uuid, {}, actor=actor, now=now)


@transaction.atomic
def deactivate_person(person: Person, *, now: datetime, actor: Actor = OPERATOR) -> None:
    """Let a person in no more. What they have shown stays."""
    person.is_active = False
    person.save(update_fields=["is_active"])
    _record(Tag.PERSON_DEACTIVATED, person.uuid, {}, actor=actor, now=now)


@transaction.atomic
def give_duty(
    person: Person, kind: DutyKind, *, now: datetime, team: Team | None = None, actor: Actor = OPERATOR
) -> Duty:
    """Let a person answer for a team, or without one for the whole organisation. Harmless to repeat."""
    duty, new = Duty.objects.get_or_create(person=person, kind=kind, team=team)
    if new:
        detail = {"kind": str(kind), "team": team.key if team else ""}
        _record(Tag.DUTY_GIVEN, person.uuid, detail, actor=actor, now=now)
    return duty


@transaction.atomic
def withdraw_duty(
    person: Person, kind: DutyKind, *, now: datetime, team: Team | None = None, actor: Actor = OPERATOR
) -> None:
    """Take a duty from a person. Harmless to repeat."""
    gone, _ = Duty.objects.filter(person=person, kind=kind, team=team).delete()
    if gone:
        detail = {"kind": str(kind), "team": team.key if team else ""}
        _record(Tag.DUTY_WITHDRAWN, person.uuid, detail, actor=actor, now=now)


def sign_in(email: str, password: str, *, address: str, now: datetime) -> Person:
    """The person with this e-mail address and password. Raises `SignInError`.

    A try is taken before the password is looked at and given back after a success, so that many tries at
    once count like many tries in turn. Unknown addresses cost the same time as known ones.
    """
    account = hashlib.sha256(email.strip().lower().encode()).hexdigest()
    _take_try(account, address, now)
    person = None
    if len(password) < logic.PASSWORD_LENGTH.stop:
        person = authenticate(username=email, password=password)
    if not isinstance(person, Person):
        raise SignInError(
            "E-mail address and password do not match. Check both; capital letters count in the password."
        )
    with transaction.atomic():
        SignInTry.objects.filter(account=account).delete()
        _record(Tag.PERSON_SIGNED_IN, person.uuid, {}, actor=person.uuid, now=now)
    return person


def _take_try(account: str, address: str, now: datetime) -> None:
    since = now - logic.TRY_WINDOW
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SIGN_IN_LOCK])
        SignInTry.objects.filter(at__lte=since).delete()
        on_account, from_address = queries.count_tries(account, address, since)
        refused = logic.too_many_tries(on_account, from_address)
        if not refused:
            SignInTry.objects.create(account=account, address=address, at=now)
            if logic.too_many_tries(on_account + 1, from_address + 1):
                # Written once, on the try that uses up the last one; refused tries leave no trace to flood.
                detail = {"on_account": on_account + 1, "from_address": from_address + 1}
                record_entry(
                    Tag.PERSON_LOCKED_OUT, actor="anonymous", subject=address, detail=detail, now=now
                )
    if refused:
        minutes = int(logic.TRY_WINDOW.total_seconds() // 60)
        raise SignInError(
            f"Too many sign-ins have failed. Wait {minutes} minutes and try again; "
            "if you have forgotten your password, ask your operator for a new one."
        )


@transaction.atomic
def take_persona(person: Person, *, now: datetime) -> None:
    """Let a visitor of a demo installation act as one of its made-up persons. Raises `PeopleError`."""
    organisation = queries.get_organisation()
    if not (organisation and organisation.demo and person.demo and person.is_active):
        raise PeopleError("Only the made-up persons of a demo organisation can be taken on.")
    _record(Tag.PERSON_PERSONA_TAKEN, person.uuid, {}, actor=person.uuid, now=now)
