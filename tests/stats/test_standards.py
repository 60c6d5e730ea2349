"""Cut scores by a mark, by an Angoff panel and by bookmarks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.stats.items import expected_score, make_items, score_probabilities
from toprope.stats.standards import angoff_cut, bookmark_cut, cut_for_mark, ordered_booklet


def mixed_items(count=12, seed=0):
    rng = np.random.default_rng(seed)
    scores = np.where(np.arange(count) % 3 == 0, 3, 1)
    steps = np.where(scores[:, None] == 3, [-1.0, 0.0, 1.0], 0.0)
    guess = np.where(scores == 1, 0.1, 0.0)
    return make_items(
        rng.normal(0, 1, count), rng.uniform(0.6, 1.8, count), steps=steps, scores=scores, guess=guess
    )


@given(mark=st.floats(0.3, 0.95), difficulty=st.floats(-3, 3), a=st.floats(0.4, 2.5))
def test_a_mark_on_one_item_agrees_with_the_closed_form(mark, difficulty, a):
    share = (mark - 0.25) / 0.75
    closed = difficulty + math.log(share / (1.0 - share)) / a
    assert cut_for_mark(make_items([difficulty], a, guess=0.25), mark) == pytest.approx(closed, abs=1e-9)


@given(mark=st.floats(0.15, 0.97))
def test_at_the_cut_the_mark_is_expected(mark):
    items = mixed_items()
    assert expected_score(items, cut_for_mark(items, mark)).mean() == pytest.approx(mark, abs=1e-9)


def test_an_angoff_panel_that_knows_the_items_finds_the_cut():
    rng = np.random.default_rng(1)
    items, cut = mixed_items(40), 0.4
    own = cut + 0.3 * rng.standard_normal(100)
    noise = 0.03 * rng.standard_normal((100, 40))
    ratings = np.clip(expected_score(items, own) + noise, 0.0, 1.0)
    ratings[rng.random(ratings.shape) < 0.2] = np.nan  # panelists skip items
    panel = angoff_cut(items, ratings)
    assert panel.cut == pytest.approx(cut, abs=3 * panel.standard_error)
    assert panel.spread == pytest.approx(0.3, rel=0.2)
    assert panel.standard_error == pytest.approx(panel.spread / 10)
    np.testing.assert_allclose(panel.panelists, own, atol=0.15)
    assert panel.agreement.min() > 0.9


def test_the_angoff_error_is_that_of_repeated_panels():
    rng = np.random.default_rng(2)
    items = mixed_items(8)
    cuts, errors = [], []
    for _ in range(120):
        ratings = expected_score(items, 0.5 * rng.standard_normal(5))
        panel = angoff_cut(items, ratings)
        cuts.append(panel.cut)
        errors.append(panel.standard_error**2)
    assert np.std(cuts) == pytest.approx(np.sqrt(np.mean(errors)), rel=0.2)


def test_a_panelist_who_rates_against_the_items_stands_out():
    items = mixed_items(30)
    good = expected_score(items, 0.3)
    panel = angoff_cut(items, np.stack([good, 1.15 - good, np.full(30, 0.6)]).clip(0, 1))
    assert panel.agreement[0] == pytest.approx(1.0)
    assert panel.agreement[1] < -0.9
    assert math.isnan(panel.agreement[2])


def test_one_panelist_has_no_standard_error():
    panel = angoff_cut(mixed_items(), np.full(12, 0.6))
    assert math.isnan(panel.standard_error)
    assert math.isnan(panel.spread)


def test_a_booklet_is_in_order_and_each_entry_is_mastered_there():
    items = mixed_items()
    booklet = ordered_booklet(items)
    assert len(booklet.item) == items.scores.sum()
    assert (np.diff(booklet.location) >= 0).all()
    for item, score, location in zip(booklet.item, booklet.score, booklet.location, strict=True):
        assert score_probabilities(items, location)[item, score:].sum() == pytest.approx(0.67, abs=1e-9)


def test_rp67_of_a_rasch_item_lies_log_odds_above_its_difficulty():
    booklet = ordered_booklet(make_items([1.0, -1.0]))
    np.testing.assert_array_equal(booklet.item, [1, 0])
    np.testing.assert_allclose(booklet.location, np.array([-1.0, 1.0]) + math.log(0.67 / 0.33))


def test_bookmarks():
    booklet = ordered_booklet(make_items(np.linspace(-2, 2, 21)))
    panel = bookmark_cut(booklet, [10, 12, 11, 12, 20])
    assert panel.cut == booklet.location[11]
    np.testing.assert_allclose(panel.panelists, booklet.location[[9, 11, 10, 11, 19]])
    assert panel.standard_error == pytest.approx(1.2533 * panel.spread / math.sqrt(5), rel=1e-4)
    assert math.isnan(bookmark_cut(booklet, [3]).standard_error)


def test_bad_input_is_named():
    items = make_items([0.0, 1.0], guess=[0.2, 0.8])
    with pytest.raises(ValueError, match="at least one item"):
        cut_for_mark(items.take([]), 0.5)
    for mark in (0.5, 1.0, math.nan):
        with pytest.raises(ValueError, match="lies outside"):
            cut_for_mark(items, mark)
    with pytest.raises(ValueError, match="shape"):
        angoff_cut(items, [[0.5]])
    with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
        angoff_cut(items, [[0.5, 1.5]])
    with pytest.raises(ValueError, match="panelist 1: the mark"):
        angoff_cut(items, [[0.9, 0.9], [0.1, 0.1]])
    with pytest.raises(ValueError, match="panelist 0: a cut score needs"):
        angoff_cut(items, [[math.nan, math.nan]])
    with pytest.raises(ValueError, match="item 1 is mastered"):
        ordered_booklet(items)
    with pytest.raises(ValueError, match="response_probability"):
        ordered_booklet(items, 1.0)
    booklet = ordered_booklet(make_items([0.0]))
    for marks in ([], [0], [2]):
        with pytest.raises(ValueError, match="each bookmark"):
            bookmark_cut(booklet, marks)
