"""A short instrumented sandbox scenario with a pass mark."""

from collections.abc import Mapping
from typing import Any

from toprope.progression.logic.requirement import Requirement, Status
from toprope.progression.logic.situation import RungCase


def check(case: RungCase, rule: Mapping[str, Any]) -> Requirement:
    """The first try at the pass mark, after the last critical miss."""
    key, mark = str(rule["id"]), float(rule["pass"])
    tries = sorted(
        (piece for piece in case.history.pieces if piece.key == key), key=lambda piece: piece.timestamp
    )
    requirement = Requirement(
        "scenario", key.replace("-", " ").capitalize(), Status.MISSING, f"Asks for {mark:.0%}."
    )
    last_miss = max((number for number, piece in enumerate(tries) if piece.critical_misses), default=-1)
    passed = next((piece for piece in tries[last_miss + 1 :] if piece.score >= mark), None)
    if passed:
        return case.met(requirement, passed, f"{passed.score:.0%}; {mark:.0%} asked.")
    if key not in case.situation.catalogue.practicals.values():
        return requirement.but(detail=f"{requirement.detail} The pack has no such scenario yet.")
    return case.to_do(requirement.but(step=f"practical:{key}"), tries)
