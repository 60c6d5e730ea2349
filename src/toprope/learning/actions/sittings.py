"""What a sitting asks, what an answer says, and when it is over.

Where the pool is large enough for the estimate to decide, questions are chosen one by one until it is clear
whether the person is at the level; each answer's statement names the question that comes next, so that the
sitting can be told again from the record. Elsewhere all questions are drawn at the start.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from toprope.competency.api import current_framework
from toprope.content.api import Item, list_pool
from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.kit.ids import derive_uuid7
from toprope.learning.logic import Answered, Attempt, Plan, Question, draw_items, sum_up
from toprope.learning.queries import count_seen
from toprope.measurement.api import RULE, Decision, Judgement, choose_question, judge_level
from toprope.progression.api import get_catalogue, is_measurable, levels_to_draw_from

_MAX_SECONDS = 86_400.0


def plan_mixed(person: UUID, attempt: UUID, rung_key: str) -> Plan:
    """The mixed set of questions across what a rung requires."""
    rung = current_framework().rungs[rung_key]
    rule = next(each for each in rung.validations if each["type"] == "automatic")
    pool = [item.key for competency, level in rung.competencies.items() for item in _pool(competency, level)]
    return draw_items(pool, int(rule["mixed_items"]), float(rule["pass"]), count_seen(person), attempt)


def plan_sitting(person: UUID, attempt: UUID, competency: str, level: int, now: datetime) -> Plan:
    """The questions on one competency at one level, or the first of them."""
    rules = current_framework().competencies[competency].at(level).evidence
    asked, mark = next((each.minimum, each.pass_mark) for each in rules if each.kind == "auto_items")
    pool, seen = _pool(competency, level), count_seen(person)
    first = None
    if is_measurable(len(pool), asked):
        first = choose_question(person, competency, level, pool, seen=seen, seed=attempt, now=now)
    if first is None:
        return draw_items([item.key for item in pool], asked, mark, seen, attempt)
    limit = min(RULE.most, sum(item.key not in seen for item in pool))
    return Plan((first.item,), asked, len(pool), mark, limit, first.propensity)


def _pool(competency: str, level: int) -> list[Item]:
    framework = current_framework()
    pools, minimum = get_catalogue(framework).pools, framework.bootstrap.minimum_items
    levels = levels_to_draw_from(pools, competency, level, minimum)
    return [item for at in levels for item in list_pool(competency, at)]


def tell_answer(told: Attempt, question: Question, seconds: float, now: datetime) -> list[Statement]:
    """The statements of an answer just given: the answer, and the sitting's end where it was the last."""
    assert question.answer is not None  # noqa: S101 - the caller has just put it there
    statement = _answered(told, question, question.answer, seconds, now)
    questions = [question if each.item.key == question.item.key else each for each in told.questions]
    if any(each.answer is None for each in questions):
        return [statement]
    if told.rung:
        return [statement, _completed(told, questions, None, now)]
    done, plan = len(questions), told.plan
    following = None
    if done < plan.limit:
        following = choose_question(
            told.person,
            told.competency,
            told.level,
            _pool(told.competency, told.level),
            seen=count_seen(told.person),
            asked={each.item.key for each in questions},
            including=[statement],
            seed=statement.id,
            now=now,
        )
    judgement = judge_level(
        told.person,
        told.competency,
        told.level,
        including=[statement],
        answered=done,
        nothing_left=following is None,
        now=now,
    )
    over = judgement.decision is not Decision.CONTINUE and done >= min(plan.asked, plan.limit)
    if following is None or over:
        return [statement, _completed(told, questions, judgement, now)]
    assert statement.result is not None  # noqa: S101 - made above
    chosen = {"item": following.item, "propensity": following.propensity}
    detail = {**statement.result.detail, "next": chosen}
    return [replace(statement, result=replace(statement.result, detail=detail))]


def _answered(told: Attempt, question: Question, given: Answered, seconds: float, now: datetime) -> Statement:
    item, feedback = question.item, given.feedback
    return Statement(
        id=given.statement,
        actor=told.person,
        verb=Verb.ANSWERED,
        object=Object(ObjectType.ITEM, item.key, item.version),
        timestamp=now,
        result=Result(
            score=1.0 if feedback.success else 0.0,
            success=feedback.success,
            response={"choice": given.choice, "lines": list(given.lines)},
            seconds=min(max(seconds, 0.0), _MAX_SECONDS),
            detail={
                "options": len(item.options),
                "repeat": item.key in count_seen(told.person),
                "misconception": feedback.misconception,
                "located": feedback.located,
            },
        ),
        context=Context(
            framework=told.framework,
            competency=item.competency,
            level=item.level,
            rung=told.rung,
            kind="auto_items",
            sitting=told.id,
        ),
    )


def _completed(
    told: Attempt, questions: Sequence[Question], judgement: Judgement | None, now: datetime
) -> Statement:
    """The statement that ends a sitting, whose questions are all answered."""
    share, misses = sum_up(questions)
    plan = told.plan
    sure = judgement is not None and judgement.lasts_until is not None
    detail: dict[str, Any] = {
        "asked": plan.asked,
        "drawn": len(questions),
        "pool": plan.pool,
        "pass": plan.pass_mark,
        "critical_misses": misses,
    }
    if judgement is not None:
        detail["measured"] = {**judgement.told(), "decides": plan.limit > 0}
    return Statement(
        id=derive_uuid7(told.id, "completed"),
        actor=told.person,
        verb=Verb.COMPLETED,
        object=Object(ObjectType.SITTING, told.step),
        timestamp=now,
        result=Result(
            score=share,
            success=(sure if plan.limit else share >= plan.pass_mark) and not misses,
            detail=detail,
        ),
        context=Context(
            framework=told.framework,
            competency=told.competency,
            level=told.level,
            rung=told.rung,
            kind="mixed_items" if told.rung else "auto_items",
            sitting=told.id,
        ),
    )
