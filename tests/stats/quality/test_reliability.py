"""Reliability: by the formulas, and against what is known of simulated tests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from tests.stats.quality.samples import verbal

from toprope.stats.quality.reliability import ability_reliability, cronbach_alpha, mcdonald_omega, split_half


def parallel(generator, persons, weights, noise):
    ability = generator.normal(size=(persons, 1))
    return np.abs(ability * weights + generator.normal(size=(persons, len(weights))) * noise + 20)


def test_alpha_on_real_answers_with_feldts_interval():
    scores = verbal().scores
    found = cronbach_alpha(scores)
    covariance = np.cov(scores, rowvar=False)
    assert found.value == pytest.approx(24 / 23 * (1 - np.trace(covariance) / covariance.sum()))
    assert found.value == pytest.approx(0.87, abs=0.01)
    assert found.low == pytest.approx(1 - (1 - found.value) * stats.f.ppf(0.975, 315, 315 * 23))
    assert found.high == pytest.approx(1 - (1 - found.value) * stats.f.ppf(0.025, 315, 315 * 23))


def test_the_interval_covers():
    """Tau-equivalent items with a known reliability of 8 / 9.6."""
    generator = np.random.default_rng(1)
    truth = 64 / (64 + 8 * 1.6)
    found = [
        cronbach_alpha(parallel(generator, 60, np.ones(8), 1.6**0.5), probability=0.9) for _ in range(400)
    ]
    assert np.mean([each.low <= truth <= each.high for each in found]) == pytest.approx(0.9, abs=0.045)


def test_omega_is_right_where_alpha_is_too_low():
    generator = np.random.default_rng(2)
    weights, noise = np.array([0.3, 0.6, 1.0, 1.5, 0.2]), np.array([1.0, 0.8, 1.2, 0.5, 1.0])
    truth = weights.sum() ** 2 / (weights.sum() ** 2 + (noise**2).sum())
    scores = parallel(generator, 40_000, weights, noise)
    assert mcdonald_omega(scores) == pytest.approx(truth, abs=0.01)
    assert cronbach_alpha(scores).high < truth
    assert mcdonald_omega(scores * [1, 1, 0, 1, 1]) is None


def test_halves_stepped_up_agree_with_alpha_for_like_items():
    generator = np.random.default_rng(3)
    scores = parallel(generator, 3000, np.ones(10), 1.5)
    alpha = cronbach_alpha(scores).value
    found = split_half(scores, np.random.default_rng(1))
    assert found.median == pytest.approx(alpha, abs=0.005)
    assert found.low < found.median < found.high
    assert split_half(scores, np.random.default_rng(1)) == found


def test_strata_share_each_kind_out_to_both_halves():
    """Two kinds of items that have nothing in common: random halves vary, stratified ones do not."""
    generator = np.random.default_rng(4)
    kinds = np.repeat([0, 1], 2)
    truth = generator.normal(size=(4000, 2))
    scores = truth[:, kinds] + 0.01 * generator.normal(size=(4000, 4)) + 20
    assert split_half(scores, np.random.default_rng(1), strata=kinds).low > 0.999
    assert split_half(scores, np.random.default_rng(1)).low < 0.1


def test_halves_of_a_sparse_table():
    generator = np.random.default_rng(5)
    scores = parallel(generator, 3000, np.ones(20), 1.5)
    scores[generator.random(scores.shape) < 0.5] = np.nan
    found = split_half(scores, np.random.default_rng(1), splits=20)
    inverse = np.mean([1 / count for count in generator.binomial(10, 0.5, 10_000) if count])
    half = 1 / (1 + 2.25 * inverse)  # of a half that answers about five of its ten items
    assert found.median == pytest.approx(2 * half / (1 + half), abs=0.02)


def test_reliability_of_abilities():
    generator = np.random.default_rng(6)
    truth = generator.normal(size=50_000)
    error = generator.uniform(0.3, 0.6, 50_000)
    estimate = truth + error * generator.normal(size=50_000)
    expected = 1 / (1 + (error**2).mean())
    assert ability_reliability(estimate, error, posterior=False) == pytest.approx(expected, abs=0.01)
    shrunk = estimate / (1 + error**2)
    posterior_error = error / np.sqrt(1 + error**2)
    assert ability_reliability(shrunk, posterior_error) == pytest.approx(
        np.corrcoef(shrunk, truth)[0, 1] ** 2, abs=0.01
    )
    assert ability_reliability([1.0, 1.0], [0.3, 0.3]) is None
    assert ability_reliability([1.0, 1.1], [9.0, 9.0], posterior=False) == 0.0


def test_a_reversed_key_shows_as_a_low_alpha_not_as_an_error():
    generator = np.random.default_rng(7)
    scores = parallel(generator, 300, np.ones(2), 0.5)
    found = cronbach_alpha(np.column_stack([scores[:, 0], 40 - scores[:, 1]]))
    assert found.value < 0
    assert found.low < found.value < found.high


def test_scores_that_do_not_vary_have_no_reliability():
    found = cronbach_alpha(np.ones((5, 3)))
    assert (found.value, found.high) == (None, 1.0)
    assert split_half(np.ones((5, 3)), np.random.default_rng(1)).median is None


whole_tables = hnp.arrays(
    np.float64, st.tuples(st.integers(3, 9), st.integers(3, 5)), elements=st.sampled_from([0, 1, 2])
)


@given(whole_tables, st.integers(0, 100))
def test_no_table_brings_a_silent_nan(scores, seed):
    found = cronbach_alpha(scores)
    halves = split_half(scores, np.random.default_rng(seed), splits=3)
    for value in (found.value, found.high, mcdonald_omega(scores), halves.median, halves.low, halves.high):
        assert value is None or np.isfinite(value)
    if found.value is not None:
        assert found.low <= found.value <= found.high


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cronbach_alpha([[1.0, 0.0], [np.nan, 1.0]]), "person 1 has no score on item 0"),
        (lambda: cronbach_alpha([[1.0, 0.0]]), "at least 2 persons"),
        (lambda: cronbach_alpha(np.ones((3, 3)), probability=1.0), "between 0 and 1"),
        (lambda: split_half(np.ones((3, 3)), np.random.default_rng(1), splits=0), "splits"),
        (lambda: ability_reliability([1.0], [1.0]), "at least two"),
        (lambda: ability_reliability([1.0, 2.0], [1.0, -1.0]), "below 0"),
        (lambda: ability_reliability([1.0, np.nan], [1.0, 1.0]), "ability 1 is nan"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
