"""Reads of the learning stage."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from toprope.authorization.api import Refused, Standing
from toprope.competency.api import current_framework
from toprope.content.api import (
    Practical,
    Variant,
    get_items,
    get_practical,
    list_practicals,
)
from toprope.evidence.api import count_by_object, list_by_sitting, list_statements
from toprope.evidence.statement import Statement, Verb
from toprope.learning.logic import (
    Attempt,
    AttemptKind,
    NextStep,
    Outcome,
    choose_next_step,
    read_answers,
    read_plan,
)
from toprope.learning.models import Assessment, Submission
from toprope.people.api import Person, get_people, list_supervised, may_supervise
from toprope.progression.api import get_catalogue

_POLICY_MINUTES = 3
_SITTING_MINUTES = 5
_QUEUE_LIMIT = 200


@dataclass(frozen=True, slots=True)
class SubmissionView:
    """Work handed in, as the person who rates it sees it."""

    attempt: UUID
    person: Person
    practical: Practical
    variant: Variant
    text: str
    submitted_at: datetime
    rated: bool


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One line of the queue of what waits for a rating."""

    attempt: UUID
    person: Person
    title: str
    submitted_at: datetime


def get_next_step(standing: Standing, now: datetime) -> NextStep | None:
    """The one next thing for this person to do, and why."""
    return choose_next_step(standing, _minutes(standing), now)


def _minutes(standing: Standing) -> dict[str, int]:
    """How long each step takes that the next rung asks for."""
    if standing.next is None:
        return {}
    practicals = get_catalogue(current_framework()).minutes
    return {
        each.step: practicals.get(
            each.step.removeprefix("practical:"),
            _POLICY_MINUTES if each.step == "policy" else _SITTING_MINUTES,
        )
        for each in standing.next.checklist.open_steps()
    }


def get_attempt(person: UUID, attempt: UUID) -> Attempt:
    """An attempt of this person's own, as far as it is. Raises `Refused` where there is none."""
    statements = [recorded.statement for recorded in list_by_sitting(person, attempt)]
    started = next((each for each in statements if each.verb is Verb.STARTED), None)
    if started is None or started.result is None:
        raise Refused("There is no such attempt of yours.")
    detail = started.result.detail
    base = Attempt(
        id=attempt,
        person=person,
        step=started.object.key,
        kind=AttemptKind(detail["kind"]),
        title=detail["title"],
        competency=started.context.competency,
        level=started.context.level,
        rung=started.context.rung,
        framework=started.context.framework,
        started_at=started.timestamp,
    )
    return _told(base, started, statements)


def _told(base: Attempt, started: Statement, statements: list[Statement]) -> Attempt:
    """The attempt with what its statements tell."""
    assert started.result is not None  # noqa: S101 - the caller looked
    fields: dict[str, Any] = {}
    last = {each.verb: each for each in statements}
    ended = last.get(Verb.COMPLETED) or last.get(Verb.WAS_RATED)
    submitted = last.get(Verb.SUBMITTED)
    if ended is not None and ended.result is not None:
        result = ended.result
        fields["outcome"] = Outcome(result.score or 0.0, bool(result.success), result.detail, ended.id)
        fields["response"] = result.response
    if submitted is not None and submitted.result is not None:
        fields["waiting"] = ended is None
        fields["response"] = submitted.result.response
    if base.kind is AttemptKind.SITTING:
        plan = read_plan(started.result, statements)
        keys = plan.items
        fields["plan"] = plan
        fields["questions"] = read_answers(get_items(keys, base.framework), keys, statements)
    else:
        fields["practical"] = get_practical(base.step.partition(":")[2], base.framework)
        fields["variant"] = started.result.response["variant"]
    return replace(base, **fields)


def find_open_attempt(person: UUID, step: str) -> UUID | None:
    """An attempt at this step that was started and not ended, if there is one."""
    verbs = {Verb.STARTED, Verb.COMPLETED, Verb.SUBMITTED}
    found = None
    for each in list_statements(actor=person, verbs=verbs):
        statement = each.statement
        if statement.verb is Verb.STARTED and statement.object.key == step:
            found = statement.id
        elif statement.verb is not Verb.STARTED and statement.context.sitting == found:
            found = None
    return found


def count_started(person: UUID, step: str) -> int:
    """How often a person has started this step."""
    return count_by_object(person, Verb.STARTED).get(step, 0)


def count_seen(person: UUID) -> dict[str, int]:
    """How often a person has answered each item; items never answered are absent."""
    return count_by_object(person, Verb.ANSWERED)


def list_unrated(by: Person) -> list[QueueEntry]:
    """What waits for a rating by `by`, the longest waiting first."""
    people = {person.uuid: person for person in list_supervised(by)}
    rows = Submission.objects.filter(rated_at=None, person__in=people).order_by("submitted_at")[:_QUEUE_LIMIT]
    titles = {each.key: each.title for each in list_practicals()}
    return [
        QueueEntry(
            row.attempt, people[row.person], titles.get(row.practical, row.practical), row.submitted_at
        )
        for row in rows
    ]


def get_submission(by: Person, attempt: UUID) -> SubmissionView:
    """Work handed in by somebody whom `by` supervises. Raises `Refused` for anything else."""
    row = Submission.objects.filter(attempt=attempt).first()
    person = get_people([row.person]).get(row.person) if row else None
    if row is None or person is None or not may_supervise(by, person):
        raise Refused("There is no such work for you to rate.")
    told = get_attempt(row.person, attempt)
    if told.practical is None:
        raise Refused("There is no such work for you to rate.")
    return SubmissionView(
        attempt=attempt,
        person=person,
        practical=told.practical,
        variant=told.shown,
        text=str(told.response),
        submitted_at=row.submitted_at,
        rated=row.rated_at is not None,
    )


@dataclass(frozen=True, slots=True)
class AssessmentView:
    """A practical under way that waits for another rater."""

    attempt: UUID
    person: Person
    rubric: str
    level: int
    competency: str
    begun_at: datetime


def list_unsettled(by: Person) -> list[AssessmentView]:
    """Assessments that wait for another rater and that `by` has not rated, the longest waiting first."""
    people = {person.uuid: person for person in list_supervised(by)}
    rows = Assessment.objects.filter(verdict="waiting", person__in=people).exclude(raters__contains=[by.uuid])
    return [_assessment(row, people[row.person]) for row in rows.order_by("begun_at")[:_QUEUE_LIMIT]]


def get_assessment(by: Person, attempt: UUID) -> AssessmentView:
    """An assessment of somebody whom `by` supervises. Raises `Refused` for anything else."""
    row = Assessment.objects.filter(attempt=attempt).first()
    person = get_people([row.person]).get(row.person) if row else None
    if row is None or person is None or not may_supervise(by, person):
        raise Refused("There is no such practical for you to rate.")
    return _assessment(row, person)


def _assessment(row: Assessment, person: Person) -> AssessmentView:
    return AssessmentView(row.attempt, person, row.rubric, row.level, row.competency, row.begun_at)
