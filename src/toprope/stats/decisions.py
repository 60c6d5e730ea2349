"""When a sitting ends, whether its level is passed, and how well past decisions have turned out.

A level's measured part is passed if and only if

    P(ability >= cut at expiry | everything so far) >= lambda

"Everything so far" includes earlier sittings: the posterior is carried across retakes, for a fresh prior each
time triples false passes. "At expiry": where a grant runs for a while, the belief is first projected to its
end.

**Why a sitting goes on after lambda is reached.** Stopping at the first moment of certainty selects lucky
moments, and a model is never quite right; certainties that are calibrated as predictions are then not
calibrated as decisions (measured on real data: promised less delivered .03 to .06 at the first crossing). So
a sitting ends early only when the matter is plain, and who is near the cut gets the whole sitting; certainty
is compared with lambda at its end. For the same share of the able passed, this nearly halves the false passes
of stopping at lambda where the prior is wrong by one standard deviation: more items outweigh it.

The defaults are a compromise found on one simulated pool and checked on others, in the adversarial suite
`benchmarks/false_passes.py`: in every cell of it at most 5 % of those passed are below the cut, and at least
55 % of the able pass. Once decisions have been audited, `learn_threshold` replaces lambda.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.compiled import compiled
from toprope.stats.distributions import beta_cdf, normal_cdf, proportion_interval, proportion_upper_bound
from toprope.stats.items import Floats

CERTAINTY = 0.88
"""Lambda, until audits have taught a better one."""


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """When to stop, and what certainty passes.

    certainty: lambda, the probability of reaching the cut that passes at the end of a sitting. plain: the
    probability that ends a sitting early as passed. hopeless: the one that ends it early as not yet. fewest,
    most: a sitting ends early only after `fewest` items, and always after `most`.
    """

    certainty: float = CERTAINTY
    plain: float = 0.995
    hopeless: float = 0.01
    fewest: int = 10
    most: int = 40

    def __post_init__(self) -> None:
        if not 0.0 <= self.hopeless < 0.5 <= self.certainty <= self.plain <= 1.0:
            raise ValueError(f"0 <= hopeless < 0.5 <= certainty <= plain <= 1 is asked, not {self}")
        if not 1 <= self.fewest <= self.most:
            raise ValueError(f"1 <= fewest <= most is asked, not {self}")


class Decision(StrEnum):
    """What a sitting has come to."""

    CONTINUE = "continue"
    PASSED = "passed"
    NOT_YET = "not yet"


_DECISIONS = (Decision.NOT_YET, Decision.CONTINUE, Decision.PASSED)


def probability_at_least(ability: float, standard_error: float, cut: float) -> float:
    """P(ability >= cut) for a normal belief; at a standard error of 0 whether the cut is reached. All in
    logits.
    """
    if not (math.isfinite(ability) and math.isfinite(cut) and 0.0 <= standard_error < math.inf):
        raise ValueError(f"finite logits are asked, not {ability}, {standard_error} and the cut {cut}")
    if standard_error == 0.0:
        return float(ability >= cut)
    return normal_cdf((ability - cut) / standard_error)


def decide(rule: DecisionRule, certainty: float, answered: int, *, nothing_left: bool = False) -> Decision:
    """What to do after `answered` items, when P(ability >= cut at expiry) is `certainty`.

    `nothing_left` ends the sitting: no item may be asked any more. Monotone: a higher certainty never turns a
    pass into anything else at the same number of items. Raises ValueError unless 0 <= certainty <= 1.
    """
    if not 0.0 <= certainty <= 1.0:
        raise ValueError(f"certainty is {certainty}; a probability is asked")
    most = answered if nothing_left else rule.most
    place = decided(certainty, answered, rule.certainty, rule.plain, rule.hopeless, rule.fewest, most)
    return _DECISIONS[place + 1]


@compiled
def decided(
    certainty: float, answered: int, needed: float, plain: float, hopeless: float, fewest: int, most: int
) -> int:
    """`decide` for compiled callers: 1 passed, -1 not yet, 0 continue."""
    if answered >= most:
        return 1 if certainty >= needed else -1
    if answered < fewest:
        return 0
    if certainty >= plain:
        return 1
    return -1 if certainty <= hopeless else 0


@dataclass(frozen=True, slots=True)
class LearntThreshold:
    """A threshold on certainty, and what it rests on.

    learnt: whether the audits decided it; otherwise it is the default, and `reason` says why. decisions,
    false_passes: the audited decisions at or above the threshold, and those of them below the cut.
    upper_bound: the one-sided Clopper-Pearson bound of their false-pass share, at 1 - error. For a threshold
    that was not learnt these three are about the default.
    """

    threshold: float
    learnt: bool
    decisions: int
    false_passes: int
    upper_bound: float
    reason: str


THRESHOLDS = (0.995, 0.99, 0.985, 0.98, 0.97, 0.96, 0.95, 0.94, 0.92, 0.90, CERTAINTY)
"""The thresholds tried, from the safest down. None is below lambda's default, which is above all that
on-the-job signals alone can reach (`filtering`): they never unlock anything alone.
"""


def learn_threshold(
    certainty: ArrayLike,
    below: ArrayLike,
    *,
    default: float = CERTAINTY,
    target: float = 0.05,
    error: float = 0.05,
) -> LearntThreshold:
    """The lowest certainty that audits show to be safe: learn then test (Angelopoulos et al. 2021).

    certainty: (N,) P(ability >= cut) when each audited decision was made. below: (N,) whether the person
    turned out to be below the cut. Audit decisions on both sides of the threshold in force, or none below it
    can be learnt; each person counts once, for decisions about one person are not independent.

    The thresholds are tested from the safest down, each against "its false-pass share exceeds `target`", with
    the exact binomial p-value, until the first that is not rejected (fixed-sequence testing). So the share
    beyond the threshold returned exceeds `target` with a probability of at most `error`, whatever the model
    is worth. The sequence starts at the safest threshold with enough decisions for two false passes to be
    forgiven; that hangs on certainties alone, never on outcomes, and so costs nothing of the guarantee.

    Too few audits return the default, and say so. So do audits that bear no threshold out, unless they show
    the default to be unsafe (its false-pass share lies above `target` with confidence 1 - `error`): then the
    safest threshold is returned, not as learnt but as a stop until somebody has looked.
    """
    held, bad = _audits(certainty, below)
    if not (0.0 < target < 1.0 and 0.0 < error < 1.0):
        raise ValueError(f"target and error lie strictly between 0 and 1, not {target} and {error}")
    enough = _enough(target, error)
    best: tuple[float, int, int] | None = None
    for threshold in THRESHOLDS:
        chosen = held >= threshold
        total, failed = int(chosen.sum()), int(bad[chosen].sum())
        if total < enough:
            continue
        if _p_value(failed, total, target) > error:
            break
        best = (threshold, total, failed)
    if best is not None:
        threshold, total, failed = best
        bound = proportion_upper_bound(failed, total, 1.0 - error)
        reason = f"{failed} of {total} audited decisions were below the cut"
        return LearntThreshold(threshold, True, total, failed, bound, reason)
    chosen = held >= default
    total, failed = int(chosen.sum()), int(bad[chosen].sum())
    bound = proportion_upper_bound(failed, total, 1.0 - error)
    if proportion_interval(failed, total, 1.0 - 2.0 * error)[0] > target:
        reason = f"{failed} of {total} audited decisions at {default} or above were below the cut: look why"
        return LearntThreshold(THRESHOLDS[0], False, total, failed, bound, reason)
    reason = f"{total} audited decisions at {default} or above, {failed} below the cut, do not settle it yet"
    return LearntThreshold(default, False, total, failed, bound, reason)


def _enough(target: float, error: float) -> int:
    """The fewest decisions of which two may be false passes and the share still be shown below `target`."""
    total = 3
    while _p_value(2, total, target) > error:
        total += 1
    return total


def _p_value(failed: int, total: int, target: float) -> float:
    """P(at most `failed` false passes in `total`) where their share is `target`; less where it is higher."""
    return 1.0 - beta_cdf(target, failed + 1, total - failed) if failed < total else 1.0


@dataclass(frozen=True, slots=True)
class DecisionSummary:
    """How decisions about one level or rung stand. Shares are NaN where there was nothing to take a share of.

    decided, passed: how many. expected_false_passes: the share of the passed that the model expects below the
    cut, mean(1 - certainty). expected_missed: the share of those not passed that it expects at or above the
    cut. audited, false_passes: how many of the passed were audited, and how many of these were below the cut;
    false_pass_interval: the 95 % Clopper-Pearson interval of that share, (0, 1) without audits.
    expected_accuracy: the share of decisions expected to be right. expected_consistency: the share that a
    second, equally informed decision is expected to repeat, mean(p^2 + (1 - p)^2) (Rudner 2005, from
    posteriors).
    """

    decided: int
    passed: int
    expected_false_passes: float
    expected_missed: float
    audited: int
    false_passes: int
    false_pass_interval: tuple[float, float]
    expected_accuracy: float
    expected_consistency: float


def summarise_decisions(
    certainty: ArrayLike, passed: ArrayLike, audited_below: ArrayLike | None = None
) -> DecisionSummary:
    """Sum up decisions of one level or rung.

    certainty: (N,) P(ability >= cut) when each was made. passed: (N,) what was decided. audited_below: (N,) 1
    where an audit found the person below the cut, 0 where at or above, NaN where there was no audit.
    """
    held = _probabilities(certainty)
    yes = np.asarray(passed, dtype=np.bool_)
    found = (
        np.full(len(held), np.nan) if audited_below is None else np.asarray(audited_below, dtype=np.float64)
    )
    if yes.shape != held.shape or found.shape != held.shape:
        raise ValueError(
            f"{held.shape}, {yes.shape} and {found.shape} values were given; one per decision is asked"
        )
    if not np.isin(found[~np.isnan(found)], (0.0, 1.0)).all():
        raise ValueError("audited_below holds 1 (below the cut), 0 (at or above it) or NaN (no audit)")
    audited = yes & ~np.isnan(found)
    failed = int(found[audited].sum())
    right = np.where(yes, held, 1.0 - held)
    return DecisionSummary(
        decided=len(held),
        passed=int(yes.sum()),
        expected_false_passes=_mean(1.0 - held[yes]),
        expected_missed=_mean(held[~yes]),
        audited=int(audited.sum()),
        false_passes=failed,
        false_pass_interval=proportion_interval(failed, int(audited.sum())),
        expected_accuracy=_mean(right),
        expected_consistency=_mean(held**2 + (1.0 - held) ** 2),
    )


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else math.nan


def _probabilities(values: ArrayLike) -> Floats:
    held = np.asarray(values, dtype=np.float64)
    if held.ndim != 1 or not ((held >= 0.0) & (held <= 1.0)).all():
        raise ValueError("certainty must be a list of probabilities")
    return held


def _audits(certainty: ArrayLike, below: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    held = _probabilities(certainty)
    given = np.asarray(below, dtype=np.float64)
    if given.shape != held.shape or not np.isin(given, (0.0, 1.0)).all():
        raise ValueError(
            "below must say for each certainty whether the person was below the cut (1) or not (0)"
        )
    return held, given.astype(np.bool_)
