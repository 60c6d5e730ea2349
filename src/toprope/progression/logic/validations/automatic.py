"""All required levels are held and current, plus a short mixed set of items drawn across them."""

from collections.abc import Iterable, Mapping
from typing import Any

from toprope.progression.logic.history import MIXED, Piece
from toprope.progression.logic.requirement import Requirement, Status
from toprope.progression.logic.situation import RungCase


def check(case: RungCase, rule: Mapping[str, Any]) -> Requirement | None:
    """The mixed set; the levels and their currency are requirements of their own.

    A set passed for a rung that builds on this one counts too: it covers the same competencies, at the same
    levels or higher. So a newcomer may test out.
    """
    asked, mark = int(rule.get("mixed_items", 0)), float(rule.get("pass", 0))
    if not asked:
        return None
    above = rungs_above(case)
    sittings = sorted(
        (
            piece
            for piece in case.history.pieces
            if piece.kind == MIXED and (piece.rung == case.rung.key or piece.rung in above)
        ),
        key=lambda piece: piece.timestamp,
    )
    detail = f"{asked} questions across the competencies above (or all there are so far), {mark:.0%} right."
    requirement = Requirement(MIXED, "A mixed set of questions", Status.MISSING, detail)
    passed = _passed(case.rung.key, sittings, asked, mark)
    if passed:
        right = f"{round(passed.score * passed.drawn)} of {passed.drawn} right."
        if passed.drawn >= asked:
            return case.met(requirement, passed, right)
        right += f" Provisional: the rule asks for {asked}, the pool held {passed.pool}."
        return case.met(requirement, passed, right).but(provisional=True)
    if not case.levels_held():
        return requirement.but(detail=f"{detail} Opens when the levels above are held.")
    own = [piece for piece in sittings if piece.rung == case.rung.key]
    return case.to_do(requirement.but(step=f"mixed:{case.rung.key}"), own)


def rungs_above(case: RungCase) -> set[str]:
    """Every rung that builds on this one, directly or not."""
    found = {case.rung.key}
    grew = True
    while grew:
        more = {key for key, rung in case.framework.rungs.items() if found.intersection(rung.after)} - found
        found |= more
        grew = bool(more)
    return found - {case.rung.key}


def is_whole(piece: Piece, asked: int, mark: float) -> bool:
    """Whether a set drew what the rule asks for, or all there was, and was passed without a critical miss."""
    return not piece.critical_misses and piece.score >= mark and piece.drawn >= min(asked, max(piece.pool, 1))


def _passed(rung: str, sittings: Iterable[Piece], asked: int, mark: float) -> Piece | None:
    """The first whole, passed set after the last critical miss on this rung."""
    passed: Piece | None = None
    for piece in sittings:
        if piece.critical_misses and piece.rung == rung:
            passed = None
        elif passed is None and is_whole(piece, asked, mark):
            passed = piece
    return passed
