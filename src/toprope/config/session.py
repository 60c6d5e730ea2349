"""A command's time with the installation: its database runs and is known to Django until the command ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from toprope.config.database import APP_ROLE, Address, check_database, configured
from toprope.config.home import require_installation
from toprope.config.postgres import OWNER, EmbeddedServer
from toprope.config.problem import Problem


@contextmanager
def open_installation(*, owner: bool = False) -> Iterator[Address]:
    """Run a command's work on the database, as the application's role or as the owner of the tables."""
    directory = require_installation()
    with _running_database(owner=owner) as address:
        use_database(address)
        os.environ["TOPROPE_HOME"] = str(directory)
        with _plain_database_errors(address):
            set_up_django()
            try:
                yield address
            finally:
                from django.db import connections  # Django only once a command needs it

                connections.close_all()


@contextmanager
def _running_database(*, owner: bool) -> Iterator[Address]:
    setting = configured()
    if setting is not None:
        address = setting.owner if owner else setting.app
        check_database(address)
        yield address
        return
    with EmbeddedServer(require_installation()) as server:
        yield server.address(OWNER if owner else APP_ROLE)


def use_database(address: Address) -> None:
    """Point this process, and all it starts, at the database."""
    os.environ["DATABASE_URL"] = address.url


def set_up_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "toprope.config.settings")
    import django  # heavy: `toprope --help` does without it

    django.setup()


@contextmanager
def _plain_database_errors(address: Address) -> Iterator[None]:
    """What can go wrong with any database while a command works, in one sentence."""
    import psycopg.errors as causes  # heavy, as above
    from django.db import DatabaseError

    try:
        yield
    except DatabaseError as error:
        cause = error.__cause__
        if isinstance(cause, causes.UndefinedTable | causes.UndefinedColumn | causes.UndefinedFunction):
            raise Problem(
                f"The tables in {address.name!r} are not those of this Toprope; run `toprope migrate`."
            ) from error
        if isinstance(cause, causes.InsufficientPrivilege):
            raise Problem(
                f"The database refuses this to {address.user or 'this account'}: "
                f"{cause.diag.message_primary}. Run `toprope migrate`; it sets the privileges."
            ) from error
        if isinstance(cause, causes.DiskFull):
            raise Problem("The database's disk is full; make room, and run the command again.") from error
        if isinstance(cause, causes.OperationalError):
            said = str(cause).strip().splitlines()
            raise Problem(
                f"The database at {address.place} went away ({said[0] if said else 'no reason given'}); what "
                "was not finished was not done. Start it, and run the command again."
            ) from error
        raise
    except BrokenPipeError:
        with suppress(OSError):
            os.close(1)  # whoever read our output has gone
