"""What a level asks of people: notes, assessments, artefacts in use, coaching, agreement of raters. Pure."""

from collections.abc import Sequence

from toprope.competency.logic import EvidenceRule, Framework, RubricPass
from toprope.progression.logic.history import ARTEFACT, COACHING, NOTE, RUBRIC, Piece
from toprope.progression.logic.level_case import LevelCase
from toprope.progression.logic.requirement import Requirement, Status
from toprope.progression.logic.rubrics import Outcome, Verdict, agreement, judge, pass_rule
from toprope.progression.logic.said import Assessment

WANTED = {1: 3, 2: 3, 3: 4, 4: 4}
"""The supervision that a note has to want next time to count for a level: S3 up to level 2, S4 from level 3.

As the rubrics' scale has it: *with checking* is S3, *dependable* is S4.
"""


def notes(case: LevelCase, minimum: int, supervisors: int) -> Requirement:
    """Entrustment notes that want little enough supervision next time, of enough different supervisors."""
    wanted = WANTED[case.level]
    found = [
        each for each in case.history.of(NOTE, case.competency.key, case.level) if each.supervision >= wanted
    ]
    title = case.title(NOTE)
    counted: list[Piece] = []
    for note in found:
        counted.append(note)
        if len(counted) >= minimum and len({each.authority for each in counted}) >= supervisors:
            return case.requirement(NOTE, title, Status.DONE, _count_notes(counted), *counted)
    asked = f"Asks for {minimum} {'note' if minimum == 1 else 'notes'} after work"
    if supervisors > 1:
        asked += f", by {supervisors} supervisors"
    asked += f", that want S{wanted} or less supervision next time."
    return case.requirement(NOTE, title, Status.WAITING, f"{asked} {_count_notes(counted)}", *counted)


def _count_notes(counted: list[Piece]) -> str:
    people = len({each.authority for each in counted})
    return f"{len(counted)} so far, by {people}." if counted else "None so far."


def assessments(case: LevelCase, rule: EvidenceRule) -> Requirement:
    """Practicals rated by a rubric: so many passed after the last one with a critical error."""
    wanted = pass_rule(case.framework, case.level)
    title = _title(case, rule)
    passed: list[tuple[Assessment, Outcome]] = []
    last: Outcome | None = None
    for assessment, outcome in judged(case, rule.rubric):
        last = outcome
        if outcome.verdict is Verdict.FAILED and outcome.critical_errors:
            passed = []
        elif outcome.verdict is Verdict.PASSED:
            passed.append((assessment, outcome))
    if len(passed) >= rule.minimum:
        outcomes = [outcome for _, outcome in passed[: rule.minimum]]
        detail = "; ".join(describe(each, wanted) for each in outcomes)
        return _with_ratings(case.requirement(RUBRIC, title, Status.DONE, detail), outcomes)
    detail = f"Asks for a mean of {wanted.mean:g} of 4, no criterion below {wanted.floor}, {_raters(wanted)}."
    if last is None:
        return case.requirement(RUBRIC, title, Status.MISSING, detail)
    status = Status.WAITING if last.verdict is Verdict.WAITING else Status.MISSING
    told = case.requirement(RUBRIC, title, status, f"{detail} Last time: {describe(last, wanted)}")
    return _with_ratings(told, [last])


def judged(case: LevelCase, rubric: str) -> list[tuple[Assessment, Outcome]]:
    """The assessments that bear on this level, with their outcomes, in the order they began.

    By the rubric named; where none is, by any that covers the competency, or by the default rubric on it.
    """
    found = []
    for each in case.history.assessments:
        known = case.framework.rubrics.get(each.rubric)
        if known is None or each.level < case.level or (rubric and each.rubric != rubric):
            continue
        named = bool(rubric) and rubric != case.framework.default_rubric
        if named or case.competency.key in covered(case.framework, each):
            found.append((each, judge(each, known, pass_rule(case.framework, case.level))))
    return found


