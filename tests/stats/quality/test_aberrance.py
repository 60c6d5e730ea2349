"""Unusual sittings: what was planted is named, innocents seldom, and every reason says how seldom."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stats.quality.samples import two_parameter

from toprope.stats.items import make_items
from toprope.stats.quality.aberrance import ability_jumps, odd_patterns, rapid_answers, rapid_thresholds
from toprope.stats.quality.person_fit import person_fit
from toprope.stats.quality.reasons import ReasonKind
from toprope.stats.responses import table_responses


def sitting(generator, persons=200, items=30, pace_spread=0.4):
    """Lognormal times: items differ in length, persons in pace."""
    person, item = (each.ravel() for each in np.indices((persons, items)))
    pace = generator.normal(size=persons) * pace_spread
    length = generator.uniform(3, 4.5, items)
    return person, item, np.exp(length[item] + pace[person] + 0.5 * generator.normal(size=persons * items))


def test_guessers_are_named_and_fast_readers_are_not():
    generator = np.random.default_rng(1)
    person, item, seconds = sitting(generator)
    seconds[person == 4] /= 3.5  # reads fast, all the time
    guessing = (person == 9) & (item >= 15)
    seconds[guessing] = generator.uniform(0.5, 1.5, guessing.sum())
    (reason,) = rapid_answers(person, item, seconds, persons=200, items=30)
    assert reason.subject == (9,)
    assert reason.kind is ReasonKind.RAPID_ANSWERS
    assert reason.numbers == {"rapid": 15.0, "answers": 30.0}
    assert reason.text.startswith("15 of 30 answers")
    assert "not a finding" in reason.text
    assert reason.examined == 200


def test_the_threshold_is_a_tenth_of_the_median_and_ten_seconds_at_most():
    item = np.repeat([0, 1, 2], [11, 11, 3])
    seconds = np.concatenate([np.full(11, 30.0), np.full(11, 300.0), np.full(3, 30.0)])
    assert rapid_thresholds(item, seconds, items=4).tolist() == [3.0, 10.0, 0.0, 0.0]


def test_innocent_sittings_bring_few_reasons():
    generator = np.random.default_rng(2)
    named = 0
    for _ in range(10):
        person, item, seconds = sitting(generator, pace_spread=0.6)
        named += len(rapid_answers(person, item, seconds, persons=200, items=30))
    assert named <= 2


def test_jumps_are_named_and_growth_and_falls_are_not():
    generator = np.random.default_rng(3)
    earlier = generator.normal(size=500)
    later = earlier + 0.3 + 0.4 * generator.normal(size=500)
    later[7] = earlier[7] + 4.0
    later[8] = earlier[8] - 4.0
    reasons = ability_jumps(earlier, 0.3, later, 0.3, growth=0.3)
    assert [reason.subject for reason in reasons] == [(7,)]
    assert reasons[0].numbers["rise"] == pytest.approx(4.0)
    assert reasons[0].false_alarm_share < 0.05


def test_uncertain_estimates_jump_without_a_reason():
    assert not ability_jumps([0.0], 1.5, [3.0], 1.5)
    assert ability_jumps([0.0], 0.2, [3.0], 0.2)


def test_false_alarms_stay_below_their_level():
    """Where nothing is amiss, the chance of naming anybody at all is at most the level."""
    generator = np.random.default_rng(4)
    runs = 300
    named = 0
    for _ in range(runs):
        truth = generator.normal(size=100)
        first, second = (truth + 0.3 * generator.normal(size=100) for _ in range(2))
        second += 0.5 * generator.normal(size=100)
        named += bool(ability_jumps(first, 0.3, second, 0.3, level=0.1))
    assert named / runs < 0.15


def test_odd_patterns_are_said_in_words():
    generator = np.random.default_rng(5)
    items = make_items(np.linspace(-2, 2, 40), 1.4)
    scores, ability = two_parameter(generator, 300, items.discrimination, items.difficulty)
    scores[0], ability[0] = items.difficulty > 0, 0.0
    (reason,) = odd_patterns(person_fit(table_responses(scores), items, ability), level=0.01)
    assert reason.subject == (0,)
    assert reason.text.startswith("These answers go together far less than usual. By chance alone")
    assert reason.numbers["answers"] == 40


@given(st.integers(0, 10_000))
@settings(max_examples=40)
def test_any_times_bring_finite_reasons(seed):
    generator = np.random.default_rng(seed)
    count = int(generator.integers(1, 60))
    person, item = generator.integers(0, 4, count), generator.integers(0, 2, count)
    seconds = 10.0 ** generator.uniform(-300 if seed % 2 else -3, 3, count)
    for reason in rapid_answers(person, item, seconds, persons=4, items=3, level=0.5):
        assert 0 <= reason.p_value <= reason.false_alarm_share <= 0.5
        assert np.isfinite(reason.expected_false_alarms)


def test_nobody_examined_brings_no_reason():
    assert rapid_answers([], [], [], persons=0, items=3) == ()
    assert ability_jumps([], 0.3, [], 0.3) == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rapid_answers([0], [0], [0.0], persons=1, items=1), "answer 0 took no time"),
        (lambda: rapid_answers([0], [0], [np.nan], persons=1, items=1), "seconds 0 is nan"),
        (lambda: rapid_answers([2], [0], [1.0], persons=1, items=1), "person 0 is 2"),
        (lambda: rapid_answers([0], [5], [1.0], persons=1, items=1), "item 0 is 5"),
        (lambda: ability_jumps([0.0], -1.0, [0.0], 1.0), "earlier error 0 is below 0"),
        (lambda: ability_jumps([0.0, 1.0], 1.0, [0.0], 1.0), "later ability"),
        (lambda: ability_jumps([0.0], 1.0, [0.0], 1.0, growth_deviation=0.0), "deviation"),
        (lambda: ability_jumps([0.0], 1.0, [0.0], 1.0, level=1.0), "level"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
