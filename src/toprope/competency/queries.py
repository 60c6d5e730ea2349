"""Reading frameworks. A version never changes, so one that was parsed stays parsed in this process."""

import json
from dataclasses import replace
from functools import lru_cache

from toprope.competency.logic import Framework
from toprope.competency.models import FrameworkVersion
from toprope.competency.parsing import parse_framework


class FrameworkMissingError(LookupError):
    """No such framework here; the message says what would bring it."""


def current_framework() -> Framework:
    """The framework in force. Costs one look-up of a single row; what it says is kept in the process."""
    row = FrameworkVersion.objects.filter(in_force=True).values_list("id", "digest").first()
    if row is None:
        raise FrameworkMissingError(
            "No framework is in force; load one with `toprope framework load` (`make run` does it)."
        )
    return _parsed(*row)


def get_framework(reference: str) -> Framework:
    """The version that a statement names, such as ``toprope-default@1.0.0``, in force or not."""
    key, _, version = reference.partition("@")
    row = FrameworkVersion.objects.filter(key=key, version=version).values_list("id", "digest").first()
    if row is None:
        raise FrameworkMissingError(f"The framework {reference!r} was never loaded here; load its pack.")
    return _parsed(*row)


def find_framework(digest: str) -> str:
    """The reference of the version that came in the pack with this digest; empty where none did."""
    row = FrameworkVersion.objects.filter(digest=digest).values_list("key", "version").first()
    return f"{row[0]}@{row[1]}" if row else ""


def reference_in_force() -> str:
    """The reference of the version in force; empty before one is loaded."""
    row = FrameworkVersion.objects.filter(in_force=True).values_list("key", "version").first()
    return f"{row[0]}@{row[1]}" if row else ""


@lru_cache(maxsize=16)
def _parsed(row_id: int, digest: str) -> Framework:
    document = FrameworkVersion.objects.values_list("document", flat=True).get(id=row_id)
    return replace(parse_framework(json.loads(document)), digest=digest)
