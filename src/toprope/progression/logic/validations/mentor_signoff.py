"""Entrustment notes of the number and spread named; the decision with reasons is the rung's own."""

from collections.abc import Mapping
from typing import Any

from toprope.progression.logic.requirement import Requirement, Status
from toprope.progression.logic.said import Note, supervision_number
from toprope.progression.logic.situation import RungCase


def check(case: RungCase, rule: Mapping[str, Any]) -> Requirement:
    """Notes on work of this rung that want no more supervision next time than the rung begins with."""
    number, supervisors = int(rule["notes"]), int(rule["supervisors"])
    wanted = supervision_number(case.rung.entry_supervision)
    found = sorted(
        (note for note in case.history.notes if note.rung == case.rung.key and note.supervision >= wanted),
        key=lambda note: note.timestamp,
    )
    detail = (
        f"Asks for {number} notes after work on {case.rung.key}, by {supervisors} supervisors,"
        f" that want S{wanted} or less supervision next time."
    )
    requirement = Requirement("mentor_signoff", "Supervisors' notes", Status.WAITING, detail)
    counted: list[Note] = []
    for note in found:
        counted.append(note)
        if len(counted) >= number and len({each.by for each in counted}) >= supervisors:
            return _told(requirement, counted).but(status=Status.DONE, met_at=note.timestamp)
    return _told(requirement, counted)


def _told(requirement: Requirement, counted: list[Note]) -> Requirement:
    people = len({note.by for note in counted})
    so_far = f"{len(counted)} so far, by {people}." if counted else "None so far."
    return requirement.but(
        detail=f"{requirement.detail} {so_far}", evidence=tuple(note.statement for note in counted)
    )
