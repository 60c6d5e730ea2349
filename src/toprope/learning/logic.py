"""Attempts: what a person started, how far they are, and what comes next. Pure.

An attempt begins with a STARTED statement and is told by the statements that name it as their sitting. Ids
of its parts are derived from its own, so that the same submission twice is the same statement.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from toprope.authorization.logic import Standing
from toprope.content.logic import Item, score_answer
from toprope.content.practicals import Practical, Variant
from toprope.evidence.statement import Result, Statement, Verb
from toprope.progression.logic import Requirement, Status


class AttemptKind(StrEnum):
    SITTING = "sitting"
    REDACTION = "redaction"
    FLAW_HUNT = "flaw_hunt"
    EXPLAIN_BACK = "explain_back"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person is told after an answer. `located` is None where no lines were asked for."""

    success: bool
    chosen: str
    right: str
    misconception: str
    rationale: str
    located: bool | None
    flaw_lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    choice: str
    lines: tuple[int, ...]
    feedback: Feedback
    statement: UUID


@dataclass(frozen=True, slots=True)
class Question:
    """One item of a sitting, with its answer once it is given."""

    item: Item
    answer: Answered | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `detail` holds what the result page shows, as JSON values."""

    score: float
    success: bool
    detail: Mapping[str, Any]
    statement: UUID


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sitting asks: its items in order, how many the rule asks for, pool size, share to be right.

    Where the estimate decides, items are chosen one by one: `items` are those so far, `limit` is the most
    there will be, and `propensity` the chance with which the last was chosen. Elsewhere `limit` is 0.
    """

    items: tuple[str, ...] = ()
    asked: int = 0
    pool: int = 0
    pass_mark: float = 0.0
    limit: int = 0
    propensity: float = 1.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sitting or a practical that somebody started. `waiting`: handed in, not yet rated."""

    id: UUID
    person: UUID
    step: str
    kind: AttemptKind
    title: str
    competency: str
    level: int
    rung: str
    framework: str
    started_at: datetime
    plan: Plan = Plan()
    questions: tuple[Question, ...] = ()
    practical: Practical | None = None
    variant: int = 0
    waiting: bool = False
    outcome: Outcome | None = None
    response: Any = None

    @property
    def finished(self) -> bool:
        return self.outcome is not None or self.waiting

    @property
    def shown(self) -> Variant:
        """The variant of the practical that this attempt shows."""
        if self.practical is None:
            raise ValueError("a sitting has no variant")
        return self.practical.variants[self.variant]


@dataclass(frozen=True, slots=True)
class NextStep:
    """The one next thing to do, and why. `step` is "" while everything waits for a person or for time."""

    title: str
    why: str
    step: str
    minutes: int
    not_before: datetime | None = None


def draw_items(
    pool: Sequence[str], asked: int, pass_mark: float, seen: Mapping[str, int], seed: UUID
) -> Plan:
    """Draw `asked` items (or all there are): the least often seen first, in an order of chance.

    The seed is the attempt's id, so that the draw can be told again from the record.
    """
    chance = random.Random(seed.int)  # noqa: S311 - a draw of questions, not a secret
    order = sorted(pool)
    chance.shuffle(order)
    order.sort(key=lambda key: seen.get(key, 0))
    drawn = order[:asked]
    chance.shuffle(drawn)
    return Plan(tuple(drawn), asked, len(pool), pass_mark)


def give_feedback(item: Item, choice: str, lines: Iterable[int]) -> Feedback:
    """What the person is told about this answer to this item."""
    marked = tuple(sorted(set(lines)))
    scored = score_answer(item, choice, marked)
    return Feedback(
        success=scored.success,
        chosen=item.option(choice).text,
        right=item.option(item.answer).text,
        misconception=scored.misconception,
        rationale=item.rationale,
        located=scored.located,
        flaw_lines=item.flaw_lines,
    )


def read_plan(started: Result, statements: Iterable[Statement]) -> Plan:
    """The plan that the start of a sitting laid down, with the questions its answers went on with."""
    detail = started.detail
    following = [
        each.result.detail["next"]["item"]
        for each in statements
        if each.verb is Verb.ANSWERED and each.result is not None and "next" in each.result.detail
    ]
    return Plan(
        (*started.response["items"], *following),
        detail["asked"],
        detail["pool"],
        detail["pass"],
        detail.get("limit", 0),
        detail.get("propensity", 1.0),
    )


def read_answers(
    items: Mapping[str, Item], keys: Sequence[str], statements: Iterable[Statement]
) -> tuple[Question, ...]:
    """The questions of a sitting in their order, with the answers given so far."""
    given = {each.object.key: each for each in statements if each.verb is Verb.ANSWERED}
    return tuple(Question(items[key], _answered(items[key], given.get(key))) for key in keys)


def _answered(item: Item, statement: Statement | None) -> Answered | None:
    if statement is None or statement.result is None:
        return None
    choice = statement.result.response["choice"]
    lines = tuple(statement.result.response["lines"])
    return Answered(choice, lines, give_feedback(item, choice, lines), statement.id)


def sum_up(questions: Sequence[Question]) -> tuple[float, int]:
    """Share right and critical misses of a sitting whose questions are all answered."""
    right = sum(1 for each in questions if each.answer and each.answer.feedback.success)
    misses = sum(
        1 for each in questions if each.item.critical and each.answer and not each.answer.feedback.success
    )
    return right / len(questions), misses


def choose_next_step(standing: Standing, minutes: Mapping[str, int], now: datetime) -> NextStep | None:
    """What to do next to open the next rung; None where no rung is left to work for.

    The first thing that can be started now, in the order the rung asks for it; if all of that waits, what it
    waits for. `minutes` tells how long a step takes.
    """
    target = standing.next
    if target is None:
        return None
    goal = f"{target.rung.key} {target.rung.name}"
    steps = list(target.checklist.open_steps())
    ready = [each for each in steps if each.not_before is None or each.not_before <= now]
    if ready:
        first = ready[0]
        why = f"The next thing for {goal}. {first.detail}"
        return NextStep(first.title, why, first.step, minutes.get(first.step, 0))
    if steps:
        soonest = min(steps, key=lambda each: each.not_before or now)
        why = f"You can try again after a break; {goal} asks for it."
        return NextStep(soonest.title, why, "", minutes.get(soonest.step, 0), soonest.not_before)
    waiting = _first_waiting(target.checklist.requirements)
    if waiting:
        return NextStep(waiting.title, f"{waiting.detail} {goal} asks for it.", "", 0)
    return NextStep(
        f"Nothing to start for {goal} yet", "What it still asks cannot be recorded in this version.", "", 0
    )


def _first_waiting(requirements: Iterable[Requirement]) -> Requirement | None:
    for each in requirements:
        if each.status is Status.WAITING:
            return _first_waiting(each.parts) or each
    return None
