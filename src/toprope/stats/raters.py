"""Raters: how severe each is, learnt from a table of rubric ratings.

The many-facet partial credit model (Linacre 1989): with person p, rater r and criterion c scored 0..m,

    P(score k)  is proportional to  exp( sum over h = 1..k of  theta_p - delta_ch - s_r ),
    theta_p ~ N(0, sigma^2),    s_r ~ N(0, spread^2).

Persons are integrated out on 41 nodes that move with sigma (marginal maximum likelihood, Bock & Aitkin
1981); the severities are shrunk towards 0 by their prior, whose spread is estimated with them: spread^2 is
the mean of s_r^2 + Var(s_r), with the variances of the severities from the observed information (Louis
1982), so that few ratings do not pass for agreement. Ratings of one person by one rater on several criteria
are taken as independent given theta and s; where raters form one impression of all criteria (Patz et al.
2002), sigma comes out too large rather than the spread too small. All in logits, on the scale of the
ratings.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.compiled import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SEVERITY_SPREAD = 0.5
"""Standard deviation of severities among raters of whom nothing is known, in logits: planning value."""

_NODES = np.linspace(-5.0, 5.0, 41)
_LOG_MASSES = -0.5 * _NODES**2 - math.log(float(np.exp(-0.5 * _NODES**2).sum()))
_THRESHOLD_SPREAD = 4.0  # a weak prior, which keeps thresholds of scores that nobody got finite
_REFRESH, _CLOSE = 5, 1e-6


@dataclass(frozen=True, slots=True)
class Severities:
    """What is known of raters: `severity` and `standard_error` of each of `names`, both (R,) in logits.

    `spread` is the standard deviation of severities among raters of whom nothing is known.
    """

    names: tuple[str, ...]
    severity: Floats
    standard_error: Floats
    spread: float = SEVERITY_SPREAD

    def __post_init__(self) -> None:
        shape = (len(self.names),)
        if (
            self.severity.shape != shape
            or self.standard_error.shape != shape
            or len(set(self.names)) != shape[0]
        ):
            raise ValueError(
                "severities need one value and one standard error for each rater, and each name once"
            )
        if not np.isfinite(self.severity).all() or not 0.0 < self.spread < math.inf:
            raise ValueError("severities must be finite numbers, and their spread above 0")
        if not ((self.standard_error > 0.0) & np.isfinite(self.standard_error)).all():
            raise ValueError("standard errors of severities must be above 0 and finite")

    def including(self, names: Collection[str]) -> "Severities":
        """The same with these raters too: strangers at 0 with the spread as their standard error."""
        new = tuple(sorted(set(names) - set(self.names)))
        if not new:
            return self
        return Severities(
            self.names + new,
            np.concatenate([self.severity, np.zeros(len(new))]),
            np.concatenate([self.standard_error, np.full(len(new), self.spread)]),
            self.spread,
        )

    def learn(self, precision: Floats, pull: Floats) -> "Severities":
        """The same after normal evidence of this precision (R,); `pull` (R,) is its mean times that."""
        before = self.standard_error**-2.0
        after = before + precision
        return Severities(
            self.names, (self.severity * before + pull) / after, np.sqrt(1.0 / after), self.spread
        )


@dataclass(frozen=True, slots=True)
class RaterCalibration:
    """What a table of ratings tells of its raters, criteria and persons. Logits throughout.

    severities: of each rater, shrunk, with standard errors; its spread is that of severities, estimated.
    ratio: spread / person_deviation.
    thresholds: (C, m) delta_ch of the `criteria`, nan beyond a criterion's scores.
    lowest: (C,) the score that counts as 0.
    converged: whether the last step was below 1e-6.
    """

    severities: Severities
    spread_error: float
    person_deviation: float
    person_deviation_error: float
    ratio: float
    ratio_error: float
    criteria: tuple[str, ...]
    thresholds: Floats
    lowest: Integers
    iterations: int
    converged: bool


def estimate_severities(
    person: ArrayLike, rater: ArrayLike, criterion: ArrayLike, score: ArrayLike, *, most_steps: int = 1000
) -> RaterCalibration:
    """Calibrate raters from n ratings, each a person, a rater, a criterion (any labels) and a whole score.

    Leave out what was not rated. Persons, raters and criteria need not meet in full; groups of raters who
    share no persons are compared on the assumption that their persons are alike. Memory is about 1 kB per
    rating. Raises ValueError for no ratings, columns of different lengths, scores that are not whole or not
    above 0 at most.
    """
    table = _read(person, rater, criterion, score)
    raters, width = len(table.raters), table.open.shape[1]
    estimate = np.zeros(raters + table.open.size)
    sigma, spread, steps, change = 1.0, SEVERITY_SPREAD, 0, math.inf
    while True:
        severity, thresholds = estimate[:raters], estimate[raters:].reshape(-1, width)
        logs, reached = _chances(table, severity, thresholds, sigma)
        posterior = _posterior(table, logs)
        gradient, curvature = _derivatives(table, posterior, reached, estimate, spread)
        if steps % _REFRESH == 0:  # the variances of the severities change little from step to step
            covariance = _error_covariance(table, posterior, reached, curvature, sigma)
            if steps >= most_steps or change < _CLOSE:
                break
        steps += 1
        move = np.linalg.solve(curvature, gradient)
        move /= max(1.0, float(np.abs(move).max()))
        wider = math.sqrt(float((posterior @ _NODES**2).mean()))
        doubt = np.minimum(covariance.diagonal()[:raters], spread**2)
        next_spread = max(math.sqrt(float((severity**2 + doubt).mean())), 1e-3)
        change = max(float(np.abs(move).max()), sigma * abs(wider - 1.0), abs(next_spread - spread))
        estimate, sigma, spread = estimate + move, sigma * wider, next_spread
    errors = np.sqrt(covariance.diagonal())
    return _report(table, estimate, errors, sigma, spread, (steps, change < _CLOSE))


@dataclass(frozen=True, slots=True)
class _Table:
    """Ratings sorted by person; `starts` (P + 1,) where each person's begin. open: (C, m) the scores there
    are.
    """

    raters: tuple[str, ...]
    criteria: tuple[str, ...]
    starts: Integers
    rater: Integers
    criterion: Integers
    score: Integers
    lowest: Integers
    open: NDArray[np.bool_]


def _read(person: ArrayLike, rater: ArrayLike, criterion: ArrayLike, score: ArrayLike) -> _Table:
    columns = [np.asarray(each) for each in (person, rater, criterion)]
    given = np.asarray(score, dtype=np.float64)
    if given.ndim != 1 or not len(given) or any(each.shape != given.shape for each in columns):
        raise ValueError("ratings are columns of one length, at least 1: person, rater, criterion, score")
    bad = np.flatnonzero(~(np.isfinite(given) & (given == np.floor(given)) & (np.abs(given) <= 100)))
    if len(bad):
        raise ValueError(f"score {given[bad[0]]} of rating {bad[0]} is no whole number within 100 of 0")
    (_, who), (raters, by), (criteria, on) = (np.unique(each, return_inverse=True) for each in columns)
    order = np.argsort(who, kind="stable")
    who, by, on, scores = who[order], by[order], on[order], given[order].astype(np.int64)
    lowest = np.full(len(criteria), 101)
    np.minimum.at(lowest, on, scores)
    scores = scores - lowest[on]
    highest = np.zeros(len(criteria), dtype=np.int64)
    np.maximum.at(highest, on, scores)
    if not highest.any():
        raise ValueError("every criterion has one score only; such a table tells nothing of its raters")
    starts = np.concatenate([[0], np.flatnonzero(np.diff(who)) + 1, [len(who)]])
    steps = np.arange(int(highest.max())) < highest[:, None]
    names, labels = (tuple(str(each) for each in found) for found in (raters, criteria))
    return _Table(names, labels, starts, by, on, scores, lowest, steps)


def _chances(table: _Table, severity: Floats, thresholds: Floats, sigma: float) -> tuple[Floats, Floats]:
    """Log P(score k), (C, R, m + 1, Q), and P(score >= h), (C, R, m, Q), at the nodes."""
    gap = sigma * _NODES - severity[:, None]
    terms = gap[None, :, None, :] - thresholds[:, None, :, None]
    terms = np.where(table.open[:, None, :, None], terms, -np.inf)
    logs = np.concatenate([np.zeros_like(terms[:, :, :1]), np.cumsum(terms, axis=2)], axis=2)
    highest = logs.max(axis=2, keepdims=True)
    logs = logs - highest - np.log(np.exp(logs - highest).sum(axis=2, keepdims=True))
    reached = np.cumsum(np.exp(logs)[:, :, ::-1], axis=2)[:, :, -2::-1]
    return logs, np.ascontiguousarray(reached)


def _posterior(table: _Table, logs: Floats) -> Floats:
    """(P, Q) what each person's ratings leave of the nodes."""
    each = logs[table.criterion, table.rater, table.score]
    total = np.add.reduceat(each, table.starts[:-1], axis=0) + _LOG_MASSES
    total = np.exp(total - total.max(axis=1, keepdims=True))
    return np.asarray(total / total.sum(axis=1, keepdims=True))


