"""Pages of somebody who looks after others: who they are, where they stand, what waits for a rating."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from toprope.authorization.api import (
    Refused,
    get_standing,
    list_grants_of,
    reinstate_grant,
    suspend_grant,
)
from toprope.competency.api import current_framework
from toprope.content.api import ExplainBackVariant
from toprope.evidence.api import last_activity
from toprope.kit.clock import now
from toprope.learning.api import get_submission, list_unrated, list_unsettled, rate_submission
from toprope.people.api import Person, list_supervised
from toprope.web.access import RATERS, needs, person_of, supervised_person
from toprope.web.learner import recent_lines, route_of
from toprope.web.supervising import moves_on, waiting_for
from toprope.web.words import highest_open, role_name

_mentors = needs(*sorted(RATERS))


@dataclass(frozen=True, slots=True)
class Row:
    """One person in the table."""

    person: Person
    role: str
    rung: str
    suspended: tuple[str, ...]
    provisional: bool
    active_at: datetime | None
    waits: int


@_mentors
@require_safe
def show_people(request: HttpRequest) -> HttpResponse:
    """Everybody I supervise: rung, state, last activity, what waits for me."""
    me, framework, moment = person_of(request), current_framework(), now()
    people = list_supervised(me)
    uuids = [person.uuid for person in people]
    grants, active = list_grants_of(uuids), last_activity(uuids)
    waiting = Counter(entry.person.uuid for entry in list_unrated(me))
    rows = []
    for person in people:
        by_rung = {grant.rung: grant for grant in grants.get(person.uuid, [])}
        rung = highest_open(framework, by_rung.values(), moment)
        rows.append(
            Row(
                person=person,
                role=role_name(framework, person.role),
                rung=rung,
                suspended=tuple(key for key, grant in by_rung.items() if grant.suspension),
                provisional=bool(rung) and by_rung[rung].provisional,
                active_at=active.get(person.uuid),
                waits=waiting[person.uuid],
            )
        )
    return render(request, "web/mentor/people.html", {"rows": rows, "waiting": waiting.total()})


@_mentors
@require_safe
def show_person(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """One person: where they stand, their grants, and stopping or giving back a rung."""
    person = supervised_person(request, uuid)
    framework, moment = current_framework(), now()
    standing = get_standing(person.uuid, moment)
    context = {
        "subject": person,
        "framework": framework,
        "role": role_name(framework, person.role),
        "standing": standing,
        "route": route_of(standing),
        "granted": [(each, moves_on(each, moment)) for each in standing.rungs if each.grant is not None],
        "decisions": waiting_for(person, standing, person_of(request), moment),
        "recent": recent_lines(person, framework),
        "waiting": [entry for entry in list_unrated(person_of(request)) if entry.person == person],
    }
    return render(request, "web/mentor/person.html", context)


@_mentors
@require_POST
def suspend(request: HttpRequest, uuid: UUID, rung: str) -> HttpResponse:
    """Stop a rung for a person, with a reason they read."""
    person = supervised_person(request, uuid)
    reason = request.POST.get("reason", "")
    try:
        suspend_grant(person.uuid, rung, by=person_of(request), reason=reason, now=now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{rung} is suspended for {person.name}. Their next call on it is refused.")
    return redirect("web:person", uuid)


@_mentors
@require_POST
def reinstate(request: HttpRequest, uuid: UUID, rung: str) -> HttpResponse:
    """Give a suspended rung back, with a reason."""
    person = supervised_person(request, uuid)
    reason = request.POST.get("reason", "")
    try:
        reinstate_grant(person.uuid, rung, by=person_of(request), reason=reason, now=now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{rung} is open for {person.name} again.")
    return redirect("web:person", uuid)


@_mentors
@require_safe
def show_queue(request: HttpRequest) -> HttpResponse:
    """Explanations and practicals that wait for a rating, the longest waiting first."""
    me = person_of(request)
    context = {
        "queue": list_unrated(me),
        "assessments": list_unsettled(me),
    }
    return render(request, "web/mentor/ratings.html", context)


@_mentors
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HttpRequest, attempt: UUID) -> HttpResponse:
    """One explanation with the anchors it is rated by; and the rating."""
    me = person_of(request)
    try:
        submission = get_submission(me, attempt)
    except Refused:
        raise Http404 from None
    variant = submission.variant
    if not isinstance(variant, ExplainBackVariant):  # nothing else waits for a person
        raise Http404
    if request.method == "POST":
        score = request.POST.get("score", "")
        if score not in {str(each) for each in variant.anchors}:
            messages.error(request, "Choose the description that fits the explanation best.")
            return HttpResponseRedirect(request.path)
        try:
            rate_submission(attempt, by=me, score=int(score), note=request.POST.get("note", ""), now=now())
        except Refused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.path)
        messages.success(request, f"Your rating is recorded; {submission.person.name} sees it and your note.")
        return redirect("web:ratings")
    context = {
        "submission": submission,
        "variant": variant,
        "anchors": sorted(variant.anchors.items()),
    }
    return render(request, "web/mentor/rating.html", context)
