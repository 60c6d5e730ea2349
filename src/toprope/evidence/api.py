"""The one door to the statements."""

from toprope.evidence.actions import StatementConflict, ensure_partitions, record_statements, void_statement
from toprope.evidence.queries import (
    Recorded,
    count_by_object,
    get_statement,
    last_activity,
    last_seq,
    list_actors_after,
    list_by_sitting,
    list_newest,
    list_statements,
    stream_by_person,
    stream_statements,
    verify_statements,
)

APPEND_ONLY_TABLES = ("evidence_statement",)
"""Tables on which the application's role may have SELECT only; partitions lie out of its reach."""

__all__ = [
    "APPEND_ONLY_TABLES",
    "Recorded",
    "StatementConflict",
    "count_by_object",
    "ensure_partitions",
    "get_statement",
    "last_activity",
    "last_seq",
    "list_actors_after",
    "list_by_sitting",
    "list_newest",
    "list_statements",
    "record_statements",
    "stream_by_person",
    "stream_statements",
    "verify_statements",
    "void_statement",
]
