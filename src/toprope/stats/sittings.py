"""Whole sittings, simulated: what a rule for choosing, stopping and passing would do to people.

Persons of known ability meet a pool whose true parameters may differ from the believed ones; some items may
be known beforehand, a rater may be lenient, abilities may fade until a grant expires. Choosing
(`selection.pick`), stopping and passing (`decisions.decided`) and the watch over items (`exposure.watched`)
are the compiled code that also serves people, so that what is shown here holds there. The belief about an
ability is kept exactly, on a grid of abilities (and of severities where somebody rates), with the errors of
the items in it: averaged over a normal error of variance v of a logistic argument, the argument shrinks by 1
/ sqrt(1 + pi v / 8) (MacKay 1992).

Use it to choose a rule for a pool before anybody sits: `simulate_sittings`. All abilities are in logits.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.compiled import compiled
from toprope.stats.decisions import DecisionRule, decided
from toprope.stats.distributions import normal_cdf
from toprope.stats.exposure import KNOWN_SHARE, SUSPICION, easier_items, watched
from toprope.stats.items import Floats, Integers, Items, score_probabilities
from toprope.stats.selection import Flags, SelectionTable, pick

NODE_STEP, NODES = 0.1, 100
SEVERITY_NODES = 9
PERSONS_AT_ONCE = 2_000
RECALL = 0.95
"""The chance that a person who knows an item beforehand gives the right answer."""
USUAL_ERROR = 0.3
"""The standard error at which the usual rule stops."""


@dataclass(frozen=True, slots=True)
class World:
    """What is true in a simulation, beside the abilities.

    items: the true parameters, in the order of the pool. known: (J,) items whose answers everybody knows
    beforehand. rated: (J,) items scored by the person's rater. severity: (N,) that rater's severity for each
    person, 0 if None. fading: how much of an ability, seen from the prior mean, is left at expiry; drift: the
    standard deviation of what else happens to it until then.
    """

    items: Items
    known: Flags | None = None
    rated: Flags | None = None
    severity: Floats | None = None
    fading: float = 1.0
    drift: float = 0.0


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What is believed of persons and raters before a sitting: normal distributions, in logits."""

    mean: float = 0.0
    deviation: float = 1.0
    severity_deviation: float = 0.0


@dataclass(frozen=True, slots=True)
class Sittings:
    """What happened to N persons and J items.

    passed: (N,) in any try. able: (N,) whether the ability reaches the cut at expiry. certainty: (N,) P(able)
    at the last decision. answered: (N,) items in the first try. shown: (J,) how often each item was shown.
    compromised: (J,) the chance that each item is out, as the watch sees it in the end.
    """

    passed: Flags
    able: Flags
    certainty: Floats
    answered: Integers
    shown: Integers
    compromised: Floats


class _Rule(NamedTuple):
    """`DecisionRule` and what goes with it, as compiled code takes it."""

    cut: float
    needed: float
    plain: float
    hopeless: float
    fewest: int
    most: int
    tries: int
    usual: bool


class _Pool(NamedTuple):
    """The arrays of the table, and what each score says: chances (J, R, Q, M + 1) at R severities and Q
    abilities.

    expected: (J, Q) the chance of a right answer that the watch compares with.
    """

    ranking: NDArray[np.int32]
    widths: Integers
    targets: Floats
    stratum: Integers
    chances: Floats
    expected: Floats
    highest: Integers
    watchable: Flags
    known: Flags


class _Grid(NamedTuple):
    """Abilities (Q,), the chance of each to reach the cut at expiry (Q,), the prior (R, Q)."""

    nodes: Floats
    above: Floats
    prior: Floats


