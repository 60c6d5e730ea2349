"""Distractor analysis: by hand, and against options that were planted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from toprope.stats.quality.distractors import OptionFlag, distractor_analysis


def planted():
    """Item 0 sound; 1 has an option for the able (2) and one that nobody takes (3); 2's key is wrong."""
    generator = np.random.default_rng(1)
    ability = generator.normal(size=2000)
    choices = np.empty((2000, 12), dtype=int)
    for item in range(12):
        knows = generator.random(2000) < 1 / (1 + np.exp(-1.5 * ability))
        choices[:, item] = np.where(knows, 0, generator.integers(1, 4, 2000))
    tempted = (choices[:, 1] == 0) & (ability > 0.5) & (generator.random(2000) < 0.7)
    choices[tempted, 1] = 2
    choices[choices[:, 1] == 3, 1] = 1
    choices[:6, 1] = 3
    return choices, ability, np.array([0, 0, 3] + [0] * 9)


def test_flags_find_what_was_planted_and_nothing_else():
    choices, ability, key = planted()
    for given_ability in (ability, None):
        found = distractor_analysis(choices, key, options=4, ability=given_ability)
        assert [each.item for each in found if each.flagged] == [1, 2]
        assert OptionFlag.ATTRACTS_THE_ABLE in found[1].options[2].flags
        assert OptionFlag.RARELY_CHOSEN in found[1].options[3].flags
        assert OptionFlag.KEY_NOT_BEST in found[1].options[0].flags
        assert set(found[2].options[3].flags) == {OptionFlag.KEY_NEGATIVE, OptionFlag.KEY_NOT_BEST}


def test_figures_by_hand():
    choices = np.array([[0, 1], [0, 1], [1, -1], [2, 0]])
    (first, second) = distractor_analysis(choices, [0, 1], options=[3, 2], ability=[2.0, 1.0, 0.0, -1.0])
    assert [option.count for option in first.options] == [2, 1, 1]
    assert [option.share for option in first.options] == [0.5, 0.25, 0.25]
    assert [option.mean_ability for option in first.options] == [1.5, 0.0, -1.0]
    assert first.options[0].correlation == pytest.approx(np.corrcoef([1, 1, 0, 0], [2, 1, 0, -1])[0, 1])
    assert (second.answers, second.omitted) == (3, 1)
    assert [option.is_key for option in second.options] == [False, True]


def test_nobody_choosing_leaves_nothing_to_say():
    found = distractor_analysis([[-1], [-1]], [0], options=2)[0]
    assert (found.answers, found.omitted, found.flagged) == (0, 2, False)
    assert [(each.share, each.correlation, each.mean_ability) for each in found.options] == [
        (0.0, None, None)
    ] * 2


@given(hnp.arrays(np.int64, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=st.integers(-1, 2)))
def test_shares_sum_to_one_and_nothing_is_nan(choices):
    for each in distractor_analysis(choices, np.zeros(choices.shape[1]), options=3):
        assert sum(option.count for option in each.options) == each.answers
        assert sum(option.share for option in each.options) == pytest.approx(1.0 if each.answers else 0.0)
        for option in each.options:
            assert option.correlation is None or -1 <= option.correlation <= 1
            assert option.mean_ability is None or np.isfinite(option.mean_ability)


@pytest.mark.parametrize(
    ("choices", "key", "options", "message"),
    [
        ([[0, 2]], [0, 0], 2, "person 0, item 1: the choice 2"),
        ([[0, 1]], [0, 3], 2, "key of item 1 is 3"),
        ([[0, 1]], [0], 2, "one key"),
        ([[0, 1]], [0, 0], 1, "two options"),
        ([[0.5, 1]], [0, 0], 2, "whole"),
        ([[np.nan, 1]], [0, 0], 2, "whole"),
        (np.empty((0, 2)), [0, 0], 2, "persons by items"),
        ([0, 1], [0, 0], 2, "persons by items"),
    ],
)
def test_bad_input_is_named(choices, key, options, message):
    with pytest.raises(ValueError, match=message):
        distractor_analysis(choices, key, options=options)
