"""What every page shows around its content: the menu by duty, and whether this is a demo."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from toprope.people.api import DutyKind, Person, duties_of
from toprope.web.access import RATERS


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Shell:
    demo: bool
    groups: tuple[Group, ...] = ()
    duties: str = ""


_LEARNER = (
    ("Home", "web:home"),
    ("Ladder", "web:ladder"),
    ("Competencies", "web:competencies"),
    ("Evidence", "web:evidence"),
    ("Keys", "web:keys"),
)
_MENTOR = (("People", "web:people"), ("Ratings", "web:ratings"))
_GOVERNANCE = (
    ("Ceilings", "web:ceilings"),
    ("Panels", "web:boards"),
    ("Measurement", "web:measurement"),
    ("Record", "web:record"),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    person = getattr(request, "user", None)
    if not isinstance(person, Person):
        return {"shell": Shell(settings.DEMO)}
    duties = duties_of(person)
    groups = [_group("Learn", _LEARNER, request.path)]
    if duties & RATERS:
        groups.append(_group("Mentor", _MENTOR, request.path))
    if DutyKind.GOVERNANCE in duties:
        groups.append(_group("Govern", _GOVERNANCE, request.path))
    labels = ", ".join(sorted(duty.label for duty in duties))
    return {"shell": Shell(settings.DEMO, tuple(groups), labels)}


def _group(name: str, links: tuple[tuple[str, str], ...], path: str) -> Group:
    made = []
    for text, route in links:
        href = reverse(route)
        here = path == href if href == "/" else path.startswith(href)
        made.append(Link(text, href, here))
    return Group(name, tuple(made))
