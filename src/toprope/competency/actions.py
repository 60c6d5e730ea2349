"""Writing frameworks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from toprope.audit.api import record_entry
from toprope.competency.logic import Framework, Tag
from toprope.competency.models import FrameworkVersion
from toprope.competency.parsing import parse_framework

_LOADING = 0x7470_6C64
"""Advisory lock: one process loads at a time, so that two servers that start together agree."""


class FrameworkChangedError(ValueError):
    """A version that is known here came again with other content."""

    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(
            f"{reference} is loaded already, with other content. What was earned on it must stay readable: "
            f"bump the version in framework.yaml, and load again."
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    """A framework version as it is stored; `new` where this call brought it."""

    id: int
    framework: Framework
    new: bool


@transaction.atomic
def load_framework(documents: Mapping[str, Any], *, digest: str, by: UUID | str, now: datetime) -> Loaded:
    """Keep this version of a framework and put it in force; one that is here already is left as it is."""
    framework = replace(parse_framework(documents), digest=digest)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOADING])
    known = FrameworkVersion.objects.filter(key=framework.key, version=framework.version).first()
    if known is not None:
        if known.digest != digest:
            raise FrameworkChangedError(framework.reference)
        return Loaded(known.id, framework, new=False)
    FrameworkVersion.objects.filter(in_force=True).update(in_force=False)
    row = FrameworkVersion.objects.create(
        key=framework.key,
        version=framework.version,
        digest=digest,
        document=json.dumps(documents, ensure_ascii=False, separators=(",", ":")),
        loaded_at=now,
        in_force=True,
    )
    detail = {"digest": digest, "competencies": len(framework.competencies), "rungs": len(framework.rungs)}
    record_entry(Tag.FRAMEWORK_LOADED, actor=by, subject=framework.reference, detail=detail, now=now)
    return Loaded(row.id, framework, new=True)
