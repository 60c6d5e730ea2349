"""The filter: a dynamic item response model with Gaussian unknowns, moved by every answer.

Before each answer the logit of a right one is, with the person's states on the left and what is known of
the content on the right,

    eta = a_j (g + f + s_k)  +  sum over the effects c of the answer of x_c w_c
    P(right) = guess + (1 - guess - slip) / (1 + exp(-eta))

where g is the person's ability, f a fast state that returns to 0 within a few answers (engagement, a
slump), s_k the state on competency k, which returns to 0 as a power law of the answers in between
(forgetting) and moves up after practice (learning); a_j is the item's discrimination, and the effects w are
those of the competency, of the item, of the history with the item (`History.tries`), of item with that
history, of competency with its last three answers, of item, pair of competencies and pair of items with the
answer before, of the last five answers, and of the number of answers so far.

Every unknown has a normal belief; an answer moves all of them at once by assumed-density filtering (Opper
1998, Minka 2001) with the logistic-normal integral of MacKay (1992): with eta ~ N(m, v), k = 1 / sqrt(1 +
pi v / 8),

    p = 1 / (1 + exp(-k m)),   g = k (y - p),   h = k^2 p (1 - p)
    mean of w += x Var(w) g,   Var(w) -= x^2 Var(w)^2 h

The content's beliefs start at a common prior and pass from person to person; the person's start anew. Kin:
dynamic item response models (Wang, Berger & Burdick 2013), T-SKIRT (Ekanadham & Karklin 2015), DAS3H
(Choffin 2019).
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toprope.stats.compiled import compiled
from toprope.stats.prediction.history import PATTERNS, SKILL_PATTERNS, TRIES, History
from toprope.stats.tables import AnswerTable, Floats, Integers

# What is tuned, and where the search starts. Variances and rates are sought as logarithms, gains as they are.
START = {
    "ability_variance": 0.8,
    "ability_drift": 1e-3,
    "fast_variance": 0.3,
    "fast_return": 0.2,
    "fast_gain": 0.0,
    "skill_variance": 0.6,
    "skill_drift": 1e-2,
    "skill_forgetting": 0.1,
    "gain_right": 0.12,
    "gain_wrong": 0.1,
    "guess": 0.01,
    "slip": 0.01,
    "discrimination": 0.02,
    "skill": 0.5,
    "item": 0.6,
    "tries": 0.2,
    "item_tries": 0.05,
    "skill_pattern": 0.02,
    "item_previous": 0.03,
    "skill_pair": 0.02,
    "item_pair": 0.03,
    "pattern": 0.05,
    "position": 0.02,
}
GAINS = ("fast_gain", "gain_right", "gain_wrong")
EFFECTS = tuple(START)[-10:]
OWN_STATES = 8  # before the effects


class Rows(NamedTuple):
    """What the filter reads of N answers; (N, 10) places of their effects, and the weights x of these."""

    person: Integers
    item: Integers
    skill: Integers
    score: Floats
    gap: Floats
    effects: NDArray[np.int32]
    weights: NDArray[np.float32]

    def take(self, which: Integers) -> "Rows":
        return Rows._make(column[which] for column in self)


class Content(NamedTuple):
    """Beliefs about the content: mean and variance of each effect, and of each item's log discrimination."""

    mean: Floats
    variance: Floats
    slope: Floats
    slope_variance: Floats


@dataclass(frozen=True, slots=True)
class Layout:
    """How many effects there are of each kind, in the order of EFFECTS; how many items and competencies."""

    sizes: tuple[int, ...]
    items: int
    skills: int


def lay_out(table: AnswerTable, history: History) -> tuple[Rows, Layout]:
    """Give every effect of every answer its place."""
    item, skill = table.item, table.competency
    items, skills = int(item.max()) + 1, int(skill.max()) + 1
    again = (history.tries > 0).astype(np.float32)
    kinds: tuple[tuple[Integers, Floats | NDArray[np.float32] | float], ...] = (
        (skill, 1.0),
        (item, 1.0),
        (history.tries, again),
        (item * TRIES + history.tries, again),
        (skill * SKILL_PATTERNS + history.skill_pattern, 1.0),
        (item * 3 + history.previous, 1.0),
        ((skill * (skills + 1) + history.previous_skill + 1) * 3 + history.previous, 1.0),
        ((item * (items + 1) + history.previous_item + 1) * 3 + history.previous, 1.0),
        (history.pattern % PATTERNS, 1.0),
        (np.zeros_like(item), np.log1p(history.answered)),
    )
    places = np.empty((len(table), len(kinds)), dtype=np.int32)
    weights = np.empty(places.shape, dtype=np.float32)
    sizes: list[int] = []
    for column, (key, weight) in enumerate(kinds):
        _, place = np.unique(key, return_inverse=True)
        places[:, column] = place + sum(sizes)
        weights[:, column] = weight
        sizes.append(int(place.max()) + 1)
    rows = Rows(table.person, item, skill, table.score, np.log1p(history.skill_gap), places, weights)
    return rows, Layout(tuple(sizes), items, skills)


