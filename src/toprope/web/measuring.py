"""How well Toprope measures, for the governance lead: decisions per rung, questions, raters."""

import math
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from toprope.competency.api import Framework, current_framework
from toprope.measurement.api import (
    RULE,
    CalibratedItem,
    CalibrationView,
    RetentionResult,
    RungDecisions,
    get_calibration,
    list_rung_decisions,
)
from toprope.people.api import DutyKind
from toprope.web.access import needs
from toprope.web.charts import Bar, draw_share

LARGEST_SHARE = 0.05
"""At most so many of those who pass may be below the cut."""

_NOTED = 100


@dataclass(frozen=True, slots=True)
class RungRow:
    """One rung's decisions, and the picture of its share of false passes."""

    rung: RungDecisions
    bar: Bar | None


@dataclass(frozen=True, slots=True)
class FadingRow:
    """How fast a competency fades: as its class assumes, and as estimated, in days to a half."""

    name: str
    assumed: int
    result: RetentionResult
    low: float
    high: float


@needs(DutyKind.GOVERNANCE)
@require_safe
def show_measurement(request: HttpRequest) -> HttpResponse:
    """How sure decisions are, per rung, and what calibration says of questions and raters."""
    view = get_calibration()
    framework = current_framework()
    context = {
        "rungs": [_row(each) for each in list_rung_decisions()],
        "largest": LARGEST_SHARE,
        "asked": RULE.certainty if view is None else view.calibration.certainty or RULE.certainty,
        "view": view,
        "noted": _noted(view)[:_NOTED],
        "retention": [_fading(framework, each) for each in view.retention] if view else [],
        # Without names: how severe somebody rates is for coaching, not for a list.
        "raters": len(view.raters) if view else 0,
        "apart": sum(abs(each.severity) > 2 * each.standard_error for each in view.raters) if view else 0,
    }
    return render(request, "web/governance/measurement.html", context)


def _fading(framework: Framework, result: RetentionResult) -> FadingRow:
    competency = framework.competencies[result.competency]
    reach = math.exp(1.645 * result.standard_error)
    return FadingRow(
        competency.name,
        framework.currency[competency.currency].half_life_days,
        result,
        result.half_life_days / reach,
        result.half_life_days * reach,
    )


def _row(rung: RungDecisions) -> RungRow:
    summary = rung.summary
    if summary is None or not summary.audited:
        return RungRow(rung, None)
    low, high = summary.false_pass_interval
    return RungRow(rung, draw_share(summary.false_passes / summary.audited, (low, high), LARGEST_SHARE))


def _noted(view: CalibrationView | None) -> list[CalibratedItem]:
    """Questions that somebody should look at: those with enough answers and something to say about them."""
    if view is None:
        return []
    return [item for item in view.items if item.notes and not item.notes[0].startswith("Too few")]
