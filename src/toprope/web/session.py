"""Signing in and out, and the personas of a demo."""

from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from toprope.authorization.api import list_grants_of
from toprope.competency.api import current_framework
from toprope.kit.clock import now
from toprope.people.api import (
    PeopleError,
    Person,
    SignInError,
    find_person,
    list_duties,
    list_people,
    sign_in,
    take_persona,
)
from toprope.web.words import highest_open, role_name

_BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True, slots=True)
class Persona:
    """A made-up person as the switcher shows them."""

    person: Person
    role: str
    duties: str
    rung: str


class SignInForm(forms.Form):
    email = forms.EmailField(max_length=254, label="E-mail address")
    password = forms.CharField(max_length=512, strip=False, label="Password")


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def show_sign_in(request: HttpRequest) -> HttpResponse:
    """The form, and what it does."""
    goal = _safe_goal(request)
    if request.user.is_authenticated:
        return redirect(goal)
    form = SignInForm(request.POST if request.method == "POST" else None)
    problem = ""
    if form.is_valid():
        address = request.META.get("REMOTE_ADDR", "")[:64]
        try:
            person = sign_in(**form.cleaned_data, address=address, now=now())
        except SignInError as error:
            problem = str(error)
        else:
            login(request, person, backend=_BACKEND)
            return redirect(goal)
    context = {"form": form, "problem": problem, "goal": goal, "demo": settings.DEMO}
    status = 422 if form.is_bound else 200
    return render(request, "web/session/sign_in.html", context, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    messages.success(request, "You are signed out.")
    return redirect("web:sign-in")


@require_http_methods(["GET", "HEAD", "POST"])
def switch_persona(request: HttpRequest) -> HttpResponse:
    """In a demo: choose whom to be. The route exists in demo mode only."""
    if request.method != "POST":
        return render(request, "web/session/personas.html", {"groups": _personas()})
    person = find_person(request.POST.get("person", ""))
    if person is None:
        raise Http404
    try:
        take_persona(person, now=now())
    except PeopleError:
        raise Http404 from None
    login(request, person, backend=_BACKEND)
    return redirect("web:home")


def _personas() -> list[tuple[str, list[Persona]]]:
    """The made-up persons: those with a duty first, then those who learn only."""
    framework, moment = current_framework(), now()
    people = list_people(demo=True)
    duties = list_duties(people)
    grants = list_grants_of([person.uuid for person in people])
    personas = [
        Persona(
            person=person,
            role=role_name(framework, person.role),
            duties=", ".join(kind.label for kind in sorted(duties.get(person.uuid, ()))),
            rung=highest_open(framework, grants.get(person.uuid, []), moment),
        )
        for person in people
    ]
    groups = (
        ("They look after others", [each for each in personas if each.duties]),
        ("They learn", [each for each in personas if not each.duties]),
    )
    return [(title, members) for title, members in groups if members]


def _safe_goal(request: HttpRequest) -> str:
    goal = request.POST.get("next") or request.GET.get("next") or "/"
    safe = url_has_allowed_host_and_scheme(goal, {request.get_host()}, require_https=request.is_secure())
    return goal if safe else "/"
