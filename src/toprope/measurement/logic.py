"""Answers become abilities: one normal belief per person and competency. Pure.

First form of the model. Items are not calibrated yet, so their difficulty comes from the level they were
written for, with an honest error; every estimate inherits that doubt. Competencies are kept apart, and time
does not yet age an estimate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from toprope.evidence.statement import Statement, Verb
from toprope.stats import Belief, ItemParameters, cut_score, update_belief

PRIOR = Belief(0.0, 1.0)
"""What is believed of a person before the first answer: the scale's origin and unit."""

LEVEL_DIFFICULTY = {1: -1.0, 2: 0.0, 3: 1.0, 4: 2.0}
DIFFICULTY_ERROR = 0.7
"""Items written for one level differ this much in difficulty (standard deviation, logits): planning value."""

PASS_MARK = 0.75
GUESS_FOR_CUTS = 1 / 3
"""Cut scores are set for the pack's usual item: three options, three of four right."""


@dataclass(frozen=True, slots=True)
class Ability:
    """An estimate of one competency: `value` and `standard_error` in logits, from `responses` answers."""

    competency: str
    value: float
    standard_error: float
    responses: int

    @property
    def belief(self) -> Belief:
        return Belief(self.value, self.standard_error)

    @property
    def interval(self) -> tuple[float, float]:
        """The 90 % interval."""
        return self.belief.interval(0.9)

    def probability_of(self, level: int) -> float:
        """P(ability at or above the cut score of `level`)."""
        return self.belief.probability_above(level_cut(level))


@dataclass(frozen=True, slots=True)
class AbilityStep:
    """One answer and how it moved the estimate."""

    statement: UUID
    item: str
    score: float
    difficulty: float
    before: Belief
    after: Belief
    timestamp: datetime


def level_cut(level: int) -> float:
    """The cut score of a level, in logits: where three in four of its items are expected right."""
    return cut_score(_parameters(level, GUESS_FOR_CUTS), PASS_MARK)


def fold_answers(abilities: Mapping[str, Ability], answers: Iterable[Statement]) -> dict[str, Ability]:
    """The abilities after `answers`, in the order given. Statements that say nothing are passed over."""
    folded = dict(abilities)
    for answer in answers:
        if not counts(answer):
            continue
        known = folded.get(answer.context.competency)
        belief = known.belief if known else PRIOR
        after = update_belief(belief, parameters_of(answer), right=_is_right(answer))
        folded[answer.context.competency] = Ability(
            competency=answer.context.competency,
            value=after.value,
            standard_error=after.standard_error,
            responses=(known.responses if known else 0) + 1,
        )
    return folded


def explain_answers(competency: str, answers: Iterable[Statement]) -> list[AbilityStep]:
    """The same fold for one competency, step by step."""
    steps: list[AbilityStep] = []
    belief = PRIOR
    for answer in answers:
        if answer.context.competency != competency or not counts(answer):
            continue
        item = parameters_of(answer)
        after = update_belief(belief, item, right=_is_right(answer))
        steps.append(
            AbilityStep(
                statement=answer.id,
                item=answer.object.key,
                score=1.0 if _is_right(answer) else 0.0,
                difficulty=item.difficulty,
                before=belief,
                after=after,
                timestamp=answer.timestamp,
            )
        )
        belief = after
    return steps


def counts(answer: Statement) -> bool:
    """Whether an answer says something about ability.

    A second answer to an item whose key the person has been shown says nothing, and is left out.
    """
    return (
        answer.verb is Verb.ANSWERED
        and answer.result is not None
        and answer.result.success is not None
        and bool(answer.context.competency)
        and not answer.result.detail.get("repeat", False)
    )


def parameters_of(answer: Statement) -> ItemParameters:
    """The item's parameters, as far as the statement tells them: its level and its number of options."""
    options = answer.result.detail.get("options", 0) if answer.result else 0
    guess = 1.0 / options if isinstance(options, int) and options > 1 else 0.0
    return _parameters(answer.context.level, guess)


def _parameters(level: int, guess: float) -> ItemParameters:
    return ItemParameters(LEVEL_DIFFICULTY.get(level, 0.0), DIFFICULTY_ERROR, guess)


def _is_right(answer: Statement) -> bool:
    return answer.result is not None and bool(answer.result.success)
