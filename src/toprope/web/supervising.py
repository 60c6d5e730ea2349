"""Pages on which somebody's supervisor writes a note, rates a practical, and decides on a rung."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from toprope.authorization.api import (
    Deciding,
    Refused,
    RungStanding,
    Standing,
    approve_rung,
    confirm_grant,
    decline_rung,
    find_deciding,
    move_up,
    next_down,
    next_up,
    step_down,
)
from toprope.competency.api import current_framework
from toprope.kit.clock import now
from toprope.kit.ids import uuid7
from toprope.learning.api import get_assessment, rate_assessment, record_note
from toprope.people.api import Person
from toprope.web.access import RATERS, needs, person_of, supervised_person

_mentors = needs(*sorted(RATERS))
NOT_OBSERVED = "none"


@dataclass(frozen=True, slots=True)
class Moves:
    """What a supervisor can do with a granted rung beside stopping it; "" where there is no such step."""

    up: str
    down: str
    may_confirm: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """A rung that waits for a decision, and what this supervisor may decide on it."""

    rung: RungStanding
    deciding: Deciding


def moves_on(standing: RungStanding, moment: datetime) -> Moves:
    """The steps up and down from where a grant stands."""
    grant = standing.grant
    if grant is None or standing.state != "open":
        return Moves("", "", may_confirm=False)
    down = next_down(grant.supervision)
    return Moves(
        up="" if grant.unused(moment) else next_up(standing.rung, grant.supervision),
        down="" if down == grant.supervision else down,
        may_confirm=grant.focused() and (not grant.focused_uses or moment >= grant.focused_until),
    )


def waiting_for(person: Person, standing: Standing, by: Person, moment: datetime) -> list[Waiting]:
    """The rungs on which everything but people's decisions is there."""
    found = []
    for each in standing.rungs:
        if each.grant is None and each.rung.decision not in ("automatic", "panel") and _is_ripe(each):
            deciding = find_deciding(person.uuid, each.rung.key, by, moment)
            if deciding.qualified:
                found.append(Waiting(each, deciding))
    return found


def _is_ripe(standing: RungStanding) -> bool:
    kinds = {each.kind for each in standing.checklist.requirements if each.status != "done"}
    return bool(kinds) and kinds <= {"decision", "data_owner_approval"}


@_mentors
@require_http_methods(["GET", "HEAD", "POST"])
def note(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Write down, after a piece of work, which supervision one would want for the next."""
    person = supervised_person(request, uuid)
    framework = current_framework()
    if request.method == "POST":
        form = request.POST
        try:
            record_note(
                _number(form.get("note", "")),
                person.uuid,
                rung=form.get("rung", ""),
                supervision=form.get("supervision", ""),
                tier=form.get("tier", ""),
                work=form.get("work", ""),
                competencies=dict.fromkeys(form.getlist("competency"), _whole(form.get("level", ""))),
                paired=form.get("paired") == "yes",
                by=person_of(request),
                now=now(),
            )
        except Refused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.path)
        messages.success(request, f"Your note is recorded; {person.name} reads it.")
        return redirect("web:person", uuid)
    context = {
        "subject": person,
        "framework": framework,
        "note": uuid7(),
        "tiers": sorted({tier for rung in framework.rungs.values() for tier in rung.limits["tiers"]}),
    }
    return render(request, "web/mentor/note.html", context)


@_mentors
@require_http_methods(["GET", "HEAD", "POST"])
def assess(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Choose a practical, or rate one by its rubric; a second rater comes here from the queue."""
    person = supervised_person(request, uuid)
    given = request.POST if request.method == "POST" else request.GET
    framework = current_framework()
    rubric = framework.rubrics.get(given.get("rubric", ""))
    if rubric is None:
        return render(request, "web/mentor/assess_choose.html", {"subject": person, "framework": framework})
    if request.method == "POST":
        return _rate(request, person, list(rubric["criteria"]))
    attempt = given.get("attempt", "")
    context = {
        "subject": person,
        "framework": framework,
        "rubric": rubric,
        "level": given.get("level", ""),
        "competency": given.get("competency", "") or rubric["competencies"][0],
        "attempt": _open_attempt(request, attempt) if attempt else uuid7(),
        "criteria": [(each, sorted(each["anchors"].items())) for each in rubric["criteria"]],
        "not_observed": NOT_OBSERVED,
    }
    return render(request, "web/mentor/assess.html", context)


def _rate(request: HttpRequest, person: Person, criteria: list[dict[str, str]]) -> HttpResponse:
    form = request.POST
    given = {each["id"]: form.get(f"score-{each['id']}", "") for each in criteria}
    try:
        rate_assessment(
            person.uuid,
            _number(form.get("attempt", "")),
            rubric=form.get("rubric", ""),
            level=_whole(form.get("level", "")),
            competency=form.get("competency", ""),
            scores={
                key: None if score == NOT_OBSERVED else _whole(score) for key, score in given.items() if score
            },
            quotes={key: form.get(f"quote-{key}", "") for key in given},
            critical_errors=[_whole(each) for each in form.getlist("error")],
            supervision=form.get("supervision", ""),
            by=person_of(request),
            now=now(),
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("web:person", person.uuid)
    messages.success(request, f"Your rating is recorded; {person.name} reads it once all raters are done.")
    return redirect("web:person", person.uuid)


@_mentors
@require_POST
def decide(request: HttpRequest, uuid: UUID, rung: str) -> HttpResponse:
    """Decide on a rung: for it, against it, up, down, or that its focused period is over."""
    person = supervised_person(request, uuid)
    what = request.POST.get("what", "")
    if what not in _DECISIONS:
        raise Http404
    try:
        _DECISIONS[what](request, person, rung)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Your decision on {rung} is recorded; {person.name} reads your reason.")
    return redirect("web:person", uuid)


def _approve(request: HttpRequest, person: Person, rung: str) -> None:
    approve_rung(person.uuid, rung, by=person_of(request), reason=_reason(request), now=now())


def _decline(request: HttpRequest, person: Person, rung: str) -> None:
    decline_rung(person.uuid, rung, by=person_of(request), reason=_reason(request), now=now())


def _confirm(request: HttpRequest, person: Person, rung: str) -> None:
    confirm_grant(person.uuid, rung, by=person_of(request), reason=_reason(request), now=now())


def _move_up(request: HttpRequest, person: Person, rung: str) -> None:
    to = request.POST.get("to", "")
    move_up(person.uuid, rung, to, by=person_of(request), reason=_reason(request), now=now())


def _step_down(request: HttpRequest, person: Person, rung: str) -> None:
    form = request.POST
    step_down(
        person.uuid,
        rung,
        form.get("to", ""),
        by=person_of(request),
        reason=_reason(request),
        evidence=[_number(each) for each in form.getlist("evidence")],
        way_back=form.get("way_back", ""),
        review_on=_day(form.get("review_on", "")),
        now=now(),
    )


_DECISIONS: dict[str, Callable[[HttpRequest, Person, str], None]] = {
    "approve": _approve,
    "decline": _decline,
    "confirm": _confirm,
    "move-up": _move_up,
    "step-down": _step_down,
}


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "")


def _open_attempt(request: HttpRequest, text: str) -> UUID:
    try:
        return get_assessment(person_of(request), _number(text)).attempt
    except Refused:
        raise Http404 from None


def _number(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused("Something on the page was changed on its way. Open it again.") from None


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("Name a date ahead on which you look at it again.") from None
