"""Pages of the governance lead: the ceilings for everybody, and the audit record."""

import time
from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from toprope.audit.api import Entry, get_head, list_entries, verify
from toprope.authorization.api import (
    Refused,
    admit_tool,
    get_ceilings,
    lift_hold,
    place_hold,
    set_repository,
)
from toprope.competency.api import current_framework
from toprope.kit.clock import now
from toprope.people.api import DutyKind, get_people
from toprope.web.access import needs, person_of
from toprope.web.evidence import number_or_none

PAGE = 50
TIERS = ("T0", "T1", "T2", "T3")

_governance = needs(DutyKind.GOVERNANCE)


@_governance
@require_safe
def show_ceilings(request: HttpRequest) -> HttpResponse:
    """What limits everybody, and forms to change it."""
    framework, ceilings = current_framework(), get_ceilings()
    holds = {hold.rung: hold for hold in ceilings.holds}
    context = {
        "rungs": [(rung, holds.get(rung.key)) for rung in framework.rungs.values()],
        "ceilings": ceilings,
        "tiers": TIERS,
    }
    return render(request, "web/governance/ceilings.html", context)


@_governance
@require_POST
def hold(request: HttpRequest) -> HttpResponse:
    """Throw the global switch on a rung."""
    rung, reason = request.POST.get("rung", ""), request.POST.get("reason", "")
    return _change(
        request,
        lambda: place_hold(rung, by=person_of(request), reason=reason, now=now()),
        f"{rung} is on hold for everybody. The next call on it is refused.",
    )


@_governance
@require_POST
def lift(request: HttpRequest) -> HttpResponse:
    """Lift it."""
    rung = request.POST.get("rung", "")
    return _change(
        request,
        lambda: lift_hold(rung, by=person_of(request), now=now()),
        f"The hold on {rung} is lifted.",
    )


@_governance
@require_POST
def set_tool(request: HttpRequest) -> HttpResponse:
    """Admit a model up to a rung, or withdraw it."""
    model, rung = request.POST.get("model", ""), request.POST.get("rung", "")
    return _change(
        request,
        lambda: admit_tool(model, rung, by=person_of(request), now=now()),
        f"{model} is admitted up to {rung}." if rung else f"{model} is no longer admitted.",
    )


@_governance
@require_POST
def set_repository_ceiling(request: HttpRequest) -> HttpResponse:
    """Admit a repository up to a rung, or withdraw it."""
    key, rung, tier = (request.POST.get(name, "") for name in ("key", "rung", "tier"))

    def change() -> None:
        if tier not in TIERS:
            raise Refused("Choose the tier of the repository.")
        set_repository(key, rung, tier, by=person_of(request), now=now())

    done = f"{key} is admitted up to {rung}." if rung else f"{key} is no longer admitted."
    return _change(request, change, done)


@_governance
@require_safe
def show_record(request: HttpRequest) -> HttpResponse:
    """The audit record, newest first."""
    tag = request.GET.get("tag", "").strip()[:100]
    before = number_or_none(request.GET.get("before", ""))
    found = list_entries(tag=tag, before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    names = _names(shown)
    context = {
        "rows": [
            (entry, names.get(entry.actor, entry.actor), names.get(entry.subject, entry.subject))
            for entry in shown
        ],
        "tag": tag,
        "older": shown[-1].seq if len(found) > PAGE else None,
        "newest": before is None,
        "head": get_head(),
    }
    return render(request, "web/governance/record.html", context)


@_governance
@require_POST
def verify_record(request: HttpRequest) -> HttpResponse:
    """Check the whole record now. Changes nothing, so sending it again is harmless."""
    started = time.monotonic()
    report = verify()
    context = {"report": report, "seconds": time.monotonic() - started, "checked_at": now()}
    return render(request, "web/governance/verified.html", context)


def _change(request: HttpRequest, change: Callable[[], None], done: str) -> HttpResponse:
    try:
        change()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("web:ceilings")


def _names(entries: list[Entry]) -> dict[str, str]:
    """The names of the persons these entries speak of, in one query; words stand for themselves."""
    uuids: dict[str, UUID] = {}
    for text in {text for entry in entries for text in (entry.actor, entry.subject)}:
        try:
            uuids[text] = UUID(text)
        except ValueError:
            continue
    people = get_people(uuids.values())
    return {text: people[uuid].name for text, uuid in uuids.items() if uuid in people}
