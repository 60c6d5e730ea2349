"""Pages of somebody who learns: where they are, what comes next, what each rung and competency means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from toprope.authorization.api import HoldView, Refused, Standing, get_ceilings, get_standing
from toprope.competency.api import Framework, current_framework
from toprope.content.api import current_policy, list_lessons
from toprope.evidence.api import list_newest
from toprope.evidence.statement import Verb
from toprope.kit.clock import now
from toprope.learning.api import accept_policy, get_next_step, list_unrated, start_step
from toprope.measurement.api import (
    Ability,
    explain_ability,
    forecast_ability,
    get_cuts,
    list_abilities,
)
from toprope.people.api import Person, duties_of, governance_leads
from toprope.progression.api import LevelHeld, get_level_checklist, list_levels
from toprope.web.access import RATERS, person_of
from toprope.web.charts import Dot, Route, draw_dot, draw_route
from toprope.web.words import Line, tell

_RECENT = 5

AHEAD = {"Now": 0, "In 30 days": 30, "In 90 days": 90}
"""Days from now for which an estimate is told."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An ability beside the level it is read against."""

    ability: Ability
    name: str
    level: int
    cut: float
    probability: float
    dot: Dot


@login_required
@require_safe
def show_home(request: HttpRequest) -> HttpResponse:
    """Where I am, what the next rung needs, the one next thing, my estimates and evidence."""
    person, moment = person_of(request), now()
    framework, standing = current_framework(), get_standing(person.uuid, moment)
    levels = list_levels(person.uuid)
    holds = _holds()
    context = {
        "framework": framework,
        "standing": standing,
        "holds": holds,
        "stopped": [
            (each, holds[each.rung.key])
            for each in standing.rungs
            if each.rung.key in holds and each.state == "open"
        ],
        "next_step": get_next_step(standing, moment),
        "route": route_of(standing),
        "done": _count_done(standing),
        "estimates": _estimates(framework, list_abilities(person.uuid, moment), levels, moment),
        "recent": recent_lines(person, framework),
        "appeal_to": appeal_to(standing),
        "unrated": len(list_unrated(person)) if duties_of(person) & RATERS else 0,
    }
    return render(request, "web/learner/home.html", context)


@login_required
@require_safe
def show_policy(request: HttpRequest) -> HttpResponse:
    """The acceptable-use policy, and whether I have accepted this version."""
    policy = current_policy()
    accepted = [
        recorded.statement
        for recorded in list_newest(actor=person_of(request).uuid, verbs={Verb.ACCEPTED})
        if recorded.statement.object.version == policy.version
    ]
    context = {"policy": policy, "accepted": accepted[0] if accepted else None}
    return render(request, "web/learner/policy.html", context)


