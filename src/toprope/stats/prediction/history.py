"""What was known of a person just before each answer: counts, last answers, gaps."""

from typing import NamedTuple

import numpy as np

from toprope.stats.compiled import compiled
from toprope.stats.tables import AnswerTable, Floats, Integers

TRIES = 7  # classes of `tries`
SKILL_PATTERNS = 16
PATTERNS = 64
AVERAGES = (0.6, 0.85, 0.96)  # how much of a running average of right answers is kept from answer to answer
SKILL_AVERAGE = 0.7


class History(NamedTuple):
    """Facts before each of N answers, from the same person's earlier answers only.

    tries: (N,) class of the person's history with the item: 0 first meeting; asked again at once, after 1, 2
        or more meetings with the last answer wrong (1, 2, 3), or with it right (4); met before that, the last
        answer wrong (5) or right (6).
    skill_pattern: (N,) the last three answers on the competency, as binary digits after a leading 1.
    pattern: (N,) the last five answers on anything, likewise.
    previous: (N,) 0 at the first answer, then 1 after a wrong and 2 after a right one.
    previous_item, previous_skill: (N,) -1 at the first answer.
    answered: (N,) number of answers before.
    wins, losses: (N,) right and wrong answers on the competency before.
    skill_gap, item_gap: (N,) answers since the last one on the competency, on the item; 0 if there is none.
    averages: (N, 6) running averages of the score at three paces, of the competency's, and the lengths of the
        streak on the competency and of the streak on anything (wrong ones negative).
    """

    tries: Integers
    skill_pattern: Integers
    pattern: Integers
    previous: Integers
    previous_item: Integers
    previous_skill: Integers
    answered: Floats
    wins: Floats
    losses: Floats
    skill_gap: Floats
    item_gap: Floats
    averages: Floats


def trace_history(table: AnswerTable) -> History:
    """The history before each answer, O(N). A score of at least .5 counts as right."""
    count = len(table)
    whole = [np.zeros(count, dtype=np.int64) for _ in range(6)]
    history = History._make([*whole, *(np.zeros(count) for _ in range(5)), np.zeros((count, 6))])
    items, skills = int(table.item.max()) + 1, int(table.competency.max()) + 1
    person, item, skill, score = table.person, table.item, table.competency, table.score
    _trace_order(person, item, skill, score, history)
    _trace_skills(person, skill, score, skills, history)
    _trace_items(person, item, score, items, history)
    return history


@compiled
def _trace_order(person: Integers, item: Integers, skill: Integers, score: Floats, history: History) -> None:
    paces = np.array(AVERAGES)
    average = np.full(3, 0.5)
    owner, pattern, streak, answered = -1, 1, 0.0, 0
    for n in range(person.size):
        if person[n] != owner:
            owner, pattern, streak, answered = person[n], 1, 0.0, 0
            average[:] = 0.5
            history.previous_item[n] = history.previous_skill[n] = -1
        else:
            history.previous[n] = 2 if score[n - 1] >= 0.5 else 1
            history.previous_item[n], history.previous_skill[n] = item[n - 1], skill[n - 1]
        history.pattern[n], history.answered[n] = pattern, answered
        history.averages[n, :3] = average
        history.averages[n, 5] = streak
        right = score[n] >= 0.5
        longer = 2 * pattern + right
        pattern = longer if longer < PATTERNS else PATTERNS // 2 + longer % (PATTERNS // 2)
        streak = max(streak, 0.0) + 1.0 if right else min(streak, 0.0) - 1.0
        average[:] = paces * average + (1.0 - paces) * score[n]
        answered += 1


@compiled
def _trace_skills(person: Integers, skill: Integers, score: Floats, skills: int, history: History) -> None:
    owner = np.full(skills, -1)
    pattern, last = np.zeros(skills, dtype=np.int64), np.zeros(skills)
    wins, losses = np.zeros(skills), np.zeros(skills)
    average, streak = np.zeros(skills), np.zeros(skills)
    half = SKILL_PATTERNS // 2
    for n in range(person.size):
        k = skill[n]
        if owner[k] != person[n]:
            owner[k], pattern[k], wins[k], losses[k], average[k], streak[k] = person[n], 1, 0, 0, 0.5, 0
        else:
            history.skill_gap[n] = history.answered[n] - last[k]
        history.skill_pattern[n], history.wins[n], history.losses[n] = pattern[k], wins[k], losses[k]
        history.averages[n, 3], history.averages[n, 4] = average[k], streak[k]
        right = score[n] >= 0.5
        longer = 2 * pattern[k] + right
        pattern[k] = longer if longer < SKILL_PATTERNS else half + longer % half
        wins[k] += right
        losses[k] += not right
        average[k] = SKILL_AVERAGE * average[k] + (1.0 - SKILL_AVERAGE) * score[n]
        streak[k] = max(streak[k], 0.0) + 1.0 if right else min(streak[k], 0.0) - 1.0
        last[k] = history.answered[n]


@compiled
def _trace_items(person: Integers, item: Integers, score: Floats, items: int, history: History) -> None:
    owner = np.full(items, -1)
    last, right, met = np.zeros(items), np.zeros(items), np.zeros(items, dtype=np.int64)
    for n in range(person.size):
        j = item[n]
        if owner[j] != person[n]:
            owner[j], met[j] = person[n], 0
        else:
            gap = history.answered[n] - last[j]
            history.item_gap[n] = gap
            if gap > 1:
                history.tries[n] = 6 if right[j] else 5
            else:
                history.tries[n] = 4 if right[j] else min(met[j], 3)
        met[j] += 1
        last[j], right[j] = history.answered[n], score[n] >= 0.5
