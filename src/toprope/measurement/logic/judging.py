"""What a sitting asks next, and what it has come to. Pure.

A level's measured part is passed where the estimate can vouch for it at its expiry with the certainty asked.
The
expiry is chosen so that it can: an award lasts until the certainty would fall short of what is asked, at
most as long as its currency class says, and is made only where it would outlast the class's grace.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from toprope.content.logic import Item, Option
from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.measurement.logic.following import Basis, Followed, belief_about, follow, items_of
from toprope.measurement.logic.readings import days_of, parameters_of
from toprope.stats import (
    Decision,
    choose_among,
    decide,
    decision_point,
    lowest_probability,
    suspected,
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a sitting has come to, after so many questions.

    `certainty` is the least P(ability >= `cut`) until the shortest time an award may last; `threshold` is
    what is asked of it. `lasts_until` is None where it is not reached.
    """

    decision: Decision
    certainty: float
    threshold: float
    cut: float
    lasts_until: datetime | None

    def told(self) -> dict[str, Any]:
        """As the statement that ends a sitting tells it."""
        return {
            "certainty": round(self.certainty, 6),
            "threshold": self.threshold,
            "cut": round(self.cut, 6),
            "lasts_until": self.lasts_until.isoformat() if self.lasts_until else None,
        }


@dataclass(frozen=True, slots=True)
class Question:
    """The item chosen, and the chance with which it was."""

    item: str
    propensity: float


def judge(
    basis: Basis,
    followed: Followed,
    competency: str,
    level: int,
    *,
    answered: int,
    nothing_left: bool,
    shortest_days: int,
    longest_days: int,
    now: datetime,
) -> Judgement:
    """What a sitting on a level has come to after `answered` questions."""
    place = followed.state.competencies.index(competency)
    cut, start = basis.cuts[level], max(days_of(now), followed.state.at)

    rule = basis.rule

    def certainty(days: float) -> float:
        held = lowest_probability(basis.population, followed.state, cut, start + days)
        return float(held[place])

    soon = certainty(shortest_days)
    decision = decide(rule, soon, answered, nothing_left=nothing_left)
    lasts_until = None
    if soon >= rule.certainty:
        lasts_until = now + timedelta(days=_longest(certainty, rule.certainty, shortest_days, longest_days))
    return Judgement(decision, soon, rule.certainty, cut, lasts_until)


def _longest(certainty: Callable[[float], float], asked: float, shortest: int, longest: int) -> int:
    """The most whole days for which the certainty asked holds; it never grows with time."""
    low, high = shortest, longest
    while low < high:
        middle = (low + high + 1) // 2
        if certainty(middle) >= asked:
            low = middle
        else:
            high = middle - 1
    return low


def choose(
    basis: Basis,
    followed: Followed,
    competency: str,
    level: int,
    candidates: Sequence[Item],
    *,
    seed: UUID,
    now: datetime,
) -> Question:
    """The next question among one or more candidates, by what it tells about the cut.

    The seed makes the draw one that can be told again.
    """
    if not candidates:
        raise ValueError("there is no question to choose from")
    ordered = sorted(candidates, key=lambda item: item.key)
    belief = belief_about(basis, followed.state, competency, now)
    parameters = [
        parameters_of(item.key, item.version, item.level, len(item.options), basis.known) for item in ordered
    ]
    out = suspected([each.exposed for each in parameters])
    chosen = choose_among(
        items_of(parameters),
        decision_point(belief.value, basis.cuts[level]),
        np.random.default_rng(seed.int),
        barred=None if out.all() else out,  # asked all the same where nothing else is left
    )
    assert chosen is not None  # noqa: S101 - not all are barred
    return Question(ordered[chosen.item].key, chosen.propensity)


def rehearse(basis: Basis) -> None:
    """Make the calls that a sitting makes, on a made-up answer, so that nobody waits for them to be
    compiled.
    """
    competency, now = basis.population.competencies[0], datetime(2026, 1, 1, tzinfo=UTC)
    answer = Statement(
        id=UUID(int=1),
        actor=UUID(int=1),
        verb=Verb.ANSWERED,
        object=Object(ObjectType.ITEM, "rehearsal"),
        timestamp=now,
        result=Result(success=True, detail={"options": 3}),
        context=Context(competency=competency, level=1),
    )
    item = Item("rehearsal", "", "mcq", competency, 1, "", "", "", (Option("a", "", ""),), "a", False, "", ())
    followed = follow(basis, None, [answer])
    assert followed is not None  # noqa: S101 - the answer counts
    choose(basis, followed, competency, 1, [item], seed=answer.id, now=now)
    judge(
        basis,
        followed,
        competency,
        1,
        answered=1,
        nothing_left=True,
        shortest_days=1,
        longest_days=2,
        now=now,
    )
