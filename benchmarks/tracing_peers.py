"""What others predict the next answer with, for benchmarks/prediction.py.

Each peer is a function (table, history, test) -> P(right) of the test answers, learned from all others.
"""

import math
import warnings

import numpy as np

from toprope.stats.compiled import compiled
from toprope.stats.prediction import mean_rate as mean_of_others
from toprope.stats.prediction.search import search_minimum


def mean_rate(table, history, test):  # noqa: ARG001 - one shape for all
    """The mean score of the others."""
    return mean_of_others(table.score, test)


# --- Elo (Pelanek 2016): person, person on the competency, item; steps a / (1 + b n)


def elo(table, history, test):  # noqa: ARG001
    """Elo ratings; their three steps tuned on the last quarter of the persons learned from."""
    train = np.flatnonzero(~test)
    judged = _last_quarter(table.person[train])
    columns = [column[train] for column in (table.person, table.item, table.competency, table.score)]
    items, skills = table.item.max() + 1, table.competency.max() + 1
    start = math.log(table.score[train].mean() / (1 - table.score[train].mean()))

    def run(point, columns, difficulty, met, learn):
        return _elo(*columns, *np.exp(point), start, skills, difficulty, met, learn)

    def loss(point):
        predicted = run(point, columns, np.zeros(items), np.zeros(items), True)
        return log_loss(columns[3][judged], predicted[judged])

    best, _ = search_minimum(loss, np.log([0.1, 0.4, 0.8, 0.05]), np.full(4, 0.7), 60)
    difficulty, met = np.zeros(items), np.zeros(items)
    run(best, columns, difficulty, met, True)
    tested = [column[test] for column in (table.person, table.item, table.competency, table.score)]
    return run(best, tested, difficulty, met, False)


@compiled
def _elo(  # noqa: PLR0917
    person, item, skill, score, pace, skill_pace, item_pace, fade, start, skills, difficulty, met, learn
):
    predicted, owner, rating = np.empty(person.size), np.full(skills, -1), np.zeros(skills)
    own, answered = 0.0, 0
    for n in range(person.size):
        k, j = skill[n], item[n]
        if n == 0 or person[n] != person[n - 1]:
            own, answered = 0.0, 0
        if owner[k] != person[n]:
            owner[k], rating[k] = person[n], 0.0
        predicted[n] = 1.0 / (1.0 + math.exp(-(start + own + rating[k] - difficulty[j])))
        error = score[n] - predicted[n]
        own += (pace + 1.0 / (2.0 + answered)) * error
        rating[k] += skill_pace * error
        if learn:
            difficulty[j] -= item_pace / (1.0 + fade * met[j]) * error
            met[j] += 1
        answered += 1
    return predicted


# --- logistic regressions, by scikit-learn


def pfa(table, history, test):
    """Performance factors (Pavlik 2009): per competency an intercept and slopes of its wins and losses."""
    return _regress(table, test, [(table.competency, 1.0), *_slopes(table, history)])


def best_lr(table, history, test):
    """Best-LR (Gervet 2020): items, competencies, log counts of wins and losses, in all and by competency."""
    wins_before = np.zeros(len(table))
    totals = np.cumsum(table.score >= 0.5)
    begins = np.flatnonzero(history.previous_item < 0)
    lengths = np.diff(np.append(begins, len(table)))
    wins_before = totals - (table.score >= 0.5) - np.repeat(np.append(0, totals)[begins], lengths)
    nothing = np.zeros(len(table), dtype=np.int64)
    counts = [(nothing, np.log1p(each)) for each in (wins_before, history.answered - wins_before)]
    shared = [(nothing, np.log1p(each)) for each in (history.wins, history.losses)]
    intercepts = [(table.item, 1.0), (table.competency, 1.0)]
    return _regress(table, test, [*intercepts, *_slopes(table, history), *counts, *shared])


def _slopes(table, history):
    return [(table.competency, np.log1p(each)) for each in (history.wins, history.losses)]


def _regress(table, test, kinds):
    from scipy.sparse import csr_matrix
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    count, width, places, values = len(table), 0, [], []
    for key, value in kinds:
        places.append(key + width)
        values.append(np.broadcast_to(value, count))
        width += int(key.max()) + 1
    pointers = np.arange(count + 1) * len(kinds)
    matrix = csr_matrix((np.stack(values, 1).ravel(), np.stack(places, 1).ravel(), pointers), (count, width))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=1.0, max_iter=100).fit(matrix[~test], table.score[~test] >= 0.5)
    return model.predict_proba(matrix[test])[:, 1]


# --- Bayesian knowledge tracing (Corbett & Anderson 1995), by expectation-maximisation, for each competency


