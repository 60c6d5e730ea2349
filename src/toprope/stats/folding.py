"""The loop of `filtering`, compiled. Its docstring has the equations; the names here are theirs: a belief m
(N,) and p (N, N) over K abilities, then raters' severities, of which the first `active` count.
"""

import numpy as np
from numpy.typing import NDArray

from toprope.stats.compiled import compiled
from toprope.stats.retention import AGE_PER_STABILITY, LONGEST_STABILITY, SPACING_GAIN, SUCCESS_SHARE
from toprope.stats.states import fade

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

JOB_LIMIT = 0.6
"""How far job signals alone may move a belief each way: prior standard deviations, and log precision."""

PRACTICE_LIMIT = 0.5
"""How far above the prior mean practice is taken to lift by itself, in prior standard deviations."""

_NODES = np.linspace(-6.0, 6.0, 41)
_MASSES = np.exp(-0.5 * _NODES**2)
_MASSES /= _MASSES.sum()
_NODES /= np.sqrt(_MASSES @ _NODES**2)  # to the last bit of variance 1, so that no evidence changes nothing


@compiled
def fold_compiled(
    bounds: Integers,
    means: Floats,
    covariances: Floats,
    at: Floats,
    prior_mean: Floats,
    stability: Floats,
    last_success: Floats,
    proven: Floats,
    job_credit: Floats,
    slots: Integers,
    prior_covariance: Floats,
    first_stability: Floats,
    learning_gain: Floats,
    parameters: tuple[Floats, Floats, Floats, Floats, Integers],
    item_steps: Floats,
    item_covariance: Floats,
    what: tuple[Integers, Integers, Floats, Integers, Floats],
    how: tuple[Integers, Floats, NDArray[np.bool_], Floats],
    severity: Floats,
    severity_variance: Floats,
    steps: Floats,
    messages: Floats,
) -> None:
    """Fold the observations of all persons, in place. Arrays as in `_stack`, `Items` and `Observations`."""
    discrimination, difficulty, guess, slip, tops = parameters
    item, score, time, competency, loading = what
    rater, weight, job, practice = how
    count, joint = prior_mean.shape[1], means.shape[1]
    x, h, met = np.zeros(joint), np.empty(joint), np.empty((joint - count, 2))
    for person in range(len(bounds) - 1):
        m, p, slot = means[person], covariances[person], slots[person]
        stable, last, ledger = stability[person], last_success[person], job_credit[person]
        _take_known(m, p, slot, severity, severity_variance, count)
        for number in range(_used(slot)):
            met[number, 0], met[number, 1] = m[count + number], p[count + number, count + number]
        for n in range(bounds[person], bounds[person + 1]):
            elapsed = max(time[n] - at[person], 0.0)
            ages = stable * AGE_PER_STABILITY + np.maximum(at[person] - last, 0.0)
            fade(m, p, ledger, prior_mean[person], prior_covariance, ages, elapsed, count + _used(slot))
            at[person] = max(at[person], time[n])
            place = _place_rater(m, p, slot, met, messages, rater[n], severity, severity_variance, count)
            active = count + _used(slot)
            first = competency[n, 0]
            steps[n, 0], steps[n, 1] = m[first], np.sqrt(p[first, first])

            j, a, omega = item[n], discrimination[item[n]], weight[n]
            gap, spread = _direction(m, p, x, h, competency[n], loading[n], place, active)
            centre, variance = _doubtful_product(a, gap - difficulty[j], spread, item_covariance[j])
            if variance > 0.0:
                seen = (centre, variance, score[n], tops[j], item_steps[j], guess[j], slip[j])
                if job[n]:
                    omega = _within_limit(ledger, p, h, prior_covariance, a * tops[j], omega, seen)
                shift, shrink = _tilt(*seen, omega)
                _move(m, p, h, a * shift / np.sqrt(variance), a * a * shrink / variance, active)
                if shrink < 0.0:  # a lucky guess may widen; nothing known of a rater is lost by it
                    _take_known(m, p, slot, severity, severity_variance, count)

            credit = omega * score[n] / tops[j]
            for each in range(competency.shape[1]):
                if competency[n, each] >= 0 and loading[n, each] > 0.0:
                    c = competency[n, each]
                    _count_success(stable, last, proven[person], first_stability, c, at[person], credit)
                    gain = practice[n] * learning_gain[c]
                    _learn(m, p, prior_mean[person, c], prior_covariance[c, c], c, gain)
            steps[n, 2], steps[n, 3] = m[first], np.sqrt(p[first, first])
        for number in range(_used(slot)):
            _send(m, p, slot[number], met[number], messages, count + number)


