"""Local dependence: by hand, sparse as dense, and against planted dependence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stats.quality.samples import two_parameter

from toprope.stats.items import expected_score, make_items
from toprope.stats.quality.dependence import MOST_ITEMS, local_dependence
from toprope.stats.responses import Responses, make_responses, table_responses


def test_q3_is_the_correlation_of_residuals_over_those_who_answered_both():
    generator = np.random.default_rng(1)
    items = make_items(np.linspace(-1, 1, 6), 1.2)
    scores, ability = two_parameter(generator, 400, items.discrimination, items.difficulty)
    scores[generator.random(scores.shape) < 0.4] = np.nan
    found = local_dependence(table_responses(scores), items, ability)
    residual = scores - expected_score(items, ability)
    values = []
    for i in range(6):
        for j in range(i):
            both = ~np.isnan(residual[:, i] + residual[:, j])
            values.append(np.corrcoef(residual[both, i], residual[both, j])[0, 1])
            assert found.q3[i, j] == pytest.approx(values[-1])
            assert found.q3[j, i] == found.q3[i, j]
    assert found.mean == pytest.approx(np.mean(values))
    assert found.known.all()


def test_an_item_that_gives_another_away_is_reported_and_nothing_else_is():
    generator = np.random.default_rng(2)
    items = make_items(np.linspace(-1, 1, 20), 1.2)
    scores, ability = two_parameter(generator, 2000, items.discrimination, items.difficulty)
    follows = generator.random(2000) < 0.5
    scores[follows, 9] = scores[follows, 8]
    noisy = ability + generator.normal(size=2000) * 0.4
    (pair,) = local_dependence(table_responses(scores), items, noisy).pairs
    assert (pair.first, pair.second, pair.answers) == (8, 9, 2000)
    assert pair.excess > 0.3


def test_few_shared_answers_are_no_evidence():
    """With a dozen persons a pair, correlations beyond 0.2 abound; none is reported."""
    generator = np.random.default_rng(3)
    items = make_items(np.zeros(30))
    scores, ability = two_parameter(generator, 300, items.discrimination, items.difficulty)
    scores[generator.random(scores.shape) < 0.8] = np.nan
    found = local_dependence(table_responses(scores), items, ability)
    assert (found.q3[found.known] > found.mean + 0.2).sum() > 60
    assert not found.pairs


def test_a_disconnected_design_leaves_pairs_unknown():
    generator = np.random.default_rng(4)
    items = make_items(np.zeros(4))
    scores, ability = two_parameter(generator, 60, items.discrimination, items.difficulty)
    scores[:30, :2], scores[30:, 2:] = np.nan, np.nan
    found = local_dependence(table_responses(scores), items, ability)
    assert found.known.tolist() == [
        [True, True, False, False],
        [True, True, False, False],
        [False, False, True, True],
        [False, False, True, True],
    ]
    assert (found.q3[~found.known] == 0).all()


def test_one_response_gives_no_mean():
    found = local_dependence(make_responses([0], [0], [1], items=2), make_items([0.0, 0.0]), [0.0])
    assert (found.mean, found.pairs) == (None, ())


@given(st.integers(0, 10_000), st.floats(-300, 300))
@settings(max_examples=40)
def test_no_answers_bring_a_silent_nan(seed, level):
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 2, (25, 4)).astype(float)
    scores[generator.random(scores.shape) < 0.2] = np.nan
    scores[:, 0] = 1.0
    found = local_dependence(table_responses(scores), make_items(np.zeros(4)), np.full(25, level))
    assert np.isfinite(found.q3).all()
    assert (np.abs(found.q3) <= 1).all()


def test_bounds_are_named():
    wide = Responses(np.array([0, 1]), np.array([0], np.int32), np.array([1], np.int8), MOST_ITEMS + 1)
    with pytest.raises(ValueError, match="by competency"):
        local_dependence(wide, make_items(np.zeros(MOST_ITEMS + 1)), [0.0])
    with pytest.raises(ValueError, match="critical"):
        local_dependence(make_responses([0], [0], [1]), make_items([0.0]), [0.0], critical=0.0)
