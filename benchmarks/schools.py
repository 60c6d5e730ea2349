"""Simulated answers that resemble five public data sets which may not be passed on, for prediction.py.

The mechanisms are those one finds there, and on purpose not those of Toprope's model: abilities are a
mixture, a competency is known or not (learned and forgotten at a stroke) with a continuous part, persons
learn at speeds of their own and fall into slumps with random guesses, items guess and slip, come in
clusters that a person may be odd on, and may build on the step before. Answers come in blocks of one
competency; there are repeated tries, hints down to the solution (each an answer that counts as wrong) and
follow-up questions.
"""

import math
from dataclasses import dataclass

import numpy as np

from toprope.stats.compiled import compiled
from toprope.stats.tables import AnswerTable


@dataclass(frozen=True)
class School:
    """persons, items, skills: how many; answers: mean per person; quick: persons in the quick benchmark.

    spread: SD of the log number of answers. block: mean answers in a block.
    retry, in_order, hints, follow_up: chances. depend: mean weight of the step before.
    mastery: a block ends with three right answers in a row.
    """

    persons: int
    quick: int
    items: int
    skills: int
    answers: float
    spread: float
    block: float
    easiness: float
    item_spread: float = 0.8
    popularity: float = 0.8
    retry: float = 0.0
    in_order: float = 0.0
    hints: float = 0.0
    follow_up: float = 0.0
    depend: float = 0.0
    mastery: bool = False


SCHOOLS = {
    "assistments09-like": School(3000, 700, 17_000, 150, 90, 1.1, 8, 0.6),
    "statics-like": School(
        280, 140, 1200, 98, 670, 0.35, 12, 1.3, item_spread=0.9, in_order=0.95, retry=0.1, depend=0.8
    ),
    "algebra05-like": School(
        570, 140, 170_000, 258, 1050, 0.6, 6, 1.2, popularity=0.2, in_order=0.6, depend=0.6
    ),
    "assistments15-like": School(20_000, 4000, 100, 100, 34, 1.0, 9, 1.0, item_spread=0.0, mastery=True),
    "assistments17-like": School(
        1700, 400, 3100, 100, 550, 0.5, 7, 0.1, retry=0.75, hints=0.5, follow_up=0.6
    ),
}


def simulate_school(school: School, persons: int, rng: np.random.Generator) -> AnswerTable:
    """Answers of so many persons, in order of time for each."""
    s = school
    lengths = np.exp(rng.normal(math.log(s.answers) - s.spread**2 / 2, s.spread, persons))
    lengths = np.maximum(lengths, 4).astype(np.int64)
    group = rng.choice(3, persons, p=[0.3, 0.5, 0.2])
    ability = np.array([-0.8, 0.1, 1.2])[group] + rng.normal(0.0, 0.45, persons)
    speed = np.exp(rng.normal(0.0, 0.5, persons))

    skill_of = np.sort(rng.choice(s.skills, s.items, p=rng.dirichlet(np.full(s.skills, 1.5))))
    skill_of[: s.skills] = np.arange(s.skills)
    skill_of.sort()
    first = np.searchsorted(skill_of, np.arange(s.skills + 1))
    weight = np.concatenate(
        [rng.permutation(1.0 / np.arange(1, n + 1) ** s.popularity) for n in np.diff(first)]
    )
    clusters = 500
    cluster = rng.integers(clusters, size=s.items)
    difficulty = rng.normal(0.0, 0.6, clusters)[cluster] + rng.normal(0.0, s.item_spread, s.items)
    if s.items == s.skills:
        difficulty[:] = 0.0
    items = (
        difficulty,
        cluster,
        rng.beta(2, 12, s.items),
        rng.beta(2, 25, s.items),
        np.where(rng.random(s.items) < s.hints, rng.integers(1, 5, s.items), 0),
        np.where(rng.random(s.items) < 0.5, 0.0, s.depend * rng.exponential(1.0, s.items)),
    )
    skills = (
        first,
        np.concatenate([[0.0], np.cumsum(weight)]),
        rng.normal(0.0, 0.7, s.skills),
        rng.beta(2, 14, s.skills),
    )
    rates = (s.block, s.easiness, s.retry, s.in_order, s.follow_up, s.mastery)
    columns = _simulate(rng, lengths, ability, speed, items, skills, rates)
    item = np.unique(columns[1], return_inverse=True)[1]
    skill = np.unique(columns[2], return_inverse=True)[1]
    return AnswerTable(columns[0], item, skill, columns[3])


