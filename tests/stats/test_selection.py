"""Choosing items: what is worth asking, and what must never be asked."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toprope.stats.items import information, make_items
from toprope.stats.selection import (
    LOWEST,
    STEP,
    build_table,
    choose_among,
    choose_item,
    decision_point,
    default_width,
    discounted_information,
    start_sitting,
)


def some_items(count, seed=0, **more):
    rng = np.random.default_rng(seed)
    return make_items(rng.normal(0.3, 1.1, count), np.exp(rng.normal(0.1, 0.3, count)), **more)


def test_known_items_are_worth_their_information():
    plain = some_items(50, guess=0.2, slip=0.05)
    steps = np.tile([-1.0, 0.2, 0.8], (50, 1))
    graded = some_items(50, steps=steps, scores=3)
    for items, ability in itertools.product((plain, graded), (-3.0, 0.0, 0.7, 5.0)):
        np.testing.assert_allclose(
            discounted_information(items, ability), information(items, ability), rtol=1e-8
        )


@given(
    ability=st.floats(-5, 5),
    variances=st.lists(st.tuples(st.floats(0, 2), st.floats(0, 4), st.floats(-1, 1)), min_size=3, max_size=3),
)
def test_uncertainty_only_takes_away(ability, variances):
    covariance = np.array(
        [[[a, r * np.sqrt(a * b)], [r * np.sqrt(a * b), b]] for a, b, r in variances], dtype=float
    )
    items = make_items([-1.0, 0.0, 1.5], [0.7, 1.2, 2.0], covariance=covariance)
    worth = discounted_information(items, ability)
    gap = ability - items.difficulty
    a = items.discrimination
    error = covariance[:, 1, 1] + gap**2 * covariance[:, 0, 0] / a**2 - 2 * gap * covariance[:, 0, 1] / a
    assert (worth <= information(items, ability) * (1 + 1e-12)).all()
    assert (worth * error <= 1 + 1e-9).all()


def test_lucky_estimates_are_not_favoured():
    """Of items known well and items known from few answers, discounting finds those that truly tell more."""
    rng = np.random.default_rng(4)
    true = some_items(4000, seed=5)
    uncertain = np.arange(4000) % 2 == 0
    deviation = np.where(uncertain, 0.5, 0.02)
    a = np.maximum(true.discrimination + deviation * rng.standard_normal(4000), 0.2)
    b = true.difficulty + deviation * rng.standard_normal(4000)
    covariance = np.zeros((4000, 2, 2))
    covariance[:, 0, 0] = covariance[:, 1, 1] = deviation**2
    believed = make_items(b, a, covariance=covariance)
    truth = information(true, 0.5)
    taken_at_face_value = np.argsort(-information(believed, 0.5))[:60]
    discounted = np.argsort(-discounted_information(believed, 0.5))[:60]
    assert truth[discounted].mean() > 1.1 * truth[taken_at_face_value].mean()
    assert uncertain[discounted].mean() < 0.75 * uncertain[taken_at_face_value].mean()


def entropy(p):
    return -(p * np.log(p) + (1 - p) * np.log(1 - p))


@pytest.mark.parametrize("error", [0.35, 0.6, 1.0])
@pytest.mark.parametrize("away", [-1.5, -0.5, 0.5, 1.5])
def test_halfway_to_the_cut_is_near_the_best_place_to_ask(error, away):
    """By brute force: the mutual information of an answer and of "ability >= cut", for items everywhere."""
    grid = np.linspace(-8, 8, 4001)
    mass = np.exp(-0.5 * ((grid - away * error) / error) ** 2)
    mass /= mass.sum()
    above = grid >= 0.0
    chance = mass[above].sum()
    difficulties = np.linspace(-3, 3, 121)
    gained = []
    for difficulty in difficulties:
        right = 1 / (1 + np.exp(-1.3 * (grid - difficulty)))
        if_above = (mass * right)[above].sum() / chance
        if_below = (mass * right)[~above].sum() / (1 - chance)
        remaining = chance * entropy(if_above) + (1 - chance) * entropy(if_below)
        gained.append(entropy((mass * right).sum()) - remaining)
    halfway, estimate = np.interp([decision_point(away * error, 0.0), away * error], difficulties, gained)
    assert halfway >= 0.97 * max(gained)
    assert halfway > estimate


@pytest.mark.parametrize("count", [3, 700])
def test_a_table_ranks_as_a_full_scan_does(count):
    items = some_items(count, covariance=np.random.default_rng(1).uniform(0, 0.5, count))
    strata = np.arange(count) % 3
    table = build_table(items, stratum=strata)
    for row in (0, 40, 90, 160):
        worth = discounted_information(items, LOWEST + STEP * row)
        for place in range(3):
            members = np.flatnonzero(strata == place)
            expected = members[np.argsort(-worth[members], kind="stable")]
            ranked = table.ranking[place, row]
            np.testing.assert_array_equal(ranked[ranked >= 0], expected[: ranked.shape[0]])


def test_propensities_are_the_frequencies():
    items = some_items(30)
    table = build_table(items, stratum=np.arange(30) % 3, targets=[0.5, 0.3, 0.2], width=9)
    sitting = start_sitting(table)
    for item in (0, 3, 1):
        sitting.record(item)
    rng = np.random.default_rng(2)
    drawn = [choose_item(table, sitting, 0.2, rng) for _ in range(20_000)]
    stated = dict(drawn)
    assert sum(stated.values()) == pytest.approx(1.0)
    for item, chance in stated.items():
        share = np.mean([choice.item == item for choice in drawn])
        assert share == pytest.approx(chance, abs=5 * np.sqrt(chance / 20_000))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_barred_is_never_asked(data):
    count = data.draw(st.integers(1, 40), label="items")
    strata = data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count), label="strata")
    present = max(strata) + 1
    shares = [
        float(place in strata) * data.draw(st.sampled_from([0.0, 0.5, 2.0])) for place in range(present)
    ]
    if sum(shares) == 0.0:
        shares[strata[0]] = 1.0
    enemies = data.draw(
        st.lists(st.lists(st.integers(0, count - 1), min_size=2, max_size=5), max_size=4), label="enemies"
    )
    days = np.array(
        data.draw(st.lists(st.sampled_from([1.0, 89.9, 90.0, np.inf]), min_size=count, max_size=count))
    )
    withdrawn = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    table = build_table(some_items(count), stratum=strata, targets=shares, enemies=enemies)
    sitting = start_sitting(table, days_since_shown=days, withdrawn=withdrawn)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    asked = []
    while (choice := choose_item(table, sitting, data.draw(st.floats(-9, 9)), rng)) is not None:
        assert 0.0 < choice.propensity <= 1.0
        assert choice.item not in asked
        assert days[choice.item] >= 90.0
        assert not withdrawn[choice.item]
        assert shares[strata[choice.item]] > 0.0
        asked.append(choice.item)
        sitting.record(choice.item)
    for foes in enemies:
        assert len(set(foes) & set(asked)) <= 1
    left = set(range(count)) - set(asked)
    for item in left:  # nothing that might have been asked was passed over
        foe_asked = any(item in foes and set(foes) & set(asked) for foes in enemies)
        assert days[item] < 90 or withdrawn[item] or foe_asked or shares[strata[item]] == 0.0


def test_content_follows_its_targets():
    targets = np.array([0.4, 0.3, 0.2, 0.1])
    table = build_table(some_items(400), stratum=np.arange(400) % 4, targets=targets)
    for seed in range(20):
        sitting, rng = start_sitting(table), np.random.default_rng(seed)
        for number in range(1, 41):
            sitting.record(choose_item(table, sitting, 0.0, rng).item)
            assert np.abs(sitting.counts - targets * number).max() <= 2.0


def test_a_stratum_that_runs_dry_leaves_its_share_to_the_others():
    table = build_table(some_items(12), stratum=[0, 0] + [1] * 10, targets=[0.9, 0.1])
    sitting, rng = start_sitting(table), np.random.default_rng(0)
    for _ in range(12):
        sitting.record(choose_item(table, sitting, 0.0, rng).item)
    assert choose_item(table, sitting, 0.0, rng) is None


def test_no_item_is_shown_much_more_often_than_the_width_allows():
    table = build_table(some_items(500))
    shown = np.zeros(500)
    rng = np.random.default_rng(0)
    for _ in range(500):
        sitting = start_sitting(table)
        for _ in range(20):
            choice = choose_item(table, sitting, 0.5, rng)
            sitting.record(choice.item)
            shown[choice.item] += 1
    assert default_width(500) == 100
    assert shown.max() / 500 < 20 / 100 * 1.3


def test_beyond_the_table_the_whole_pool_serves():
    table = build_table(some_items(1500), width=60)
    assert table.ranking.shape[2] < 1500
    ranked = table.ranking[0, 80]
    days = np.full(1500, np.inf)
    days[ranked] = 3.0
    choice = choose_item(table, start_sitting(table, days_since_shown=days), 0.0, np.random.default_rng(0))
    assert choice.item not in ranked
    days[:] = 3.0
    assert (
        choose_item(table, start_sitting(table, days_since_shown=days), 0.0, np.random.default_rng(0)) is None
    )


def test_small_pools():
    rng = np.random.default_rng(3)
    assert choose_among(some_items(1), 0.0, rng) == (0, 1.0)
    items = make_items([-3.0, -0.1, 0.0, 0.1, 3.0, 4.0])
    assert {choose_among(items, 0.0, rng).item for _ in range(100)} == {1, 2, 3}
    barred = [False, True, False, True, False, True]
    assert {choose_among(items, 0.0, rng, barred=barred).item for _ in range(100)} == {0, 2, 4}
    assert choose_among(items, 0.0, rng, barred=[True] * 6) is None
    table = build_table(items)
    assert {choose_item(table, start_sitting(table), 0.0, rng).item for _ in range(100)} == {1, 2, 3}


def test_the_same_seed_asks_the_same_items():
    table = build_table(some_items(300), stratum=np.arange(300) % 2)

    def one_run():
        sitting, rng, run = start_sitting(table), np.random.default_rng(9), []
        for _ in range(30):
            run.append(choose_item(table, sitting, 0.3, rng))
            sitting.record(run[-1].item)
        return run

    assert one_run() == one_run()


def test_bad_input_is_named():
    items, rng = some_items(5), np.random.default_rng(0)
    table = build_table(items)
    sitting = start_sitting(table)
    with pytest.raises(ValueError, match="point is nan"):
        choose_item(table, sitting, float("nan"), rng)
    with pytest.raises(ValueError, match="ability is inf"):
        choose_among(items, float("inf"), rng)
    with pytest.raises(ValueError, match="no items"):
        build_table(items.take([]))
    with pytest.raises(ValueError, match="one number from 0 for each of 5"):
        build_table(items, stratum=[0, 1])
    with pytest.raises(ValueError, match="targets must be finite"):
        build_table(items, targets=[np.nan])
    with pytest.raises(ValueError, match="1 targets for 2 strata"):
        build_table(items, stratum=[0, 1, 1, 1, 1], targets=[1.0])
    with pytest.raises(ValueError, match="stratum 1 has a target but no items"):
        build_table(items, targets=[0.5, 0.5])
    with pytest.raises(ValueError, match=r"outside 0\.\.4"):
        build_table(items, enemies=[(0, 5)])
    with pytest.raises(ValueError, match="width is 0"):
        build_table(items, width=0)
    with pytest.raises(ValueError, match="for 5 items"):
        start_sitting(table, withdrawn=[True])
    with pytest.raises(ValueError, match="for 5 items"):
        choose_among(items, 0.0, rng, barred=[True])
