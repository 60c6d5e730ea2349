"""What others may try on the database: as a superuser behind the record's back, or as the application."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def tampered(*statements: str) -> Iterator[None]:
    """The database as a superuser has left it who passes by all triggers; undone afterwards."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")
        yield
        transaction.set_rollback(True)


@contextmanager
def as_application() -> Iterator[None]:
    """The rights of the application's role; what is done is undone afterwards."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE toprope_app")
        yield
        transaction.set_rollback(True)


def run(statement: str) -> None:
    """One SQL statement, whose failure leaves the running transaction usable."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