@compiled
def _direction(
    m: Floats, p: Floats, x: Floats, h: Floats, on: Integers, loading: Floats, place: int, active: int
) -> tuple[float, float]:
    """Set x to the observation's direction and h to P x; x' m and x' P x."""
    x[:] = 0.0
    h[:] = 0.0
    for each in range(len(on)):
        if on[each] >= 0:
            x[on[each]] += loading[each]
    if place >= 0:
        x[place] = -1.0
    for k in range(active):
        if x[k] != 0.0:
            for i in range(active):
                h[i] += p[k, i] * x[k]
    gap = spread = 0.0
    for i in range(active):
        gap += x[i] * m[i]
        spread += x[i] * h[i]
    return gap, max(spread, 0.0)


@compiled
def _doubtful_product(a: float, gap: float, spread: float, doubt: Floats) -> tuple[float, float]:
    """Mean and variance of eta = a times a gap of variance `spread`, with a and b in doubt (2, 2)."""
    wide = a * a * (spread + doubt[1, 1]) + doubt[0, 0] * (gap * gap + spread + doubt[1, 1])
    return a * gap - doubt[0, 1], max(wide - 2.0 * a * gap * doubt[0, 1], a * a * spread)


@compiled
def _tilt(
    centre: float,
    variance: float,
    score: int,
    top: int,
    steps: Floats,
    guess: float,
    slip: float,
    omega: float,
) -> tuple[float, float]:
    """How far the score's likelihood shifts the standardised eta, and the share of its variance it takes
    away.
    """
    if omega <= 0.0:
        return 0.0, 0.0
    deviation = np.sqrt(variance)
    total = first = second = 0.0
    for node in range(len(_NODES)):
        z = _NODES[node]
        eta = centre + deviation * z
        if top == 1:
            chance = 1.0 / (1.0 + np.exp(-eta if score == 1 else eta))
            chance = (guess if score == 1 else slip) + (1.0 - guess - slip) * chance
        else:
            highest = wanted = 0.0
            for k in range(1, top + 1):
                logit = k * eta - steps[k - 1]
                highest = max(highest, logit)
                if k == score:
                    wanted = logit
            norm = np.exp(-highest)
            for k in range(1, top + 1):
                norm += np.exp(k * eta - steps[k - 1] - highest)
            chance = np.exp(wanted - highest) / norm
        if omega != 1.0:
            chance = chance**omega
        mass = _MASSES[node] * chance
        total += mass
        first += mass * z
        second += mass * z * z
    if not total > 1e-300:
        return 0.0, 0.0
    shift = first / total
    return shift, min(1.0 - (second / total - shift * shift), 1.0)


@compiled
def _move(m: Floats, p: Floats, h: Floats, gain: float, cut: float, active: int) -> None:
    for i in range(active):
        m[i] += h[i] * gain
        for j in range(i + 1):
            value = p[i, j] - h[i] * h[j] * cut
            p[i, j] = value
            p[j, i] = value
        p[i, i] = max(p[i, i], 1e-12)


