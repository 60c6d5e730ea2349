"""Pages of the governance lead: decisions that several people take, and emergencies to look at."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from toprope.authorization.api import (
    MAX_HOURS,
    Emergency,
    Refused,
    approve_data,
    grant_emergency,
    list_unreviewed,
    record_panel,
    review_emergency,
)
from toprope.competency.api import current_framework
from toprope.kit.clock import now
from toprope.people.api import DutyKind, Person, find_person, get_people, list_people
from toprope.web.access import needs, person_of

_governance = needs(DutyKind.GOVERNANCE)


@dataclass(frozen=True, slots=True)
class ToReview:
    """An emergency grant that nobody has looked at, with the names of those who were part of it."""

    emergency: Emergency
    person: str
    by: str
    paired_with: str


@_governance
@require_safe
def show_boards(request: HttpRequest) -> HttpResponse:
    """Record a panel, a data owner's approval, an emergency grant; look at emergency grants."""
    framework, waiting = current_framework(), list_unreviewed()
    people = get_people({uuid for each in waiting for uuid in (each.person, each.by, each.paired_with)})

    def name(uuid: UUID) -> str:
        return people[uuid].name if uuid in people else "a person who has left"

    rungs = framework.rungs.values()
    context = {
        "people": list_people(),
        "rungs": rungs,
        "panel_rungs": [rung for rung in rungs if "panel" in (rung.decision, rung.decision_also)],
        "data_rungs": [
            rung for rung in rungs if any(rule["type"] == "data_owner_approval" for rule in rung.validations)
        ],
        "max_hours": MAX_HOURS,
        "to_review": [
            ToReview(each, name(each.person), name(each.by), name(each.paired_with)) for each in waiting
        ],
    }
    return render(request, "web/governance/boards.html", context)


@_governance
@require_POST
def panel(request: HttpRequest) -> HttpResponse:
    """Record a panel's decision."""
    form = request.POST

    def record() -> None:
        members = [_person(key) for key in form.getlist("member") if key]
        person, rung, reason = _person(form.get("person", "")), form.get("rung", ""), form.get("reason", "")
        record_panel(person.uuid, rung, members, by=person_of(request), reason=reason, now=now())

    return _do(request, record, "The panel's decision is recorded.")


@_governance
@require_POST
def data_approval(request: HttpRequest) -> HttpResponse:
    """Record a data owner's approval."""
    form = request.POST

    def record() -> None:
        approve_data(
            _person(form.get("person", "")).uuid,
            form.get("rung", ""),
            owner=_person(form.get("owner", "")),
            purpose=form.get("purpose", ""),
            data_set=form.get("data_set", ""),
            hours=_hours(form.get("hours", "")),
            by=person_of(request),
            now=now(),
        )

    return _do(request, record, "The approval is recorded; it closes by itself.")


@_governance
@require_POST
def emergency(request: HttpRequest) -> HttpResponse:
    """Open one rung for some hours of an incident."""
    form = request.POST

    def record() -> None:
        grant_emergency(
            _person(form.get("person", "")).uuid,
            form.get("rung", ""),
            hours=_hours(form.get("hours", "")),
            paired_with=_person(form.get("paired_with", "")),
            incident=form.get("incident", ""),
            by=person_of(request),
            now=now(),
        )

    return _do(request, record, "The emergency grant runs; it closes by itself, and is looked at tomorrow.")


@_governance
@require_POST
def review(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Say how an emergency grant went."""
    found = request.POST.get("note", "")
    return _do(
        request,
        lambda: review_emergency(uuid, by=person_of(request), note=found, now=now()),
        "Your review is recorded.",
    )


def _do(request: HttpRequest, act: Callable[[], None], done: str) -> HttpResponse:
    try:
        act()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("web:boards")


def _person(key: str) -> Person:
    person = find_person(key)
    if person is None:
        raise Refused("Choose the person from the list.")
    return person


def _hours(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 0