def _derivatives(
    table: _Table, posterior: Floats, reached: Floats, estimate: Floats, spread: float
) -> tuple[Floats, Floats]:
    """Gradient and negative Hessian of the expected complete log posterior in (severities, thresholds)."""
    criteria, raters, width, nodes = reached.shape
    mass, got = np.zeros((criteria, raters, nodes)), np.zeros((criteria, raters, width))
    person = np.repeat(np.arange(len(posterior)), np.diff(table.starts))
    _count(table.criterion, table.rater, table.score, person, posterior, mass, got)
    excess = np.einsum("crq,crhq->crh", mass, reached) - got
    both = np.minimum(reached[:, :, :, None], reached[:, :, None, :])
    product = reached[:, :, :, None] * reached[:, :, None, :]
    bend = np.einsum("crq,crhiq->crhi", mass, both - product)

    prior = np.concatenate(
        [np.full(raters, spread**-2.0), np.full(criteria * width, _THRESHOLD_SPREAD**-2.0)]
    )
    gradient = np.concatenate([excess.sum(axis=(0, 2)), excess.sum(axis=1).ravel()]) - prior * estimate
    curvature = np.diag(prior)
    seats = np.arange(raters)
    curvature[seats, seats] += bend.sum(axis=(0, 2, 3))
    cross = bend.sum(axis=3).transpose(1, 0, 2).reshape(raters, -1)
    curvature[:raters, raters:] += cross
    curvature[raters:, :raters] += cross.T
    for c in range(criteria):
        block = slice(raters + c * width, raters + (c + 1) * width)
        curvature[block, block] += bend[c].sum(axis=0)
    return gradient, curvature