@login_required
@require_POST
def accept(request: HttpRequest) -> HttpResponse:
    """Accept the version of the policy that was shown."""
    version = request.POST.get("version", "")
    try:
        accept_policy(person_of(request).uuid, version, now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("web:policy")
    messages.success(request, f"You accepted version {version} of the policy.")
    return redirect("web:home")


@login_required
@require_safe
def show_ladder(request: HttpRequest) -> HttpResponse:
    """Every rung, how it stands for me, and what it lets me do."""
    standing = get_standing(person_of(request).uuid, now())
    context = {
        "standing": standing,
        "route": route_of(standing),
        "framework": current_framework(),
        "holds": _holds(),
    }
    return render(request, "web/learner/ladder.html", context)


@login_required
@require_safe
def show_rung(request: HttpRequest, key: str) -> HttpResponse:
    """What a rung is, what it asks, how far I am. Refusals of the gateway link here."""
    framework = current_framework()
    if key not in framework.rungs:
        raise Http404
    standing = get_standing(person_of(request).uuid, now())
    here = standing.rung(key)
    context = {
        "framework": framework,
        "standing": standing,
        "here": here,
        "appeal_to": appeal_to(standing),
        "focus": next((each.step for each in here.checklist.open_steps()), ""),
        "rung": framework.rungs[key],
        "hold": _holds().get(key),
        "leads_to": [rung for rung in framework.rungs.values() if key in rung.after],
        "builds_on": [framework.rungs[before] for before in framework.rungs[key].after],
    }
    return render(request, "web/learner/rung.html", context)


@login_required
@require_safe
def show_competencies(request: HttpRequest) -> HttpResponse:
    """All competencies by domain, with the level I hold and what my role aims at."""
    person, framework = person_of(request), current_framework()
    held = highest_levels(list_levels(person.uuid), now())
    role = framework.roles.get(person.role)
    domains = [
        (
            domain,
            [
                (each, held.get(each.key), role.targets.get(each.key) if role else None)
                for each in framework.competencies.values()
                if each.domain == domain.key
            ],
        )
        for domain in framework.domains
    ]
    context = {"framework": framework, "domains": domains, "role": role}
    return render(request, "web/learner/competencies.html", context)


@login_required
@require_safe
def show_competency(request: HttpRequest, key: str) -> HttpResponse:
    """What a competency means at each level, what I have shown, how to learn it."""
    person, framework, moment = person_of(request), current_framework(), now()
    competency = framework.competencies.get(key)
    if competency is None:
        raise Http404
    levels = list_levels(person.uuid)
    held = {each.level: each for each in levels if each.competency == key}
    ability = list_abilities(person.uuid, now()).get(key)
    role = framework.roles.get(person.role)
    rows = [
        (
            level,
            framework.levels[level.level - 1],
            held.get(level.level),
            get_level_checklist(person.uuid, key, level.level, moment),
        )
        for level in competency.levels
    ]
    best = highest_levels(levels, moment).get(key)
    context = {
        "framework": framework,
        "competency": competency,
        "domain": next(each for each in framework.domains if each.key == competency.domain),
        "rows": rows,
        "focus": min((best.level if best else 0) + 1, 4),
        "best": best,
        "target": role.targets.get(key) if role else None,
        "currency": framework.currency[competency.currency],
        "lessons": list_lessons(key),
        "estimate": _estimate(framework, get_cuts(), ability, best) if ability else None,
        "used_by": [rung for rung in framework.rungs.values() if key in rung.competencies],
    }
    return render(request, "web/learner/competency.html", context)


@login_required
@require_safe
def show_estimate(request: HttpRequest, key: str) -> HttpResponse:
    """How each answer moved my estimate of one competency."""
    person, framework = person_of(request), current_framework()
    if key not in framework.competencies:
        raise Http404
    moment = now()
    best = highest_levels(list_levels(person.uuid), moment).get(key)
    times = {name: moment + timedelta(days=days) for name, days in AHEAD.items()}
    if best is not None:
        times[f"When level {best.level} lapses"] = best.lapses_at
    ahead = forecast_ability(person.uuid, key, list(times.values()))
    level = min((best.level if best else 0) + 1, 4)
    cuts = get_cuts()
    steps = [
        (
            step,
            draw_dot(step.after.value, step.after.interval, cuts[level]),
            step.after.value - step.before.value,
        )
        for step in reversed(explain_ability(person.uuid, key))
    ]
    context = {
        "competency": framework.competencies[key],
        "estimate": _estimate(framework, cuts, ahead[0], best) if ahead else None,
        "ahead": [
            (name, _estimate(framework, cuts, each, best)) for name, each in zip(times, ahead, strict=False)
        ],
        "steps": steps,
    }
    return render(request, "web/learner/estimate.html", context)


@login_required
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Begin a step of a checklist, or go on with it where it was left."""
    step = request.POST.get("step", "")
    if step == "policy":
        return redirect("web:policy")
    try:
        attempt = start_step(person_of(request).uuid, step, now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("web:home")
    return redirect("web:attempt", attempt)


def route_of(standing: Standing) -> Route:
    """The ladder drawn for one person."""
    states = {each.rung.key: each.state for each in standing.rungs}
    if standing.next is not None and standing.next.state == "closed":
        states[standing.next.rung.key] = "next"
    after = {each.rung.key: each.rung.after for each in standing.rungs}
    return draw_route(after, states, standing.highest.rung.key if standing.highest else "")


def appeal_to(standing: Standing) -> list[Person]:
    """Who hears an appeal against a suspension or step down: governance leads who did not decide it."""
    deciders = {
        decision.by
        for each in standing.rungs
        if each.grant
        for decision in (each.grant.suspension, each.grant.step_down)
        if decision
    }
    if not deciders:
        return []
    return [lead for lead in governance_leads() if lead.uuid not in deciders | {standing.person}]


def recent_lines(person: Person, framework: Framework) -> list[Line]:
    """The newest statements about a person, in words."""
    return [tell(recorded, framework) for recorded in list_newest(actor=person.uuid, limit=_RECENT)]


def highest_levels(levels: list[LevelHeld], moment: datetime) -> dict[str, LevelHeld]:
    """The highest current level by competency."""
    current = sorted((each for each in levels if each.current(moment)), key=lambda each: each.level)
    return {each.competency: each for each in current}


def _estimates(
    framework: Framework, abilities: Mapping[str, Ability], levels: list[LevelHeld], moment: datetime
) -> list[Estimate]:
    held = highest_levels(levels, moment)
    known = [key for key in framework.competencies if key in abilities]
    cuts = get_cuts()
    return [_estimate(framework, cuts, abilities[key], held.get(key)) for key in known]


def _estimate(
    framework: Framework, cuts: Mapping[int, float], ability: Ability, held: LevelHeld | None
) -> Estimate:
    """Read against the level that comes next."""
    level = min((held.level if held else 0) + 1, 4)
    cut = cuts[level]
    return Estimate(
        ability=ability,
        name=framework.competencies[ability.competency].name,
        level=level,
        cut=cut,
        probability=ability.belief.probability_above(cut),
        dot=draw_dot(ability.value, ability.interval, cut),
    )


def _holds() -> dict[str, HoldView]:
    return {hold.rung: hold for hold in get_ceilings().holds}


def _count_done(standing: Standing) -> tuple[int, int]:
    if standing.next is None:
        return 0, 0
    asked = standing.next.checklist.requirements
    return sum(each.status == "done" for each in asked), len(asked)
