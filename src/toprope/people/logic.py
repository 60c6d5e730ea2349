"""Who may look after whom, and when sign-ins have failed too often. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

MENTOR = "mentor"
GOVERNANCE = "governance"

PASSWORD_LENGTH = range(8, 257)
"""Shortest and longest password taken; hashing time grows with the length, so it needs an end."""

TRY_WINDOW = timedelta(minutes=15)
TRIES_PER_ACCOUNT = 10
TRIES_PER_ADDRESS = 50


class Tag(StrEnum):
    """What the audit record calls the things that happen here."""

    ORGANISATION_CREATED = "organisation.created"
    DEPARTMENT_CREATED = "department.created"
    TEAM_CREATED = "team.created"
    PERSON_CREATED = "person.created"
    PERSON_DEACTIVATED = "person.deactivated"
    PERSON_SIGNED_IN = "person.signed_in"
    PERSON_LOCKED_OUT = "person.locked_out"
    PERSON_PERSONA_TAKEN = "person.persona_taken"
    PASSWORD_SET = "password.set"  # noqa: S105 - the name of an event
    DUTY_GIVEN = "duty.given"
    DUTY_WITHDRAWN = "duty.withdrawn"


@dataclass(frozen=True, slots=True)
class Charge:
    """A duty as a value; `team` is None where it covers the whole organisation."""

    kind: str
    team: int | None = None


def covers(charges: Collection[Charge], team: int) -> bool:
    """Whether these duties let their holder supervise the people of `team`."""
    return any(
        charge.kind == GOVERNANCE or (charge.kind == MENTOR and charge.team in (None, team))
        for charge in charges
    )


def may_supervise(*, by: int, by_active: bool, charges: Collection[Charge], person: int, team: int) -> bool:
    """Whether `by`, who carries `charges`, may supervise `person` of `team`. Nobody supervises themselves."""
    return by_active and by != person and covers(charges, team)


def too_many_tries(on_account: int, from_address: int) -> bool:
    """Whether one more sign-in must wait, given the failed ones within `TRY_WINDOW`."""
    return on_account >= TRIES_PER_ACCOUNT or from_address >= TRIES_PER_ADDRESS


def password_problem(password: str, *, email: str, name: str) -> str:
    """What is wrong with a new password, with the cure; empty where nothing is."""
    if len(password) not in PASSWORD_LENGTH:
        return (
            f"The password has {len(password)} characters; "
            f"choose one of {PASSWORD_LENGTH.start} to {PASSWORD_LENGTH.stop - 1}."
        )
    plain = password.casefold()
    if plain in {email.casefold(), email.partition("@")[0].casefold(), name.casefold()}:
        return "The password is the e-mail address or the name; choose one that others cannot guess."
    return ""
