"""What a sitting asks next, and what it has come to. Pure.

A level's measured part is passed where the estimate can vouch for it at its expiry with the certainty asked.
The
expiry is chosen so that it can: an award lasts until the certainty would fall short of what is asked, at
most as long as its currency class says, and is made only where it would outlast the class's grace.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from toprope.content.logic import Item, Option
from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.measurement.logic.following import Basis, Followed, belief_about, follow, items_of
from toprope.measurement.logic.readings import days_of, parameters_of
from toprope.stats import (
    Decision,
    SelectionTable,
    build_table,
    choose_item,
    decide,
    decision_point,
    lowest_probability,
    start_sitting,
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


@dataclass(frozen=True, slots=True)
class Pool:
    """The questions of one level by their keys, ranked for every ability, each kind of question apart."""

    items: tuple[Item, ...]
    table: SelectionTable
    suspected: NDArray[np.bool_]


def rank_pool(basis: Basis, items: Iterable[Item]) -> Pool:
    """Rank questions once, so that choosing among however many costs microseconds."""
    ordered = tuple(sorted(items, key=lambda item: item.key))
    if not ordered:
        raise ValueError("there is no question to choose from")
    parameters = [
        parameters_of(item.key, item.version, item.level, len(item.options), basis.known) for item in ordered
    ]
    kinds = sorted({item.kind for item in ordered})
    table = build_table(items_of(parameters), stratum=[kinds.index(item.kind) for item in ordered])
    return Pool(ordered, table, suspected([each.exposed for each in parameters]))


def choose(
    basis: Basis,
    pool: Pool,
    followed: Followed,
    competency: str,
    level: int,
    *,
    seen: Collection[str],
    asked: Collection[str],
    seed: UUID,
    now: datetime,
) -> Question | None:
    """The next question by what it tells about the cut, kinds in proportion; None where all were seen.

    `asked` are those of this sitting. What has probably got about is asked only where nothing else is left.
    The seed makes the draw one that can be told again.
    """
    belief = belief_about(basis, followed.state, competency, now)
    point = decision_point(belief.value, basis.cuts[level])
    out = np.array([item.key in seen or item.key in asked for item in pool.items])
    for withdrawn in (out | pool.suspected, out):
        sitting = start_sitting(pool.table, withdrawn=withdrawn)
        for place, item in enumerate(pool.items):
            if item.key in asked:
                sitting.record(place)
        chosen = choose_item(pool.table, sitting, point, np.random.default_rng(seed.int))
        if chosen is not None:
            return Question(pool.items[chosen.item].key, chosen.propensity)
    return None


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
    pool = rank_pool(basis, [item])
    choose(basis, pool, followed, competency, 1, seen=(), asked=(), seed=answer.id, now=now)
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
