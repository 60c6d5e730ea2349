"""Accuracy and consistency against simulation and brute force."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from toprope.stats.classification import false_rates, lee, rudner, summed_scores
from toprope.stats.items import make_items, score_probabilities


def test_rudner_by_hand():
    found = rudner([0.5, -1.0], [0.5, 1.0], [0.0])
    above = stats.norm.sf([-1.0, 1.0])
    assert found.accuracy == pytest.approx((above[0] + 1 - above[1]) / 2)
    assert found.consistency == pytest.approx((above**2 + (1 - above) ** 2).mean())
    np.testing.assert_allclose(
        found.table, [[(1 - above[1]) / 2, (1 - above[0]) / 2], [above[1] / 2, above[0] / 2]]
    )
    assert found.false_passes == pytest.approx(1 - above[0])


def test_rudner_against_simulation():
    """Two classes of measurement of unequal quality; shrunken estimates, so that the beliefs are the
    truth's."""
    rng = np.random.default_rng(0)
    count, cuts = 300_000, [-0.5, 0.8]
    noise = np.where(np.arange(count) % 2, 0.4, 0.9)
    ability = rng.standard_normal(count)
    keep = 1 / (1 + noise**2)
    estimate = keep * (ability + noise * rng.standard_normal(count))
    found = rudner(estimate[:4000], np.sqrt(1 - keep)[:4000], cuts)
    true, decided = np.searchsorted(cuts, ability), np.searchsorted(cuts, estimate)
    assert found.accuracy == pytest.approx((true == decided).mean(), abs=0.01)
    table = np.array([[(true[decided == k] == j).sum() for k in range(3)] for j in range(3)]) / count
    np.testing.assert_allclose(found.table, table, atol=0.012)


def test_without_error_everything_is_right():
    found = rudner([-1.0, 0.0, 2.0], 0.0, [0.0, 1.0])
    assert (found.accuracy, found.consistency, found.kappa) == (1.0, 1.0, 1.0)
    assert found.false_passes == 0.0
    assert math.isnan(rudner([0.0], 0.0, [1.0]).kappa)


@given(
    scores=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    ability=st.floats(-3, 3),
    seed=st.integers(0, 1000),
)
def test_summed_scores_against_all_patterns(scores, ability, seed):
    rng = np.random.default_rng(seed)
    steps = np.zeros((len(scores), 3))
    for row, top in enumerate(scores):
        drawn = rng.normal(0, 1, top)
        steps[row, :top] = drawn - drawn.mean()
    items = make_items(
        rng.normal(0, 1, len(scores)), rng.uniform(0.5, 2, len(scores)), steps=steps, scores=scores
    )
    chances = score_probabilities(items, ability)
    expected = np.zeros(sum(scores) + 1)
    for pattern in itertools.product(*(range(top + 1) for top in scores)):
        expected[sum(pattern)] += np.prod([chances[j, k] for j, k in enumerate(pattern)])
    np.testing.assert_allclose(summed_scores(items, ability)[0], expected, atol=1e-12)


def test_lee_against_two_simulated_sittings():
    rng = np.random.default_rng(5)
    items = make_items(rng.normal(0, 1, 25), rng.uniform(0.7, 1.6, 25))
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    found = lee(items, nodes, [10, 17], weights)
    ability = rng.standard_normal(200_000)
    chances = score_probabilities(items, ability)[..., 1]
    sums = [(rng.random(chances.shape) < chances).sum(axis=1) for _ in range(2)]
    first, second = (np.searchsorted([10, 17], each, side="right") for each in sums)
    true = np.searchsorted([10, 17], chances.sum(axis=1), side="right")
    assert found.accuracy == pytest.approx((first == true).mean(), abs=0.008)
    assert found.consistency == pytest.approx((first == second).mean(), abs=0.004)
    agreed, chance = (
        (first == second).mean(),
        (np.bincount(first) / 200_000) @ (np.bincount(second) / 200_000),
    )
    assert found.kappa == pytest.approx((agreed - chance) / (1 - chance), abs=0.01)


def test_longer_forms_sort_better():
    rng = np.random.default_rng(6)
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    by_length = [
        lee(make_items(rng.normal(0, 1, n)), nodes, [0.5 * n + 0.25], weights).accuracy for n in (5, 20, 80)
    ]
    assert by_length == sorted(by_length)


def test_false_rates_count():
    rates = false_rates([1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0, 0])
    assert (rates.false_passes.count, rates.false_passes.total) == (1, 3)
    assert (rates.false_fails.count, rates.false_fails.total) == (1, 4)
    assert rates.able_passed.share == pytest.approx(2 / 3)
    assert rates.accuracy.share == pytest.approx(5 / 7)
    exact = stats.binomtest(1, 3).proportion_ci(0.95, "exact")
    assert rates.false_passes.interval == pytest.approx((exact.low, exact.high))
    nobody = false_rates([], [])
    assert math.isnan(nobody.false_passes.share)
    assert nobody.false_passes.interval == (0.0, 1.0)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="at least one finite number"):
        rudner([], [], [0.0])
    with pytest.raises(ValueError, match="at least one finite number"):
        rudner([math.nan], 1.0, [0.0])
    with pytest.raises(ValueError, match="standard errors"):
        rudner([0.0], -1.0, [0.0])
    for cuts in ([], [1.0, 1.0], [math.nan]):
        with pytest.raises(ValueError, match="cuts must be finite and rise"):
            rudner([0.0], 1.0, cuts)
    items = make_items([0.0])
    with pytest.raises(ValueError, match="at least one item and one finite ability"):
        lee(items, [math.inf], [1])
    with pytest.raises(ValueError, match="weights must be one for each"):
        lee(items, [0.0], [1], [-1.0])
    with pytest.raises(ValueError, match="one decision and one truth"):
        false_rates([True], [True, False])
