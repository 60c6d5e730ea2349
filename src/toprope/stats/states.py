"""The state of one person: a normal belief about all abilities together, and how it ages.

theta ~ N(m, P) at a time t. Each competency c has its own clock: A_c days for its stability, and the days
since its last success (`retention`). With a_c = A_c + (t - last success), from t to t + D, for competencies
i and j,

    m_i  <-  mu_i + s_i (m_i - mu_i),                    s_i = sqrt(a_i / (a_i + D))
    P_ij <-  s_i s_j P_ij  +  Sigma_ij D / sqrt((a_i + D)(a_j + D))

Why this form: it is what happens when sqrt(a_c) (theta_c - mu_c) is a Brownian motion of covariance Sigma
per day, so P stays positive semi-definite whatever the clocks; the prior variance is stationary, s_i^2 + D
/ (a_i + D) = 1; and going from t to t + D in one step or in many is the same. (Sigma - R Sigma R, the usual
choice, is positive semi-definite only if all competencies fade alike.) Correlations between competencies
that fade at different speeds weaken a little meanwhile. A linear Gaussian dynamic ability, as in Glickman
(1999) and Wang, Berger & Burdick (2013).

What ageing can do to P(theta_c >= cut): whoever is above the population's mean and at or above the cut only
loses. Whoever is below the cut stays below one half unless the population's mean is above it; what is not
known of a person drifts to what is known of everybody. `lowest_probability` is the rule for a grant: the
least on the way to its expiry, which never grows with the time looked ahead.

The severities of the few raters who rated a person stand beside the abilities in m and P, because a rating
says something about the difference of the two only (`filtering`).

Times are days since any one moment, the same for all. Abilities and severities are in logits.
"""

import json
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.compiled import compiled
from toprope.stats.distributions import normal_cdf
from toprope.stats.population import Population
from toprope.stats.retention import AGE_PER_STABILITY

Floats = NDArray[np.float64]

_MAGIC, _VERSION = b"TRAS", 1
_FRAME = struct.Struct("<4sI")  # magic, CRC-32 of all that follows
_HEAD = struct.Struct("<BI")  # version, length of the names


