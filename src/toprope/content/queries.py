"""Reading content. Without a version, what is meant is the pack in force."""

import hashlib
import json
from collections.abc import Collection
from typing import TypeVar

from django.db.models import Count, QuerySet

from toprope.content import models
from toprope.content.logic import PLAYABLE, Item, Lesson, parse_item, parse_lesson
from toprope.content.policies import Policy, parse_policy
from toprope.content.practicals import Practical, parse_practical

Row = TypeVar("Row", bound=models.Content)


class ContentMissingError(LookupError):
    """No such content in that version; the message says what was looked for."""


def get_item(key: str, version: str | None = None) -> Item:
    """The item of a version such as ``toprope-default@1.0.0``, or of the pack in force."""
    found = get_items([key], version)
    if key not in found:
        raise ContentMissingError(f"There is no item {key!r} in {version or 'the pack in force'}.")
    return found[key]


def get_items(keys: Collection[str], version: str | None = None) -> dict[str, Item]:
    """Those of the items that exist, by key. One query."""
    rows = _at(models.Item.objects.filter(key__in=keys), version)
    return {row.key: parse_item(row.body, row.framework.reference) for row in rows}


def list_pool(competency: str, level: int) -> list[Item]:
    """The items that can be played now, at exactly this level. One query."""
    rows = _at(models.Item.objects.filter(competency=competency, level=level, kind__in=PLAYABLE), None)
    return [parse_item(row.body, row.framework.reference) for row in rows.order_by("key")]


def list_items() -> list[Item]:
    """Every item of the pack in force that can be played, ordered by key. One query."""
    rows = _at(models.Item.objects.filter(kind__in=PLAYABLE), None).order_by("key")
    return [parse_item(row.body, row.framework.reference) for row in rows]


def list_item_texts() -> dict[tuple[str, str], tuple[str, Item]]:
    """Every item of every version, by key and version, with the SHA-256 of its text.

    The same text is the same item, in whatever version.
    """
    rows = models.Item.objects.select_related("framework").order_by("id")
    return {
        (row.key, row.framework.reference): (_digest(row.body), parse_item(row.body, row.framework.reference))
        for row in rows.iterator(2_000)
    }


def _digest(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def pool_sizes(version: str | None = None) -> dict[tuple[str, int], int]:
    """How many items `list_pool` has, by competency and level. One query."""
    rows = _of(models.Item.objects.filter(kind__in=PLAYABLE), version)
    counted = rows.values_list("competency", "level").annotate(Count("id")).order_by()
    return {(competency, level): count for competency, level, count in counted}


def list_lessons(competency: str) -> list[Lesson]:
    """The lessons on a competency, in the pack's order."""
    rows = _at(models.Lesson.objects.filter(competency=competency), None).order_by("position")
    return [parse_lesson(row.body, row.framework.reference) for row in rows]


def list_practicals(version: str | None = None, *, competency: str = "", level: int = 0) -> list[Practical]:
    """The practicals of a version, ordered by key; `competency` and `level` narrow the list."""
    rows = _at(models.Practical.objects.all(), version).order_by("key")
    if competency:
        rows = rows.filter(competency=competency)
    if level:
        rows = rows.filter(level=level)
    return [parse_practical(row.body, row.framework.reference) for row in rows]


def get_practical(key: str, version: str | None = None) -> Practical:
    """The practical of a version such as ``toprope-default@1.0.0``, or of the pack in force."""
    row = _at(models.Practical.objects.filter(key=key), version).first()
    if row is None:
        raise ContentMissingError(f"There is no practical {key!r} in {version or 'the pack in force'}.")
    return parse_practical(row.body, row.framework.reference)


def current_policy(version: str | None = None) -> Policy:
    """The policy in force, or the one that came with a version of the pack."""
    row = _at(models.Policy.objects.all(), version).first()
    if row is None:
        raise ContentMissingError("No policy is in force; load a pack with `toprope framework load`.")
    return parse_policy(row.body)


def _at(rows: QuerySet[Row], version: str | None) -> QuerySet[Row]:
    """Narrow to a version of the pack, and bring its name along."""
    return _of(rows, version).select_related("framework").defer("framework__document")


def _of(rows: QuerySet[Row], version: str | None) -> QuerySet[Row]:
    if version is None:
        return rows.filter(framework__in_force=True)
    key, _, number = version.partition("@")
    return rows.filter(framework__key=key, framework__version=number)
