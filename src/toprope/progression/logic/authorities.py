"""Who decides on a rung: the decision authorities of the ladder. Pure.

What qualified a person (S5 on the rung, a level in security, another team) is recorded with the decision, as
it was then. Here it is only read: a later change takes nothing back, and a rebuild says the same.
"""

from collections.abc import Callable, Sequence

from toprope.progression.logic.periods import Period
from toprope.progression.logic.requirement import Requirement, Status
from toprope.progression.logic.said import Approval, Part
from toprope.progression.logic.situation import RungCase

PANEL_MEMBERS, PANEL_SUPERVISORS = 3, 2
"""A panel has three members, at least two of them at S5 on the rung, and one of another team."""

NOT_KNOWN = "This version of Toprope does not know this authority, so the rung stays closed."


def check_decisions(case: RungCase) -> list[Requirement]:
    """The decisions that a rung asks for, each by its authority."""
    found = []
    for key in (case.rung.decision, case.rung.decision_also):
        check = AUTHORITIES.get(key, _unknown)
        requirement = check(case) if key else None
        if requirement is not None:
            found.append(requirement)
    return found


def panel(case: RungCase) -> Requirement:
    """A panel's recorded decision."""
    return _decide(case, "A panel's decision", "panel", _panel_complete)


def _mentor(case: RungCase) -> Requirement:
    return _decide(case, "A mentor's decision", "mentor", _mentor_complete)


def _mentor_plus_security(case: RungCase) -> Requirement:
    return _decide(case, "A mentor's and security's decision", "mentor_plus_security", _both_complete)


def _nobody(case: RungCase) -> None:
    """Rules decide, or the validation named `data_owner_approval` asks for the decision."""
    del case


def _unknown(case: RungCase) -> Requirement:
    return Requirement(
        "decision", "A decision by people", Status.MISSING, f"{case.rung.decision}: {NOT_KNOWN}"
    )


AUTHORITIES: dict[str, Callable[[RungCase], Requirement | None]] = {
    "automatic": _nobody,
    "mentor": _mentor,
    "mentor_plus_security": _mentor_plus_security,
    "panel": panel,
    "data_owner": _nobody,
}


def parts_of(authority: str) -> tuple[Part, ...]:
    """The parts that an authority consists of, as far as one person at a time takes them."""
    return {
        "mentor": (Part.MENTOR,),
        "mentor_plus_security": (Part.MENTOR, Part.SECURITY),
        "panel": (Part.PANEL,),
    }.get(authority, ())


def parts_given(case: RungCase) -> dict[Part, str]:
    """The parts that were decided in favour since the last refusal, and by whom."""
    given: dict[Part, str] = {}
    for approval in _standing(_decisions(case)):
        given.update({Part(part): approval.by for part in approval.parts})
    return given


def _decide(
    case: RungCase,
    title: str,
    authority: str,
    complete: Callable[[Sequence[Approval]], bool],
) -> Requirement:
    """Met from the moment the decision was complete, until somebody declined."""
    decisions = _decisions(case)
    made: list[tuple[Period, list[Approval]]] = []
    for number, decision in enumerate(decisions, start=1):
        standing = _standing(decisions[:number])
        runs = bool(made) and made[-1][0].end is None
        if not runs and complete(standing):
            made.append((Period(decision.timestamp), standing))
        elif runs and not decision.approved:
            made[-1] = (Period(made[-1][0].start, decision.timestamp), made[-1][1])
    means = case.framework.authorities.get(authority, authority)
    periods = tuple(period for period, _ in made)
    requirement = Requirement("decision", title, Status.WAITING, means, periods=periods)
    holding = next((each for each in made if each[0].holds(case.now)), None)
    if holding is not None:
        period, evidence = holding
        founding = any(each.founding for each in evidence)
        return requirement.but(
            status=Status.DONE,
            detail="Decided by the governance lead, as founding authority." if founding else "Decided.",
            evidence=tuple(each.statement for each in evidence),
            met_at=period.start,
        )
    last = decisions[-1] if decisions else None
    if last is not None and not last.approved:
        return requirement.but(detail=f"{means} It was declined.", evidence=(last.statement,))
    return requirement.but(evidence=tuple(each.statement for each in _standing(decisions)))


def _decisions(case: RungCase) -> list[Approval]:
    found = [
        each
        for each in case.history.approvals
        if each.rung == case.rung.key and Part.DATA_OWNER not in each.parts
    ]
    return sorted(found, key=lambda each: each.timestamp)


def _standing(decisions: Sequence[Approval]) -> list[Approval]:
    """The approvals since the last time somebody declined."""
    last = max((number for number, each in enumerate(decisions) if not each.approved), default=-1)
    return list(decisions[last + 1 :])


def _mentor_complete(approvals: Sequence[Approval]) -> bool:
    return any(Part.MENTOR in each.parts and not each.line_manager for each in approvals)


def _both_complete(approvals: Sequence[Approval]) -> bool:
    """Two different people, unless the founding authority stood in."""
    mentors = [each for each in approvals if Part.MENTOR in each.parts and not each.line_manager]
    security = [each for each in approvals if Part.SECURITY in each.parts]
    return any(
        one.by != other.by or (one.founding and other.founding) for one in mentors for other in security
    )


def _panel_complete(approvals: Sequence[Approval]) -> bool:
    return any(Part.PANEL in each.parts and (each.founding or _is_panel(each)) for each in approvals)


def _is_panel(approval: Approval) -> bool:
    people = {member.person: member for member in approval.members}
    return (
        len(people) >= PANEL_MEMBERS
        and sum(member.supervises for member in people.values()) >= PANEL_SUPERVISORS
        and any(member.other_team for member in people.values())
    )
