"""False passes under attack: of those who passed, how many are below the cut, in every cell of an adversarial
suite.

Run it: .venv/bin/python benchmarks/false_passes.py [--full]. Two minutes on one core; --full takes five
pools.

Each cell simulates sittings of up to 40 items from a pool of 500 (discrimination log-normal(.1, .3),
difficulty normal(.3, 1.1), cut .5), under Toprope's defaults and beside the usual rule (the estimate reaches
the cut when its standard error is below .3; the five most informative items in turn; a fresh prior in each
try; items and ratings taken at face value). The defaults were tuned on the pool of seed 3; the pools here are
others.

Before the leak, as many honest persons sit as after it, so that "most exposed" is what the rule itself wore
out.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from machine import machine_line
from toprope.stats.decisions import DecisionRule
from toprope.stats.distributions import proportion_upper_bound
from toprope.stats.items import Floats, Items, make_items
from toprope.stats.selection import build_table
from toprope.stats.sittings import Beliefs, Sittings, World, simulate_sittings

CUT, POOL, PERSONS, LOW_PERSONS, LEAKED = 0.5, 500, 12_000, 60_000, 25
BAR, PASS_BAR = 0.05, 0.55
SEVERITY, RATED_SHARE = 0.6, 0.25
TUNED_SEED, SEEDS = 3, (11, 12, 13, 14, 15)
USUAL = DecisionRule(fewest=5)


@dataclass(frozen=True)
class Cell:
    """One way in which reality differs from the model. Everything not named is as in the baseline."""

    name: str
    truth: Items
    believed: Items
    abilities: Floats
    tries: int = 1
    leaked: int = 0
    rated: bool = False
    severity: Floats | None = None
    fading: float = 1.0
    drift: float = 0.0


def make_pool(seed: int) -> Items:
    rng = np.random.default_rng(seed)
    return make_items(rng.normal(0.3, 1.1, POOL), np.exp(rng.normal(0.1, 0.3, POOL)))


def calibrate_on_few(truth: Items, responses: int, rng: np.random.Generator) -> Items:
    """What `responses` answers to each item teach: the posterior mean and covariance of (a, b), on a grid.

    The persons' abilities are themselves known with a standard error of .4 only; the priors are log-normal(0,
    .5) and normal(0, 2), wider than the pool. Nothing true is used but the answers.
    """
    log_a, b = np.linspace(-1.3, 1.5, 29), np.linspace(-5.0, 5.0, 81)
    prior = -0.5 * ((log_a / 0.5) ** 2)[:, None] - 0.5 * ((b / 2.0) ** 2)[None, :]
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)
    a = np.exp(log_a)
    means, covariances = np.empty((len(truth), 2)), np.empty((len(truth), 2, 2))
    values = np.stack(np.broadcast_arrays(a[:, None], b[None, :]), axis=-1).reshape(-1, 2)
    for j in range(len(truth)):
        estimate = rng.normal(0.0, np.sqrt(1.0 - 0.4**2), responses)
        ability = estimate + 0.4 * rng.standard_normal(responses)
        chance = 1.0 / (1.0 + np.exp(-truth.discrimination[j] * (ability - truth.difficulty[j])))
        right = rng.random(responses) < chance
        log_likelihood = prior.copy()
        for person in range(responses):
            gaps = estimate[person] + 0.4 * nodes[:, None] - b
            p = np.tensordot(weights / weights.sum(), 1.0 / (1.0 + np.exp(-a[:, None, None] * gaps)), (0, 1))
            log_likelihood += np.log(np.clip(p if right[person] else 1.0 - p, 1e-12, None))
        posterior = np.exp(log_likelihood - log_likelihood.max()).ravel()
        posterior /= posterior.sum()
        means[j] = posterior @ values
        centred = values - means[j]
        covariances[j] = (posterior[:, None] * centred).T @ centred
    return make_items(means[:, 1], means[:, 0], covariance=covariances)


def with_ratings(items: Items, rng: np.random.Generator) -> Items:
    """A quarter of the pool becomes rubric ratings 0..3."""
    rated = rated_items()
    steps = np.zeros((POOL, 3))
    first = rng.uniform(0.6, 1.4, POOL)
    steps[:, 0], steps[:, 2] = -first, first
    steps[~rated] = 0.0
    scores = np.where(rated, 3, 1)
    return make_items(items.difficulty, items.discrimination, steps=steps, scores=scores)


def rated_items() -> np.ndarray:
    return np.arange(POOL) < RATED_SHARE * POOL


def cells(seed: int) -> Iterator[Cell]:
    rng = np.random.default_rng([seed, 1])
    pool = make_pool(seed)
    persons = rng.normal(0.0, 1.0, PERSONS)
    few = calibrate_on_few(pool, 50, rng)
    ratings = with_ratings(pool, rng)
    base = Cell("baseline", pool, pool, persons)
    lenient = np.full(PERSONS, -SEVERITY)
    yield base
    yield replace(base, name="5 retakes", tries=5)
    yield replace(base, name="25 most exposed leaked to all", leaked=LEAKED)
    yield replace(base, name="leaked, and 5 retakes", leaked=LEAKED, tries=5)
    mentor = replace(base, truth=ratings, believed=ratings, rated=True)
    yield replace(mentor, name="one mentor, lenient by .6 to all", severity=lenient)
    yield replace(
        mentor, name="one mentor each, severity sd .6", severity=SEVERITY * rng.standard_normal(PERSONS)
    )
    yield replace(base, name="population 1 sd below the prior", abilities=rng.normal(-1.0, 1.0, LOW_PERSONS))
    yield replace(base, name="population 1 sd above the prior", abilities=rng.normal(1.0, 1.0, PERSONS))
    yield replace(base, name="items calibrated on 50 answers", believed=few)
    yield replace(base, name="on 50 answers, and 5 retakes", believed=few, tries=5)
    yield replace(base, name="decided for expiry: fading .9, drift .2", fading=0.9, drift=0.2)


def run_cell(cell: Cell, seed: int, rule: DecisionRule, *, usual: bool = False) -> Sittings:
    """Simulate one cell under a rule; where items leak, after as many honest persons as come afterwards."""
    believed = cell.believed
    if usual:
        believed = replace(believed, covariance=np.zeros_like(believed.covariance))
    content = {}
    if cell.rated:
        content = {"stratum": (~rated_items()).astype(int), "targets": (RATED_SHARE, 1.0 - RATED_SHARE)}
    table = build_table(believed, width=5 if usual else None, **content)
    beliefs = Beliefs(severity_deviation=SEVERITY if cell.rated and not usual else 0.0)
    world = World(
        cell.truth,
        rated=rated_items() if cell.rated else None,
        severity=cell.severity,
        fading=cell.fading,
        drift=cell.drift,
    )
    rng = np.random.default_rng([seed, 2])
    watch = None
    if cell.leaked:
        before = simulate_sittings(
            cell.abilities, world, table, CUT, rng, rule=rule, beliefs=beliefs, tries=cell.tries, usual=usual
        )
        known = np.zeros(POOL, dtype=bool)
        known[np.argsort(-before.shown, kind="stable")[: cell.leaked]] = True
        world, watch = replace(world, known=known), before.compromised
    return simulate_sittings(
        cell.abilities,
        world,
        table,
        CUT,
        rng,
        rule=rule,
        beliefs=beliefs,
        tries=cell.tries,
        compromised=watch,
        usual=usual,
    )


@dataclass
class Tally:
    """Sums over the pools of a cell."""

    false: int = 0
    passed: int = 0
    able_passed: int = 0
    able: int = 0
    answered: int = 0
    persons: int = 0
    promised: float = 0.0

    def add(self, run: Sittings) -> None:
        self.false += int((run.passed & ~run.able).sum())
        self.passed += int(run.passed.sum())
        self.able_passed += int((run.passed & run.able).sum())
        self.able += int(run.able.sum())
        self.answered += int(run.answered.sum())
        self.persons += len(run.passed)
        self.promised += float((1.0 - run.certainty[run.passed]).sum())

    @property
    def share(self) -> float:
        return self.false / self.passed if self.passed else 0.0

    @property
    def bound(self) -> float:
        return proportion_upper_bound(self.false, self.passed)

    @property
    def power(self) -> float:
        return self.able_passed / self.able


def run_suite(
    seeds: tuple[int, ...], rule: DecisionRule, report: Callable[[str, Tally, Tally, list[float]], None]
) -> None:
    by_name: dict[str, list[tuple[int, Cell]]] = {}
    for seed in seeds:
        for cell in cells(seed):
            by_name.setdefault(cell.name, []).append((seed, cell))
    for name, runs in by_name.items():
        ours, usual, each = Tally(), Tally(), []
        for seed, cell in runs:
            outcome = run_cell(cell, seed, rule)
            ours.add(outcome)
            alone = Tally()
            alone.add(outcome)
            each.append(alone.share)
            usual.add(run_cell(cell, seed, USUAL, usual=True))
        report(name, ours, usual, each)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--full", action="store_true", help="five pools instead of two")
    arguments.add_argument("--tuned", action="store_true", help="the pool on which the defaults were tuned")
    given = arguments.parse_args()
    seeds = (TUNED_SEED,) if given.tuned else SEEDS if given.full else SEEDS[:2]
    print(machine_line())
    print(DecisionRule(), f"pools {seeds}, cut {CUT}")
    head = (
        f"{'cell':40s} {'false':>6s} {'bound':>6s} {'worst':>6s} {'promised':>8s} {'able':>6s} {'items':>5s}"
    )
    print(f"{head} | {'usual':>6s} {'able':>6s} {'items':>5s} | bar {BAR} and {PASS_BAR}")
    missed = []
    started = time.process_time()

    def report(name: str, ours: Tally, usual: Tally, each: list[float]) -> None:
        good = ours.bound <= BAR and ours.power >= PASS_BAR
        if not good:
            missed.append(name)
        print(
            f"{name:40s} {ours.share:6.3f} {ours.bound:6.3f} {max(each):6.3f} "
            f"{ours.promised / max(ours.passed, 1):8.3f} {ours.power:6.3f} "
            f"{ours.answered / ours.persons:5.1f} | {usual.share:6.3f} {usual.power:6.3f} "
            f"{usual.answered / usual.persons:5.1f} | {'holds' if good else 'MISSED'}",
            flush=True,
        )

    run_suite(seeds, DecisionRule(), report)
    print(f"{time.process_time() - started:.0f} CPU-s. Missed: {', '.join(missed) or 'none'}.")


if __name__ == "__main__":
    main()
