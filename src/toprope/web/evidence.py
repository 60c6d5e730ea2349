"""The evidence: one's own list, and each statement with who vouches for it."""

import json
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from toprope.competency.api import current_framework
from toprope.evidence.api import get_statement, list_newest
from toprope.evidence.statement import Statement, canonical, digest
from toprope.people.api import Person, get_people
from toprope.web.access import person_of, supervised_person, visible_person
from toprope.web.words import tell, voucher

PAGE = 25


@login_required
@require_safe
def show_list(request: HttpRequest) -> HttpResponse:
    """Everything recorded about me, newest first."""
    return _list(request, person_of(request))


@login_required
@require_safe
def show_list_of(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Everything recorded about somebody I supervise."""
    return _list(request, supervised_person(request, uuid))


@login_required
@require_safe
def show_statement(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """One statement: in words, who vouches for it, where it is in the record, and raw."""
    recorded = get_statement(uuid)
    if recorded is None:
        raise Http404
    statement = recorded.statement
    subject = visible_person(request, statement.actor)
    framework = current_framework()
    context = {
        "recorded": recorded,
        "statement": statement,
        "line": tell(recorded, framework),
        "subject": subject,
        "mine": subject == request.user,
        "voucher": voucher(statement, _names(statement)),
        "digest": digest(statement),
        "raw": json.dumps(json.loads(canonical(statement)), indent=2, ensure_ascii=False),
        "reason": _written_reason(statement),
    }
    return render(request, "web/learner/statement.html", context)


def _list(request: HttpRequest, person: Person) -> HttpResponse:
    before = number_or_none(request.GET.get("before", ""))
    found = list_newest(actor=person.uuid, before_seq=before, limit=PAGE + 1)
    framework = current_framework()
    context = {
        "subject": person,
        "mine": person == request.user,
        "lines": [tell(recorded, framework) for recorded in found[:PAGE]],
        "older": found[PAGE - 1].seq if len(found) > PAGE else None,
        "newest": before is None,
    }
    return render(request, "web/learner/evidence.html", context)


def number_or_none(text: str) -> int | None:
    """A page's cursor out of an address; what is no number starts at the top."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _names(statement: Statement) -> dict[UUID, str]:
    try:
        people = get_people([UUID(statement.authority)])
    except ValueError:  # vouched for by a part of Toprope, not by a person
        return {}
    return {uuid: person.name for uuid, person in people.items()}


def _written_reason(statement: Statement) -> str:
    """What a person wrote when they decided: the reason of a suspension, the note of a rating."""
    result = statement.result
    if result is None:
        return ""
    detail: dict[str, Any] = result.detail
    written = result.response if statement.verb.value.startswith("was-") else detail.get("reason")
    return written if isinstance(written, str) else str(detail.get("note", ""))
