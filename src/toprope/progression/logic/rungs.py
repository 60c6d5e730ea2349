"""What a rung of the ladder asks of a person, and how far they are. Pure.

Each validation type of the ladder is one function in `VALIDATIONS`; a type without a function cannot be met,
so a rung that names it stays closed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from toprope.competency.api import Framework, Rung
from toprope.progression.logic.history import MIXED, POLICY, History, Piece
from toprope.progression.logic.levels import Catalogue, LevelHeld, check_level
from toprope.progression.logic.requirement import Checklist, Requirement, Status


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a rung's requirements are checked against. `policy_version` is the one in force."""

    framework: Framework
    history: History
    levels: Mapping[tuple[str, int], LevelHeld]
    catalogue: Catalogue
    policy_version: str
    now: datetime


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
    """A competency level: held, and not lapsed where the rung asks for currency."""
    name = situation.framework.competencies[key].name
    title = f"{key} {name}, level {level}"
    awards = [
        held for (competency, at), held in situation.levels.items() if competency == key and at >= level
    ]
    current = [held for held in awards if held.current(situation.now) or not rung.competency_currency]
    checklist = check_level(
        situation.framework,
        key,
        level,
        situation.history,
        situation.levels,
        situation.catalogue,
        situation.now,
    )
    if current:
        first = min(current, key=lambda held: held.awarded_at)
        allowed = not first.provisional or rung.key in situation.framework.bootstrap.rungs
        return Requirement(
            "level",
            title,
            Status.DONE if allowed else Status.MISSING,
            "Held."
            if not first.provisional
            else "Held, provisionally: few questions exist so far."
            if allowed
            else "Held provisionally; this rung asks for complete evidence.",
            first.evidence,
            key,
            level,
            met_at=first.awarded_at if allowed else None,
            provisional=first.provisional,
            parts=checklist.requirements,
        )
    parts = checklist.requirements
    done = sum(part.status is Status.DONE for part in parts)
    if awards:
        return Requirement(
            "level",
            title,
            Status.EXPIRED,
            "Lapsed: fresh evidence renews it.",
            awards[0].evidence,
            key,
            level,
            step=f"sitting:{key}:{level}",
        )
    waits = any(part.status is Status.WAITING for part in parts) and not any(
        part.status is Status.MISSING for part in parts
    )
    return Requirement(
        "level",
        title,
        Status.WAITING if waits else Status.MISSING,
        f"{done} of {len(parts)} done.",
        (),
        key,
        level,
        parts=parts,
    )


def _policy(situation: Situation, rung: Rung, validation: Mapping[str, Any]) -> Requirement:
    del rung, validation
    accepted = [piece for piece in situation.history.pieces if piece.kind == POLICY]
    now_in_force = [piece for piece in accepted if piece.version == situation.policy_version]
    if now_in_force:
        first = now_in_force[0]
        return Requirement(
            POLICY,
            "Acceptable-use policy",
            Status.DONE,
            f"Version {first.version} accepted.",
            (first.statement,),
            met_at=first.timestamp,
        )
    return Requirement(
        POLICY,
        "Acceptable-use policy",
        Status.EXPIRED if accepted else Status.MISSING,
        "There is a new version to accept." if accepted else "Read it and accept it: about three minutes.",
        step="policy",
    )


def _automatic(situation: Situation, rung: Rung, validation: Mapping[str, Any]) -> Requirement | None:
    """The mixed set of questions across the required competencies; their currency is checked per level."""
    asked, mark = int(validation.get("mixed_items", 0)), float(validation.get("pass", 0))
    if not asked:
        return None
    title = "A mixed set of questions"
    sittings = [piece for piece in situation.history.pieces if piece.kind == MIXED and piece.rung == rung.key]
    passed = _passed_mixed(sittings, asked, mark)
    if passed:
        provisional = passed.drawn < asked
        return Requirement(
            MIXED,
            title,
            Status.DONE,
            f"{round(passed.score * passed.drawn)} of {passed.drawn} right."
            + (
                f" Provisional: the rule asks for {asked}, the pool held {passed.pool}."
                if provisional
                else ""
            ),
            (passed.statement,),
            met_at=passed.timestamp,
            provisional=provisional,
        )
    detail = f"{asked} questions across the competencies above (or all there are so far), {mark:.0%} right."
    levels_held = all(
        any(competency == key and at >= level for competency, at in situation.levels)
        for key, level in rung.competencies.items()
    )
    if not levels_held:
        return Requirement(MIXED, title, Status.MISSING, f"{detail} Opens when the levels above are held.")
    return _retry(situation, MIXED, title, detail, f"mixed:{rung.key}", sittings, rung)


def _passed_mixed(sittings: list[Piece], asked: int, mark: float) -> Piece | None:
    passed: Piece | None = None
    for piece in sittings:
        if piece.critical_misses:
            passed = None
        elif passed is None and piece.score >= mark and piece.drawn >= min(asked, max(piece.pool, 1)):
            passed = piece
    return passed


def _scenario(situation: Situation, rung: Rung, validation: Mapping[str, Any]) -> Requirement:
    key, mark = str(validation["id"]), float(validation["pass"])
    title = key.replace("-", " ").capitalize()
    tries = [piece for piece in situation.history.pieces if piece.key == key]
    passed = next((piece for piece in tries if piece.score >= mark), None)
    if passed:
        return Requirement(
            "scenario",
            title,
            Status.DONE,
            f"{passed.score:.0%}, {mark:.0%} asked.",
            (passed.statement,),
            met_at=passed.timestamp,
        )
    if key not in situation.catalogue.practicals.values():
        return Requirement("scenario", title, Status.MISSING, "The pack has no such scenario yet.")
    detail = f"Asks for {mark:.0%}."
    return _retry(situation, "scenario", title, detail, f"practical:{key}", tries, rung)


def _retry(
    situation: Situation, kind: str, title: str, detail: str, step: str, tries: list[Piece], rung: Rung
) -> Requirement:
    if not tries:
        return Requirement(kind, title, Status.MISSING, detail, step=step)
    level = max(rung.competencies.values(), default=1)
    hours = situation.framework.levels[level - 1].validation.retry_after_hours
    not_before = tries[-1].timestamp + timedelta(hours=hours)
    return Requirement(
        kind,
        title,
        Status.WAITING if situation.now < not_before else Status.MISSING,
        f"{detail} Last time: {tries[-1].score:.0%}"
        + (", with a critical miss." if tries[-1].critical_misses else "."),
        (tries[-1].statement,),
        step=step,
        not_before=not_before,
    )


def _not_recordable(situation: Situation, rung: Rung, validation: Mapping[str, Any]) -> Requirement:
    del situation, rung
    kind = str(validation["type"])
    return Requirement(
        kind,
        kind.replace("_", " ").capitalize(),
        Status.MISSING,
        "This version of Toprope cannot record this yet, so the rung stays closed.",
    )


def _decision(framework: Framework, rung: Rung) -> Requirement:
    return Requirement(
        "decision",
        "A decision by people",
        Status.MISSING,
        framework.authorities.get(rung.decision, rung.decision)
        + " This version of Toprope cannot record it yet, so the rung stays closed.",
    )


VALIDATIONS: dict[str, Callable[[Situation, Rung, Mapping[str, Any]], Requirement | None]] = {
    "policy_accepted": _policy,
    "automatic": _automatic,
    "scenario": _scenario,
}