def covered(framework: Framework, assessment: Assessment) -> Sequence[str]:
    """The competencies that an assessment speaks of: with the default rubric, the one it was held on."""
    if assessment.rubric == framework.default_rubric:
        return (assessment.competency,)
    known = framework.rubrics.get(assessment.rubric)
    return known["competencies"] if known else ()


def describe(outcome: Outcome, wanted: RubricPass) -> str:
    """Where an assessment stands, in a few words."""
    if outcome.verdict is Verdict.WAITING:
        if outcome.apart:
            return "the raters are two steps apart; it waits for a third."
        missing = wanted.raters - len(outcome.ratings)
        return f"it waits for {missing} more {'rater' if missing == 1 else 'raters'}."
    if outcome.verdict is Verdict.INCOMPLETE:
        return "incomplete: more than one criterion was not observed."
    errors = ", with a critical error" if outcome.critical_errors else ""
    return f"mean {outcome.mean:.2f}, lowest {outcome.lowest:.1f}{errors}."


def agreed(case: LevelCase, rule: EvidenceRule) -> Requirement:
    """Two raters who see the same: weighted kappa over the criteria, in an assessment that was passed."""
    asked = case.validation.agreement
    title = "Raters who agree"
    best = 0.0
    for _, outcome in judged(case, rule.rubric):
        if outcome.verdict is not Verdict.PASSED or len(outcome.ratings) < 2:
            continue
        kappa = agreement(outcome.ratings)
        if kappa >= asked:
            told = case.requirement("agreement", title, Status.DONE, f"Kappa {kappa:.2f}; {asked:.2f} asked.")
            return _with_ratings(told, [outcome])
        best = max(best, kappa)
    detail = f"Asks for a weighted kappa of {asked:.2f} between two raters. So far {best:.2f}."
    return case.requirement("agreement", title, Status.MISSING, detail)


def artefacts(case: LevelCase, minimum: int, teams: int) -> Requirement:
    """Things the person made that enough different teams took into use."""
    users: dict[str, list[Piece]] = {}
    for piece in case.history.of(ARTEFACT, case.competency.key, case.level):
        known = users.setdefault(piece.key, [])
        if piece.team not in {each.team for each in known}:
            known.append(piece)
    adopted = [pieces[:teams] for pieces in users.values() if len(pieces) >= teams]
    adopted.sort(key=lambda pieces: pieces[-1].timestamp)
    title = case.title(ARTEFACT)
    counted = [piece for pieces in adopted[:minimum] for piece in pieces]
    if len(adopted) >= minimum:
        return case.requirement(ARTEFACT, title, Status.DONE, "In use.", *counted)
    detail = f"Asks for {minimum} in use by {teams} {'team' if teams == 1 else 'different teams'}."
    return case.requirement(ARTEFACT, title, Status.MISSING, detail, *counted)


def coached(case: LevelCase) -> Requirement:
    """Different people whom the person brought to the competency."""
    asked = case.validation.coached
    people: dict[str, Piece] = {}
    for piece in case.history.of(COACHING, case.competency.key):
        people.setdefault(piece.key, piece)
    counted = list(people.values())[:asked]
    detail = f"{len(counted)} of {asked}."
    status = Status.DONE if len(counted) >= asked else Status.MISSING
    return case.requirement(COACHING, "People brought up", status, detail, *counted)


def _title(case: LevelCase, rule: EvidenceRule) -> str:
    rubric = case.framework.rubrics.get(rule.rubric)
    return (
        f"{case.framework.evidence_kinds.get(RUBRIC, RUBRIC)}: {rubric['name']}"
        if rubric
        else case.title(RUBRIC)
    )


def _raters(wanted: RubricPass) -> str:
    return "one rater" if wanted.raters == 1 else f"{wanted.raters} different raters"


def _with_ratings(requirement: Requirement, outcomes: list[Outcome]) -> Requirement:
    """The requirement with the ratings as its evidence; met when the last of the outcomes was settled."""
    settled = [each.settled_at for each in outcomes if each.settled_at is not None]
    return requirement.but(
        evidence=tuple(rating.statement for each in outcomes for rating in each.ratings),
        met_at=max(settled) if settled and requirement.status is Status.DONE else None,
    )
