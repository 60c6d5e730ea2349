"""When a sitting ends, and what certainty passes: rules that protect people, so properties of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from toprope.stats.decisions import (
    CERTAINTY,
    THRESHOLDS,
    Decision,
    DecisionRule,
    decide,
    learn_threshold,
    probability_at_least,
    summarise_decisions,
)

RULE = DecisionRule()


@given(certainty=st.floats(0, 1), answered=st.integers(0, 60), nothing_left=st.booleans())
def test_nobody_passes_below_lambda_and_every_sitting_ends(certainty, answered, nothing_left):
    outcome = decide(RULE, certainty, answered, nothing_left=nothing_left)
    if outcome is Decision.PASSED:
        assert certainty >= RULE.certainty
    if outcome is Decision.CONTINUE:
        assert answered < RULE.most
        assert not nothing_left
    if answered < RULE.fewest and not nothing_left:
        assert outcome is Decision.CONTINUE


@given(low=st.floats(0, 1), high=st.floats(0, 1), answered=st.integers(0, 60))
def test_more_certainty_never_counts_against_anybody(low, high, answered):
    order = [Decision.NOT_YET, Decision.CONTINUE, Decision.PASSED]
    low, high = sorted((low, high))
    assert order.index(decide(RULE, low, answered)) <= order.index(decide(RULE, high, answered))


def test_a_sitting_goes_on_after_lambda_until_the_matter_is_plain():
    assert decide(RULE, 0.95, 20) is Decision.CONTINUE
    assert decide(RULE, 0.95, 40) is Decision.PASSED
    assert decide(RULE, 0.996, 20) is Decision.PASSED
    assert decide(RULE, 0.005, 20) is Decision.NOT_YET
    assert decide(RULE, 0.87, 40) is Decision.NOT_YET
    assert decide(RULE, 0.95, 7, nothing_left=True) is Decision.PASSED


@given(ability=st.floats(-5, 5), error=st.floats(0.01, 5), cut=st.floats(-5, 5))
def test_probability_at_least(ability, error, cut):
    assert probability_at_least(ability, error, cut) == pytest.approx(stats.norm.sf(cut, ability, error))
    assert probability_at_least(ability, 0.0, cut) == float(ability >= cut)


def audits(rng, count, share_below):
    """Audited decisions whose true share below the cut is `share_below(certainty)`."""
    certainty = rng.uniform(0.8, 1.0, count)
    return certainty, rng.random(count) < share_below(certainty)


def test_a_threshold_is_learnt_where_audits_allow():
    rng = np.random.default_rng(0)
    learnt = learn_threshold(*audits(rng, 3000, lambda c: (1 - c) / 2))
    assert learnt.learnt
    assert learnt.threshold <= 0.90
    assert learnt.upper_bound <= 0.05
    bound = stats.beta.ppf(0.95, learnt.false_passes + 1, learnt.decisions - learnt.false_passes)
    assert learnt.upper_bound == pytest.approx(bound)
    stricter = learn_threshold(*audits(rng, 3000, lambda c: 1.6 * (1 - c)))
    assert stricter.learnt
    assert stricter.threshold > learnt.threshold


@pytest.mark.parametrize("factor", [1.0, 2.0, 4.0])
def test_a_learnt_threshold_is_unsafe_in_at_most_one_case_in_twenty(factor):
    """The guarantee itself: how often is the true share beyond the threshold returned above the target?"""
    rng = np.random.default_rng(1)
    unsafe = 0
    for _ in range(300):
        learnt = learn_threshold(*audits(rng, 800, lambda c: np.minimum(factor * (1 - c), 1.0)))
        true_share = factor * (1 - learnt.threshold) / 2  # certainties are uniform beyond it
        unsafe += learnt.learnt and true_share > 0.05
    assert unsafe <= stats.binom.ppf(0.999, 300, 0.05)


def test_too_few_audits_say_so_and_alarming_ones_stop():
    nothing = learn_threshold([], [])
    assert (nothing.threshold, nothing.learnt, nothing.upper_bound) == (CERTAINTY, False, 1.0)
    few = learn_threshold([0.99] * 30, [False] * 30)
    assert (few.threshold, few.learnt) == (CERTAINTY, False)
    assert "30 audited decisions" in few.reason
    bad = learn_threshold([0.999] * 300, [True] * 60 + [False] * 240)
    assert (bad.threshold, bad.learnt) == (THRESHOLDS[0], False)
    assert "look why" in bad.reason


def test_a_level_is_never_unlocked_at_less_than_the_default():
    assert min(THRESHOLDS) == CERTAINTY
    assert learn_threshold([0.7] * 500 + [0.99] * 500, [False] * 1000).threshold == CERTAINTY


def test_the_summary_adds_up():
    certainty = [0.99, 0.95, 0.90, 0.40, 0.02]
    passed = [True, True, True, False, False]
    summary = summarise_decisions(certainty, passed, [0, 1, np.nan, 1, np.nan])
    assert (summary.decided, summary.passed, summary.audited, summary.false_passes) == (5, 3, 2, 1)
    assert summary.expected_false_passes == pytest.approx((0.01 + 0.05 + 0.10) / 3)
    assert summary.expected_missed == pytest.approx(0.21)
    assert summary.expected_accuracy == pytest.approx((0.99 + 0.95 + 0.90 + 0.60 + 0.98) / 5)
    exact = stats.binomtest(1, 2).proportion_ci(0.95, "exact")
    assert summary.false_pass_interval == pytest.approx((exact.low, exact.high))
    nobody = summarise_decisions([], [])
    assert (nobody.decided, nobody.false_pass_interval) == (0, (0.0, 1.0))
    assert math.isnan(nobody.expected_false_passes)


def test_expected_consistency_is_how_often_two_measurements_agree():
    rng = np.random.default_rng(3)
    certainty = rng.beta(0.5, 0.5, 200_000)
    agree = (rng.random(200_000) < certainty) == (rng.random(200_000) < certainty)
    summary = summarise_decisions(certainty, certainty > 0.9)
    assert summary.expected_consistency == pytest.approx(agree.mean(), abs=0.004)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="certainty is nan"):
        decide(RULE, math.nan, 3)
    with pytest.raises(ValueError, match="hopeless <"):
        DecisionRule(certainty=0.4)
    with pytest.raises(ValueError, match="fewest <= most"):
        DecisionRule(fewest=50)
    with pytest.raises(ValueError, match="finite logits"):
        probability_at_least(math.nan, 1.0, 0.0)
    with pytest.raises(ValueError, match="list of probabilities"):
        learn_threshold([1.2], [True])
    with pytest.raises(ValueError, match="below must say"):
        learn_threshold([0.9, 0.9], [0.0, math.nan])
    with pytest.raises(ValueError, match="target and error"):
        learn_threshold([0.9], [0], target=0.0)
    with pytest.raises(ValueError, match="one per decision"):
        summarise_decisions([0.9], [True, False])
    with pytest.raises(ValueError, match="audited_below"):
        summarise_decisions([0.9], [True], [0.5])
