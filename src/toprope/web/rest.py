"""The REST API: what the pages show, for programs.

Reads take a session or a gateway key, writes a session. ninja wants views to call the request `request`.
"""

# ruff: noqa: ARG001, ARG002 - the signatures are ninja's

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Query, Schema
from ninja.errors import AuthenticationError, AuthorizationError, HttpError, ValidationError
from ninja.security import HttpBearer, django_auth
from pydantic import Field

from toprope.authorization.api import (
    Refused,
    find_person_by_key,
    get_standing,
    reinstate_grant,
    suspend_grant,
)
from toprope.competency.api import current_framework
from toprope.evidence.api import list_newest
from toprope.kit.clock import now
from toprope.learning.api import answer_item, get_attempt, get_next_step, start_step
from toprope.measurement.api import list_abilities
from toprope.people.api import Person
from toprope.progression.api import list_levels
from toprope.web import shapes
from toprope.web.access import supervised_person
from toprope.web.words import tell


class GatewayKey(HttpBearer):
    """``Authorization: Bearer tp_...``, a key of the person's own; for reading only."""

    def authenticate(self, request: HttpRequest, token: str) -> Person | None:
        return find_person_by_key(token)


api = NinjaAPI(
    title="Toprope",
    version="1",
    description=(
        "Where a person stands, what opens the next rung, and the evidence behind it. "
        "Errors are problem documents (RFC 9457) with a `cure`."
    ),
    urls_namespace="api",
    docs_url=None,  # its pages start inline scripts, which the content security policy forbids
    auth=[GatewayKey(), django_auth],
)


class StartIn(Schema):
    step: str = Field(max_length=200, examples=["sitting:SEC-01:1"])


class AnswerIn(Schema):
    item: str = Field(max_length=200)
    choice: str = Field(max_length=64)
    lines: list[int] = Field(default=[], max_length=500)
    seconds: float = Field(default=0.0, ge=0.0, le=86_400.0)


class ReasonIn(Schema):
    reason: str = Field(max_length=2_000)


def _person(request: HttpRequest) -> Person:
    """Whoever the key or the session belongs to."""
    person = getattr(request, "auth", None)
    if not isinstance(person, Person):
        raise AuthenticationError
    return person


@api.get("/me", response=shapes.Me, tags=["me"])
def get_me(request: HttpRequest) -> shapes.Me:
    """Who I am, the highest rung open to me, and the one next thing to do."""
    person, moment = _person(request), now()
    standing = get_standing(person.uuid, moment)
    return shapes.me(person, standing, get_next_step(standing, moment))


@api.get("/me/checklist/{rung}", response=shapes.RungStatus, tags=["me"])
def get_checklist(request: HttpRequest, rung: str) -> shapes.RungStatus:
    """What a rung asks of me, and how far I am."""
    standing = get_standing(_person(request).uuid, now())
    try:
        return shapes.rung_status(standing.rung(rung))
    except KeyError:
        known = ", ".join(each.rung.key for each in standing.rungs)
        raise HttpError(404, f"There is no rung {rung!r}; the ladder has {known}.") from None


@api.get("/me/levels", response=list[shapes.Level], tags=["me"])
def get_levels(request: HttpRequest) -> list[shapes.Level]:
    """The levels I hold, each with the statements it rests on."""
    moment = now()
    return [shapes.level(each, moment) for each in list_levels(_person(request).uuid)]


@api.get("/me/abilities", response=list[shapes.AbilityOut], tags=["me"])
def get_abilities(request: HttpRequest) -> list[shapes.AbilityOut]:
    """My estimates in logits, with standard errors and 90 % intervals."""
    return [shapes.ability(each) for each in list_abilities(_person(request).uuid, now()).values()]


@api.get("/me/evidence", response=shapes.EvidencePage, tags=["me"])
def get_evidence(
    request: HttpRequest,
    before: int | None = Query(None, ge=1, le=2**62),  # type: ignore[type-arg]
    limit: int = Query(50, ge=1, le=200),  # type: ignore[type-arg]
) -> shapes.EvidencePage:
    """Statements about me, newest first. `next` is the `before` of the following page, null at the end."""
    found = list_newest(actor=_person(request).uuid, before_seq=before, limit=limit + 1)
    framework = current_framework()
    return shapes.EvidencePage(
        items=[shapes.evidence(each, tell(each, framework)) for each in found[:limit]],
        next=found[limit - 1].seq if len(found) > limit else None,
    )


