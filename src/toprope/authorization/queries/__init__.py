"""Reads of the authorization stage."""

from toprope.authorization.queries.deciding import Deciding, find_deciding, other_missing
from toprope.authorization.queries.standing import (
    Ceilings,
    HoldView,
    KeyView,
    describe_installation,
    find_person_by_key,
    get_case,
    get_ceilings,
    get_standing,
    hash_secret,
    list_emergencies,
    list_grants,
    list_grants_of,
    list_keys,
    list_unreviewed,
    list_uses,
    supervisors_of,
)

__all__ = [
    "Ceilings",
    "Deciding",
    "HoldView",
    "KeyView",
    "describe_installation",
    "find_deciding",
    "find_person_by_key",
    "get_case",
    "get_ceilings",
    "get_standing",
    "hash_secret",
    "list_emergencies",
    "list_grants",
    "list_grants_of",
    "list_keys",
    "list_unreviewed",
    "list_uses",
    "other_missing",
    "supervisors_of",
]