@compiled
def _within_limit(
    ledger: Floats,
    p: Floats,
    h: Floats,
    prior_covariance: Floats,
    slope: float,
    omega: float,
    seen: tuple[float, float, int, int, Floats, float, float],
) -> float:
    """The weight that the limit of job signals leaves, entered into the ledger (2, K) on the side it counts
    for.
    """
    side = 1 if _tilt(*seen, omega)[0] > 0.0 else 0
    count = ledger.shape[1]
    cost = np.empty(count)
    allowed = omega
    for c in range(count):
        moved = slope * abs(h[c]) / np.sqrt(prior_covariance[c, c])
        learnt = 0.25 * slope * slope * h[c] * h[c] / p[c, c]
        cost[c] = max(moved, learnt)
        if allowed * cost[c] > JOB_LIMIT - ledger[side, c]:
            allowed = max(JOB_LIMIT - ledger[side, c], 0.0) / cost[c]
    if (_tilt(*seen, allowed)[0] > 0.0) != (side == 1):
        return 0.0  # with less weight it would count for the other side, whose limit was not asked
    for c in range(count):
        ledger[side, c] += allowed * cost[c]
    return allowed


@compiled
def _count_success(
    stable: Floats, last: Floats, proven: Floats, first_stability: Floats, c: int, now: float, credit: float
) -> None:
    """The first success starts the clock; each later one takes its share of the days since the last off the
    clock, and adds to the stability for them (`retention`).
    """
    if credit > 0.0 and proven[c] == 0.0:
        proven[c], last[c] = 1.0, max(now, last[c])
    taken = SUCCESS_SHARE * credit * max(now - last[c], 0.0)
    grown = stable[c] + SPACING_GAIN * taken / AGE_PER_STABILITY
    stable[c] = max(stable[c], min(grown, LONGEST_STABILITY * first_stability[c]))
    last[c] += taken


@compiled
def _learn(m: Floats, p: Floats, prior_mean: float, prior_variance: float, c: int, gain: float) -> None:
    room = 1.0 - (m[c] - prior_mean) / (PRACTICE_LIMIT * np.sqrt(prior_variance))
    step = gain * min(max(room, 0.0), 1.0)
    m[c] += step
    p[c, c] += step * step


@compiled
def _used(slot: Integers) -> int:
    used = 0
    while used < len(slot) and slot[used] >= 0:
        used += 1
    return used


@compiled
def _take_known(m: Floats, p: Floats, slot: Integers, severity: Floats, variance: Floats, count: int) -> None:
    """Where more is known of a rater than the state says, condition the whole belief on it."""
    active = count + _used(slot)
    for place in range(count, active):
        rater, own = slot[place - count], p[place, place]
        if variance[rater] < own * (1.0 - 1e-9):
            h = p[place].copy()
            gain = (severity[rater] - m[place]) / own
            _move(m, p, h, gain, (own - variance[rater]) / (own * own), active)


@compiled
def _place_rater(
    m: Floats,
    p: Floats,
    slot: Integers,
    met: Floats,
    messages: Floats,
    rater: int,
    severity: Floats,
    variance: Floats,
    count: int,
) -> int:
    """The rater's place in the joint state; a newcomer's is made, at the cost of the earliest if all are
    taken.
    """
    used, size = _used(slot), len(m)
    for number in range(used):
        if slot[number] == rater:
            return count + number
    if used == len(slot):
        _send(m, p, slot[0], met[0], messages, count)
        for i in range(count, size - 1):
            m[i] = m[i + 1]
            p[i, :] = p[i + 1, :]
        for i in range(count, size - 1):
            p[:, i] = p[:, i + 1]
        for number in range(used - 1):
            slot[number] = slot[number + 1]
            met[number] = met[number + 1]
        used -= 1
    place = count + used
    p[place, :] = 0.0
    p[:, place] = 0.0
    m[place], p[place, place] = severity[rater], variance[rater]
    slot[used] = rater
    met[used, 0], met[used, 1] = severity[rater], variance[rater]
    return place


@compiled
def _send(m: Floats, p: Floats, rater: int, met: Floats, messages: Floats, place: int) -> None:
    """Add to the rater's message the ratio of the belief now to that when met, as precision and its mean's
    part.
    """
    precision = 1.0 / p[place, place] - 1.0 / met[1]
    if precision > 0.0:
        messages[rater, 0] += precision
        messages[rater, 1] += m[place] / p[place, place] - met[0] / met[1]
