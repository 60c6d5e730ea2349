"""Whole sittings under attack, small: the full suite is benchmarks/false_passes.py."""

import dataclasses

import numpy as np
import pytest

from toprope.stats.decisions import DecisionRule
from toprope.stats.distributions import proportion_upper_bound
from toprope.stats.items import make_items
from toprope.stats.selection import build_table
from toprope.stats.sittings import Beliefs, World, simulate_sittings

CUT, PERSONS = 0.5, 3_000


@pytest.fixture(scope="module")
def pool():
    rng = np.random.default_rng(21)
    return make_items(rng.normal(0.3, 1.1, 500), np.exp(rng.normal(0.1, 0.3, 500)))


def simulate(world, table, abilities, **more):
    given = {"rule": DecisionRule(), "beliefs": Beliefs()} | more
    return simulate_sittings(abilities, world, table, CUT, np.random.default_rng(22), **given)


def abilities(mean=0.0, count=PERSONS):
    return np.random.default_rng(23).normal(mean, 1.0, count)


def false_pass_bound(run):
    return proportion_upper_bound(int((run.passed & ~run.able).sum()), int(run.passed.sum()))


def share_false(run):
    return (~run.able)[run.passed].mean()


def test_few_false_passes_and_most_of_the_able_pass(pool):
    run = simulate(World(pool), build_table(pool), abilities())
    assert false_pass_bound(run) <= 0.05
    assert run.passed[run.able].mean() >= 0.55
    # What the model promised of its own decisions is about what it kept.
    assert share_false(run) == pytest.approx((1 - run.certainty[run.passed]).mean(), abs=0.015)
    assert run.answered.max() <= 40
    assert run.answered.min() >= 10
    assert run.shown.sum() == run.answered.sum()


def test_retakes_carry_the_posterior(pool):
    run = simulate(World(pool), build_table(pool), abilities(), tries=5)
    assert false_pass_bound(run) <= 0.05
    usual = simulate(World(pool), build_table(pool, width=5), abilities(), tries=5, usual=True)
    assert share_false(usual) > 0.2


def test_a_leak_of_the_most_exposed_is_withstood(pool):
    table = build_table(pool)
    before = simulate(World(pool), table, abilities())
    known = np.zeros(500, dtype=bool)
    known[np.argsort(-before.shown)[:25]] = True
    leaked = World(pool, known=known)
    after = simulate(leaked, table, abilities(), compromised=before.compromised)
    assert false_pass_bound(after) <= 0.05
    assert after.passed[after.able].mean() >= 0.55
    assert (after.compromised[known] >= 0.5).sum() >= 24
    usual_table = build_table(pool, width=5)
    worn = simulate(World(pool), usual_table, abilities(), usual=True).shown
    known = np.zeros(500, dtype=bool)
    known[np.argsort(-worn)[:25]] = True
    assert share_false(simulate(World(pool, known=known), usual_table, abilities(), usual=True)) > 0.5


def test_a_lenient_mentor_is_withstood(pool):
    rated = np.arange(500) < 125
    steps = np.where(rated[:, None], [-1.0, 0.0, 1.0], 0.0)
    items = make_items(pool.difficulty, pool.discrimination, steps=steps, scores=np.where(rated, 3, 1))
    table = build_table(items, stratum=(~rated).astype(int), targets=[0.25, 0.75])
    lenient = World(items, rated=rated, severity=np.full(PERSONS, -0.6))
    run = simulate(lenient, table, abilities(), beliefs=Beliefs(severity_deviation=0.6))
    assert false_pass_bound(run) <= 0.05
    assert run.passed[run.able].mean() >= 0.55
    naive = simulate(lenient, table, abilities())
    assert share_false(naive) > 2 * share_false(run)


def test_fading_until_expiry_is_decided_for(pool):
    world = World(pool, fading=0.9, drift=0.2)
    run = simulate(world, build_table(pool), abilities())
    assert false_pass_bound(run) <= 0.05
    now = simulate(World(pool), build_table(pool), abilities())
    assert run.passed.sum() < now.passed.sum()


def test_the_same_seed_gives_the_same_sittings(pool):
    table = build_table(pool)
    first, second = (simulate(World(pool), table, abilities(count=200)) for _ in range(2))
    for field in dataclasses.fields(first):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name))


def test_a_pool_that_runs_out_ends_the_sitting():
    items = make_items(np.linspace(-1, 2, 6), 1.5)
    run = simulate(World(items), build_table(items), abilities(count=300))
    assert run.answered.max() == 6
    assert not (run.passed & (run.certainty < DecisionRule().certainty)).any()


def test_bad_input_is_named(pool):
    table = build_table(pool)
    with pytest.raises(ValueError, match="3 true items for a table of 500"):
        simulate(World(pool.take([0, 1, 2])), table, abilities())
    with pytest.raises(ValueError, match="finite logits"):
        simulate(World(pool), table, [np.nan])