@compiled
def _chance(logit):
    return 1.0 / (1.0 + math.exp(-logit))


@compiled
def _simulate(rng, lengths, ability, speed, items, skills, rates):  # noqa: C901, PLR0912, PLR0915, PLR0917
    difficulty, cluster, guess, slip, hints, depend = items
    first, weight, skill_difficulty, skill_learning = skills
    block, easiness, retry, in_order, follow_up, mastery = rates
    count, skill_count = lengths.sum(), first.size - 1
    person, item, skill = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
    score = np.empty(count)
    known, part, last = np.zeros(skill_count), np.zeros(skill_count), np.zeros(skill_count)
    place, odd = np.zeros(skill_count, np.int64), np.zeros(500)
    n = 0
    for u in range(lengths.size):
        for k in range(skill_count):
            known[k] = rng.random() < _chance(ability[u] - 1.0)
            part[k], last[k], place[k] = 0.6 * rng.normal(), 0.0, rng.integers(0, 1_000_000)
        for c in range(odd.size):
            odd[c] = 0.5 * rng.normal() if rng.random() < 0.5 else 0.0
        slump, again = False, False
        left = streak = tries = run = extra = hint = 0
        j = before = -1
        k = rng.integers(0, skill_count)
        lesson, was_right = rng.integers(0, skill_count), False
        for t in range(lengths[u]):
            slump = rng.random() < (0.93 if slump else 0.02)
            if not again:
                run = 0
                if extra > 0:  # a follow-up question on the same competency
                    extra -= 1
                    j = first[k] + (rng.integers(0, 2) + place[k]) % (first[k + 1] - first[k])
                    place[k] += 1
                else:
                    if left <= 0 or (mastery and (streak >= 3 or tries >= 12)):
                        if rng.random() < 0.7:
                            k, lesson = lesson % skill_count, lesson + 1
                        else:
                            k = rng.integers(0, skill_count)
                        left, streak, tries = 1 + int(rng.exponential(block)), 0, 0
                        if last[k] > 0 and rng.random() < 0.1 * math.log1p((t - last[k]) / 20.0):
                            known[k] = 0.0
                    left -= 1
                    low, high = first[k], first[k + 1]
                    if rng.random() < in_order:
                        j = low + place[k] % (high - low)
                        place[k] += 1
                    else:
                        drawn = weight[low] + rng.random() * (weight[high] - weight[low])
                        j = min(max(np.searchsorted(weight, drawn) - 1, low), high - 1)
                        place[k] = j - low + 1
            logit = easiness + ability[u] + part[k] - skill_difficulty[k] - difficulty[j] + odd[cluster[j]]
            logit += (1.1 if known[k] > 0 else -0.7) - (1.2 if slump else 0.0) + 0.5 * run
            if before == k:
                logit += depend[j] * (1.0 if was_right else -1.0)
            chance = guess[j] + (1.0 - guess[j] - slip[j]) * _chance(1.2 * logit)
            if slump and rng.random() < 0.25:
                chance = 0.2
            if hint > 0:
                hint -= 1
                chance = 0.03 if hint > 0 else 0.93
            right = rng.random() < chance
            person[n], item[n], skill[n], score[n] = u, j, k, right
            n += 1
            tries += 1
            streak = streak + 1 if right else 0
            if known[k] == 0 and rng.random() < skill_learning[k] * speed[u]:
                known[k] = 1.0
            part[k] += 0.04 * speed[u]
            last[k], before, was_right, again = t + 1, k, right, False
            if hint > 0:
                again = True
            elif not right and hints[j] > 0 and rng.random() < _chance(-0.8 * ability[u] - 0.3):
                again, hint = True, hints[j] + 1
            elif not right and run < 5 and rng.random() < retry:
                again = True
            elif right and run > 0 and rng.random() < follow_up:
                extra = 1 + rng.integers(0, 2)
            run = run + 1 if again else 0
    return person, item, skill, score