def new_content(layout: Layout, settings: dict[str, float], rate: float) -> Content:
    """Beliefs before any answer; every competency starts at the logit of the `rate` of right answers."""
    mean = np.zeros(sum(layout.sizes))
    mean[: layout.sizes[0]] = math.log(rate / (1.0 - rate))
    variance = np.repeat([settings[name] for name in EFFECTS], layout.sizes)
    return Content(mean, variance, np.zeros(layout.items), np.full(layout.items, settings["discrimination"]))


def run_filter(
    rows: Rows, layout: Layout, content: Content, settings: dict[str, float], *, learn: bool
) -> tuple[Floats, NDArray[np.float32]]:
    """P(right) before each answer, (N,), and what it was made of, (N, 18): see `_filter`.

    With `learn` the answers move the beliefs about the content, in place; without it they stay as they are.
    """
    predicted = np.empty(len(rows.score))
    states = np.empty((len(rows.score), OWN_STATES + len(EFFECTS)), dtype=np.float32)
    values = np.array([settings[name] for name in tuple(START)[:12]])
    _filter(rows, content, values, layout.skills, learn, predicted, states)
    return predicted, states


@compiled
def _filter(
    rows: Rows,
    content: Content,
    values: Floats,
    skills: int,
    learn: bool,
    predicted: Floats,
    states: NDArray[np.float32],
) -> None:
    start, drift, fast_start, fast_rate, fast_gain, skill_start, skill_drift, forgetting = values[:8]
    gain_right, gain_wrong, guess, slip = values[8:]
    kept = math.exp(-fast_rate)
    owner = np.full(skills, -1)
    skill_mean, skill_variance = np.zeros(skills), np.zeros(skills)
    person = -1
    mean = variance = fast_mean = fast_variance = 0.0
    for n in range(rows.person.size):
        k, j = rows.skill[n], rows.item[n]
        if rows.person[n] != person:
            person = rows.person[n]
            mean, variance, fast_mean, fast_variance = 0.0, start, 0.0, fast_start
        else:
            variance += drift
            fast_mean *= kept
            fast_variance = kept * kept * fast_variance + (1.0 - kept * kept) * fast_start
        if owner[k] != person:
            owner[k], skill_mean[k], skill_variance[k] = person, 0.0, skill_start
        else:
            rest = math.exp(-forgetting * rows.gap[n])
            skill_mean[k] *= rest
            skill_variance[k] = (
                rest * rest * skill_variance[k] + (1.0 - rest * rest) * skill_start + skill_drift
            )

        ability = mean + fast_mean + skill_mean[k]
        ability_variance = variance + fast_variance + skill_variance[k]
        easiness, easiness_variance = _sum_effects(rows, content, n)
        slope = math.exp(content.slope[j])
        middle = slope * ability + easiness
        spread = slope * slope * ability_variance + easiness_variance
        spread += (slope * ability) ** 2 * content.slope_variance[j]
        shrink = 1.0 / math.sqrt(1.0 + math.pi / 8.0 * spread)
        right = 1.0 / (1.0 + math.exp(-shrink * middle))
        predicted[n] = guess + (1.0 - guess - slip) * right
        states[n, :OWN_STATES] = (
            slope * ability,
            easiness,
            ability_variance,
            easiness_variance,
            mean,
            skill_mean[k],
            fast_mean,
            slope,
        )

        for c in range(rows.effects.shape[1]):
            states[n, OWN_STATES + c] = rows.weights[n, c] * content.mean[rows.effects[n, c]]
        push = shrink * (rows.score[n] - right)
        certainty = shrink * shrink * right * (1.0 - right)
        if learn:
            _move_effects(rows, content, n, push, certainty)
            q, w = slope * ability, content.slope_variance[j]
            content.slope[j] += w * q * push
            content.slope_variance[j] -= w * w * q * q * certainty
        push *= slope
        certainty *= slope * slope
        mean += variance * push
        variance -= variance * variance * certainty
        fast_mean += fast_variance * push + fast_gain * (2.0 * rows.score[n] - 1.0)
        fast_variance -= fast_variance * fast_variance * certainty
        skill_mean[k] += skill_variance[k] * push
        skill_mean[k] += rows.score[n] * gain_right + (1.0 - rows.score[n]) * gain_wrong
        skill_variance[k] -= skill_variance[k] * skill_variance[k] * certainty


@compiled
def _sum_effects(rows: Rows, content: Content, n: int) -> tuple[float, float]:
    mean = variance = 0.0
    for c in range(rows.effects.shape[1]):
        place, weight = rows.effects[n, c], rows.weights[n, c]
        mean += weight * content.mean[place]
        variance += weight * weight * content.variance[place]
    return mean, variance


@compiled
def _move_effects(rows: Rows, content: Content, n: int, push: float, certainty: float) -> None:
    for c in range(rows.effects.shape[1]):
        place, weight = rows.effects[n, c], rows.weights[n, c]
        variance = content.variance[place]
        content.mean[place] += weight * variance * push
        content.variance[place] -= weight * weight * variance * variance * certainty