def simulate_sittings(
    abilities: ArrayLike,
    world: World,
    table: SelectionTable,
    cut: float,
    rng: np.random.Generator,
    *,
    rule: DecisionRule,
    beliefs: Beliefs,
    tries: int = 1,
    compromised: Floats | None = None,
    usual: bool = False,
) -> Sittings:
    """Let persons of these abilities (N,) sit, one after the other, until each has passed or used up `tries`.

    `table` was built from the pool as it is believed to be; `compromised` (J,) is where the watch starts, 0
    if None. With `usual` the persons meet the usual rule instead: items by information at the estimate, a
    stop when the standard error is below 0.3, a pass if the estimate reaches the cut, a fresh prior in each
    try, and no watch.
    """
    theta = np.asarray(abilities, dtype=np.float64)
    if len(world.items) != len(table.items):
        raise ValueError(f"{len(world.items)} true items for a table of {len(table.items)}")
    if not np.isfinite(theta).all() or not math.isfinite(cut):
        raise ValueError("abilities and the cut must be finite logits")
    count = len(theta)
    severity = np.zeros(count) if world.severity is None else world.severity
    none = np.zeros(len(world.items), dtype=np.bool_)
    rated = none if world.rated is None else world.rated
    known = none if world.known is None else world.known
    grid, severities = _grid(cut, world, beliefs)
    chances = _believed_chances(table.items, grid.nodes, severities, rated)
    watchable = (table.items.scores == 1) & ~rated & (not usual)
    highest = world.items.scores
    expected = np.ascontiguousarray(score_probabilities(easier_items(table.items), grid.nodes)[..., 1].T)
    pool = _Pool(
        table.ranking,
        table.widths,
        table.targets,
        table.stratum,
        chances,
        expected,
        highest,
        watchable,
        known,
    )
    compiled_rule = _Rule(
        cut, rule.certainty, rule.plain, rule.hopeless, rule.fewest, rule.most, tries, usual
    )
    watch = np.zeros(len(none)) if compromised is None else np.array(compromised, dtype=np.float64)
    shown = np.zeros(len(none), dtype=np.int64)
    passed, certainty, answered = np.zeros(count, np.bool_), np.zeros(count), np.zeros(count, np.int64)
    for start in range(0, count, PERSONS_AT_ONCE):
        part = slice(start, start + PERSONS_AT_ONCE)
        felt = np.where(rated, severity[part, None], 0.0)
        truth = score_probabilities(world.items, theta[part], felt)
        _sit(
            truth, pool, grid, compiled_rule, rng, watch, shown, passed[part], certainty[part], answered[part]
        )
    later = beliefs.mean + world.fading * (theta - beliefs.mean) + world.drift * rng.standard_normal(count)
    return Sittings(passed, later >= cut, certainty, answered, shown, watch)


def _grid(cut: float, world: World, beliefs: Beliefs) -> tuple[_Grid, Floats]:
    steps = np.arange(NODES, dtype=np.float64) - (NODES / 2 - 0.5)
    nodes = np.asarray(cut + NODE_STEP * steps, dtype=np.float64)  # the cut lies between two nodes
    later = beliefs.mean + world.fading * (nodes - beliefs.mean)
    if world.drift > 0.0:
        above = np.array([normal_cdf((each - cut) / world.drift) for each in later])
    else:
        above = (later >= cut).astype(np.float64)
    severities, weights = np.zeros(1), np.ones(1)
    if beliefs.severity_deviation > 0.0:
        standard, weights = np.polynomial.hermite_e.hermegauss(SEVERITY_NODES)
        severities = beliefs.severity_deviation * standard
    ability = np.exp(-0.5 * ((nodes - beliefs.mean) / beliefs.deviation) ** 2)
    prior: Floats = weights[:, None] * ability
    prior /= prior.sum()
    return _Grid(nodes, above, prior), severities


def _believed_chances(items: Items, nodes: Floats, severities: Floats, rated: Flags) -> Floats:
    """P(score) of each item as believed, errors and all, of shape (J, R, Q, M + 1)."""
    chances = np.empty((len(items), len(severities), len(nodes), items.steps.shape[1] + 1))
    a, covariance = items.discrimination, items.covariance
    for r, severity in enumerate(severities):
        for q, node in enumerate(nodes):
            gap = node - items.difficulty
            error = (
                a * a * covariance[:, 1, 1]
                + gap * gap * covariance[:, 0, 0]
                - 2.0 * a * gap * covariance[:, 0, 1]
            )
            blurred = dataclasses.replace(items, discrimination=a / np.sqrt(1.0 + np.pi / 8.0 * error))
            chances[:, r, q] = score_probabilities(blurred, node, np.where(rated, severity, 0.0))
    return chances


