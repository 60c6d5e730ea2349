"""Attempts: answering questions one by one, practicals as a whole, and how they went."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from toprope.authorization.api import Refused
from toprope.competency.api import current_framework
from toprope.content.api import MAX_TEXT, MIN_TEXT, FlawHuntVariant, RedactionVariant
from toprope.kit.clock import now
from toprope.learning.api import Attempt, AttemptKind, Question, answer_item, get_attempt, submit_practical
from toprope.people.api import mentors_of
from toprope.web import results
from toprope.web.access import person_of

_MAX_MARKS = 5_000


@login_required
@require_safe
def show_attempt(request: HttpRequest, attempt: UUID) -> HttpResponse:
    """The attempt as far as it is: the next question, the feedback on the last, or the result."""
    told = _own_attempt(request, attempt)
    if told.kind is AttemptKind.SITTING:
        return _show_sitting(request, told)
    if told.finished:
        context = results.explain(told)
        if told.waiting:
            context["mentors"] = mentors_of(person_of(request))
        return render(request, f"web/practice/{told.kind}_result.html", context)
    return _show_practical(request, told)


@login_required
@require_POST
def answer(request: HttpRequest, attempt: UUID) -> HttpResponse:
    """Answer one question, and see at once how it went."""
    told = _own_attempt(request, attempt)
    key = request.POST.get("item", "")
    here = reverse("web:attempt", args=[attempt])
    try:
        answer_item(
            told.person,
            attempt,
            key,
            choice=request.POST.get("choice", ""),
            lines=_numbers(request.POST, "line"),
            seconds=_seconds_since(request.POST.get("shown_at", "")),
            now=now(),
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(here)
    return HttpResponseRedirect(f"{here}?answered={_number_of(told, key)}")


@login_required
@require_POST
def hand_in(request: HttpRequest, attempt: UUID) -> HttpResponse:
    """Hand in a practical. What was handed in first stands."""
    told = _own_attempt(request, attempt)
    try:
        submit_practical(told.person, attempt, _response(told, request.POST), now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        if told.kind is AttemptKind.EXPLAIN_BACK and not told.finished:
            return _show_practical(request, told, text=request.POST.get("text", ""), status=422)
    return redirect("web:attempt", attempt)


def _show_practical(
    request: HttpRequest, told: Attempt, *, text: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "attempt": told,
        "practical": told.practical,
        "variant": told.shown,
        "text": text,
        "shortest": MIN_TEXT,
        "longest": MAX_TEXT,
    }
    return render(request, f"web/practice/{told.kind}.html", context, status=status)


def _own_attempt(request: HttpRequest, attempt: UUID) -> Attempt:
    try:
        return get_attempt(person_of(request).uuid, attempt)
    except Refused:
        raise Http404 from None


def _show_sitting(request: HttpRequest, told: Attempt) -> HttpResponse:
    total = len(told.questions)
    open_numbers = [number for number, each in enumerate(told.questions, 1) if each.answer is None]
    asked = request.GET.get("answered", "")
    number = int(asked) if asked.isdecimal() and len(asked) < 5 else 0
    looks_back = 1 <= number <= total and told.questions[number - 1].answer is not None
    if not looks_back:
        if not open_numbers:
            return render(request, "web/practice/sitting_result.html", results.explain(told))
        number = open_numbers[0]
    question = told.questions[number - 1]
    context = {
        "attempt": told,
        "framework": current_framework(),
        "question": question,
        "item": question.item,
        "number": number,
        "total": told.plan.limit or total,
        "adaptive": told.plan.limit > 0,
        "answered": total - len(open_numbers),
        "last": not open_numbers,
        "lines": code_lines(question),
        "asks_lines": bool(question.item.flaw_lines),
        "shown_at": int(now().timestamp()),
    }
    return render(request, "web/practice/sitting.html", context)


def code_lines(question: Question) -> list[dict[str, Any]]:
    """The code of a question by line. What is flawed is told only once it is answered."""
    marked = question.answer.lines if question.answer else ()
    flawed = question.answer.feedback.flaw_lines if question.answer else ()
    return [
        {"number": number, "text": text, "marked": number in marked, "flawed": number in flawed}
        for number, text in enumerate(question.item.code.splitlines(), 1)
    ]


def _number_of(told: Attempt, key: str) -> int:
    return next((number for number, each in enumerate(told.questions, 1) if each.item.key == key), 0)


def _response(told: Attempt, form: QueryDict) -> Any:
    """The response that `score_practical` takes, out of the form."""
    shown = told.shown if told.practical else None
    if isinstance(shown, RedactionVariant):
        return _numbers(form, "token")
    if isinstance(shown, FlawHuntVariant):
        return {sample.id: _numbers(form, f"line-{sample.id}") for sample in shown.samples}
    return form.get("text", "")


def _numbers(form: QueryDict, name: str) -> list[int]:
    """The whole numbers under this name; what is none is left out."""
    values = form.getlist(name)[:_MAX_MARKS]
    return sorted({int(value) for value in values if value.isdecimal() and len(value) < 7})


def _seconds_since(shown_at: str) -> float:
    if not shown_at.isdecimal() or len(shown_at) > 12:
        return 0.0
    return max(0.0, now().timestamp() - int(shown_at))
