"""An assessment from rubrics.yaml at the level named."""

from collections.abc import Mapping
from typing import Any

from toprope.progression.logic.requirement import Requirement, Status
from toprope.progression.logic.rubrics import Outcome, Verdict, judge, pass_rule
from toprope.progression.logic.situation import RungCase


def check(case: RungCase, rule: Mapping[str, Any]) -> Requirement:
    """An assessment by this rubric, at this level or above, passed after the last with a critical error."""
    key, level = str(rule["rubric"]), int(rule["level"])
    rubric = case.framework.rubrics[key]
    wanted = pass_rule(case.framework, level)
    raters = "one rater" if wanted.raters == 1 else f"{wanted.raters} different raters"
    detail = f"Asks for a mean of {wanted.mean:g} of 4, no criterion below {wanted.floor}, {raters}."
    requirement = Requirement("practical_exam", f"{rubric['name']}, level {level}", Status.MISSING, detail)
    passed: Outcome | None = None
    last: Outcome | None = None
    for assessment in case.history.assessments:
        if assessment.rubric != key or assessment.level < level:
            continue
        last = judge(assessment, rubric, wanted)
        if last.verdict is Verdict.FAILED and last.critical_errors:
            passed = None
        elif last.verdict is Verdict.PASSED and passed is None:
            passed = last
    if passed:
        return _told(requirement, passed).but(
            status=Status.DONE, detail=f"Mean {passed.mean:.2f} of 4.", met_at=passed.settled_at
        )
    if last:
        waits = last.verdict is Verdict.WAITING
        told = (
            "It waits for another rater." if waits else f"Last time: {last.verdict.value}, {last.mean:.2f}."
        )
        requirement = _told(requirement, last).but(
            status=Status.WAITING if waits else Status.MISSING, detail=f"{detail} {told}"
        )
    return requirement


def _told(requirement: Requirement, outcome: Outcome) -> Requirement:
    return requirement.but(evidence=tuple(rating.statement for rating in outcome.ratings))