@compiled
def _sit(
    truth: Floats,
    pool: _Pool,
    grid: _Grid,
    rule: _Rule,
    rng: np.random.Generator,
    compromised: Floats,
    shown: Integers,
    passed: Flags,
    certainty: Floats,
    answered: Integers,
) -> None:
    """Everybody's tries. truth: (n, J, M + 1) the true chances of each score for each person."""
    weights = grid.prior.copy()
    asked = np.empty(rule.most, dtype=np.int64)
    scores = np.empty(rule.most, dtype=np.int64)
    for person in range(len(truth)):
        seen = np.zeros(len(shown), dtype=np.bool_)
        for attempt in range(rule.tries):
            if attempt == 0 or rule.usual:
                weights[:] = grid.prior
            outcome, count = _one_sitting(
                truth[person], pool, grid, rule, rng, compromised, seen, weights, asked, scores
            )
            certainty[person] = _certainty(weights, grid.above)
            if attempt == 0:
                answered[person] = count
            for n in range(count):
                shown[asked[n]] += 1
                if pool.watchable[asked[n]]:
                    predicted = min((weights * pool.expected[asked[n]]).sum(), 1.0)
                    compromised[asked[n]] = watched(compromised[asked[n]], scores[n] > 0, predicted)
            if outcome > 0:
                passed[person] = True
                break


@compiled
def _one_sitting(
    truth: Floats,
    pool: _Pool,
    grid: _Grid,
    rule: _Rule,
    rng: np.random.Generator,
    compromised: Floats,
    seen: Flags,
    weights: Floats,
    asked: Integers,
    scores: Integers,
) -> tuple[int, int]:
    """One sitting of one person; (1 passed or -1 not yet, items answered). Changes seen, weights, asked,
    scores.
    """
    barred = seen | (compromised >= SUSPICION) if not rule.usual else seen.copy()
    counts = np.zeros(len(pool.targets), dtype=np.int64)
    mean, error = _moments(weights, grid.nodes)
    count, outcome = 0, 0
    while outcome == 0 and count < rule.most:
        point = mean if rule.usual else 0.5 * (mean + rule.cut)
        item = pick(
            pool.ranking, point, pool.widths, pool.targets, counts, barred, rng.random(), rng.random()
        )[0]
        if item < 0:
            break
        barred[item] = seen[item] = True
        counts[pool.stratum[item]] += 1
        if pool.known[item] and rng.random() < RECALL:
            score = pool.highest[item]
        else:
            score = _drawn_score(truth[item], rng.random())
        asked[count], scores[count] = item, score
        count += 1
        known = compromised[item] * KNOWN_SHARE if pool.watchable[item] else 0.0
        _learn(weights, pool.chances[item], score, known)
        mean, error = _moments(weights, grid.nodes)
        outcome = _outcome(rule, mean, error, _certainty(weights, grid.above), count, rule.most)
    if outcome == 0:
        outcome = _outcome(rule, mean, error, _certainty(weights, grid.above), count, count)
    return outcome, count


@compiled
def _outcome(rule: _Rule, mean: float, error: float, certainty: float, count: int, most: int) -> int:
    if rule.usual:
        if count >= most or (count >= rule.fewest and error < USUAL_ERROR):
            return 1 if mean >= rule.cut else -1
        return 0
    return decided(certainty, count, rule.needed, rule.plain, rule.hopeless, rule.fewest, most)


@compiled
def _drawn_score(chances: Floats, uniform: float) -> int:
    score = 0
    while score < len(chances) - 1 and uniform >= chances[score]:
        uniform -= chances[score]
        score += 1
    return score


@compiled
def _learn(weights: Floats, chances: Floats, score: int, known: float) -> None:
    """Bayes' rule on the grid (R, Q), for an answer that is known beforehand with the chance `known`."""
    gift = known if score > 0 else 0.0
    weights *= gift + (1.0 - known) * chances[:, :, score]
    weights /= weights.sum()


@compiled
def _moments(weights: Floats, nodes: Floats) -> tuple[float, float]:
    """The mean and the standard deviation of the ability."""
    mean, square = 0.0, 0.0
    for r in range(weights.shape[0]):
        for q in range(weights.shape[1]):
            mean += weights[r, q] * nodes[q]
            square += weights[r, q] * nodes[q] * nodes[q]
    return mean, math.sqrt(max(square - mean * mean, 0.0))


@compiled
def _certainty(weights: Floats, above: Floats) -> float:
    total = 0.0
    for r in range(weights.shape[0]):
        for q in range(weights.shape[1]):
            total += weights[r, q] * above[q]
    return min(total, 1.0)
