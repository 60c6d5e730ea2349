"""Rating a practical by its rubric: several raters, each for themselves, one attempt."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from toprope.audit.api import record_entry
from toprope.authorization.api import Refused, refresh_person
from toprope.competency.api import Framework, current_framework, get_framework
from toprope.evidence.api import StatementConflict, list_statements, record_statements, stream_by_person
from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.kit.ids import derive_uuid7
from toprope.learning.actions.attempts import lock_learner
from toprope.learning.models import Assessment
from toprope.learning.tags import Tag
from toprope.people.api import Person, get_person, manages, may_supervise
from toprope.progression.api import Assessment as Rated
from toprope.progression.api import Verdict, judge, pass_rule, read_history

SCORES = (1, 2, 3, 4)
KIND = "rubric_assessment"
_TEXT_LIMIT = 1_000
_BATCH = 2_000


def rate_assessment(
    person: UUID,
    attempt: UUID,
    *,
    rubric: str,
    level: int,
    competency: str,
    scores: Mapping[str, int | None],
    quotes: Mapping[str, str],
    critical_errors: Collection[int],
    supervision: str,
    by: Person,
    now: datetime,
) -> None:
    """Rate a practical that a person carried out; `attempt` is new with its first rater.

    `scores` and `quotes` go by criterion, with None for what was not observed; `critical_errors` are numbers
    in the rubric's list, from 0. Each rater's first rating stands. Raises `Refused` where `by` may not rate,
    for anything outside the scale, and while the person has to wait after a failed attempt.
    """
    framework = current_framework()
    _check_rater(by, person)
    _check_subject(framework, rubric, level, competency)
    if attempt.version != 7:
        raise Refused("Open the page again; this attempt has no proper number.")
    statement = Statement(
        id=derive_uuid7(attempt, f"rated:{by.uuid}"),
        actor=person,
        verb=Verb.WAS_RATED,
        object=Object(ObjectType.RUBRIC, rubric, framework.version),
        timestamp=now,
        authority=str(by.uuid),
        result=_result(
            framework,
            rubric,
            scores=scores,
            quotes=quotes,
            critical_errors=critical_errors,
            supervision=supervision,
        ),
        context=Context(
            framework=framework.reference, competency=competency, level=level, kind=KIND, sitting=attempt
        ),
    )
    with transaction.atomic():
        lock_learner(person)
        _check_attempt(framework, statement, attempt, now)
        try:
            (recorded,) = record_statements([statement])
        except StatementConflict:
            raise Refused("You have rated this already; your first rating stands.") from None
        if recorded.new:
            _list_waiting(person)
            detail = {"attempt": str(attempt), "rubric": rubric, "level": level, "scores": dict(scores)}
            record_entry(Tag.ASSESSMENT_RATED, actor=by.uuid, subject=str(person), detail=detail, now=now)
    refresh_person(person, now)


def rebuild_assessments(progress: Callable[[int], None]) -> None:
    """Drop the list of assessments and read it again from the statements."""
    Assessment.objects.all().delete()
    rows: list[Assessment] = []
    for person, recorded in stream_by_person(verbs={Verb.WAS_RATED}):
        statements = [each.statement for each in recorded]
        progress(len(statements))
        rows.extend(_rows(person, statements))
    Assessment.objects.bulk_create(rows, batch_size=_BATCH)


def _list_waiting(person: UUID) -> None:
    statements = [each.statement for each in list_statements(actor=person, verbs={Verb.WAS_RATED})]
    Assessment.objects.filter(person=person).delete()
    Assessment.objects.bulk_create(_rows(person, statements))


def _rows(person: UUID, statements: Collection[Statement]) -> list[Assessment]:
    return [
        Assessment(
            attempt=each.attempt,
            person=person,
            rubric=each.rubric,
            level=each.level,
            competency=each.competency,
            raters=[UUID(rating.by) for rating in each.ratings],
            begun_at=each.ratings[0].timestamp,
            verdict=_verdict(get_framework(each.framework), each),
        )
        for each in read_history(statements).assessments
    ]


def _verdict(framework: Framework, assessment: Rated) -> str:
    rule = pass_rule(framework, assessment.level)
    return judge(assessment, framework.rubrics[assessment.rubric], rule).verdict.value


def _check_rater(by: Person, person: UUID) -> None:
    subject = get_person(person)
    if not may_supervise(by, subject):
        raise Refused("Only the person's mentors and the governance lead rate, never oneself.")
    if manages(by, subject):
        raise Refused("The line manager does not rate; ask another mentor.")


def _check_subject(framework: Framework, rubric: str, level: int, competency: str) -> None:
    known = framework.rubrics.get(rubric)
    if known is None or level not in known["levels"]:
        raise Refused("There is no such practical at this level.")
    general = rubric == framework.default_rubric
    if competency not in (framework.competencies if general else known["competencies"]):
        raise Refused(f"{known['name']} says nothing about {competency or 'no competency'}.")


def _result(
    framework: Framework,
    rubric: str,
    *,
    scores: Mapping[str, int | None],
    quotes: Mapping[str, str],
    critical_errors: Collection[int],
    supervision: str,
) -> Result:
    criteria = framework.rubrics[rubric]["criteria"]
    errors = framework.rubrics[rubric]["critical_errors"]
    if set(scores) != {each["id"] for each in criteria}:
        raise Refused("Score every criterion, or mark it as not observed.")
    if any(score is not None and score not in SCORES for score in scores.values()):
        raise Refused("Scores go from 1 to 4, in whole steps.")
    told = {key: quotes.get(key, "").strip() for key, score in scores.items() if score is not None}
    if not all(told.values()):
        raise Refused("Quote one observation for each score: what the person did or said.")
    if any(len(text) > _TEXT_LIMIT for text in told.values()):
        raise Refused(f"Keep each observation to {_TEXT_LIMIT:,} characters.")
    if any(number not in range(len(errors)) for number in critical_errors):
        raise Refused("Choose critical errors from the rubric's list.")
    if supervision not in framework.supervision:
        raise Refused("Say which supervision you would want for the next task of this kind.")
    seen = [(each["weight"], scores[each["id"]]) for each in criteria]
    weights = sum(weight for weight, score in seen if score is not None)
    total = sum(weight * (score - 1) for weight, score in seen if score is not None)
    return Result(
        score=total / weights / (len(SCORES) - 1) if weights else 0.0,
        response={"scores": dict(scores)},
        detail={
            "quotes": told,
            "critical_errors": [errors[number] for number in sorted(set(critical_errors))],
            "supervision": supervision,
        },
    )


def _check_attempt(framework: Framework, statement: Statement, attempt: UUID, now: datetime) -> None:
    """A known attempt has to be this one, and open; a new one has to be due."""
    rated = [each.statement for each in list_statements(actor=statement.actor, verbs={Verb.WAS_RATED})]
    assessments = read_history(rated).assessments
    known = next((each for each in assessments if each.attempt == attempt), None)
    context = statement.context
    if known is not None:
        if (known.rubric, known.level, known.competency) != (
            statement.object.key,
            context.level,
            context.competency,
        ):
            raise Refused("This attempt is about another practical.")
        again = any(rating.by == statement.authority for rating in known.ratings)
        if not again and _verdict(framework, known) != Verdict.WAITING:
            raise Refused("This attempt is settled; it needs no further rater.")
        return
    before = [
        each
        for each in assessments
        if (each.rubric, each.level, each.competency)
        == (statement.object.key, context.level, context.competency)
    ]
    if not before:
        return
    if _verdict(framework, before[-1]) == Verdict.WAITING:
        raise Refused("An attempt at this practical waits for another rater; rate that one.")
    hours = framework.levels[context.level - 1].validation.retry_after_hours
    due = before[-1].ratings[-1].timestamp + timedelta(hours=hours)
    if _verdict(framework, before[-1]) == Verdict.FAILED and now < due:
        raise Refused(f"The next attempt may begin from {due:%d %B %Y, %H:%M} UTC.")