@dataclass(frozen=True, slots=True)
class AbilityState:
    """What is believed of one person at a time `at` (days). Make one with `start_state`.

    mean (K + R,), covariance (K + R, K + R): the K abilities, then the severities of the R `raters`.
    prior_mean: (K,) what the abilities fade to. stability: (K,) days. last_success: (K,) times, as far as
    taken off the clock (`retention`); until the first success, when `proven` (K,) turns from 0 to 1, that of
    the start.
    job_credit: (2, K) what on-the-job signals used of their limit, failures first (`filtering`).
    """

    competencies: tuple[str, ...]
    raters: tuple[str, ...]
    at: float
    mean: Floats
    covariance: Floats
    prior_mean: Floats
    stability: Floats
    last_success: Floats
    proven: Floats
    job_credit: Floats

    def to_bytes(self) -> bytes:
        """The state, exact to the bit, in about 4 (K + R)^2 bytes."""
        names = json.dumps([self.competencies, self.raters], separators=(",", ":")).encode()
        upper = self.covariance[np.triu_indices(len(self.mean))]
        rest = (
            self.mean,
            upper,
            self.prior_mean,
            self.stability,
            self.last_success,
            self.proven,
            self.job_credit.ravel(),
        )
        numbers = np.concatenate([[self.at], *rest]).astype("<f8").tobytes()
        body = _HEAD.pack(_VERSION, len(names)) + names + numbers
        return _FRAME.pack(_MAGIC, zlib.crc32(body)) + body

    @classmethod
    def from_bytes(cls, data: bytes) -> "AbilityState":
        """What `to_bytes` wrote. Raises ValueError for anything else: other bytes, another version,
        damage.
        """
        if len(data) < _FRAME.size + _HEAD.size or data[:4] != _MAGIC:
            raise ValueError("these bytes are no ability state")
        if zlib.crc32(data[_FRAME.size :]) != _FRAME.unpack_from(data)[1]:
            raise ValueError("this ability state is damaged: its checksum does not match. Rebuild it")
        version, length = _HEAD.unpack_from(data, _FRAME.size)
        if version != _VERSION:
            raise ValueError(f"ability state of version {version}; this Toprope reads {_VERSION}. Rebuild it")
        body = data[_FRAME.size + _HEAD.size :]
        competencies, raters = (tuple(names) for names in json.loads(body[:length]))
        count, joint = len(competencies), len(competencies) + len(raters)
        sizes = (1, joint, joint * (joint + 1) // 2, count, count, count, count, 2 * count)
        numbers = np.frombuffer(body[length:], dtype="<f8").astype(np.float64)
        if len(numbers) != sum(sizes):
            raise ValueError(f"an ability state of this shape has {sum(sizes)} numbers, not {len(numbers)}")
        at, mean, upper, prior_mean, stability, last, proven, credit = np.split(
            numbers, np.cumsum(sizes)[:-1]
        )
        covariance = np.empty((joint, joint))
        rows, columns = np.triu_indices(joint)
        covariance[rows, columns] = covariance[columns, rows] = upper
        shaped = credit.reshape(2, count)
        return cls(
            competencies, raters, float(at[0]), mean, covariance, prior_mean, stability, last, proven, shaped
        )


@dataclass(frozen=True, slots=True)
class Prediction:
    """Abilities at a time: `value` and `standard_error`, both (K,) in logits."""

    value: Floats
    standard_error: Floats

    def interval(self, deviations: float = 1.6448536269514722) -> tuple[Floats, Floats]:
        """The ends (K,) of the interval this many standard errors to either side; of 90 % as it stands."""
        reach = deviations * self.standard_error
        return self.value - reach, self.value + reach


def start_state(population: Population, at: float, groups: Collection[str] = ()) -> AbilityState:
    """What is believed of somebody of these groups before any evidence, at a time in days."""
    if not np.isfinite(at):
        raise ValueError(f"at is {at}; it is a time in days")
    mean = population.mean_for(groups)
    count = len(mean)
    return AbilityState(
        competencies=population.competencies,
        raters=(),
        at=float(at),
        mean=mean,
        covariance=population.covariance.copy(),
        prior_mean=mean.copy(),
        stability=population.stability.copy(),
        last_success=np.full(count, float(at)),
        proven=np.zeros(count),
        job_credit=np.zeros((2, count)),
    )


def age_state(population: Population, state: AbilityState, at: float) -> AbilityState:
    """The state at a later time (days) without further evidence; at an earlier time it stays as it is."""
    check_state(population, state)
    if not np.isfinite(at):
        raise ValueError(f"at is {at}; it is a time in days")
    if at <= state.at:
        return state
    mean, covariance, credit = state.mean.copy(), state.covariance.copy(), state.job_credit.copy()
    ages = state.stability * AGE_PER_STABILITY + np.maximum(state.at - state.last_success, 0.0)
    elapsed = at - state.at
    fade(mean, covariance, credit, state.prior_mean, population.covariance, ages, elapsed, len(mean))
    return replace(state, at=float(at), mean=mean, covariance=covariance, job_credit=credit)


def inflate_state(
    population: Population, state: AbilityState, competencies: Collection[str], kept: float
) -> AbilityState:
    """The state after a sudden change, such as a new version of a tool, left a share `kept` in [0, 1] of
    what was known of these competencies: as if the time had passed that fades to that share, all at once.
    Neither the clocks nor the stabilities move.
    """
    check_state(population, state)
    unknown = sorted(set(competencies) - set(population.competencies))
    if unknown or not 0.0 <= kept <= 1.0:
        raise ValueError(f"kept is a share in [0, 1], not {kept}; unknown competencies: {unknown}")
    count = len(population.competencies)
    share = np.ones(len(state.mean))
    share[:count] = [kept if name in competencies else 1.0 for name in population.competencies]
    fresh = np.sqrt(1.0 - share[:count] ** 2)
    mean, covariance = state.mean.copy(), state.covariance * np.outer(share, share)
    mean[:count] = state.prior_mean + share[:count] * (state.mean[:count] - state.prior_mean)
    covariance[:count, :count] += population.covariance * np.outer(fresh, fresh)
    return replace(state, mean=mean, covariance=covariance, job_credit=state.job_credit * share[:count])


def predict_ability(population: Population, state: AbilityState, at: float) -> Prediction:
    """The abilities and standard errors (logits) at a time in days: now, in 30 or 90 days, at an expiry."""
    aged = age_state(population, state, at)
    count = len(population.competencies)
    return Prediction(aged.mean[:count], np.sqrt(np.diagonal(aged.covariance)[:count]))


def probability_at_or_above(population: Population, state: AbilityState, cut: ArrayLike, at: float) -> Floats:
    """(K,) P(ability >= cut) at a time in days; `cut` in logits, one for all or (K,)."""
    prediction = predict_ability(population, state, at)
    scaled = (prediction.value - np.asarray(cut, dtype=np.float64)) / prediction.standard_error
    return np.array([normal_cdf(float(each)) for each in scaled])


def lowest_probability(population: Population, state: AbilityState, cut: ArrayLike, until: float) -> Floats:
    """(K,) the least P(ability >= cut) between the state's time and `until` (days).

    What a grant that lasts so long may rest on: it never grows with `until`. With d and c the distances of
    mean and cut from the prior mean, and S - P the variance gained by fading out, (rho d - c) / sqrt(S -
    rho^2 (S - P)) has one stationary point, at rho = d S / (c (S - P)); so the least lies there or at an
    end.
    """
    aged = age_state(population, state, until)
    count = len(population.competencies)
    ends = np.minimum(
        probability_at_or_above(population, state, cut, state.at),
        probability_at_or_above(population, aged, cut, aged.at),
    )
    ahead = state.mean[:count] - state.prior_mean
    wanted = np.broadcast_to(np.asarray(cut, dtype=np.float64), (count,)) - state.prior_mean
    prior, known = np.diagonal(population.covariance), np.diagonal(state.covariance)[:count]
    for c in range(count):
        turning, level = wanted[c] * (prior[c] - known[c]), ahead[c] * prior[c]
        rho = level / turning if abs(level) < abs(turning) else 1.0
        age = state.stability[c] * AGE_PER_STABILITY + max(state.at - state.last_success[c], 0.0)
        if np.sqrt(age / (age + max(until - state.at, 0.0))) < rho < 1.0:
            spread = np.sqrt(prior[c] - rho**2 * (prior[c] - known[c]))
            ends[c] = min(ends[c], normal_cdf(float((rho * ahead[c] - wanted[c]) / spread)))
    return ends


def severity_of(state: AbilityState, rater: str) -> tuple[float, float]:
    """The severity of a rater (logits) and its standard error, as far as this person's ratings tell."""
    if rater not in state.raters:
        raise ValueError(f"'{rater}' is not among this person's latest raters: {', '.join(state.raters)}")
    place = len(state.competencies) + state.raters.index(rater)
    return float(state.mean[place]), float(np.sqrt(state.covariance[place, place]))


def check_state(population: Population, state: AbilityState) -> None:
    """Raise ValueError where the state was made for other competencies than the population has."""
    if state.competencies != population.competencies:
        differing = sorted(set(state.competencies) ^ set(population.competencies))
        raise ValueError(
            f"the state was made for other competencies ({differing or 'in another order'}). Rebuild it"
        )


@compiled
def fade(
    mean: Floats,
    covariance: Floats,
    job_credit: Floats,
    prior_mean: Floats,
    prior_covariance: Floats,
    ages: Floats,
    elapsed: float,
    active: int,
) -> None:
    """Age a belief by `elapsed` >= 0 days, in place; equations above. Beyond K: severities, which do not age.

    mean (N,), covariance (N, N), of which the first `active` count; job_credit (2, K); ages (K,) the a_c in
    days.
    """
    if elapsed == 0.0:
        return
    count = len(prior_mean)
    share, root = np.ones(active), np.zeros(active)
    for i in range(count):
        later = ages[i] + elapsed
        share[i] = np.sqrt(ages[i] / later)
        root[i] = np.sqrt(elapsed / later)
        mean[i] = prior_mean[i] + share[i] * (mean[i] - prior_mean[i])
        job_credit[0, i] *= share[i]
        job_credit[1, i] *= share[i]
    for i in range(active):
        for j in range(i + 1):
            value = share[i] * share[j] * covariance[i, j]
            if i < count:
                value += root[i] * root[j] * prior_covariance[i, j]
            covariance[i, j] = value
            covariance[j, i] = value
