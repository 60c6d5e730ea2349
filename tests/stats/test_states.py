"""The state of a person: how it ages, what it reads as, and its bytes."""

import math
import zlib
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.stats.filtering import fold_observations, make_observations
from toprope.stats.items import make_items
from toprope.stats.population import population_from_graph
from toprope.stats.retention import retained_share
from toprope.stats.states import (
    AbilityState,
    age_state,
    inflate_state,
    lowest_probability,
    predict_ability,
    probability_at_or_above,
    severity_of,
    start_state,
)

NAMES = ("A", "B", "C")
POPULATION = population_from_graph(
    NAMES,
    {"B": ("A",), "C": ("A", "B")},
    {"A": 120, "B": 240, "C": 540},
    mean={"A": 0.2},
    shifts={"senior": {"A": 0.5, "C": 0.4}},
)

GOLDEN = (  # what version 1 wrote of somebody new on one competency
    "54524153d19b6cfd010a0000005b5b2241225d2c5b5d5d00000000000000400000000000000000000000000000f03f000000"
    "000000000000000000000033400000000000000040000000000000000000000000000000000000000000000000"
)


def seasoned(seed: int = 1) -> AbilityState:
    """A state after thirty answers over a year, two of them rated by Ben and Eva."""
    rng = np.random.default_rng(seed)
    items = make_items(rng.normal(size=30), rng.uniform(0.8, 2, 30), covariance=np.full(30, 0.1))
    seen = make_observations(
        np.arange(30),
        rng.integers(0, 2, 30),
        np.sort(rng.random(30) * 365),
        rng.integers(0, 3, 30),
        rater=["ben", "eva"] + [None] * 28,
    )
    start = start_state(POPULATION, 0.0, ["senior"])
    return fold_observations(POPULATION, [start], items, seen).states[0]


def same(first: AbilityState, second: AbilityState, tolerance: float = 0.0) -> bool:
    return all(
        np.allclose(getattr(first, each.name), getattr(second, each.name), rtol=tolerance, atol=tolerance)
        for each in fields(AbilityState)
        if each.name not in {"competencies", "raters"}
    )


@given(st.floats(0, 800), st.floats(0, 800), st.integers(0, 50))
def test_two_steps_of_ageing_are_one(first, second, seed):
    state = seasoned(seed)
    middle = age_state(POPULATION, state, state.at + first)
    twice = age_state(POPULATION, middle, state.at + first + second)
    once = age_state(POPULATION, state, state.at + first + second)
    assert same(twice, replace(once, at=twice.at), 1e-9)


def test_predicting_on_the_way_does_not_count_twice():
    """An update after an intermediate prediction is the update without it."""
    state, item = seasoned(), make_items([0.0])
    answer = make_observations(0, 1, state.at + 90, 1)
    direct = fold_observations(POPULATION, [state], item, answer).states[0]
    by_way = fold_observations(
        POPULATION, [age_state(POPULATION, state, state.at + 40)], item, answer
    ).states[0]
    assert same(direct, by_way, 1e-12)


def test_ageing_follows_the_power_law():
    """Without a success after the start, each competency by its own stability from the start on."""
    item = make_items([-0.5])
    state = fold_observations(
        POPULATION, [start_state(POPULATION, 0.0)], item, make_observations(0, 0, 0.0, 0)
    ).states[0]
    rho = retained_share(100.0, POPULATION.stability)
    later = predict_ability(POPULATION, state, 100.0)
    prior = np.diagonal(POPULATION.covariance)
    assert later.value == pytest.approx(POPULATION.mean + rho * (state.mean - POPULATION.mean), abs=1e-12)
    assert later.standard_error**2 == pytest.approx(
        rho**2 * np.diagonal(state.covariance) + (1 - rho**2) * prior
    )
    assert retained_share(120.0, POPULATION.stability[0]) == pytest.approx(0.5)


@given(st.integers(0, 50), st.floats(0, 5000))
def test_ageing_keeps_a_covariance_and_the_prior_variance_is_stationary(seed, days):
    state = seasoned(seed)
    aged = age_state(POPULATION, state, state.at + days)
    assert np.linalg.eigvalsh(aged.covariance)[0] > 0
    assert np.array_equal(aged.covariance, aged.covariance.T)
    prior = age_state(POPULATION, start_state(POPULATION, 0.0), days)
    assert np.diagonal(prior.covariance) == pytest.approx(np.diagonal(POPULATION.covariance), rel=1e-12)
    assert prior.mean == pytest.approx(POPULATION.mean, abs=1e-12)


