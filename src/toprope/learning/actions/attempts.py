"""Starting, answering and handing in."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from toprope.audit.api import record_entry
from toprope.authorization.api import Refused, get_standing, refresh_person
from toprope.competency.api import current_framework
from toprope.content.api import (
    ResponseError,
    check_explanation,
    current_policy,
    get_practical,
    score_practical,
)
from toprope.evidence.api import StatementConflict, record_statements
from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.kit.ids import derive_uuid7, uuid7
from toprope.learning.actions.sittings import plan_mixed, plan_sitting, tell_answer
from toprope.learning.logic import (
    Answered,
    Attempt,
    AttemptKind,
    Feedback,
    Outcome,
    Question,
    give_feedback,
)
from toprope.learning.models import Submission
from toprope.learning.queries import count_started, find_open_attempt, get_attempt
from toprope.learning.tags import Tag
from toprope.measurement.api import refresh_person as refresh_measurement
from toprope.progression.api import Requirement

_MAX_LINES = 500


def accept_policy(person: UUID, version: str, now: datetime) -> None:
    """Record that a person accepts the policy. Accepting the same version again is harmless."""
    policy = current_policy()
    if version != policy.version:
        raise Refused(f"The policy now in force is version {policy.version}; read that one and accept it.")
    statement = Statement(
        id=derive_uuid7(person, f"policy:{policy.key}:{version}"),
        actor=person,
        verb=Verb.ACCEPTED,
        object=Object(ObjectType.POLICY, policy.key, version),
        timestamp=now,
        context=Context(framework=current_framework().reference),
    )
    with transaction.atomic():
        lock_learner(person)
        if _record_once([statement]):
            detail = {"policy": policy.key, "version": version}
            record_entry(Tag.POLICY_ACCEPTED, actor=person, subject=str(person), detail=detail, now=now)
    refresh_person(person, now)


def start_step(person: UUID, step: str, now: datetime) -> UUID:
    """Begin a step of a checklist ("sitting:SEC-01:1", "mixed:R1", "practical:redaction-drill").

    Gives the attempt's id; a step begun and not ended is taken up again. Raises `Refused` for a step that
    the person's way does not ask for, or not yet.
    """
    requirement = _find_requirement(person, step, now)
    with transaction.atomic():
        lock_learner(person)
        already = find_open_attempt(person, step)
        if already is not None:
            return already
        attempt = uuid7(int(now.timestamp() * 1000))
        statement = _started(person, attempt, step, requirement, now)
        record_statements([statement])
        detail = {"step": step, "attempt": str(attempt)}
        record_entry(Tag.ATTEMPT_STARTED, actor=person, subject=str(person), detail=detail, now=now)
    return attempt


def answer_item(
    person: UUID, attempt: UUID, key: str, *, choice: str, lines: Iterable[int], seconds: float, now: datetime
) -> Feedback:
    """Answer an item of a sitting. The first answer stands; sending it again is harmless.

    With the last answer the sitting is complete, and levels and grants follow at once.
    """
    with transaction.atomic():
        lock_learner(person)
        told = get_attempt(person, attempt)
        question = next((each for each in told.questions if each.item.key == key), None)
        if question is None:
            raise Refused("That question does not belong to this sitting.")
        if question.answer is not None:
            return question.answer.feedback
        if choice not in {option.id for option in question.item.options}:
            raise Refused("Choose one of the answers.")
        marked = sorted(set(lines))[:_MAX_LINES]
        given = Answered(
            choice=choice,
            lines=tuple(marked),
            feedback=give_feedback(question.item, choice, marked),
            statement=derive_uuid7(attempt, f"answer:{key}"),
        )
        answered = Question(question.item, given)
        statements = tell_answer(told, answered, seconds, now)
        record_statements(statements)
    if len(statements) > 1:
        refresh_person(person, now)
    else:  # a single answer moves the estimate only; levels follow from whole sittings
        refresh_measurement(person)
    return given.feedback


def submit_practical(person: UUID, attempt: UUID, response: Any, now: datetime) -> Outcome | None:
    """Hand in a practical. Scored at once where execution can tell; None where a person has to rate it.

    What was handed in first stands. Raises `Refused` for a response that cannot be scored.
    """
    told = get_attempt(person, attempt)
    if told.practical is None:
        raise Refused("This is a sitting; answer its questions one by one.")
    if told.finished:
        return told.outcome
    try:
        statement = _handed_in(told, response, now)
    except ResponseError as error:
        raise Refused(str(error)) from error
    with transaction.atomic():
        lock_learner(person)
        if statement.verb is Verb.SUBMITTED:
            # Before the record is written to, as everywhere: locks are always taken in this order.
            Submission.objects.get_or_create(
                attempt=attempt,
                defaults={"person": person, "practical": told.practical.key, "submitted_at": now},
            )
        _record_once([statement])
    refresh_person(person, now)
    return get_attempt(person, attempt).outcome


def _find_requirement(person: UUID, step: str, now: datetime) -> Requirement:
    for rung in get_standing(person, now).rungs:
        for requirement in rung.checklist.open_steps():
            if requirement.step != step:
                continue
            if requirement.not_before is not None and now < requirement.not_before:
                when = f"{requirement.not_before:%d %B %Y, %H:%M} UTC"
                raise Refused(f"You can try this again from {when}. Until then, look at what went wrong.")
            return requirement
    raise Refused("There is nothing to start here: it is done, or something else comes first.")


def _started(person: UUID, attempt: UUID, step: str, requirement: Requirement, now: datetime) -> Statement:
    framework = current_framework()
    kind, _, rest = step.partition(":")
    if kind == "practical":
        practical = get_practical(rest)
        variant = count_started(person, step) % len(practical.variants)
        response: dict[str, Any] = {"variant": variant}
        detail: dict[str, Any] = {"kind": AttemptKind(practical.kind).value, "title": practical.title}
        competency, level, evidence = practical.competency, practical.level, practical.evidence_kind
        rung = ""
    else:
        if kind == "mixed":
            plan = plan_mixed(person, attempt, rest)
        else:
            plan = plan_sitting(person, attempt, requirement.competency, requirement.level, now)
        response = {"items": list(plan.items)}
        detail = {
            "kind": AttemptKind.SITTING.value,
            "title": requirement.title,
            "asked": plan.asked,
            "pool": plan.pool,
            "pass": plan.pass_mark,
            "limit": plan.limit,
            "propensity": plan.propensity,
        }
        competency, level, rung = requirement.competency, requirement.level, rest if kind == "mixed" else ""
        evidence = "mixed_items" if kind == "mixed" else "auto_items"
    return Statement(
        id=attempt,
        actor=person,
        verb=Verb.STARTED,
        object=Object(ObjectType.PRACTICAL if kind == "practical" else ObjectType.SITTING, step),
        timestamp=now,
        result=Result(response=response, detail=detail),
        context=Context(
            framework=framework.reference,
            competency=competency,
            level=level,
            rung=rung,
            kind=evidence,
            sitting=attempt,
        ),
    )


def _handed_in(told: Attempt, response: Any, now: datetime) -> Statement:
    assert told.practical is not None  # noqa: S101 - the caller looked
    practical = told.practical
    context = Context(
        framework=told.framework,
        competency=practical.competency,
        level=practical.level,
        kind=practical.evidence_kind,
        sitting=told.id,
    )
    subject = Object(ObjectType.PRACTICAL, practical.key, practical.version)
    if told.kind is AttemptKind.EXPLAIN_BACK:
        text = check_explanation(response)
        return Statement(
            id=derive_uuid7(told.id, "submitted"),
            actor=told.person,
            verb=Verb.SUBMITTED,
            object=subject,
            timestamp=now,
            result=Result(response=text),
            context=context,
        )
    scored = score_practical(practical, told.variant, response)
    return Statement(
        id=derive_uuid7(told.id, "completed"),
        actor=told.person,
        verb=Verb.COMPLETED,
        object=subject,
        timestamp=now,
        context=context,
        result=Result(score=scored.score, success=scored.success, response=response, detail=scored.detail),
    )


def _record_once(statements: list[Statement]) -> bool:
    """Record; False where the same thing was on record already, whatever this one says."""
    try:
        return any(recorded.new for recorded in record_statements(statements))
    except StatementConflict:
        return False


def lock_learner(person: UUID) -> None:
    """One writer at a time per person, so that two tabs cannot each hold the other's answer missing.

    Taken before the record is written to, always in this order.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [f"learning:{person}"])
