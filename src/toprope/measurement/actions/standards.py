"""Setting where a level begins, as a panel judged it."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from toprope.audit.api import record_entry
from toprope.content.api import list_items
from toprope.measurement.actions.following import refresh_stale
from toprope.measurement.logic import Entry, PanelResult, judge_angoff, judge_bookmark, order_booklet
from toprope.measurement.models import Standard
from toprope.measurement.queries import current_basis
from toprope.measurement.tags import Tag


def judge_by_angoff(level: int, rows: Iterable[tuple[str, str, float]]) -> PanelResult:
    """What a modified Angoff panel says; `rows` are (panelist, item, share right). Changes nothing."""
    return judge_angoff(current_basis(), level, list_items(), rows)


def judge_by_bookmark(level: int, rows: Iterable[tuple[str, int]]) -> PanelResult:
    """What a bookmark panel says; `rows` are (panelist, last entry mastered). Changes nothing."""
    return judge_bookmark(current_basis(), level, list_items(), rows)


def get_booklet() -> list[Entry]:
    """Every question of the framework in force, easiest first, for a bookmark panel."""
    return order_booklet(current_basis(), list_items())


def adopt_standard(
    result: PanelResult, now: datetime, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> None:
    """Let a level begin where the panel put it. Levels already held stay: they rest on what was in force."""
    with transaction.atomic():
        number = (Standard.objects.aggregate(last=Max("number"))["last"] or 0) + 1
        Standard.objects.create(
            number=number,
            level=result.level,
            cut=result.cut,
            standard_error=result.standard_error,
            method=result.method,
            panelists=len(result.panelists),
            adopted_at=now,
        )
        detail = {
            "level": result.level,
            "cut": round(result.cut, 4),
            "standard_error": round(result.standard_error, 4),
            "method": result.method,
            "panelists": len(result.panelists),
        }
        record_entry(Tag.STANDARD_ADOPTED, actor="operator", subject="levels", detail=detail, now=now)
    refresh_stale(progress)
