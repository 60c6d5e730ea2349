"""Drift: planted shifts are found, and false alarms stay within what is promised."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from toprope.stats.items import expected_score, make_items, score_probabilities
from toprope.stats.quality.drift import detect_changes, exposure_rates, item_drift, leak_reasons
from toprope.stats.responses import make_responses


def calibrations(generator, error=0.1, count=40):
    difficulty = generator.normal(size=count)
    after = difficulty + 0.4 + generator.normal(size=count) * error * 2**0.5
    return difficulty, after


def test_planted_shifts_are_found_whatever_the_scale_did():
    generator = np.random.default_rng(1)
    before, after = calibrations(generator)
    after[[3, 17]] += [-1.0, 0.8]
    drifts = item_drift(
        make_items(before, covariance=np.full(40, 0.01)), make_items(after, covariance=np.full(40, 0.01))
    )
    assert [drift.item for drift in drifts if drift.drifted] == [3, 17]
    assert drifts[3].shift == pytest.approx(-1.0, abs=0.35)
    assert drifts[3].signed > 0.1  # easier: people now reach more points
    assert drifts[17].signed < -0.1
    assert abs(drifts[3].robust_z) > 2.7
    assert drifts[0].shift_error == pytest.approx(math.sqrt(0.02))


def test_without_errors_the_robust_rule_decides():
    generator = np.random.default_rng(2)
    before, after = calibrations(generator)
    after[5] -= 1.5
    drifts = item_drift(make_items(before), make_items(after))
    assert [drift.item for drift in drifts if drift.drifted] == [5]
    assert all(drift.p_value is None and drift.shift_error is None for drift in drifts)


def test_significant_but_small_is_no_drift():
    before = np.linspace(-2, 2, 21)
    after = before.copy()
    after[4] += 0.1
    drifts = item_drift(
        make_items(before, covariance=np.full(21, 1e-6)), make_items(after, covariance=np.full(21, 1e-6))
    )
    assert drifts[4].adjusted_p_value < 1e-6
    assert not drifts[4].drifted
    assert drifts[4].robust_z is None  # all the others moved alike


def test_areas_are_integrals_over_the_population():
    before = make_items([0.0, 0.5, 0.0], [1.0, 1.5, 0.8])
    after = make_items([0.0, 0.5, 0.9], [1.0, 0.7, 0.8])
    drifts = item_drift(before, after, mean=0.3, deviation=1.2)

    def gap(theta, item, size):
        value = (expected_score(after, theta) - expected_score(before, theta))[item]
        density = math.exp(-0.5 * ((theta - 0.3) / 1.2) ** 2) / (1.2 * math.sqrt(2 * math.pi))
        return (abs(value) if size else value) * density

    for item in range(3):
        for size, found in ((False, drifts[item].signed), (True, drifts[item].unsigned)):
            assert found == pytest.approx(
                integrate.quad(gap, -6, 6, (item, size), points=[0.5])[0], abs=1e-4
            ), (item, size)
    assert drifts[1].unsigned > 3 * abs(drifts[1].signed)  # crossing curves


def answers(generator, items, count, *, leaked=(), since=0, error=0.3, gain=2.0):
    """Answers in order of time to items drawn at random, and what was believed of the ability before each."""
    item = generator.integers(0, len(items), count)
    truth = generator.normal(size=count)
    belief = (truth + error * generator.normal(size=count)) / (1 + error**2)
    known = np.where(np.isin(item, leaked) & (np.arange(count) >= since), gain, 0.0)
    logit = items.discrimination[item] * (truth + known - items.difficulty[item])
    right = items.guess[item] + (1 - items.guess[item]) / (1 + np.exp(-logit))
    return item, (generator.random(count) < right).astype(int), belief, error / math.sqrt(1 + error**2)


def test_a_leaked_item_is_named_with_its_beginning():
    generator = np.random.default_rng(3)
    items = make_items(generator.normal(size=50), 1.2)
    item, score, belief, error = answers(generator, items, 30_000, leaked=[7], since=15_000)
    changes = detect_changes(item, score, belief, items, ability_error=error)
    assert [change.item for change in changes if change.alarm is not None] == [7]
    found = changes[7]
    assert 13_500 < found.since < 18_000
    assert found.since < found.alarm
    assert item[found.alarm] == item[found.since] == 7
    assert found.surplus > 0.1
    (reason,) = leak_reasons(changes)
    assert reason.subject == (7,)
    assert "not a finding" in reason.text
    assert reason.expected_false_alarms < 0.05


def test_false_alarms_are_as_rare_as_promised():
    """2,000 unchanged items, easy and hard, with abilities known only roughly: at most 5 % alarm at 5 %."""
    generator = np.random.default_rng(4)
    items = make_items(generator.normal(size=2000) * 1.5, 1.3, guess=0.2)
    item, score, belief, error = answers(generator, items, 400_000, error=0.6)
    changes = detect_changes(item, score, belief, items, ability_error=error, false_alarm=0.05)
    assert np.mean([change.alarm is not None for change in changes]) <= 0.05
    assert not leak_reasons(changes)


def test_a_doubtful_difficulty_is_no_leak():
    """Difficulties wrong by a standard error: items that say so raise no alarm, items that feign certainty
    do.
    """
    generator = np.random.default_rng(6)
    truth = make_items(generator.normal(size=40), 1.2)
    item, score, belief, error = answers(generator, truth, 60_000)
    alarms = []
    for variance in (0.3**2, 0.0):
        believed = make_items(truth.difficulty + 0.3, 1.2, covariance=np.full(40, variance))
        found = detect_changes(item, score, belief, believed, ability_error=error)
        alarms.append(sum(change.alarm is not None for change in found))
    assert alarms[0] == 0
    assert alarms[1] > 0


def test_a_likelihood_ratio_by_hand():
    items = make_items([0.5], [1.4], guess=[0.1])
    (change,) = detect_changes([0, 0], [1, 1], [0.2, -0.3], items, easier_by=0.7, false_alarm=0.5)
    ratio = 0.0
    for theta in (0.2, -0.3):
        ratio += math.log(
            score_probabilities(items, theta + 0.7)[0, 1] / score_probabilities(items, theta)[0, 1]
        )
    assert change.peak == pytest.approx(ratio)
    assert change.p_value == pytest.approx(min(1, 2 * math.exp(-ratio)))


def test_items_that_became_harder_are_found_when_asked_for():
    generator = np.random.default_rng(5)
    items = make_items(np.zeros(5), 1.2)
    item, score, belief, error = answers(generator, items, 5000, leaked=[2], gain=-1.5)
    changes = detect_changes(item, score, belief, items, ability_error=error, easier_by=-1.0)
    assert [change.item for change in changes if change.alarm is not None] == [2]
    assert changes[2].surplus < 0


@given(st.integers(0, 10_000), st.floats(-500, 500), st.floats(0, 20))
@settings(max_examples=50)
def test_no_answers_bring_a_silent_nan(seed, level, error):
    generator = np.random.default_rng(seed)
    items = make_items([0.0, 1.0, -1.0], steps=[[0.0, 0.0], [-0.5, 0.5], [0.0, 0.0]], scores=[1, 2, 1])
    count = generator.integers(1, 12)
    item = generator.integers(0, 2, count)
    score = generator.integers(0, 2, count)
    for change in detect_changes(item, score, np.full(count, level), items, ability_error=error):
        assert math.isfinite(change.peak)
        assert 0 <= change.p_value <= 1
        assert change.surplus is None or math.isfinite(change.surplus)


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_drift_of_any_two_calibrations_is_finite(seed):
    generator = np.random.default_rng(seed)
    count = int(generator.integers(1, 6))
    draw = [make_items(generator.normal(size=count) * 9, generator.uniform(0.01, 5, count)) for _ in range(2)]
    for drift in item_drift(*draw):
        assert all(math.isfinite(value) for value in (drift.shift, drift.signed, drift.unsigned))
        assert abs(drift.signed) <= drift.unsigned + 1e-12


def test_exposure():
    rates = exposure_rates(make_responses([0, 0, 1, 3], [0, 1, 0, 0], [1, 1, 0, 1], persons=4, items=3))
    assert rates.tolist() == [0.75, 0.25, 0.0]


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        (([0], [2], [0.0]), {}, "score 0"),
        (([3], [1], [0.0]), {}, "item 0 is 3"),
        (([0.5], [1], [0.0]), {}, "item 0 is 0.5"),
        (([0], [1], [np.nan]), {}, "ability 0 is nan"),
        (([0], [1], [0.0]), {"ability_error": -1.0}, "below 0"),
        (([0], [1], [0.0]), {"easier_by": 0.0}, "easier_by"),
        (([0], [1], [0.0]), {"false_alarm": 1.0}, "false_alarm"),
        (([0, 1], [1], [0.0]), {}, "score has the shape"),
    ],
)
def test_bad_answers_are_named(columns, options, message):
    with pytest.raises(ValueError, match=message):
        detect_changes(*columns, make_items([0.0, 0.0]), **options)


def test_different_items_are_not_compared():
    with pytest.raises(ValueError, match="same items"):
        item_drift(make_items([0.0]), make_items([0.0, 1.0]))
    with pytest.raises(ValueError, match="above 0"):
        item_drift(make_items([0.0]), make_items([0.0]), deviation=0.0)
