"""Item fit: by hand, by calibration under the model, and against planted misfit."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from tests.stats.quality.samples import two_parameter, verbal

from toprope.stats.items import make_items, score_probabilities
from toprope.stats.quality.item_fit import item_fit, item_statistics, summed_score_fit
from toprope.stats.responses import make_responses, table_responses

tables = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 8), st.integers(1, 5)),
    elements=st.sampled_from([0.0, 1.0, 2.0, np.nan]),
)


def test_classical_figures_by_hand():
    scores = np.array([[1, 1, 2], [1, 0, 1], [0, 0, 0], [1, 1, 1.0]])
    easy, _, points = item_statistics(scores)
    assert easy.share == 0.75
    assert points.share == 0.5
    assert easy.item_total == pytest.approx(np.corrcoef(scores[:, 0], scores.sum(axis=1))[0, 1])
    assert points.item_rest == pytest.approx(np.corrcoef(scores[:, 2], scores[:, :2].sum(axis=1))[0, 1])
    assert easy.deviation == pytest.approx(scores[:, 0].std(ddof=1))


def test_item_rest_correlation_equals_the_usual_one_on_real_answers():
    scores = verbal().scores
    for each in item_statistics(scores):
        rest = scores.sum(axis=1) - scores[:, each.item]
        assert each.item_rest == pytest.approx(np.corrcoef(scores[:, each.item], rest)[0, 1])
        assert each.note == ""


def test_what_stands_in_the_way_is_said():
    generator = np.random.default_rng(1)
    scores, _ = two_parameter(generator, 300, np.ones(9), np.zeros(9))
    scores[:, 0], scores[:, 1], scores[:, 2], scores[2:, 3] = 1, 0, 1 - scores[:, 2], np.nan
    scores[:, 4] = np.nan
    notes = [each.note for each in item_statistics(scores)]
    assert [note.split()[0] for note in notes[:2]] == ["everybody", "nobody"]
    assert "reversed" in notes[2]
    assert "too few" in notes[3]
    assert notes[4] == "nobody was asked"
    assert notes[5] == ""


@given(tables)
def test_no_table_brings_a_silent_nan_to_the_classical_figures(scores):
    for each in item_statistics(scores):
        for value in (each.share, each.deviation, each.item_rest, each.item_total):
            assert value is None or math.isfinite(value)


def test_a_highest_below_a_score_is_refused():
    with pytest.raises(ValueError, match="highest"):
        item_statistics([[0.0, 2.0]], highest=[1, 1])


def test_mean_squares_by_brute_force():
    items = make_items([-0.5, 0.3], [1.2, 0.8], guess=[0.2, 0.0])
    ability = np.array([-1.0, 0.2, 1.5])
    responses = make_responses([0, 0, 1, 2, 2], [0, 1, 1, 0, 1], [1, 0, 1, 1, 0], persons=3)
    fits = item_fit(responses, items, ability)
    who, score = np.array([0, 1, 2]), np.array([0, 1, 0])
    right = score_probabilities(items, ability[who])[:, 1, 1]
    noise = right * (1 - right)
    residual = (score - right) ** 2
    assert fits[1].outfit == pytest.approx((residual / noise).mean())
    assert fits[1].infit == pytest.approx(residual.sum() / noise.sum())
    # the variance of the outfit, by listing every outcome
    outcomes = np.array(list(itertools.product([0, 1], repeat=3)))
    weight = np.prod(np.where(outcomes == 1, right, 1 - right), axis=1)
    values = ((outcomes - right) ** 2 / noise).mean(axis=1)
    assert weight @ values == pytest.approx(1)
    spread = math.sqrt(weight @ (values - 1) ** 2)
    expected = (fits[1].outfit ** (1 / 3) - 1) * 3 / spread + spread / 3
    assert fits[1].outfit_z == pytest.approx(expected)


@pytest.mark.parametrize("ordered", [False, True])
def test_model_answers_fit_the_model(ordered):
    generator = np.random.default_rng(2)
    steps = np.tile([-0.8, 0.0, 0.8], (40, 1)) if ordered else None
    items = make_items(generator.normal(size=40), generator.uniform(0.7, 1.6, 40), steps=steps)
    ability = generator.normal(size=3000)
    chances = score_probabilities(items, ability)
    scores = (chances.cumsum(axis=2) < generator.random((3000, 40, 1))).sum(axis=2).astype(float)
    scores[generator.random(scores.shape) < 0.5] = np.nan
    fits = item_fit(table_responses(scores), items, ability)
    for name in ("infit_z", "outfit_z"):
        deviates = np.array([getattr(fit, name) for fit in fits])
        assert stats.kstest(deviates, "norm").pvalue > 0.01, name
    assert all(fit.reading == "as the model expects" for fit in fits)


def test_an_item_answered_by_coin_is_noisy_and_one_without_error_is_regular():
    generator = np.random.default_rng(3)
    items = make_items(np.linspace(-1, 1, 10))
    scores, ability = two_parameter(generator, 2000, np.ones(10), items.difficulty)
    scores[:, 3] = generator.random(2000) < 0.5
    scores[:, 6] = ability > items.difficulty[6]
    fits = item_fit(table_responses(scores), items, ability)
    assert fits[3].infit_z > 5
    assert fits[6].infit_z < -5
    assert "regular" in fits[6].reading
    assert summed_score_fit(scores, items, estimated=0)[3].p_value < 1e-6


@given(tables.filter(lambda table: not np.isnan(table).all()), st.floats(-400, 400))
@settings(max_examples=60)
def test_no_answers_bring_a_silent_nan(scores, level):
    items = make_items(np.zeros(scores.shape[1]), steps=np.tile([-1.0, 1.0], (scores.shape[1], 1)))
    for fit in item_fit(table_responses(scores), items, np.full(len(scores), level)):
        for value in (fit.infit, fit.infit_z, fit.outfit, fit.outfit_z):
            assert value is None or math.isfinite(value)
        assert fit.reading


def test_items_that_all_or_none_got_right_have_finite_fit():
    scores = np.tile([1.0, 0.0, 1.0], (5, 1))
    fits = item_fit(table_responses(scores), make_items(np.zeros(3)), np.zeros(5))
    assert [fit.outfit for fit in fits] == pytest.approx([1.0] * 3)
    assert fits[0].outfit_z is None  # at P = .5 each squared residual is 1 for sure


@pytest.mark.parametrize(
    ("ability", "items", "message"),
    [
        ([0.0], make_items([0.0, 0.0]), "ability has the shape"),
        ([0.0, np.nan], make_items([0.0, 0.0]), "ability 1 is nan"),
        ([0.0, 0.0], make_items([0.0]), "parameters of 1"),
        ([0.0, 0.0], make_items([0.0, 0.0]), r"exceeds the item's highest"),
    ],
)
def test_what_does_not_go_together_is_named(ability, items, message):
    responses = make_responses([0, 1], [0, 1], [1, 2])
    with pytest.raises(ValueError, match=message):
        item_fit(responses, items, ability)


def test_the_expected_shares_of_s_x2_by_listing_every_answer_pattern():
    """Observed counts set to what the model expects leave a chi-square of (nearly) nothing."""
    items = make_items([-0.7, 0.1, 0.4, 1.0], [0.8, 1.4, 1.0, 1.2])
    nodes = np.linspace(-6, 6, 61)
    weight = np.exp(-(nodes**2) / 2)
    right = score_probabilities(items, nodes)[..., 1]
    patterns = np.array(list(itertools.product([0, 1], repeat=4)))
    share = np.array([weight @ np.prod(np.where(row == 1, right, 1 - right), axis=1) for row in patterns])
    counts = np.round(share / share.sum() * 400_000).astype(int)
    scores = np.repeat(patterns, counts, axis=0)
    for fit in summed_score_fit(scores, items, estimated=0):
        assert fit.degrees == 3
        assert fit.chi_square < 0.01
        assert fit.p_value > 0.99


def test_s_x2_keeps_its_level_under_the_model():
    generator = np.random.default_rng(4)
    slope, difficulty = generator.uniform(0.8, 1.6, 60), generator.normal(size=60)
    scores, _ = two_parameter(generator, 3000, slope, difficulty)
    p_values = [fit.p_value for fit in summed_score_fit(scores, make_items(difficulty, slope), estimated=0)]
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    ordered = make_items(generator.normal(size=12), steps=np.tile([-0.7, 0.7], (12, 1)))
    chances = score_probabilities(ordered, generator.normal(size=4000))
    drawn = (chances.cumsum(axis=2) < generator.random((4000, 12, 1))).sum(axis=2)
    p_values = [fit.p_value for fit in summed_score_fit(drawn, ordered, estimated=0)]
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_s_x2_with_too_little_to_test_says_none():
    fits = summed_score_fit([[0.0, 1.0], [1.0, 0.0]], make_items([0.0, 0.0]))
    assert all(fit.p_value is None and fit.degrees == 0 for fit in fits)
    with pytest.raises(ValueError, match="nobody answered every item"):
        summed_score_fit([[0.0, np.nan]], make_items([0.0, 0.0]))
    with pytest.raises(ValueError, match="whole numbers"):
        summed_score_fit([[0.0, 2.0]], make_items([0.0, 0.0]))
    with pytest.raises(ValueError, match="parameters of 2"):
        summed_score_fit([[0.0, 1.0, 1.0]], make_items([0.0, 0.0]))
    with pytest.raises(ValueError, match="deviation"):
        summed_score_fit([[0.0, 1.0]], make_items([0.0, 0.0]), deviation=0.0)
