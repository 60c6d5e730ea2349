"""The first persons of an installation, their passwords, and keys for the gateway."""

import re
import sys
from typing import TYPE_CHECKING

import click

from toprope.config.problem import Problem

if TYPE_CHECKING:
    from toprope.people.api import Person, Team

DUTIES = ("mentor", "manager", "governance", "operator")


@click.group()
def person() -> None:
    """Persons and their passwords."""


@person.command()
@click.option("--email", prompt="E-mail address", help="Signs in with it.")
@click.option("--name", prompt="Name", help="As others see it.")
@click.option(
    "--role", prompt="Job role (a key of the framework's role profiles)", help="For example backend-engineer."
)
@click.option("--key", "key_", default="", help="Short key; made from the e-mail address where not given.")
@click.option("--team", "team_name", default="Everybody", show_default=True, help="Made where there is none.")
@click.option("--department", default="Everybody", show_default=True, help="Of a new team.")
@click.option("--organisation", default="", help="Name of the organisation; asked for with the first person.")
@click.option(
    "--duty", "duties", multiple=True, type=click.Choice(DUTIES), help="For the whole organisation."
)
def create(
    *,
    email: str,
    name: str,
    role: str,
    key_: str,
    team_name: str,
    department: str,
    organisation: str,
    duties: tuple[str, ...],
) -> None:
    """Create a person; with the first one, the organisation. Asks for the password.

    \b
    Examples:
      toprope person create
      toprope person create --email ada@example.org --name "Ada Lovelace" --role backend-engineer \\
        --organisation "Example Ltd" --duty governance
      echo "$PASSWORD" | toprope person create --email ... --name ... --role ... --organisation ...
    """
    from toprope.config.session import open_installation

    with open_installation():
        from django.db import transaction

        from toprope.kit.clock import now
        from toprope.people.api import (
            DutyKind,
            PeopleError,
            create_organisation,
            create_person,
            get_organisation,
            give_duty,
        )

        _check_role(role)
        if get_organisation() is None and not organisation:
            organisation = click.prompt("Name of the organisation")
        password = _ask_password()
        try:
            with transaction.atomic():
                if get_organisation() is None:
                    create_organisation(organisation, now=now())
                made = create_person(
                    key_ or _slug(email.partition("@")[0]),
                    email=email,
                    name=name,
                    role=role,
                    team=_find_or_create_team(team_name, department),
                    password=password,
                    now=now(),
                )
                for duty in duties:
                    give_duty(made, DutyKind(duty), now=now())
        except PeopleError as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"{made.name} can sign in as {made.email}; their key is {made.key}.")


@person.command("list")
def list_() -> None:
    """List everybody who is active: key, name, e-mail address, job role, team.

    \b
    Example:
      toprope person list
    """
    from toprope.config.session import open_installation

    with open_installation():
        from toprope.people.api import list_people

        last = ""
        while people := list_people(after_key=last):
            for one in people:
                click.echo(f"{one.key}\t{one.name}\t{one.email}\t{one.role}\t{one.team.name}")
            last = people[-1].key


@person.command("set-password")
@click.argument("key")
def set_password(key: str) -> None:
    """Give the person KEY a new password; asks for it. Their sessions end.

    \b
    Example:
      toprope person set-password ada
    """
    from toprope.config.session import open_installation

    with open_installation():
        from toprope.kit.clock import now
        from toprope.people.api import PeopleError
        from toprope.people.api import set_password as put_password

        found = _find_person(key)
        try:
            put_password(found, _ask_password(), now=now())
        except PeopleError as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"{found.name} has a new password.")


@person.command("close")
@click.argument("key")
def close(key: str) -> None:
    """Close the account of the person KEY: no more sign-in, and the gateway refuses the next call.

    What they have shown stays on record.

    \b
    Example:
      toprope person close ada
    """
    from toprope.config.session import open_installation

    with open_installation():
        from toprope.authorization.api import close_account
        from toprope.kit.clock import now

        found = _find_person(key)
        close_account(found, now())
    click.echo(f"{found.name} is let in no more, neither to the pages nor through the gateway.")


@click.group()
def key() -> None:
    """Keys for the gateway."""


@key.command("create")
@click.argument("person_key", metavar="PERSON")
@click.option("--label", default="command line", show_default=True, help="To tell this key from others.")
def create_key(person_key: str, label: str) -> None:
    """Make a gateway key for the person with the key PERSON; it is shown once.

    Only the key goes to standard output, so that a script can take it.

    \b
    Example:
      export OPENAI_API_KEY=$(toprope key create ada)
    """
    from toprope.config.session import open_installation

    with open_installation():
        from toprope.authorization.api import Refused, issue_key
        from toprope.kit.clock import now

        try:
            new = issue_key(_find_person(person_key), label, now())
        except Refused as error:
            raise click.ClickException(str(error)) from error
    click.echo(new.secret)
    click.echo("Keep it: it is not stored and cannot be shown again.", err=True)


@key.command("revoke")
@click.argument("person_key", metavar="PERSON")
@click.argument("which", metavar="KEY")
def revoke_key_of(person_key: str, which: str) -> None:
    """Revoke the gateway key KEY (its first characters or its uuid) of PERSON; the next call is refused.

    \b
    Example:
      toprope key revoke ada tp_4fGhJ
    """
    from toprope.config.session import open_installation

    with open_installation():
        from toprope.authorization.api import list_keys, revoke_key
        from toprope.kit.clock import now

        owner = _find_person(person_key)
        keys = list_keys(owner)
        # The whole secret works too: it is what somebody who found a leaked key has at hand.
        chosen = [one for one in keys if str(one.uuid) == which or which.startswith(one.prefix)]
        if len(chosen) != 1:
            shown = ", ".join(f"{one.prefix}... ({one.label}, {one.uuid})" for one in keys) or "none"
            raise click.ClickException(
                f"{which} names {len(chosen)} keys of {owner.name}, not one. Theirs: {shown}."
            )
        revoke_key(owner, chosen[0].uuid, now())
    click.echo(f"Revoked: {chosen[0].prefix}... ({chosen[0].label}).")


def _ask_password() -> str:
    """A password, typed twice, or one line of standard input. Never an argument: others can see those."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    line = sys.stdin.readline().rstrip("\n")
    if not line:
        raise Problem("No password: type it at a terminal, or give it as one line on standard input.")
    return line


def _find_person(key: str) -> "Person":
    from toprope.people.api import find_person

    found = find_person(key)
    if found is None:
        raise click.ClickException(f"Nobody here has the key {key!r}; `toprope person list` names everybody.")
    return found


def _check_role(role: str) -> None:
    from toprope.competency.api import FrameworkMissingError, current_framework

    try:
        roles = current_framework().roles
    except FrameworkMissingError as error:
        raise Problem(
            "No framework is loaded yet; run `toprope serve` once, or `toprope framework load`."
        ) from error
    if role not in roles:
        raise click.BadParameter(f"{role!r} is no role of the framework. Choose one of: {', '.join(roles)}.")


def _find_or_create_team(name: str, department_name: str) -> "Team":
    from toprope.kit.clock import now
    from toprope.people.api import create_department, create_team, list_departments, list_teams

    for team in list_teams():
        if name in (team.name, team.key):
            return team
    for department in list_departments():
        if department_name in (department.name, department.key):
            break
    else:
        department = create_department(_slug(department_name), department_name, now=now())
    return create_team(_slug(name), name, department=department, now=now())


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "one"
