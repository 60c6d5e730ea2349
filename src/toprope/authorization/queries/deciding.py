"""Who may decide on somebody's rung, in which part, and what is still missing for it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from toprope.authorization.queries.standing import get_case, get_standing, supervisors_of
from toprope.competency.api import Rung, current_framework
from toprope.people.api import DutyKind, Person, duties_of, get_person, manages, may_supervise
from toprope.progression.api import (
    Checklist,
    Part,
    Requirement,
    RungCase,
    Status,
    holders_of_level,
    parts_given,
    parts_of,
)

SECURITY = ("SEC-03", 3)
"""The level that makes somebody the security engineer of a decision (the ladder's decision authorities)."""

DECIDED_LAST = frozenset({"decision", "panel_interview", "data_owner_approval"})
"""Requirements that are decisions themselves; they are taken on everything else."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """What `by` could decide on this rung (`qualified`), what they would decide now, and why not, if not.

    `founding`: too few people are qualified yet, so the governance lead stands in for them, marked as such.
    """

    qualified: frozenset[Part]
    parts: frozenset[Part]
    founding: bool
    line_manager: bool
    refusal: str


def find_deciding(person: UUID, rung: str, by: Person, now: datetime, *, moving: bool = False) -> Deciding:
    """What `by` may decide. `moving` asks for more independence on a rung that is granted already."""
    framework, subject = current_framework(), get_person(person)
    here = framework.rungs.get(rung)
    line_manager = manages(by, subject)
    if here is None:
        return _refused(f"There is no rung {rung}.")
    if by.uuid == person:
        return _refused("Nobody decides on themselves.")
    if not may_supervise(by, subject):
        return _refused("Only the person's mentors and the governance lead decide on this.")
    asked = {Part.MENTOR} if moving else _asked(here)
    if not asked:
        return _refused(f"Nobody decides on {rung} one by one: its rules do, or a panel.")
    own, founding = _qualified(person, rung, by, now, line_manager=line_manager)
    qualified = frozenset((own | founding) & asked)
    if not qualified:
        return _refused(_whose(asked, line_manager=line_manager))
    parts, refusal = qualified, ""
    if not moving:
        case = RungCase(get_case(person, now), here)
        given = parts_given(case)
        parts = frozenset(part for part in qualified if part not in given)
        if len(parts & own) > 1:  # two parts are two people's
            parts = frozenset({min(parts & own)})
        if given and by.uuid in {UUID(each) for each in given.values()} and not founding:
            parts = frozenset()
        refusal = _why_not(person, rung, parts, now)
    return Deciding(qualified, parts, bool(parts & founding - own), line_manager, refusal)


def other_missing(checklist: Checklist) -> list[Requirement]:
    """What is missing beside the decisions themselves."""
    return [
        each
        for each in checklist.requirements
        if each.status is not Status.DONE and each.kind not in DECIDED_LAST
    ]


def _why_not(person: UUID, rung: str, parts: frozenset[Part], now: datetime) -> str:
    standing = get_standing(person, now).rung(rung)
    missing = other_missing(standing.checklist)
    if standing.grant is not None:
        return f"{rung} is granted already."
    if missing:
        return f"Decide on complete evidence; still missing: {', '.join(each.title for each in missing[:3])}."
    return "" if parts else "Your part is decided already; another person decides on the rest."


def _asked(rung: Rung) -> set[Part]:
    """The parts that single persons decide; a panel's and a data owner's decisions are recorded as such."""
    asked = {part for key in (rung.decision, rung.decision_also) for part in parts_of(key)}
    return asked - {Part.PANEL, Part.DATA_OWNER}


def _qualified(
    person: UUID, rung: str, by: Person, now: datetime, *, line_manager: bool
) -> tuple[set[Part], set[Part]]:
    """The parts that `by` is qualified for, and those in which they stand in as founding authority."""
    able = {
        Part.MENTOR: supervisors_of(rung, now) - {person},
        Part.SECURITY: holders_of_level(*SECURITY, now) - {person},
    }
    own = {part for part, people in able.items() if by.uuid in people}
    founding = {part for part, people in able.items() if not people}
    if line_manager:
        own.discard(Part.MENTOR)
        founding.discard(Part.MENTOR)
    return own, founding if DutyKind.GOVERNANCE in duties_of(by) else set()


def _whose(asked: set[Part], *, line_manager: bool) -> str:
    if line_manager:
        return "The line manager does not decide alone; ask a mentor at S5 on this rung."
    who = ["a mentor at S5 on this rung"] if Part.MENTOR in asked else []
    if Part.SECURITY in asked:
        who.append(f"a security engineer at {SECURITY[0]} level {SECURITY[1]}")
    return f"This is decided by {' and '.join(who)}; while there is none, by the governance lead."


def _refused(why: str) -> Deciding:
    return Deciding(frozenset(), frozenset(), founding=False, line_manager=False, refusal=why)
