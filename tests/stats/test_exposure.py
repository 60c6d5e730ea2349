"""Items that have got about: found quickly, and not cried after without reason."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.stats.exposure import (
    KNOWN_SHARE,
    SUSPICION,
    easier_items,
    guard_items,
    suspected,
    watch_item,
)
from toprope.stats.items import information, make_items, score_probabilities

chances = st.floats(0.0, 1.0)


@given(before=chances, predicted=st.floats(0.01, 0.99))
def test_right_answers_raise_suspicion_and_wrong_ones_lower_it(before, predicted):
    right, wrong = watch_item(before, True, predicted), watch_item(before, False, predicted)
    assert 0.0 <= wrong <= right <= 1.0
    # The chance expected after an answer is the one before it, and the hazard: Bayes' rule loses nothing.
    hazarded = before + 1e-4 * (1 - before)
    p_right = predicted + hazarded * KNOWN_SHARE * (1 - predicted)
    assert p_right * right + (1 - p_right) * wrong == pytest.approx(hazarded, abs=1e-12)


def answers_until_suspected(rng, known, limit, predicted=0.45):
    compromised = 0.0
    for number in range(1, limit + 1):
        right = rng.random() < (0.95 if known else predicted)
        compromised = watch_item(compromised, right, predicted)
        if compromised >= SUSPICION:
            return number
    return limit + 1


def test_a_leak_is_found_within_a_few_answers_and_false_alarms_are_rare():
    rng = np.random.default_rng(0)
    found = [answers_until_suspected(rng, known=True, limit=200) for _ in range(300)]
    assert np.median(found) <= 25
    assert max(found) <= 80
    alarms = [answers_until_suspected(rng, known=False, limit=1000) <= 1000 for _ in range(300)]
    assert np.mean(alarms) < 0.08  # of a thousand honest showings at a hazard of 1 in 10,000 each


def test_a_guarded_item_is_read_as_one_that_may_be_known():
    items = make_items([0.0, 0.5, 1.0], guess=[0.2, 0.0, 0.0], slip=[0.05, 0.0, 0.0])
    compromised = np.array([0.5, 0.0, 1.0])
    guarded = guard_items(items, compromised)
    theta = np.linspace(-3, 3, 7)
    right, read = (score_probabilities(each, theta)[..., 1] for each in (items, guarded))
    known = KNOWN_SHARE * compromised
    np.testing.assert_allclose(read, known + (1 - known) * right, atol=1e-12)
    assert (information(guarded, 0.3) <= information(items, 0.3) + 1e-12).all()
    graded = make_items([0.0], steps=[[-1.0, 1.0]], scores=2)
    assert guard_items(graded, [0.9]).guess[0] == 0.0


def test_withdrawal_and_bad_input():
    np.testing.assert_array_equal(suspected([0.0, 0.49, 0.5, 1.0]), [False, False, True, True])
    eased = easier_items(make_items([1.0, 2.0], covariance=[0.25, 0.0]))
    np.testing.assert_allclose(eased.difficulty, [0.5, 2.0])
    assert watch_item(1.0, False, 1.0) == 1.0  # an impossible answer says nothing
    with pytest.raises(ValueError, match="chances must lie"):
        watch_item(float("nan"), True, 0.5)
    with pytest.raises(ValueError, match="one chance in"):
        guard_items(eased, [0.5])
    with pytest.raises(ValueError, match="one chance in"):
        guard_items(eased, [0.5, np.nan])
