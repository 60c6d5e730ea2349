"""The one door to the audit record."""

from toprope.audit.actions import record_entry, tell_witness
from toprope.audit.logic import Entry, EntryError, Problem, Problems, Receipt, Report
from toprope.audit.queries import get_head, list_entries, stream_entries, verify

APPEND_ONLY_TABLES = ("audit_entry",)
"""Tables on which the application's role may have SELECT and nothing more."""

__all__ = [
    "APPEND_ONLY_TABLES",
    "Entry",
    "EntryError",
    "Problem",
    "Problems",
    "Receipt",
    "Report",
    "get_head",
    "list_entries",
    "record_entry",
    "stream_entries",
    "tell_witness",
    "verify",
]
