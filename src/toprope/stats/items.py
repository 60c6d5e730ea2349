"""Items: what is known of each, and the chance of each score on it.

One response model serves all. With ability theta, discrimination a, difficulty b and steps delta_1..delta_m
of an item scored 0..m (the generalised partial credit model, Muraki 1992),

    P(score k | theta)  is proportional to  exp( sum over h = 1..k of  a (theta - b - delta_h - s) )

where s is the severity of the rater (0 where nobody rates). With m = 1 this is the two-parameter logistic,
and an item of that kind may also be guessed right (rate c) or slipped on (rate d):

    P(right | theta) = c + (1 - c - d) / (1 + exp(-a (theta - b - s)))        (Barton & Lord 1981)

Abilities, difficulties, steps and severities are in logits on one scale; the steps of an item sum to 0, so
its difficulty is the middle of its thresholds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Items:
    """The parameters of J items.

    discrimination, difficulty, guess, slip: (J,).
    steps: (J, M), the deviations delta_1..delta_m of each item's thresholds from its difficulty, then zeros.
    scores: (J,) the highest score m of each item, 1 for items that are right or wrong.
    covariance: (J, 2, 2), the error covariance of (discrimination, difficulty); zeros where they are known.

    Make one with `make_items`, which checks it.
    """

    discrimination: Floats
    difficulty: Floats
    guess: Floats
    slip: Floats
    steps: Floats
    scores: Integers
    covariance: Floats

    def __len__(self) -> int:
        return len(self.difficulty)

    def take(self, which: ArrayLike) -> "Items":
        """The items at these places, in this order."""
        index = np.asarray(which, dtype=np.int64)
        return Items(*(getattr(self, name)[index] for name in self.__slots__))


def make_items(
    difficulty: ArrayLike,
    discrimination: ArrayLike = 1.0,
    *,
    guess: ArrayLike = 0.0,
    slip: ArrayLike = 0.0,
    steps: ArrayLike | None = None,
    scores: ArrayLike | None = None,
    covariance: ArrayLike | None = None,
) -> Items:
    """Items from their parameters; single numbers stand for all. Raises ValueError naming the first bad item.

    `steps` (J, M) with `scores` (J,) makes items scored 0..m; without them all are right or wrong.
    `covariance` is (J, 2, 2), or (J,) error variances of the difficulties alone.
    """
    b = np.atleast_1d(np.asarray(difficulty, dtype=np.float64)).copy()
    count = len(b)
    a, c, d = (_column(each, count) for each in (discrimination, guess, slip))
    delta = np.zeros((count, 1)) if steps is None else np.array(steps, dtype=np.float64, ndmin=2)
    if delta.shape[0] != count:
        raise ValueError(f"steps has {delta.shape[0]} rows for {count} items")
    if scores is None:
        top = np.full(count, delta.shape[1], dtype=np.int64)
    else:
        top = np.broadcast_to(np.asarray(scores, dtype=np.int64), (count,)).copy()
    items = Items(a, b, c, d, delta, top, _covariances(covariance, count))
    _check(items)
    return items


def _column(value: ArrayLike, count: int) -> Floats:
    return np.broadcast_to(np.asarray(value, dtype=np.float64), (count,)).copy()


def _covariances(given: ArrayLike | None, count: int) -> Floats:
    full = np.zeros((count, 2, 2))
    if given is None:
        return full
    array = np.asarray(given, dtype=np.float64)
    if array.ndim < 2:
        full[:, 1, 1] = array
        return full
    if array.shape != full.shape:
        raise ValueError(f"covariance has the shape {array.shape}; ({count}, 2, 2) or ({count},) is asked")
    return array.copy()


def _check(items: Items) -> None:
    width = items.steps.shape[1]
    beyond = items.steps.astype(bool) & (np.arange(width) >= items.scores[:, None])
    chance = items.guess + items.slip
    asked: tuple[tuple[Any, str], ...] = (
        (np.isfinite(items.difficulty), "difficulty is not a finite number"),
        (np.isfinite(items.discrimination) & (items.discrimination > 0), "discrimination must be above 0"),
        (
            (items.guess >= 0) & (items.slip >= 0) & (chance < 1),
            "guess and slip lie in 0..1, their sum below 1",
        ),
        ((items.scores >= 1) & (items.scores <= width), f"the highest score must lie in 1..{width}"),
        (np.isfinite(items.steps).all(axis=1), "a step is not a finite number"),
        (~beyond.any(axis=1), "a step stands beyond its highest score"),
        (np.abs(items.steps.sum(axis=1)) < 1e-6, "steps must sum to 0"),
        ((items.scores == 1) | (chance == 0), "guess and slip go with right-or-wrong items"),
        (np.isfinite(items.covariance).all(axis=(1, 2)), "an error covariance is not finite"),
        ((items.covariance[:, [0, 1], [0, 1]] >= 0).all(axis=1), "an error variance is negative"),
    )
    for good, complaint in asked:
        if not good.all():
            place = int(np.flatnonzero(~good)[0])
            raise ValueError(f"item {place} of {len(items)}: {complaint}")


def score_probabilities(items: Items, ability: ArrayLike, severity: ArrayLike = 0.0) -> Floats:
    """P(score k | ability), of shape (*ability.shape, J, M + 1); scores an item does not have get 0.

    `ability` may have any shape; `severity` is one number or broadcasts against (*ability.shape, J).
    """
    theta = np.asarray(ability, dtype=np.float64)[..., None]
    gap = theta - items.difficulty - np.asarray(severity, dtype=np.float64)
    terms = items.discrimination[:, None] * (gap[..., None] - items.steps)
    columns = np.arange(items.steps.shape[1])
    terms = np.where(columns < items.scores[:, None], terms, -np.inf)
    logits = np.concatenate([np.zeros((*gap.shape, 1)), np.cumsum(terms, axis=-1)], axis=-1)
    logits -= logits.max(axis=-1, keepdims=True)
    chances = np.exp(logits)
    chances /= chances.sum(axis=-1, keepdims=True)
    binary = items.scores == 1
    if binary.any() and (items.guess + items.slip).any():
        right = items.guess + (1.0 - items.guess - items.slip) * chances[..., 1]
        chances[..., 1] = np.where(binary, right, chances[..., 1])
        chances[..., 0] = np.where(binary, 1.0 - right, chances[..., 0])
    return np.asarray(chances, dtype=np.float64)


def expected_score(items: Items, ability: ArrayLike, severity: ArrayLike = 0.0) -> Floats:
    """The expected score on each item as a share of its highest, of shape (*ability.shape, J)."""
    chances = score_probabilities(items, ability, severity)
    scores = np.arange(chances.shape[-1])
    return np.asarray((chances * scores).sum(axis=-1) / items.scores, dtype=np.float64)


def information(items: Items, ability: ArrayLike) -> Floats:
    """Fisher information about ability, per item and squared logit, of shape (*ability.shape, J)."""
    theta = np.asarray(ability, dtype=np.float64)
    chances = score_probabilities(items, theta)
    scores = np.arange(chances.shape[-1])
    mean = (chances * scores).sum(axis=-1)
    spread = items.discrimination**2 * ((chances * scores**2).sum(axis=-1) - mean**2)
    binary = items.scores == 1
    right = chances[..., 1]
    pure = np.clip((right - items.guess) / (1.0 - items.guess - items.slip), 0.0, 1.0)
    slope = items.discrimination * (1.0 - items.guess - items.slip) * pure * (1.0 - pure)
    noise = np.maximum(right * (1.0 - right), np.finfo(np.float64).tiny)
    return np.asarray(np.where(binary, slope**2 / noise, spread), dtype=np.float64)
