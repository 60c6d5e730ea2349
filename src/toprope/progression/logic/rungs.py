"""What a rung of the ladder asks of a person, and how far they are. Pure.

Each validation type of the ladder is one function in `VALIDATIONS`; a type without a function cannot be met,
so a rung that names it stays closed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from toprope.competency.logic import Framework, Rung
from toprope.progression.logic.held import LevelHeld
from toprope.progression.logic.history import MIXED, POLICY, History, Piece
from toprope.progression.logic.level_rules import LevelCase, check_level, describe_try
from toprope.progression.logic.pools import Catalogue
from toprope.progression.logic.requirement import Checklist, Requirement, Status

NOT_RECORDABLE = "This version of Toprope cannot record this yet, so the rung stays closed."


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a rung's requirements are checked against. `policy_version` is the one in force."""

    framework: Framework
    history: History
    levels: Mapping[tuple[str, int], LevelHeld]
    catalogue: Catalogue
    policy_version: str
    now: datetime
    _checked: dict[tuple[str, int], Checklist] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def check_level(self, competency: str, level: int) -> Checklist:
        """The checklist of one level; rungs ask for the same ones again and again, so it is kept."""
        if (competency, level) not in self._checked:
            self._checked[competency, level] = check_level(self.case(competency, level))
        return self._checked[competency, level]

    def case(self, competency: str, level: int) -> LevelCase:
        """The case for one level. Raises KeyError for a competency the framework does not have."""
        return LevelCase(
            self.framework,
            self.framework.competencies[competency],
            level,
            self.history,
            self.levels,
            self.catalogue,
            self.now,
        )


def check_rung(situation: Situation, rung: Rung, opened: Mapping[str, datetime]) -> Checklist:
    """The checklist of a rung. `opened` maps the rungs the person holds to when each was opened."""
    requirements = [_rung_before(situation.framework.rungs[key], opened) for key in rung.after]
    requirements.extend(_level(situation, rung, key, level) for key, level in rung.competencies.items())
    for validation in rung.validations:
        check = VALIDATIONS.get(validation["type"], _not_recordable)
        requirement = check(situation, rung, validation)
        if requirement is not None:
            requirements.append(requirement)
    if rung.decision != "automatic":
        requirements.append(_decision(situation.framework, rung))
    return Checklist(rung.key, tuple(requirements))


def _rung_before(before: Rung, opened: Mapping[str, datetime]) -> Requirement:
    since = opened.get(before.key)
    return Requirement(
        kind="rung",
        title=f"{before.key} {before.name}",
        status=Status.DONE if since else Status.MISSING,
        detail="Open." if since else "Comes first on the ladder.",
        met_at=since,
    )


def _level(situation: Situation, rung: Rung, key: str, level: int) -> Requirement:
    """A competency level: held, not lapsed where the rung asks for currency, and not on too thin evidence."""
    parts = situation.check_level(key, level).requirements
    awards = [
        held for (competency, at), held in situation.levels.items() if competency == key and at >= level
    ]
    current = [held for held in awards if held.current(situation.now) or not rung.competency_currency]
    requirement = Requirement(
        kind="level",
        title=f"{key} {situation.framework.competencies[key].name}, level {level}",
        status=Status.MISSING,
        detail=f"{sum(part.status is Status.DONE for part in parts)} of {len(parts)} done.",
        competency=key,
        level=level,
        parts=parts,
    )
    if current:
        return _held(situation, rung, requirement, current)
    if awards:
        return requirement.but(
            status=Status.EXPIRED,
            detail="Lapsed: fresh evidence renews it.",
            evidence=awards[0].evidence,
            step=f"sitting:{key}:{level}",
            parts=(),
        )
    statuses = {part.status for part in parts}
    if Status.WAITING in statuses and Status.MISSING not in statuses:
        return requirement.but(status=Status.WAITING)
    return requirement


def _held(
    situation: Situation, rung: Rung, requirement: Requirement, current: list[LevelHeld]
) -> Requirement:
    best = min(current, key=lambda held: (held.provisional, held.awarded_at))
    if not best.provisional:
        return requirement.but(
            status=Status.DONE, detail="Held.", evidence=best.evidence, met_at=best.awarded_at
        )
    if rung.key in situation.framework.bootstrap.rungs:
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


