"""How the ratings of one assessment become an outcome. Pure.

Mean of the raters by criterion, weighted mean over the criteria, no criterion below the floor, no critical
error (rubrics.yaml, scoring). Raters who differ by two steps need a third.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from toprope.competency.logic import Framework, RubricPass
from toprope.progression.logic.said import Assessment, Rating

SCALE = (1, 2, 3, 4)
DIFFERENCE = 2
"""Raters this many steps apart on a criterion do not settle it between them."""

NOT_OBSERVED = 1
"""More criteria than this not observed make an attempt incomplete."""

_ROUNDING = 1e-9  # a weighted mean of exactly 3 may come out a hair below it


class Verdict(StrEnum):
    WAITING = "waiting"  # for another rater
    PASSED = "passed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where an assessment stands. `mean` is on the scale 1 to 4; `ratings` are those that count."""

    verdict: Verdict
    mean: float
    lowest: float
    critical_errors: int
    apart: bool
    ratings: tuple[Rating, ...]
    settled_at: datetime | None


def pass_rule(framework: Framework, level: int) -> RubricPass:
    """What passes an assessment at a level: the level's own rule, else the rubrics'."""
    passes = framework.rubric_passes
    return framework.levels[level - 1].validation.rubric or passes.get(level) or passes[min(passes)]


def judge(assessment: Assessment, rubric: Mapping[str, Any], rule: RubricPass) -> Outcome:
    """The outcome of the ratings in the order they were given; what comes after it is settled is left out."""
    counted: list[Rating] = []
    for rating in assessment.ratings:
        if any(each.by == rating.by for each in counted):
            continue  # the first rating of each rater stands
        counted.append(rating)
        outcome = _outcome(counted, rubric, rule)
        if outcome.verdict is not Verdict.WAITING:
            return outcome
    return _outcome(counted, rubric, rule)


def _outcome(ratings: Sequence[Rating], rubric: Mapping[str, Any], rule: RubricPass) -> Outcome:
    weights = {each["id"]: each["weight"] for each in rubric["criteria"]}
    means = {key: mean for key in weights if (mean := _mean(ratings, key)) is not None}
    total = sum(weights[key] for key in means)
    mean = sum(weights[key] * value for key, value in means.items()) / total if total else 0.0
    lowest = min(means.values(), default=0.0)
    errors = sum(each.critical_errors for each in ratings)
    apart = any(_spread(ratings, key) >= DIFFERENCE for key in weights)
    if len(ratings) < rule.raters + (1 if apart else 0):
        verdict = Verdict.WAITING
    elif any(each.not_observed > NOT_OBSERVED for each in ratings) or not total:
        verdict = Verdict.INCOMPLETE
    elif errors or lowest < rule.floor or mean < rule.mean - _ROUNDING:
        verdict = Verdict.FAILED
    else:
        verdict = Verdict.PASSED
    settled = verdict is not Verdict.WAITING
    return Outcome(
        verdict, mean, lowest, errors, apart, tuple(ratings), ratings[-1].timestamp if settled else None
    )


def _mean(ratings: Iterable[Rating], criterion: str) -> float | None:
    scores = [each.scores[criterion] for each in ratings if criterion in each.scores]
    return sum(scores) / len(scores) if scores else None


def _spread(ratings: Iterable[Rating], criterion: str) -> int:
    scores = [each.scores[criterion] for each in ratings if criterion in each.scores]
    return max(scores) - min(scores) if scores else 0


def agreement(ratings: Sequence[Rating]) -> float:
    """Weighted kappa (quadratic weights; Cohen 1968) of the first two raters over the criteria both scored.

    In [-1, 1]; 1 where both gave the same single score throughout, where kappa itself is undefined. Raises
    ValueError for fewer than two raters, or where they have no criterion in common.
    """
    if len(ratings) < 2:
        raise ValueError(f"agreement is between two raters; there is {len(ratings)}")
    first, second = ratings[0].scores, ratings[1].scores
    both = sorted(first.keys() & second.keys())
    if not both:
        raise ValueError("the two raters scored no criterion in common")
    observed = sum((first[key] - second[key]) ** 2 for key in both) / len(both)
    expected = sum((first[one] - second[two]) ** 2 for one in both for two in both) / len(both) ** 2
    return 1.0 - observed / expected if expected else 1.0