def bkt(table, history, test):  # noqa: ARG001
    """Bayesian knowledge tracing with guess and slip for each competency, no forgetting; 30 rounds of EM."""
    skills = table.competency.max() + 1
    order = np.argsort(table.competency, kind="stable")
    train = order[~test[order]]
    known = np.tile([0.4, 0.15, 0.2, 0.1], (skills, 1))
    for _ in range(30):
        _learn_bkt(table.person[train], table.competency[train], table.score[train], known)
    tested = order[test[order]]
    predicted = np.empty(len(table))
    predicted[tested] = _trace_bkt(table.person[tested], table.competency[tested], table.score[tested], known)
    return predicted[test]


@compiled
def _learn_bkt(person, skill, score, known):
    start, stop = 0, 0
    sums = np.zeros((known.shape[0], 8))
    ahead, behind = np.empty(person.size), np.empty((person.size, 2))
    while start < person.size:
        k, stop = skill[start], start
        while stop < person.size and skill[stop] == k and person[stop] == person[start]:
            stop += 1
        first, learning, guess, slip = known[k]
        chance = first
        for n in range(start, stop):  # forward: P(known | answers before)
            ahead[n] = chance
            hit, miss = (1.0 - slip, guess) if score[n] >= 0.5 else (slip, 1.0 - guess)
            after = chance * hit / (chance * hit + (1.0 - chance) * miss)
            chance = after + (1.0 - after) * learning
        behind[stop - 1] = 1.0
        for n in range(stop - 2, start - 1, -1):
            hit, miss = (1.0 - slip, guess) if score[n + 1] >= 0.5 else (slip, 1.0 - guess)
            yes, no = hit * behind[n + 1, 0], miss * behind[n + 1, 1]
            behind[n, 0], behind[n, 1] = yes, learning * yes + (1.0 - learning) * no
            behind[n] /= behind[n, 0] + behind[n, 1]
        for n in range(start, stop):
            right = score[n] >= 0.5
            hit, miss = (1.0 - slip, guess) if right else (slip, 1.0 - guess)
            yes, no = ahead[n] * hit * behind[n, 0], (1.0 - ahead[n]) * miss * behind[n, 1]
            posterior = yes / (yes + no)
            if n == start:
                sums[k, 0] += posterior
                sums[k, 1] += 1.0
            sums[k, 4] += (1.0 - posterior) * right
            sums[k, 5] += 1.0 - posterior
            sums[k, 6] += posterior * (not right)
            sums[k, 7] += posterior
            if n + 1 < stop:
                after_hit, after_miss = (1.0 - slip, guess) if score[n + 1] >= 0.5 else (slip, 1.0 - guess)
                unknown = (1.0 - ahead[n]) * miss
                learned = unknown * learning * after_hit * behind[n + 1, 0]
                stayed = unknown * (1.0 - learning) * after_miss * behind[n + 1, 1]
                kept = ahead[n] * hit * after_hit * behind[n + 1, 0]
                sums[k, 2] += learned / (learned + stayed + kept)
                sums[k, 3] += (learned + stayed) / (learned + stayed + kept)
        start = stop
    for k in range(known.shape[0]):
        for c in range(4):
            known[k, c] = (sums[k, 2 * c] + 1.0 * known[k, c]) / (sums[k, 2 * c + 1] + 1.0)
        known[k, 2], known[k, 3] = min(known[k, 2], 0.45), min(known[k, 3], 0.45)


@compiled
def _trace_bkt(person, skill, score, known):
    predicted, chance = np.empty(person.size), 0.0
    for n in range(person.size):
        first, learning, guess, slip = known[skill[n]]
        if n == 0 or skill[n] != skill[n - 1] or person[n] != person[n - 1]:
            chance = first
        predicted[n] = chance * (1.0 - slip) + (1.0 - chance) * guess
        hit, miss = (1.0 - slip, guess) if score[n] >= 0.5 else (slip, 1.0 - guess)
        after = chance * hit / (chance * hit + (1.0 - chance) * miss)
        chance = after + (1.0 - after) * learning
    return predicted


# --- the prototype that the bars were measured with ("online v2")


