"""The response model: its shape, its information, and what is no item."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.stats.items import expected_score, information, make_items, score_probabilities

abilities = st.floats(-6, 6)


@st.composite
def item_sets(draw):
    count, top = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    scores = draw(st.lists(st.integers(1, top), min_size=count, max_size=count))
    steps = np.zeros((count, top))
    for j, m in enumerate(scores):
        free = draw(st.lists(st.floats(-2, 2), min_size=m, max_size=m))
        steps[j, :m] = np.array(free) - np.mean(free)
    binary = np.array(scores) == 1
    return make_items(
        draw(st.lists(st.floats(-4, 4), min_size=count, max_size=count)),
        draw(st.lists(st.floats(0.2, 3), min_size=count, max_size=count)),
        guess=np.where(binary, draw(st.floats(0, 0.5)), 0),
        slip=np.where(binary, draw(st.floats(0, 0.2)), 0),
        steps=steps,
        scores=scores,
    )


@given(item_sets(), abilities)
def test_chances_sum_to_one_and_scores_beyond_the_highest_have_none(items, ability):
    chances = score_probabilities(items, ability)
    assert chances.sum(axis=-1) == pytest.approx(np.ones(len(items)))
    for j, top in enumerate(items.scores):
        assert not chances[j, top + 1 :].any()


@given(item_sets(), abilities, st.floats(0.1, 2), st.floats(0, 2))
def test_more_ability_and_a_milder_rater_raise_the_score(items, ability, more, severity):
    assert (expected_score(items, ability + more) >= expected_score(items, ability) - 1e-12).all()
    assert (expected_score(items, ability, severity) <= expected_score(items, ability) + 1e-12).all()


@given(item_sets(), st.floats(-4, 4))
def test_information_is_the_expected_squared_slope(items, ability):
    step = 1e-5
    below, here, above = (score_probabilities(items, ability + shift) for shift in (-step, 0.0, step))
    slope = (above - below) / (2 * step)
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = np.where(here > 1e-12, slope**2 / here, 0.0).sum(axis=-1)
    assert information(items, ability) == pytest.approx(wanted, rel=1e-4, abs=1e-6)


def test_right_or_wrong_is_the_logistic_curve():
    items = make_items([0.5], [1.7], guess=0.2, slip=0.1)
    wanted = 0.2 + 0.7 / (1 + math.exp(-1.7 * (1.0 - 0.5)))
    assert score_probabilities(items, 1.0)[0].tolist() == pytest.approx([1 - wanted, wanted])


def test_shapes():
    items = make_items([0.0, 1.0, 2.0])
    assert score_probabilities(items, np.zeros((4, 5))).shape == (4, 5, 3, 2)
    assert expected_score(items, np.zeros(4), np.zeros((4, 3))).shape == (4, 3)
    assert information(items, 0.0).shape == (3,)
    assert len(items.take([2, 0])) == 2
    assert items.take([2, 0]).difficulty.tolist() == [2.0, 0.0]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"difficulty": [0.0, math.nan]}, "item 1 of 2: difficulty"),
        ({"difficulty": [0.0], "discrimination": 0.0}, "discrimination"),
        ({"difficulty": [0.0], "guess": 0.6, "slip": 0.5}, "guess and slip"),
        ({"difficulty": [0.0], "steps": [[1.0, 1.0]]}, "sum to 0"),
        ({"difficulty": [0.0], "steps": [[0.5, -0.5]], "scores": [1]}, "beyond its highest"),
        ({"difficulty": [0.0], "steps": [[0.5, -0.5]], "guess": 0.1}, "right-or-wrong"),
        ({"difficulty": [0.0], "steps": [[0.5, -0.5]], "scores": [3]}, "highest score"),
        ({"difficulty": [0.0, 1.0], "steps": [[0.0]]}, "1 rows for 2 items"),
        ({"difficulty": [0.0], "covariance": [-1.0]}, "variance is negative"),
        ({"difficulty": [0.0], "covariance": [[1.0]]}, "shape"),
    ],
)
def test_what_is_no_item_is_named(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        make_items(**arguments)
