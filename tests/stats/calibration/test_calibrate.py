"""Calibration against other programs' numbers, the plain likelihood, known parameters and bad input."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stats.calibration.simulated import answer, log_likelihood, pool, real

from toprope.stats.calibration import Anchors, Prior, calibrate, em
from toprope.stats.items import Items, make_items
from toprope.stats.responses import Responses, make_responses, table_responses


def values(items: Items) -> np.ndarray:
    return np.concatenate([items.discrimination, items.difficulty, items.steps.ravel()])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lsat6", -2466.6534),
        ("lsat7", -2658.8051),
        ("science", -1612.6817),
        ("verbal", -4016.4272),
        ("datamedical", -126794.4766),
    ],
)
def test_log_likelihoods_of_mirt(name, expected):
    found = calibrate(real(name))
    assert found.log_likelihood == pytest.approx(expected, abs=1e-3)
    assert found.converged
    assert found.connected
    assert not found.reversed.any()


def test_lsat6_has_the_published_parameters():
    """The slopes and intercepts that mirt gives for LSAT section 6."""
    items = calibrate(real("lsat6"), tolerance=1e-6).items
    assert items.discrimination == pytest.approx([0.825, 0.723, 0.890, 0.689, 0.658], abs=2e-3)
    intercepts = -items.discrimination * items.difficulty
    assert intercepts == pytest.approx([2.773, 0.990, 0.249, 1.285, 2.053], abs=2e-3)


def test_it_ends_at_a_maximum_of_the_plain_likelihood():
    table = answer(pool(6, 1, highest=3), np.random.default_rng(2).normal(size=600), 3, asked=0.8)
    found = calibrate(table_responses(table), tolerance=1e-6)
    best = log_likelihood(found.items, table)
    assert found.log_likelihood == pytest.approx(best, abs=1e-4)
    for j in range(6):
        for change in (-0.02, 0.02):
            slope, place = found.items.discrimination.copy(), found.items.difficulty.copy()
            slope[j] += change
            place[j] += change
            steps = found.items.steps.copy()
            steps[1, :2] += (change, -change)
            kept = {"steps": found.items.steps, "scores": found.items.scores}
            for moved in (
                make_items(found.items.difficulty, slope, **kept),
                make_items(place, found.items.discrimination, **kept),
                make_items(found.items.difficulty, found.items.discrimination, **kept | {"steps": steps}),
            ):
                assert log_likelihood(moved, table) < best


def test_known_parameters_come_back():
    items = pool(30, 4, highest=3)
    ability = np.random.default_rng(5).normal(size=8000)
    found = calibrate(table_responses(answer(items, ability, 6, asked=0.7)))
    errors = np.sqrt(found.items.covariance[:, [0, 1], [0, 1]])
    off = np.stack([found.items.discrimination, found.items.difficulty], axis=1)
    off = (off - np.stack([items.discrimination, items.difficulty], axis=1)) / errors
    assert np.abs(off).max() < 4
    assert 0.75 < np.sqrt((off**2).mean()) < 1.3
    assert np.abs(found.items.steps - items.steps).max() < 0.25
    assert errors.max() < 0.2


def test_single_precision_and_a_sample_lead_to_the_same_place(monkeypatch):
    table = answer(pool(20, 7), np.random.default_rng(8).normal(size=3000), 9)
    plain = calibrate(table_responses(table), tolerance=1e-5)
    monkeypatch.setattr(em, "LARGE", 1000)
    monkeypatch.setattr(em, "SAMPLE", 10_000)
    monkeypatch.setattr(em, "SAMPLE_PER_ITEM", 100)
    fast = calibrate(table_responses(table), tolerance=1e-5)
    assert fast.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-5)
    assert values(fast.items) == pytest.approx(values(plain.items), abs=1e-3)
    assert fast.converged


def test_parts_on_a_disk_give_what_the_whole_gives():
    table = answer(pool(8, 10, highest=2), np.random.default_rng(11).normal(size=500), 12, asked=0.6)
    whole = table_responses(table)

    class Parts:
        def __iter__(self) -> Iterator[Responses]:
            return whole.chunks(70)

    in_parts, at_once = calibrate(Parts()), calibrate(whole)
    assert in_parts.log_likelihood == pytest.approx(at_once.log_likelihood, abs=1e-8)
    assert values(in_parts.items) == pytest.approx(values(at_once.items), abs=1e-9)
    assert in_parts.items.covariance == pytest.approx(at_once.items.covariance, rel=1e-5)
    assert in_parts.persons == at_once.persons
    assert (in_parts.groups == at_once.groups).all()


def test_the_same_input_gives_the_same_bits():
    responses = table_responses(answer(pool(5, 13), np.random.default_rng(14).normal(size=300), 15))
    once, again = calibrate(responses), calibrate(responses)
    assert (values(once.items) == values(again.items)).all()
    assert once.log_likelihood == again.log_likelihood


def test_anchors_keep_the_scale_when_the_pool_grows():
    """New persons, abler by .8 and more alike: what is new of their items lands on the old scale."""
    items = pool(20, 16, highest=2)
    table = answer(items, np.random.default_rng(17).normal(0.8, 0.7, size=6000), 18)
    places = np.arange(0, 20, 2)
    found = calibrate(table_responses(table), anchors=Anchors(places, items.take(places)))
    assert values(found.items.take(places)) == pytest.approx(values(items.take(places)), abs=1e-12)
    assert found.ability_mean == pytest.approx(0.8, abs=4 * found.ability_errors[0])
    assert found.ability_sd == pytest.approx(0.7, abs=4 * found.ability_errors[1])
    assert 0.005 < found.ability_errors.max() < 0.05
    new = np.arange(1, 20, 2)
    errors = np.sqrt(found.items.covariance[new, 1, 1])
    assert (np.abs(found.items.difficulty[new] - items.difficulty[new]) < 4 * errors).all()
    plain = log_likelihood(found.items, table, found.ability_mean, found.ability_sd)
    assert found.log_likelihood == pytest.approx(plain, abs=1e-3)
    assert (found.items.covariance[places] == 0).all()


def test_anchors_may_be_guessed():
    known = make_items([0.0, -0.5, 0.5, 1.0], [1.2, 1.0, 1.5, 1.0], guess=0.2, slip=0.05)
    items = make_items([0.0, -0.5, 0.5, 1.0, 0.3], 1.2)
    table = answer(items, np.random.default_rng(19).normal(size=2000), 20)
    found = calibrate(table_responses(table), anchors=Anchors(np.arange(4), known))
    plain = log_likelihood(found.items, table, found.ability_mean, found.ability_sd)
    assert found.log_likelihood == pytest.approx(plain, abs=1e-3)


def test_a_warm_start_saves_steps_and_changes_nothing():
    responses = table_responses(answer(pool(10, 21), np.random.default_rng(22).normal(size=800), 23))
    cold = calibrate(responses)
    warm = calibrate(responses, start=cold.items)
    assert warm.iterations < cold.iterations / 2
    assert warm.log_likelihood == pytest.approx(cold.log_likelihood, abs=1e-3)


def test_the_climb_can_be_cut_short_and_says_so():
    found = calibrate(real("lsat6"), iterations=3)
    assert (found.iterations, found.converged) == (3, False)
    assert found.change > 1e-4


def test_a_prior_keeps_hopeless_items_finite_and_wide():
    """Everybody right, nobody right, one response, none: finite, and surer the more there is to know."""
    table = answer(pool(8, 24), np.random.default_rng(25).normal(size=200), 26)
    table[:, 0], table[:, 1] = 1.0, 0.0
    table[1:, 2] = np.nan
    table[:, 3] = np.nan
    found = calibrate(table_responses(table), prior=Prior())
    errors = np.sqrt(found.items.covariance[:, [0, 1], [0, 1]])
    assert found.converged
    assert np.isfinite(values(found.items)).all()
    assert found.items.difficulty[0] < -2 < 2 < found.items.difficulty[1]
    assert errors[:4, 1].min() > 2 * errors[4:, 1].max()
    assert found.items.discrimination[3] == pytest.approx(1.0, abs=0.01)
    assert errors[3] == pytest.approx([0.5, 3.0], rel=0.02)
    assert found.groups.tolist() == [0, 0, 0, -1, 0, 0, 0, 0]
    assert found.answers.tolist() == [200, 200, 1, 0, 200, 200, 200, 200]


@pytest.mark.parametrize(
    ("column", "complaint"),
    [
        (np.ones(50), "item 1 has only the scores [1] of 0..1"),
        (np.zeros(50), "item 1 has only the scores [0] of 0..1"),
        (np.full(50, np.nan), "item 1 has no responses"),
        (np.tile([0.0, 2.0], 25), "item 1 has only the scores [0, 2] of 0..2"),
    ],
)
def test_without_a_prior_hopeless_items_are_named(column, complaint):
    table = answer(pool(3, 27), np.random.default_rng(28).normal(size=50), 29)
    table[:, 1] = column
    with pytest.raises(ValueError, match=re.escape(complaint)):
        calibrate(table_responses(table))


def test_reversed_keys_are_flagged_and_finite():
    table = answer(pool(12, 30), np.random.default_rng(31).normal(size=1500), 32)
    table[:, 4] = 1 - table[:, 4]
    for prior in (None, Prior()):
        found = calibrate(table_responses(table), prior=prior)
        assert np.flatnonzero(found.reversed).tolist() == [4]
        assert np.isfinite(values(found.items)).all()
        assert np.isfinite(found.items.covariance).all()
        assert found.items.discrimination[4] < 0.2


def test_an_item_that_sorts_without_error_ends_at_the_bound():
    ability = np.random.default_rng(42).normal(size=1500)
    table = answer(pool(12, 43), ability, 44)
    table[:, 4] = np.nansum(table[:, :4], axis=1) > 1
    found = calibrate(table_responses(table))
    assert found.converged
    assert found.items.discrimination.max() <= 10
    assert np.isfinite(found.items.covariance).all()
    assert found.items.discrimination[4] == found.items.discrimination.max()


def test_groups_that_share_nobody_are_told_apart():
    table = answer(pool(9, 33), np.random.default_rng(34).normal(size=400), 35)
    table[:200, 4:8] = np.nan
    table[200:, [0, 1, 2, 3, 8]] = np.nan
    found = calibrate([table_responses(table[::2]), table_responses(table[1::2])], prior=Prior())
    assert found.groups.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 0]
    assert not found.connected


def test_a_highest_score_may_be_declared():
    table = answer(pool(5, 36), np.random.default_rng(37).normal(size=100), 38)
    found = calibrate(table_responses(table), prior=Prior(), scores=[1, 1, 3, 1, 1])
    assert found.items.scores.tolist() == [1, 1, 3, 1, 1]
    assert found.converged
    assert np.isfinite(values(found.items)).all()
    with pytest.raises(ValueError, match="item 2 has only the scores"):
        calibrate(table_responses(table), scores=[1, 1, 3, 1, 1])


def ordinary() -> Responses:
    return table_responses(answer(pool(4, 39), np.random.default_rng(40).normal(size=60), 41))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"tolerance": 0.0}, "tolerance is 0.0"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"iterations": 0}, "iterations 0"),
        ({"start": make_items([0.0])}, "start has 1 items for 4"),
        ({"start": make_items(np.zeros(4), guess=0.2)}, "anchor such items"),
        (
            {"start": make_items(np.zeros(4), steps=np.zeros((4, 2))), "scores": 1},
            "item 0 has the highest score 2",
        ),
        ({"scores": 0}, "item 0: a highest score of 0"),
        ({"anchors": Anchors(np.array([7]), make_items([0.0]))}, "an anchor at place 7"),
    ],
)
def test_what_does_not_fit_is_named(arguments, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        calibrate(ordinary(), **arguments)


def test_an_anchor_scored_too_high_is_named():
    table = np.tile([[0.0, 2.0], [1.0, 0.0], [0.0, 1.0], [1.0, 2.0]], (9, 1))
    with pytest.raises(ValueError, match="item 1: a highest score of 1, but 2 was got"):
        calibrate(table_responses(table), anchors=Anchors(np.array([1]), make_items([0.0])))


@pytest.mark.parametrize("places", [[0, 0], [-1, 0], [0]])
def test_anchors_pair_with_places(places):
    with pytest.raises(ValueError, match="anchors"):
        Anchors(np.array(places), make_items([0.0, 1.0]))


@pytest.mark.parametrize("field", ["discrimination", "discrimination_spread", "easiness_spread"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_prior_is_sound(field, value):
    with pytest.raises(ValueError, match=field):
        Prior(**{field: value})


def test_nothing_to_go_by_is_named():
    nobody = Responses(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int8), 3)
    for nothing in (nobody, [nobody, nobody], []):
        with pytest.raises(ValueError, match="there are no responses"):
            calibrate(nothing, prior=Prior())
    with pytest.raises(ValueError, match="not an iterator"):
        calibrate(ordinary().chunks(10))
    with pytest.raises(ValueError, match="one part has 4 items, another 3"):
        calibrate([ordinary(), nobody])


def test_one_response_is_enough_with_a_prior():
    found = calibrate(make_responses([0], [0], [1]), prior=Prior())
    assert found.converged
    assert np.isfinite(values(found.items)).all()
    assert np.sqrt(found.items.covariance[0, 1, 1]) > 2


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_with_a_prior_whatever_was_answered_gives_finite_items(data):
    persons, items = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 6))
    cells = data.draw(
        st.dictionaries(
            st.tuples(st.integers(0, persons - 1), st.integers(0, items - 1)), st.integers(0, 4), min_size=1
        )
    )
    person, item = zip(*cells, strict=True)
    scores = list(cells.values())
    found = calibrate(make_responses(person, item, scores, persons=persons, items=items), prior=Prior())
    assert found.converged
    assert np.isfinite(values(found.items)).all()
    assert np.isfinite(found.items.covariance).all()
    assert (np.linalg.eigvalsh(found.items.covariance) > 0).all()
    assert np.isfinite(found.log_likelihood)
    turned = make_responses(
        [persons - 1 - each for each in person], item, scores, persons=persons, items=items
    )
    assert values(calibrate(turned, prior=Prior()).items) == pytest.approx(values(found.items), abs=1e-6)
