"""Who may see what: the checks that every page starts with."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from toprope.people.api import DutyKind, Person, duties_of, get_person, may_supervise

View = Callable[..., HttpResponse]

RATERS = frozenset({DutyKind.MENTOR, DutyKind.GOVERNANCE})
"""Duties whose holders look after others: they see their pages, and rate what they hand in."""


def person_of(request: HttpRequest) -> Person:
    """The person who is signed in; only behind `login_required`."""
    if not isinstance(request.user, Person):
        raise PermissionDenied("Sign in first.")
    return request.user


def needs(*kinds: DutyKind) -> Callable[[View], View]:
    """Let only people with one of these duties in."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not duties_of(person_of(request)).intersection(kinds):
                names = " or ".join(kind.label.lower() for kind in kinds)
                raise PermissionDenied(f"This page is for a {names}. Ask your operator if you should be one.")
            return view(request, *args, **kwargs)

        return checked

    return decorate


def supervised_person(request: HttpRequest, uuid: UUID) -> Person:
    """The person with this uuid if the one signed in may supervise them; the same 404 for anybody else."""
    try:
        person = get_person(uuid)
    except Person.DoesNotExist:
        raise Http404 from None
    if not may_supervise(person_of(request), person):
        raise Http404
    return person


def visible_person(request: HttpRequest, uuid: UUID) -> Person:
    """Oneself, or somebody one supervises; the same 404 for anybody else."""
    me = person_of(request)
    return me if me.uuid == uuid else supervised_person(request, uuid)