def _policy(situation: Situation, rung: Rung, validation: Mapping[str, Any]) -> Requirement:
    del rung, validation
    accepted = [piece for piece in situation.history.pieces if piece.kind == POLICY]
    first = next((piece for piece in accepted if piece.version == situation.policy_version), None)
    requirement = Requirement(
        POLICY, "Acceptable-use policy", Status.MISSING, "Read it and accept it.", step="policy"
    )
    if first is not None:
        return _met(requirement, first, f"Version {first.version} accepted.")
    if accepted:
        return requirement.but(status=Status.EXPIRED, detail="There is a new version to accept.")
    return requirement


def _automatic(situation: Situation, rung: Rung, validation: Mapping[str, Any]) -> Requirement | None:
    """The mixed set of questions across the required competencies; their currency is checked per level."""
    asked, mark = int(validation.get("mixed_items", 0)), float(validation.get("pass", 0))
    if not asked:
        return None
    sittings = [each for each in situation.history.pieces if each.kind == MIXED and each.rung == rung.key]
    detail = f"{asked} questions across the competencies above (or all there are so far), {mark:.0%} right."
    requirement = Requirement(MIXED, "A mixed set of questions", Status.MISSING, detail)
    passed = _passed_mixed(sittings, asked, mark)
    if passed:
        right = f"{round(passed.score * passed.drawn)} of {passed.drawn} right."
        if passed.drawn >= asked:
            return _met(requirement, passed, right)
        right += f" Provisional: the rule asks for {asked}, the pool held {passed.pool}."
        return _met(requirement, passed, right).but(provisional=True)
    levels_held = all(
        any(competency == key and at >= level for competency, at in situation.levels)
        for key, level in rung.competencies.items()
    )
    if not levels_held:
        return requirement.but(detail=f"{detail} Opens when the levels above are held.")
    return _to_do(situation, rung, requirement.but(step=f"mixed:{rung.key}"), sittings)


def _passed_mixed(sittings: list[Piece], asked: int, mark: float) -> Piece | None:
    """The first whole, passed set after the last critical miss."""
    passed: Piece | None = None
    for piece in sittings:
        if piece.critical_misses:
            passed = None
        elif passed is None and piece.score >= mark and piece.drawn >= min(asked, max(piece.pool, 1)):
            passed = piece
    return passed


def _scenario(situation: Situation, rung: Rung, validation: Mapping[str, Any]) -> Requirement:
    key, mark = str(validation["id"]), float(validation["pass"])
    tries = [piece for piece in situation.history.pieces if piece.key == key]
    requirement = Requirement(
        "scenario", key.replace("-", " ").capitalize(), Status.MISSING, f"Asks for {mark:.0%}."
    )
    passed = next((piece for piece in tries if piece.score >= mark), None)
    if passed:
        return _met(requirement, passed, f"{passed.score:.0%}; {mark:.0%} asked.")
    if key not in situation.catalogue.practicals.values():
        return requirement.but(detail=f"{requirement.detail} The pack has no such scenario yet.")
    return _to_do(situation, rung, requirement.but(step=f"practical:{key}"), tries)


def _met(requirement: Requirement, piece: Piece, detail: str) -> Requirement:
    return requirement.but(
        status=Status.DONE, detail=detail, evidence=(piece.statement,), met_at=piece.timestamp, step=""
    )


def _to_do(situation: Situation, rung: Rung, requirement: Requirement, tries: list[Piece]) -> Requirement:
    """What the person can start, once the waiting time after a failed try is over."""
    if not tries:
        return requirement
    level = max(rung.competencies.values(), default=1)
    hours = situation.framework.levels[level - 1].validation.retry_after_hours
    not_before = tries[-1].timestamp + timedelta(hours=hours)
    return requirement.but(
        status=Status.WAITING if situation.now < not_before else Status.MISSING,
        detail=f"{requirement.detail} {describe_try(tries[-1])}",
        evidence=(tries[-1].statement,),
        not_before=not_before,
    )


def _not_recordable(situation: Situation, rung: Rung, validation: Mapping[str, Any]) -> Requirement:
    del situation, rung
    kind = str(validation["type"])
    return Requirement(kind, kind.replace("_", " ").capitalize(), Status.MISSING, NOT_RECORDABLE)


def _decision(framework: Framework, rung: Rung) -> Requirement:
    who = framework.authorities.get(rung.decision, rung.decision)
    return Requirement("decision", "A decision by people", Status.MISSING, f"{who} {NOT_RECORDABLE}")


VALIDATIONS: dict[str, Callable[[Situation, Rung, Mapping[str, Any]], Requirement | None]] = {
    "policy_accepted": _policy,
    "automatic": _automatic,
    "scenario": _scenario,
}