@api.get("/ladder", response=list[shapes.RungOut], tags=["framework"])
def get_ladder(request: HttpRequest) -> list[shapes.RungOut]:
    """The rungs: what each lets a person do, and what it builds on."""
    return [shapes.rung(each) for each in current_framework().rungs.values()]


@api.get("/competencies", response=list[shapes.CompetencyOut], tags=["framework"])
def get_competencies(request: HttpRequest) -> list[shapes.CompetencyOut]:
    """The competencies with their indicators by level."""
    return [shapes.competency(each) for each in current_framework().competencies.values()]


@api.post("/me/attempts", response={201: shapes.AttemptOut}, auth=django_auth, tags=["practice"])
def post_attempt(request: HttpRequest, body: StartIn) -> shapes.AttemptOut:
    """Begin a step of a checklist, or go on with it where it was left."""
    person = _person(request)
    attempt = start_step(person.uuid, body.step, now())
    return shapes.attempt(get_attempt(person.uuid, attempt))


@api.post("/me/attempts/{attempt}/answers", response=shapes.FeedbackOut, auth=django_auth, tags=["practice"])
def post_answer(request: HttpRequest, attempt: UUID, body: AnswerIn) -> shapes.FeedbackOut:
    """Answer a question. The first answer stands; sending one again gives the feedback on the first."""
    feedback = answer_item(
        _person(request).uuid,
        attempt,
        body.item,
        choice=body.choice,
        lines=body.lines,
        seconds=body.seconds,
        now=now(),
    )
    return shapes.feedback(feedback)


@api.post("/people/{uuid}/grants/{rung}/suspend", response={204: None}, auth=django_auth, tags=["mentor"])
def post_suspend(request: HttpRequest, uuid: UUID, rung: str, body: ReasonIn) -> None:
    """Suspend a rung for somebody I supervise, with a reason they read."""
    person = supervised_person(request, uuid)
    suspend_grant(person.uuid, rung, by=_person(request), reason=body.reason, now=now())


@api.post("/people/{uuid}/grants/{rung}/reinstate", response={204: None}, auth=django_auth, tags=["mentor"])
def post_reinstate(request: HttpRequest, uuid: UUID, rung: str, body: ReasonIn) -> None:
    """Give it back, with a reason."""
    person = supervised_person(request, uuid)
    reinstate_grant(person.uuid, rung, by=_person(request), reason=body.reason, now=now())


def _problem(request: HttpRequest, status: int, detail: str, cure: str, **more: Any) -> HttpResponse:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "cure": cure,
        **more,
    }
    response = api.create_response(request, body, status=status)
    response.headers["Content-Type"] = "application/problem+json"
    return response


@api.exception_handler(Refused)
def _refused(request: HttpRequest, error: Refused) -> HttpResponse:
    return _problem(
        request, 409, str(error), "Do what the detail says, or look at GET /api/me for the next step."
    )


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = _problem(
        request,
        401,
        "It is not known who asks.",
        "Reading: send 'Authorization: Bearer <gateway key>', made on the page Keys, or a session cookie. "
        "Writing: sign in, and send the session cookie.",
    )
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(AuthorizationError)
def _forbidden(request: HttpRequest, error: AuthorizationError) -> HttpResponse:
    return _problem(request, 403, "This is not for you.", "Ask your operator whether it should be.")


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return _problem(
        request,
        404,
        "There is nothing here, or nothing for your eyes.",
        "GET /api/openapi.json lists the addresses.",
    )


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [
        {"where": ".".join(str(part) for part in fault["loc"]), "what": fault["msg"]}
        for fault in error.errors[:20]
    ]
    return _problem(
        request,
        422,
        "The request does not have the form that is asked.",
        "Correct what `faults` names.",
        faults=faults,
    )


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    cures = {
        400: "Send valid JSON, as GET /api/openapi.json describes it.",
        403: "Send the CSRF token of your session as the header X-CSRFToken.",
    }
    cure = cures.get(error.status_code, "GET /api/openapi.json lists the addresses.")
    return _problem(request, error.status_code, str(error), cure)
