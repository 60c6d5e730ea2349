"""Like answers: copying is named, friends of like ability are not, and the tail is exact."""

import itertools

import numpy as np
import pytest

from toprope.stats.items import make_items, score_probabilities
from toprope.stats.quality.similarity import MOST_PERSONS, _compare_pairs, like_answers


def sitting(generator, persons=150, count=40, options=4):
    """Multiple choice where the able and the others are tempted by different distractors; the key is 0."""
    items = make_items(generator.normal(size=count), 1.2)
    ability = generator.normal(size=persons)
    right = generator.random((persons, count)) < score_probabilities(items, ability)[..., 1]
    able = (ability > 0)[:, None]
    tempted = generator.random((persons, count)) < 0.6
    favourite = np.where(able, generator.integers(1, options, count), generator.integers(1, options, count))
    wrong = np.where(tempted, favourite, generator.integers(1, options, (persons, count)))
    return np.where(right, 0, wrong), items, ability


def test_a_copied_sitting_is_named_and_nobody_else():
    generator = np.random.default_rng(1)
    choices, items, ability = sitting(generator)
    weak, strong = np.argsort(ability)[[10, 75]]
    copied = generator.random(40) < 0.7
    choices[weak, copied] = choices[strong, copied]
    (reason,) = like_answers(choices, np.zeros(40), items, ability)
    assert set(reason.subject) == {weak, strong}
    assert reason.examined == 150 * 149 / 2
    assert reason.numbers["same"] > reason.numbers["expected"] + 8
    assert reason.numbers["same_wrong"] == np.sum((choices[weak] == choices[strong]) & (choices[weak] > 0))
    assert "same wrong option" in reason.text
    assert "not a finding" in reason.text


def test_independent_sittings_bring_few_reasons():
    generator = np.random.default_rng(2)
    named = sum(bool(like_answers(*sitting_args(generator), level=0.05)) for _ in range(25))
    assert named <= 4


def sitting_args(generator):
    choices, items, ability = sitting(generator, persons=60)
    return choices, np.zeros(40), items, ability


def test_the_tail_by_listing_every_outcome():
    generator = np.random.default_rng(4)
    chance, likeness = generator.uniform(0.3, 0.7, (2, 10)), generator.uniform(0.2, 0.5, (3, 3, 10))
    same = chance[0] * chance[1] + (1 - chance[0]) * (1 - chance[1]) * likeness[0, 2]
    outcomes = np.array(list(itertools.product([False, True], repeat=10)))
    weights = np.prod(np.where(outcomes, same, 1 - same), axis=1)
    for like in range(11):
        codes = np.array([[0, 2] * 5, [0, 2] * 5])
        codes[1, like:] += 1
        counts, expected, tail = _compare_pairs(np.array([[0, 1]]), codes, chance, np.array([0, 2]), likeness)
        assert counts.tolist() == [[10, like, like // 2]]
        assert expected[0] == pytest.approx(same.sum())
        screened = like <= same.sum() + 2 * np.sqrt((same * (1 - same)).sum())
        assert tail[0] == pytest.approx(1.0 if screened else weights[outcomes.sum(axis=1) >= like].sum())
    assert not screened


def test_answers_that_one_did_not_give_are_left_out():
    generator = np.random.default_rng(3)
    choices, items, ability = sitting(generator)
    choices[1] = choices[0]
    choices[1, :10] = -1
    (reason,) = like_answers(choices, np.zeros(40), items, ability, pairs=[[0, 1], [2, 3]])
    assert reason.numbers["answers"] == reason.numbers["same"] == 30
    assert reason.examined == 2
    assert not like_answers(np.full((3, 40), -1), np.zeros(40), items, np.zeros(3))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"choices": np.zeros((3, 5), dtype=int)}, "by 2 items"),
        ({"choices": np.zeros((3, 2))}, "whole numbers"),
        ({"choices": np.full((3, 2), -2)}, "-1 for no answer"),
        ({"key": [0.0, -1.0]}, "key 1"),
        ({"ability": [0.0, np.nan, 0.0]}, "ability 1"),
        ({"pairs": [[0, 0]]}, "pair 0"),
        ({"pairs": [[0, 3]]}, "pair 0"),
        ({"pairs": [0, 1]}, "two columns"),
        ({"items": make_items([0.0, 0.0], steps=[[-1.0, 1.0]] * 2)}, "right or wrong"),
        (
            {"choices": np.zeros((MOST_PERSONS + 1, 2), dtype=int), "ability": np.zeros(MOST_PERSONS + 1)},
            "too many",
        ),
    ],
)
def test_bad_input_is_named(changes, message):
    arguments = {
        "choices": np.zeros((3, 2), dtype=int),
        "key": [0, 0],
        "items": make_items([0.0, 0.0]),
        "ability": np.zeros(3),
        **changes,
    }
    with pytest.raises(ValueError, match=message):
        like_answers(**arguments)
