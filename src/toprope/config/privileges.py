"""What the application's role may do in the database: read and write rows, and only append to the record."""

from collections.abc import Iterator

from django.db import connection, transaction
from psycopg.sql import Identifier

from toprope.audit.api import APPEND_ONLY_TABLES as AUDIT_TABLES
from toprope.evidence.api import APPEND_ONLY_TABLES as EVIDENCE_TABLES

READ_ONLY_TABLES = frozenset({*AUDIT_TABLES, *EVIDENCE_TABLES, "django_migrations"})
_WRITE = {"INSERT", "UPDATE", "DELETE"}
_KINDS = ("SELECT", *sorted(_WRITE), "TRUNCATE", "REFERENCES", "TRIGGER")

_TABLES = """
    SELECT relname, has_table_privilege(%s, oid, kind), kind
    FROM pg_class, unnest(%s::text[]) AS kind
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
    ORDER BY relname, kind
"""
_SEQUENCES = """
    SELECT relname, has_sequence_privilege(%s, oid, 'USAGE')
    FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
"""
# A function with its owner's rights is a door made for the application: the only way into the record.
_DOORS = """
    SELECT oid::regprocedure::text, has_function_privilege(%s, oid, 'EXECUTE')
    FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace
"""


def grant_privileges(app_user: str) -> bool:
    """Give the application's role what it needs, and take back what it was given beside that.

    Needs the tables' owner. Does nothing, and says no, where the application has the owner's rights itself:
    then only the triggers protect the record.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role(%s, current_user, 'MEMBER')", [app_user])
        if cursor.fetchone() == (True,):
            return False
        for statement in list(missing_grants(app_user)):
            cursor.execute(statement)
    return True


def missing_grants(app_user: str) -> Iterator[str]:
    """The statements that bring the role's privileges to what they should be; none where they are."""
    role = Identifier(app_user).as_string()
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [app_user, list(_KINDS)])
        for table, held, kind in cursor.fetchall():
            wanted = kind == "SELECT" or (kind in _WRITE and table not in READ_ONLY_TABLES)
            name = Identifier(table).as_string()
            if wanted and not held:
                yield f"GRANT {kind} ON {name} TO {role}"
            if held and not wanted:
                yield f"REVOKE {kind} ON {name} FROM {role}"
        cursor.execute(_SEQUENCES, [app_user])
        for sequence, held in cursor.fetchall():
            if not held:
                yield f"GRANT USAGE ON SEQUENCE {Identifier(sequence).as_string()} TO {role}"
        cursor.execute(_DOORS, [app_user])
        for function, held in cursor.fetchall():
            if not held:
                yield f"GRANT EXECUTE ON FUNCTION {function} TO {role}"
