"""Seeded faults to be found, net of false alarms."""

from collections.abc import Mapping, Sequence
from typing import Any

from toprope.progression.logic.history import Piece
from toprope.progression.logic.requirement import Requirement, Status
from toprope.progression.logic.situation import RungCase

FLAW_HUNT = "flaw_hunt"


def check(case: RungCase, rule: Mapping[str, Any]) -> Requirement:
    """Hunts in a row that hold as many faults as asked, with the pass mark over all of them.

    In a row, and not the best ones: who hunts often enough would pass by chance.
    """
    flaws, mark = int(rule["flaws"]), float(rule["pass"])
    hunts = sorted(
        (
            piece
            for piece in case.history.pieces
            if piece.kind == FLAW_HUNT and piece.competency in case.rung.competencies and piece.flaws
        ),
        key=lambda piece: piece.timestamp,
    )
    title = f"A flaw hunt with {flaws} faults"
    requirement = Requirement(FLAW_HUNT, title, Status.MISSING, f"Asks for {mark:.0%}, net of false alarms.")
    for last in range(len(hunts)):
        row = _row(hunts[: last + 1], flaws)
        if row and _net(row) >= mark:
            detail = f"{_net(row):.0%} of {sum(each.flaws for each in row)} faults; {mark:.0%} asked."
            met = case.met(requirement, row[-1], detail)
            return met.but(evidence=tuple(each.statement for each in row))
    seen = sum(each.flaws for each in hunts)
    if seen:
        requirement = requirement.but(detail=f"{requirement.detail} {seen} faults hunted so far.")
    step = _step(case)
    return requirement.but(step=step) if step else requirement


def _row(hunts: Sequence[Piece], flaws: int) -> list[Piece]:
    """The last hunts that hold at least so many faults; none where all of them hold fewer."""
    row: list[Piece] = []
    for piece in reversed(hunts):
        row.insert(0, piece)
        if sum(each.flaws for each in row) >= flaws:
            return row
    return []


def _net(row: Sequence[Piece]) -> float:
    return sum(each.score * each.flaws for each in row) / sum(each.flaws for each in row)


def _step(case: RungCase) -> str:
    practicals = case.situation.catalogue.practicals
    keys = [
        key
        for (name, _, kind), key in practicals.items()
        if kind == FLAW_HUNT and name in case.rung.competencies
    ]
    return f"practical:{min(keys)}" if keys else ""
