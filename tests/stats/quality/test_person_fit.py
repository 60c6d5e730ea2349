"""Person fit: by the published formulas, by calibration under the model, and against odd patterns."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from tests.stats.quality.samples import two_parameter

from toprope.stats.items import make_items, score_probabilities
from toprope.stats.quality.person_fit import person_fit, read_person_fit
from toprope.stats.responses import make_responses, table_responses


def likeliest(scores, items, prior=0.0):
    """Maximum-likelihood ability (with a normal prior's weight if asked), by bisection on the slope."""

    def slope(theta):
        right = score_probabilities(items, theta)[:, 1]
        rise = (
            score_probabilities(items, theta + 1e-5)[:, 1] - score_probabilities(items, theta - 1e-5)[:, 1]
        ) / 2e-5
        return float(((scores - right) * rise / (right * (1 - right))).sum() - prior * theta)

    return optimize.brentq(slope, -8, 8) if slope(-8) > 0 > slope(8) else math.nan


def test_against_the_formulas_of_snijders():
    generator = np.random.default_rng(1)
    items = make_items(generator.normal(size=25), generator.uniform(0.7, 1.8, 25))
    scores, _ = two_parameter(generator, 20, items.discrimination, items.difficulty)
    for prior in (
        0.0,
        1.0,
    ):  # maximum likelihood (r0 = 0), and the mode under a standard normal (r0 = -theta)
        ability = np.array([likeliest(row, items, prior) for row in scores])
        kept = np.isfinite(ability)
        fit = person_fit(table_responses(scores[kept]), items, ability[kept])
        for place, (row, theta) in enumerate(zip(scores[kept], ability[kept], strict=True)):
            p = score_probabilities(items, theta)[:, 1]
            w, rise = np.log(p / (1 - p)), items.discrimination * p * (1 - p)
            r = rise / (p * (1 - p))
            c = (rise * w).sum() / (rise * r).sum()
            reduced = w - c * r
            numerator = ((row - p) * w).sum() + c * (-prior * theta)
            assert fit.corrected[place] == pytest.approx(
                numerator / math.sqrt((p * (1 - p) * reduced**2).sum()), abs=1e-5
            )
            likelihood = np.where(row == 1, np.log(p), np.log(1 - p)).sum()
            middle = (p * np.log(p) + (1 - p) * np.log(1 - p)).sum()
            assert fit.standardised[place] == pytest.approx(
                (likelihood - middle) / math.sqrt((p * (1 - p) * w**2).sum())
            )


def test_the_correction_restores_the_spread():
    generator = np.random.default_rng(2)
    items = make_items(generator.normal(size=40), generator.uniform(0.8, 1.8, 40))
    scores, _ = two_parameter(generator, 4000, items.discrimination, items.difficulty)
    nodes = np.linspace(-5, 5, 101)
    chance = score_probabilities(items, nodes)
    log = scores @ np.log(chance[..., 1]).T + (1 - scores) @ np.log(chance[..., 0]).T
    posterior = np.exp(log - log.max(axis=1, keepdims=True)) * np.exp(-(nodes**2) / 2)
    ability = posterior @ nodes / posterior.sum(axis=1)
    fit = person_fit(table_responses(scores), items, ability)
    assert fit.judged.all()
    assert fit.corrected.std() == pytest.approx(1.0, abs=0.05)
    assert fit.corrected.mean() == pytest.approx(0.0, abs=0.1)
    assert fit.standardised.std() < fit.corrected.std()
    assert (fit.p_value < 0.05).mean() == pytest.approx(0.05, abs=0.02)


def test_a_turned_pattern_stands_out_for_ordered_scores_too():
    generator = np.random.default_rng(3)
    items = make_items(np.linspace(-2, 2, 30), 1.3, steps=np.tile([-0.5, 0.5], (30, 1)))
    chances = score_probabilities(items, np.zeros(200))
    scores = (chances.cumsum(axis=2) < generator.random((200, 30, 1))).sum(axis=2)
    scores[0] = np.where(items.difficulty > 0, 2, 0)
    fit = person_fit(table_responses(scores), items, np.zeros(200))
    assert fit.corrected[0] < -5
    assert (fit.corrected[1:] > -4).all()
    assert "less than usual" in read_person_fit(fit.corrected[0])


def test_guessable_items():
    """The slope of the log-likelihood, against differences."""
    items = make_items([0.3], [1.4], guess=[0.25], slip=[0.05])
    up, down = (score_probabilities(items, 0.2 + gap)[0] for gap in (1e-6, -1e-6))
    slopes = (np.log(up) - np.log(down)) / 2e-6
    chances = score_probabilities(items, 0.2)[0]
    pool = make_items(np.full(30, 0.3), 1.4, guess=0.25, slip=0.05)
    scores = np.array([[1.0] * 12 + [0.0] * 18])
    fit = person_fit(table_responses(scores), pool, [0.2])
    # thirty like items: the log-likelihood is a function of the slope, so nothing but the slope is left to
    # judge
    assert not fit.judged[0]
    assert chances @ slopes == pytest.approx(0, abs=1e-8)


@given(st.integers(0, 10_000), st.floats(-600, 600), st.integers(1, 4))
@settings(max_examples=60)
def test_no_answers_bring_a_silent_nan(seed, level, persons):
    generator = np.random.default_rng(seed)
    items = make_items(generator.normal(size=5) * 3, generator.uniform(0.1, 4, 5), guess=[0, 0, 0.3, 0, 0])
    scores = generator.integers(0, 2, (persons, 5)).astype(float)
    scores[generator.random(scores.shape) < 0.3] = np.nan
    scores[0, 0] = 1.0
    fit = person_fit(table_responses(scores), items, np.full(persons, level))
    assert np.isfinite([fit.standardised, fit.corrected, fit.p_value]).all()
    assert ((fit.p_value >= 0) & (fit.p_value <= 1)).all()
    assert (fit.p_value[~fit.judged] == 1).all()


def test_nobody_is_judged_on_nothing():
    responses = make_responses([1], [0], [1], persons=3)
    fit = person_fit(responses, make_items([0.0]), [0.0, 0.0, 0.0])
    assert fit.judged.tolist() == [False, False, False]
    assert fit.answers.tolist() == [0, 1, 0]


@pytest.mark.parametrize(("value", "word"), [(-4, "700"), (-2, "1 in 20"), (0, "as usual"), (4, "orderly")])
def test_the_reading(value, word):
    assert word in read_person_fit(value)


def test_the_reading_of_nothing_is_refused():
    with pytest.raises(ValueError, match="finite"):
        read_person_fit(math.nan)
