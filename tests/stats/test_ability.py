"""The update of an ability belief: against brute force, and its rules as properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.stats import Belief, ItemParameters, cut_score, probability_right, update_belief

beliefs = st.builds(Belief, st.floats(-4, 4), st.floats(0.05, 3))
items = st.builds(
    ItemParameters,
    difficulty=st.floats(-4, 4),
    difficulty_error=st.floats(0, 2),
    guess=st.floats(0, 0.6),
    discrimination=st.floats(0.2, 3),
)


def brute_force(belief: Belief, item: ItemParameters, right: bool) -> tuple[float, float]:
    """Posterior mean and standard deviation on a fine grid over ability and difficulty."""
    theta = np.linspace(
        belief.value - 8 * belief.standard_error, belief.value + 8 * belief.standard_error, 1201
    )
    error = max(item.difficulty_error, 1e-6)
    b = np.linspace(item.difficulty - 8 * error, item.difficulty + 8 * error, 801)
    prior = np.exp(-0.5 * ((theta - belief.value) / belief.standard_error) ** 2)
    nature = np.exp(-0.5 * ((b - item.difficulty) / error) ** 2)
    p = item.guess + (1 - item.guess) / (1 + np.exp(-item.discrimination * (theta[:, None] - b[None, :])))
    likelihood = (p if right else 1 - p) @ nature
    posterior = prior * likelihood
    posterior /= posterior.sum()
    mean = float(posterior @ theta)
    return mean, math.sqrt(float(posterior @ (theta - mean) ** 2))


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize(
    ("belief", "item"),
    [
        (Belief(0, 1), ItemParameters(0, 0.7, 1 / 3)),
        (Belief(0, 1), ItemParameters(-1, 0.7, 0.25)),
        (Belief(1.2, 0.4), ItemParameters(0.5, 0, 0, 1.7)),
        (Belief(-2, 1.5), ItemParameters(2, 1, 0.2, 0.8)),
    ],
)
def test_matches_brute_force(belief, item, right):
    after = update_belief(belief, item, right=right)
    mean, sd = brute_force(belief, item, right)
    assert after.value == pytest.approx(mean, abs=2e-4)
    assert after.standard_error == pytest.approx(sd, abs=2e-4)


@given(beliefs, items)
def test_a_right_answer_never_lowers_and_a_wrong_one_never_raises(belief, item):
    assert update_belief(belief, item, right=True).value >= belief.value - 1e-9
    assert update_belief(belief, item, right=False).value <= belief.value + 1e-9


@given(beliefs, items, st.booleans())
def test_stays_finite(belief, item, right):
    after = update_belief(belief, item, right=right)
    assert math.isfinite(after.value)
    assert 0 < after.standard_error < math.inf


@given(beliefs, items, st.booleans())
def test_a_doubtful_difficulty_moves_the_estimate_less(belief, item, right):
    sure = ItemParameters(item.difficulty, 0.0, item.guess, item.discrimination)
    doubtful = ItemParameters(item.difficulty, 3.0, item.guess, item.discrimination)
    step_sure = abs(update_belief(belief, sure, right=right).value - belief.value)
    step_doubtful = abs(update_belief(belief, doubtful, right=right).value - belief.value)
    # Holds in expectation; a surprise on a sure item beside a flat likelihood is the exception to allow for.
    p = probability_right(belief.value, sure)
    if 0.35 < p < 0.65 and item.guess < 0.05:
        assert step_doubtful <= step_sure + 1e-9


def test_coverage_of_the_90_percent_interval():
    """Persons and items simulated from the very priors: 90 % intervals hold the truth in 88 to 92 %."""
    rng = np.random.default_rng(20261123)
    inside = 0
    persons = 1500
    for _ in range(persons):
        truth = rng.normal()
        belief = Belief(0, 1)
        for _ in range(12):
            item = ItemParameters(rng.choice([-1.0, 0.0, 1.0]), 0.7, 1 / 3)
            real = ItemParameters(rng.normal(item.difficulty, item.difficulty_error), 0, item.guess)
            belief = update_belief(belief, item, right=bool(rng.random() < probability_right(truth, real)))
        low, high = belief.interval(0.9)
        inside += low <= truth <= high
    assert 0.88 <= inside / persons <= 0.92


def test_cut_score_inverts_the_response_function():
    item = ItemParameters(0.3, 0, 1 / 3, 1.4)
    assert probability_right(cut_score(item, 0.75), item) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ItemParameters(math.nan, 0), "finite"),
        (lambda: ItemParameters(0, -1), "difficulty_error >= 0"),
        (lambda: ItemParameters(0, 0, 1.0), "guess in"),
        (lambda: ItemParameters(0, 0, 0, 0), "discrimination > 0"),
        (lambda: cut_score(ItemParameters(0, 0, 0.4), 0.3), "guessing alone"),
        (lambda: Belief(0, 1).interval(1.0), "strictly between"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
