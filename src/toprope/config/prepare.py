"""Before serving: tables, privileges, the built-in pack, the demo. Quick where nothing is to do.

`toprope serve` runs this as a process of its own, so that the owner's rights and all of Django end with it.
"""

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict, dataclass

import click

from toprope.config.database import Address, parse_url
from toprope.config.problem import Problem
from toprope.config.progress import progress_bar
from toprope.config.session import set_up_django, use_database

Say = Callable[[str, str], None]


@dataclass(frozen=True)
class Prepared:
    """What is ready to be served. `guarded` says whether the application's role is a lesser one."""

    organisation: str
    demo: bool
    guarded: bool


def migrate(say: Say) -> None:
    """Bring the tables up to date; needs the owner's connection."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        say("tables", f"bringing up to date, {len(plan)} steps")
        call_command("migrate", verbosity=0, interactive=False)
    say("tables", "up to date")


def guard(app_user: str, say: Say) -> bool:
    """Give the application's role its privileges; needs the owner's connection."""
    from toprope.config.privileges import grant_privileges

    guarded = grant_privileges(app_user)
    if not guarded:
        say(
            "record",
            "the application owns its tables, so triggers alone protect the record: "
            "set DATABASE_ADMIN_URL to the owner's address and DATABASE_URL to a lesser role's",
        )
    return guarded


def work_as(app: Address) -> None:
    """Go on as the application's role: what it may not do must fail here already, not in front of people."""
    from django.db import connection

    connection.close()
    connection.settings_dict.update(app.django(pool_size=0))
    os.environ["DATABASE_URL"] = app.url


def load_content(say: Say) -> None:
    """Load the built-in pack and publish the ladder, where they are new."""
    from toprope.authorization.api import publish_everybody, publish_installation
    from toprope.competency.api import reference_in_force
    from toprope.content.api import PackRefusedError, load_builtin_pack
    from toprope.evidence.api import ensure_partitions
    from toprope.kit.clock import now
    from toprope.measurement.api import rebuild_if_empty, rehearse_sitting

    ensure_partitions()
    try:
        pack = load_builtin_pack(now())
    except PackRefusedError as error:
        in_force = reference_in_force()
        if not in_force:
            raise Problem(str(error)) from error
        # Somebody changed the built-in pack and kept its version. What people earned is on the old one.
        say("framework", f"{in_force} stays in force: {error.problems[0]}")
        return
    say("framework", pack.reference + (", loaded" if pack.new else ""))
    rehearse_sitting()
    anew = rebuild_if_empty()
    if anew:
        say("estimates", f"made anew for {anew:,} {'person' if anew == 1 else 'persons'}")
    if pack.new:
        publish_everybody()
    else:
        publish_installation()


def prepare(owner: Address, app: Address, *, demo: bool, say: Say) -> Prepared:
    """Everything that must be there before the first request."""
    use_database(owner)
    set_up_django()
    migrate(say)
    guarded = guard(app.user, say)
    work_as(app)
    load_content(say)

    from django.db import transaction

    from toprope.config.demo import create_demo
    from toprope.config.static import collect_static
    from toprope.kit.clock import now
    from toprope.people.api import get_organisation

    organisation = get_organisation()
    if organisation is None and demo:
        # All of it or nothing: half a demo, left by Ctrl-C, could not be completed later.
        with progress_bar("  demo") as progress, transaction.atomic():
            create_demo(now(), progress)
        organisation = get_organisation()
    collect_static()
    if organisation is None:
        return Prepared("", demo=False, guarded=guarded)
    return Prepared(organisation.name, demo=organisation.demo, guarded=guarded)


def tell(topic: str, text: str) -> None:
    click.echo(f"  {topic:<10} {text}", err=True)


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("--demo", action="store_true")
    arguments = parser.parse_args()
    owner = parse_url(os.environ.pop("DATABASE_ADMIN_URL"), "DATABASE_ADMIN_URL")
    app = parse_url(os.environ["DATABASE_URL"])
    try:
        prepared = prepare(owner, app, demo=arguments.demo, say=tell)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    json.dump(asdict(prepared), sys.stdout)


if __name__ == "__main__":
    main()