def prototype(table, history, test):
    """Global, fast and competency states, items with difficulty and discrimination, learned in one pass."""
    train = np.flatnonzero(~test)
    everybody = np.unique(table.person[train])
    rank = np.zeros(table.person.max() + 1, dtype=np.int64)
    rank[everybody] = np.random.default_rng(1).permutation(everybody.size)
    train = train[np.argsort(rank[table.person[train]], kind="stable")]
    judged = _last_quarter(table.person[train])
    gap = np.log1p(history.skill_gap)
    columns = (table.person, table.item, table.competency, table.score, gap, history.answered)
    learned, tested = [column[train] for column in columns], [column[test] for column in columns]
    sizes = int(table.item.max()) + 1, int(table.competency.max()) + 1
    start = math.log(table.score[train].mean() / (1 - table.score[train].mean()))

    def content(point):
        item, skill, slope = np.exp(point[12:])
        beliefs = (
            np.zeros(sizes[0]),
            np.full(sizes[0], item),
            np.full(sizes[1], -start),
            np.full(sizes[1], skill),
        )
        return *beliefs, np.zeros(sizes[0]), np.full(sizes[0], slope)

    def loss(point):
        predicted = _prototype(*learned, point, content(point), True)
        return log_loss(learned[3][judged], predicted[judged])

    logs = np.log([1.0, 1.0, 0.5, 3e-3, 5e-2]).tolist()
    first = np.array(
        [*logs, 0.2, 0.1, math.log(0.1), math.log(0.2), -4.0, 0.05, 0.0, 0.0, math.log(5.0), math.log(0.05)]
    )
    steps = np.where(np.isin(np.arange(15), [5, 6, 10, 11]), 0.1, 0.7)
    best, _ = search_minimum(loss, first, steps, 300)
    beliefs = content(best)
    _prototype(*learned, best, beliefs, True)
    return _prototype(*tested, best, beliefs, False)


@compiled
def _prototype(  # noqa: PLR0917
    person, item, skill, score, gap, answered, point, content, learn
):
    b, b_variance, c, c_variance, slope, slope_variance = content
    start, skill_start, fast_start, drift, skill_drift = np.exp(point[:5])
    win, lose, again, fast_win = point[5], point[6], point[10], point[11]
    forgetting, kept, guess = (
        math.exp(point[7]),
        math.exp(-math.exp(point[8])),
        1.0 / (1.0 + math.exp(-point[9])),
    )
    predicted = np.empty(person.size)
    owner, state, variance = np.full(c.size, -1), np.zeros(c.size), np.zeros(c.size)
    item_owner, met = np.full(b.size, -1), np.zeros(b.size)
    own = own_variance = fast = fast_variance = 0.0
    for n in range(person.size):
        k, j = skill[n], item[n]
        if answered[n] == 0:
            own, own_variance, fast, fast_variance = 0.0, start, 0.0, fast_start
        else:
            fast *= kept
            fast_variance = kept * kept * (fast_variance - fast_start) + fast_start
        if owner[k] != person[n]:
            owner[k], state[k], variance[k] = person[n], 0.0, skill_start
        else:
            rest = math.exp(-gap[n] * forgetting)
            state[k] *= rest
            variance[k] = rest * rest * (variance[k] - skill_start) + skill_start + skill_drift
        if item_owner[j] != person[n]:
            item_owner[j], met[j] = person[n], 0.0
        own_variance += drift
        a, ability = math.exp(slope[j]), own + state[k] + fast
        middle = a * ability - b[j] - c[k] + again * math.log1p(met[j])
        spread = a * a * (own_variance + variance[k] + fast_variance) + b_variance[j] + c_variance[k]
        spread += (a * ability) ** 2 * slope_variance[j]
        shrink = 1.0 / math.sqrt(1.0 + math.pi / 8.0 * spread)
        right = 1.0 / (1.0 + math.exp(-shrink * middle))
        predicted[n] = guess + (0.99 - guess) * right
        push, certainty = shrink * (score[n] - right), shrink * shrink * right * (1.0 - right)
        own += a * own_variance * push
        own_variance -= a * a * own_variance**2 * certainty
        state[k] += a * variance[k] * push + (win if score[n] >= 0.5 else lose)
        variance[k] -= a * a * variance[k] ** 2 * certainty
        fast += a * fast_variance * push + (fast_win if score[n] >= 0.5 else -fast_win)
        fast_variance -= a * a * fast_variance**2 * certainty
        if learn:
            b[j] -= b_variance[j] * push
            b_variance[j] -= b_variance[j] ** 2 * certainty
            c[k] -= c_variance[k] * push
            c_variance[k] -= c_variance[k] ** 2 * certainty
            q = a * ability
            slope[j] += slope_variance[j] * q * push
            slope_variance[j] -= slope_variance[j] ** 2 * q * q * certainty
        met[j] += 1.0
    return predicted


def log_loss(score, predicted):
    p = np.clip(predicted, 1e-6, 1.0 - 1e-6)
    return float(-np.mean(score * np.log(p) + (1.0 - score) * np.log1p(-p)))


def _last_quarter(person):
    begins = np.flatnonzero(np.diff(person, prepend=-1))
    return slice(int(begins[int(0.75 * begins.size)]), None)


PEERS = {
    "mean rate": mean_rate,
    "BKT": bkt,
    "PFA": pfa,
    "Elo": elo,
    "Best-LR": best_lr,
    "prototype": prototype,
}
NEED_SCIKIT_LEARN = {"PFA", "Best-LR"}
