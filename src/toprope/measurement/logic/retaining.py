"""How fast skill fades in this installation: from answers that came after a pause. Pure.

The currency classes of a framework are guesses from other fields. Whoever answers a question after a week or
more without evidence on its competency shows how much was left; enough of these together tell how fast it
fades.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from toprope.evidence.statement import Statement
from toprope.measurement.logic.following import Basis, fold_readings, read_all, start_following
from toprope.measurement.logic.readings import Reading
from toprope.stats import AbilityState, RetentionProbes, fit_stability, half_life_of
from toprope.stats.retention import AGE_PER_STABILITY

PAUSE_DAYS = 7.0
"""From so many days without evidence on, an answer tells of fading."""

LEAST_PROBES = 50
"""So many answers after pauses a competency needs before its own speed is estimated."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One answer after a pause; see `toprope.stats.RetentionProbes` for its columns."""

    competency: str
    elapsed_days: float
    success: float
    stability: float
    fresh_logit: float
    fresh_variance: float
    faded_logit: float
    faded_variance: float
    guess: float


@dataclass(frozen=True, slots=True)
class RetentionResult:
    """How fast one competency fades, as estimated from `probes` answers after pauses.

    `stability` is in days, `standard_error` that of its logarithm.
    """

    competency: str
    stability: float
    standard_error: float
    probes: int

    @property
    def half_life_days(self) -> float:
        """Days after which half of what sets a person apart is left."""
        return half_life_of(self.stability)


def find_probes(basis: Basis, statements: Iterable[Statement]) -> list[Probe]:
    """The answers after pauses among one person's statements."""
    readings = read_all(basis, statements)
    last: dict[str, int] = {}
    found = []
    for at, reading in enumerate(readings):
        before = last.get(reading.competency)
        is_question = len(reading.parameters.steps) == 1 and reading.rater is None and not reading.job
        if before is not None and is_question and reading.at - readings[before].at >= PAUSE_DAYS:
            state = fold_readings(
                basis, [start_following(basis, readings[0].timestamp).state], [readings[: before + 1]]
            )[0][0]
            found.append(_probe(basis, state, reading, readings[before].at))
        last[reading.competency] = at
    return found


def _probe(basis: Basis, state: AbilityState, reading: Reading, since: float) -> Probe:
    place = state.competencies.index(reading.competency)
    parameters = reading.parameters
    a, b, doubt = parameters.discrimination, parameters.difficulty, parameters.covariance[2]
    age = state.stability[place] * AGE_PER_STABILITY + max(since - float(state.last_success[place]), 0.0)
    return Probe(
        competency=reading.competency,
        elapsed_days=reading.at - since,
        success=float(reading.score),
        stability=float(age / AGE_PER_STABILITY),
        fresh_logit=a * (float(state.mean[place]) - b),
        fresh_variance=a * a * (float(state.covariance[place, place]) + doubt),
        faded_logit=a * (float(state.prior_mean[place]) - b),
        faded_variance=a * a * (float(basis.population.covariance[place, place]) + doubt),
        guess=parameters.guess,
    )


def estimate_retention(basis: Basis, probes: Sequence[Probe]) -> tuple[RetentionResult, ...]:
    """How fast each competency fades that has enough probes, around what is assumed of it by its class."""
    by_competency: dict[str, list[Probe]] = {}
    for each in probes:
        by_competency.setdefault(each.competency, []).append(each)
    results = []
    for place, competency in enumerate(basis.population.competencies):
        own = by_competency.get(competency, [])
        if len(own) < LEAST_PROBES:
            continue
        names = RetentionProbes.__dataclass_fields__
        columns = {name: np.array([getattr(each, name) for each in own], dtype=np.float64) for name in names}
        fitted = fit_stability(float(basis.population.stability[place]), RetentionProbes(**columns))
        results.append(RetentionResult(competency, fitted.stability, fitted.standard_error, fitted.probes))
    return tuple(results)
