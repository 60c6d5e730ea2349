"""What a rung of the ladder asks of a person, and how far they are. Pure.

Each validation type of the ladder is a module in `validations`, each deciding authority one function in
`authorities`. What this version knows nothing of cannot be met, so a rung that names it stays closed.
"""

from collections.abc import Mapping
from datetime import datetime

from toprope.competency.logic import Rung
from toprope.progression.logic.authorities import check_decisions
from toprope.progression.logic.held import LevelHeld
from toprope.progression.logic.periods import Period, holds, unite
from toprope.progression.logic.requirement import Checklist, Requirement, Status
from toprope.progression.logic.situation import RungCase, Situation
from toprope.progression.logic.validations import check_validation


def check_rung(situation: Situation, rung: Rung, opened: Mapping[str, datetime]) -> Checklist:
    """The checklist of a rung. `opened` maps the rungs the person was granted to when each was.

    What only opens a rung is told as it was then, once the rung is granted; what has to last, as it is.
    """
    case = RungCase(situation, rung)
    requirements = [_rung_before(situation.framework.rungs[key], opened) for key in rung.after]
    requirements.extend(_level(case, key, level) for key, level in rung.competencies.items())
    validations = [check_validation(case, rule) for rule in rung.validations]
    requirements.extend(each for each in validations if each is not None)
    requirements.extend(check_decisions(case))
    since = opened.get(rung.key)
    return Checklist(rung.key, tuple(_as_opened(each, since) for each in requirements))


def _as_opened(requirement: Requirement, since: datetime | None) -> Requirement:
    if since is None or requirement.lasting or requirement.status is Status.DONE:
        return requirement
    if not holds(requirement.met, since):
        return requirement
    return requirement.but(
        status=Status.DONE, detail=f"Met when the rung opened, on {since:%d %B %Y}.", met_at=since, step=""
    )


def _rung_before(before: Rung, opened: Mapping[str, datetime]) -> Requirement:
    since = opened.get(before.key)
    return Requirement(
        kind="rung",
        title=f"{before.key} {before.name}",
        status=Status.DONE if since else Status.MISSING,
        detail="Open." if since else "Comes first on the ladder.",
        met_at=since,
    )


def _level(case: RungCase, key: str, level: int) -> Requirement:
    """A competency level: held, not lapsed where the rung asks for currency, and not on too thin evidence."""
    situation, rung = case.situation, case.rung
    parts = situation.check_level(key, level).requirements
    awards = [held for held in situation.awards(key) if held.level >= level]
    requirement = Requirement(
        kind="level",
        title=f"{key} {situation.framework.competencies[key].name}, level {level}",
        status=Status.MISSING,
        detail=f"{sum(part.status is Status.DONE for part in parts)} of {len(parts)} done.",
        competency=key,
        level=level,
        parts=parts,
        lasting=rung.competency_currency,
        periods=unite(period for held in awards for period in _counts(case, held, level)),
    )
    current = [held for held in awards if holds(_periods(case, held, level), case.now)]
    if current:
        return _held(case, requirement, current)
    lapsed = [held for held in awards if held.awarded_at <= case.now]
    if lapsed:
        return requirement.but(
            status=Status.EXPIRED,
            detail="Lapsed: fresh evidence renews it.",
            evidence=lapsed[0].evidence,
            step=f"sitting:{key}:{level}",
            parts=(),
        )
    statuses = {part.status for part in parts}
    if Status.WAITING in statuses and Status.MISSING not in statuses:
        return requirement.but(status=Status.WAITING)
    return requirement


def _periods(case: RungCase, held: LevelHeld, level: int) -> tuple[Period, ...]:
    """When an award counts for a level of this rung; a lapsed level counts as the one below."""
    asks_currency = case.rung.competency_currency or any(
        rule.get("all_levels_current") for rule in case.rung.validations
    )
    return held.periods_at(level) if asks_currency else (Period(held.awarded_at),)


def _counts(case: RungCase, held: LevelHeld, level: int) -> tuple[Period, ...]:
    """The same, but for a provisional award on a rung that asks for complete evidence."""
    thin = held.provisional and case.rung.key not in case.framework.bootstrap.rungs
    return () if thin else _periods(case, held, level)


def _held(case: RungCase, requirement: Requirement, current: list[LevelHeld]) -> Requirement:
    best = min(current, key=lambda held: (held.provisional, held.awarded_at))
    if not best.provisional:
        return requirement.but(
            status=Status.DONE, detail="Held.", evidence=best.evidence, met_at=best.awarded_at
        )
    if case.rung.key in case.framework.bootstrap.rungs:
        return requirement.but(
            status=Status.DONE,
            detail="Held, provisionally: few questions exist so far.",
            evidence=best.evidence,
            met_at=best.awarded_at,
            provisional=True,
        )
    return requirement.but(
        detail="Held provisionally; this rung asks for complete evidence.", evidence=best.evidence
    )