def _error_covariance(
    table: _Table, posterior: Floats, reached: Floats, curvature: Floats, sigma: float
) -> Floats:
    """Inverse of the observed information about (severities, thresholds, sigma), priors included (Louis
    1982).
    """
    size = len(curvature)
    information = np.zeros((size + 1, size + 1))
    information[:size, :size] = curvature
    information[size, size] = float((posterior @ (3.0 * _NODES**2 - 1.0)).sum()) / sigma**2
    own = (_NODES**2 - 1.0) / sigma
    _take_missing(
        information, table.starts, table.rater, table.criterion, table.score, posterior, reached, own
    )
    # A sum that rounding or an unfinished fit leaves indefinite is no information in those directions.
    values, vectors = np.linalg.eigh(information)
    values = np.maximum(values, 1e-6)
    return np.asarray((vectors / values) @ vectors.T)


@compiled
def _count(
    criterion: Integers,
    rater: Integers,
    score: Integers,
    person: Integers,
    posterior: Floats,
    mass: Floats,
    got: Floats,
) -> None:
    """Add up, by criterion and rater, the posterior mass at the nodes and how often each score was
    reached.
    """
    for n in range(len(score)):
        mass[criterion[n], rater[n]] += posterior[person[n]]
        for h in range(score[n]):
            got[criterion[n], rater[n], h] += 1.0


@compiled
def _take_missing(
    information: Floats,
    starts: Integers,
    rater: Integers,
    criterion: Integers,
    score: Integers,
    posterior: Floats,
    reached: Floats,
    own: Floats,
) -> None:
    """Subtract each person's covariance, over the nodes, of the score vector that knowing theta would
    give.
    """
    size, nodes = len(information), posterior.shape[1]
    scores, seen = np.zeros((size, nodes)), np.zeros(size, dtype=np.bool_)
    for person in range(len(starts) - 1):
        scores[size - 1], seen[size - 1] = own, True
        for n in range(starts[person], starts[person + 1]):
            _add_scores(scores, seen, rater[n], criterion[n], score[n], reached)
        weight = posterior[person]
        touched = np.flatnonzero(seen)
        for a in touched:
            scores[a] -= (weight * scores[a]).sum()
        for a in touched:
            for b in touched:
                for q in range(nodes):
                    information[a, b] -= weight[q] * scores[a, q] * scores[b, q]
        scores[touched] = 0.0
        seen[touched] = False


@compiled
def _add_scores(
    scores: Floats, seen: NDArray[np.bool_], rater: int, criterion: int, score: int, reached: Floats
) -> None:
    """Add one rating's derivatives, (nodes,) each, to those of its rater and its criterion's thresholds."""
    _, raters, width, _ = reached.shape
    first = raters + criterion * width
    seen[rater] = True
    for h in range(width):
        part = reached[criterion, rater, h] - (1.0 if score > h else 0.0)
        scores[first + h] += part
        scores[rater] += part
        seen[first + h] = True


def _report(
    table: _Table, estimate: Floats, errors: Floats, sigma: float, spread: float, ended: tuple[int, bool]
) -> RaterCalibration:
    raters = len(table.raters)
    # What the ratings alone say of a severity has the variance 1 / (1 / Var - 1 / spread^2); such values tell
    # of their spread as of a variance component (Searle, Casella & McCulloch 1992).
    shrunk = np.clip(errors[:raters] ** 2 / spread**2, 1e-9, 1.0 - 1e-9)
    alone = spread**2 * shrunk / (1.0 - shrunk)
    information = float((0.5 / (spread**2 + alone) ** 2).sum()) * 4.0 * spread**2
    spread_error = 1.0 / math.sqrt(information)
    ratio, sigma_error = spread / sigma, float(errors[-1])
    return RaterCalibration(
        severities=Severities(table.raters, estimate[:raters].copy(), errors[:raters].copy(), spread),
        spread_error=spread_error,
        person_deviation=sigma,
        person_deviation_error=sigma_error,
        ratio=ratio,
        ratio_error=ratio * math.hypot(spread_error / spread, sigma_error / sigma),
        criteria=table.criteria,
        thresholds=np.where(table.open, estimate[raters:].reshape(table.open.shape), np.nan),
        lowest=table.lowest,
        iterations=ended[0],
        converged=ended[1],
    )
