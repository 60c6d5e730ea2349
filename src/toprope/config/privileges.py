"""What the application's role may do in the database: read and write rows, and only append to the record."""

from collections.abc import Collection

from django.db import connection, transaction

from toprope.audit.api import APPEND_ONLY_TABLES as AUDIT_TABLES
from toprope.config.database import APP_ROLE
from toprope.evidence.api import APPEND_ONLY_TABLES as EVIDENCE_TABLES

READ_ONLY_TABLES = frozenset({*AUDIT_TABLES, *EVIDENCE_TABLES, "django_migrations"})
_WRITE = ("INSERT", "UPDATE", "DELETE")
_NEVER = ("TRUNCATE", "REFERENCES", "TRIGGER")


def grant_privileges(app_user: str) -> bool:
    """Give the application's role what it needs and nothing more; `app_user` becomes a member of that role.

    Says whether the role is a lesser one: where the application owns its tables, only the triggers protect
    the record. Does nothing where all is as it should be, and takes back what somebody gave by hand.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        if cursor.fetchone() == (app_user,) or not _role_exists(APP_ROLE):
            return False
        if app_user != APP_ROLE:
            cursor.execute("SELECT pg_has_role(%s, %s, 'member')", [app_user, APP_ROLE])
            if cursor.fetchone() == (False,):
                cursor.execute(f"GRANT {APP_ROLE} TO {connection.ops.quote_name(app_user)}")
        for statement in missing_grants():
            cursor.execute(statement)
    return True


def missing_grants() -> list[str]:
    """The statements that bring the role's privileges to what they should be."""
    statements = []
    for table, held in _privileges_by_table().items():
        wanted = {"SELECT"} if table in READ_ONLY_TABLES else {"SELECT", *_WRITE}
        name = connection.ops.quote_name(table)
        statements += _difference("REVOKE", "FROM", held - wanted, name)
        statements += _difference("GRANT", "TO", wanted - held, name)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, has_sequence_privilege(%s, oid, 'USAGE') FROM pg_class"
            " WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace",
            [APP_ROLE],
        )
        for sequence, held in cursor.fetchall():
            if not held:
                name = connection.ops.quote_name(sequence)
                statements.append(f"GRANT USAGE ON SEQUENCE {name} TO {APP_ROLE}")
    return statements


def _difference(verb: str, preposition: str, privileges: Collection[str], name: str) -> list[str]:
    if not privileges:
        return []
    return [f"{verb} {', '.join(sorted(privileges))} ON TABLE {name} {preposition} {APP_ROLE}"]


def _privileges_by_table() -> dict[str, set[str]]:
    kinds = ("SELECT", *_WRITE, *_NEVER)
    checks = ", ".join(f"has_table_privilege('{APP_ROLE}', oid, '{kind}')" for kind in kinds)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT relname, {checks} FROM pg_class"  # noqa: S608 - names are our own
            " WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY relname"
        )
        return {
            table: {kind for kind, holds in zip(kinds, held, strict=True) if holds}
            for table, *held in cursor.fetchall()
        }


def _role_exists(role: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        return cursor.fetchone() is not None