def test_ageing_matches_a_simulation():
    """sqrt(a_c) (theta_c - mu_c) as a Brownian motion, in 200 steps: the formula's mean and covariance."""
    state, rng = seasoned(), np.random.default_rng(3)
    days, steps, persons = 300.0, 200, 40_000
    theta = rng.multivariate_normal(state.mean[:3], state.covariance[:3, :3], persons) - state.prior_mean
    age = state.stability * 81 / 19 + state.at - state.last_success
    shock = np.linalg.cholesky(POPULATION.covariance * days / steps)
    scaled = theta * np.sqrt(age)
    for _ in range(steps):
        scaled += rng.normal(size=(persons, 3)) @ shock.T
    theta = scaled / np.sqrt(age + days)
    aged = age_state(POPULATION, state, state.at + days)
    assert theta.mean(axis=0) + state.prior_mean == pytest.approx(aged.mean[:3], abs=0.02)
    assert np.cov(theta.T) == pytest.approx(aged.covariance[:3, :3], abs=0.02)


def test_an_earlier_time_changes_nothing():
    state = seasoned()
    assert age_state(POPULATION, state, state.at - 10) is state


def test_a_new_tool_version_is_like_time_passed():
    state = seasoned()
    after = inflate_state(POPULATION, state, ["B"], 0.5)
    prior, place = np.diagonal(POPULATION.covariance), 1
    assert after.mean[place] - after.prior_mean[place] == pytest.approx(
        0.5 * (state.mean[place] - state.prior_mean[place])
    )
    assert after.covariance[place, place] == pytest.approx(
        0.25 * state.covariance[place, place] + 0.75 * prior[1]
    )
    assert np.delete(after.mean, 1) == pytest.approx(np.delete(state.mean, 1), abs=0)
    assert np.linalg.eigvalsh(after.covariance)[0] > 0
    assert same(inflate_state(POPULATION, state, NAMES, 1.0), state)
    with pytest.raises(ValueError, match="unknown competencies: \\['X'\\]"):
        inflate_state(POPULATION, state, ["X"], 0.5)


def test_probability_is_the_normals():
    start = start_state(POPULATION, 0.0, ["senior"])
    chances = probability_at_or_above(POPULATION, start, [0.7, 1.0, -1.0], 0.0)
    assert chances == pytest.approx([0.5, 0.158655254, 0.5 * math.erfc(-1.4 / math.sqrt(2))])
    low, high = predict_ability(POPULATION, start, 0.0).interval()
    assert (low[0], high[0]) == pytest.approx((0.7 - 1.644854, 0.7 + 1.644854))


@given(st.integers(0, 50), st.floats(-3, 3), st.floats(0, 3000))
def test_the_lowest_probability_is_the_lowest_on_the_way(seed, cut, days):
    state = seasoned(seed)
    lowest = lowest_probability(POPULATION, state, cut, state.at + days)
    way = state.at + days * np.linspace(0, 1, 60) ** 3
    seen = np.array([probability_at_or_above(POPULATION, state, cut, at) for at in way]).min(axis=0)
    assert (lowest <= seen + 1e-12).all()
    assert lowest == pytest.approx(seen, abs=2e-3)


@given(st.integers(0, 200))
def test_bytes_give_the_state_back_to_the_bit(seed):
    state = seasoned(seed)
    back = AbilityState.from_bytes(state.to_bytes())
    assert (back.competencies, back.raters) == (state.competencies, ("ben", "eva"))
    assert same(back, state)
    assert back.to_bytes() == state.to_bytes()


def test_bytes_do_not_change_between_releases():
    """A stored state is read by later releases: this one was written by version 1."""
    state = start_state(population_from_graph(["A"], {}, 243.0), 2.0)
    assert state.to_bytes().hex() == GOLDEN


@given(st.binary(max_size=60))
def test_other_bytes_are_refused(data):
    with pytest.raises(ValueError, match="no ability state"):
        AbilityState.from_bytes(data)


@given(st.integers(4, 400), st.integers(1, 255))
def test_damage_is_noticed(place, change):
    data = bytearray(seasoned().to_bytes())
    data[place % len(data)] ^= change
    with pytest.raises(ValueError, match="ability state"):
        AbilityState.from_bytes(bytes(data))


def test_another_version_is_named():
    data = bytearray(seasoned().to_bytes())
    data[8] = 9
    data[4:8] = zlib.crc32(data[8:]).to_bytes(4, "little")
    with pytest.raises(ValueError, match="of version 9; this Toprope reads 1"):
        AbilityState.from_bytes(bytes(data))


def test_what_does_not_fit_is_named():
    state = seasoned()
    other = population_from_graph(["A", "B"], {}, 120)
    with pytest.raises(ValueError, match=r"other competencies \(\['C'\]\)"):
        predict_ability(other, state, 0.0)
    with pytest.raises(ValueError, match="'kim' is not among this person's latest raters: ben, eva"):
        severity_of(state, "kim")
    with pytest.raises(ValueError, match="at is nan"):
        age_state(POPULATION, state, math.nan)
    with pytest.raises(ValueError, match="at is inf"):
        start_state(POPULATION, math.inf)
