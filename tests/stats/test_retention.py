"""The law of forgetting, and stability from retention probes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.stats.retention import (
    RetentionProbes,
    fit_stability,
    half_life_of,
    retained_share,
    stability_from_half_life,
)


def probes(elapsed, success, fresh=2.0, stability=20.0, *, variance=0.0, guess=0.0) -> RetentionProbes:
    elapsed = np.asarray(elapsed, dtype=float)
    full = np.ones_like(elapsed)
    return RetentionProbes(
        elapsed_days=elapsed,
        success=np.asarray(success, dtype=float),
        stability=stability * full,
        fresh_logit=fresh * full,
        fresh_variance=variance * full,
        faded_logit=-0.5 * full,
        faded_variance=variance * full,
        guess=guess * full,
    )


def simulated(truth: float, count: int, seed: int, guess: float = 0.0) -> RetentionProbes:
    rng = np.random.default_rng(seed)
    elapsed = rng.uniform(5, 400, count)
    logit = -0.5 + retained_share(elapsed, truth) * 2.5
    right = guess + (1 - guess) / (1 + np.exp(-logit))
    return probes(elapsed, rng.random(count) < right, guess=guess)


def test_the_law_is_that_of_fsrs():
    """FSRS-4.5: R(t, S) = (1 + 19/81 t/S)^-0.5, which is .9 at t = S (and here one half at the half-life)."""
    assert retained_share([0, 20, 40], 20) == pytest.approx([1.0, 0.9, (1 + 38 / 81) ** -0.5])
    for days in (120, 240, 540):
        assert retained_share(days, stability_from_half_life(days)) == pytest.approx(0.5)
        assert half_life_of(stability_from_half_life(days)) == pytest.approx(days)


def test_no_probes_give_the_prior_back():
    found = fit_stability(17.0, probes([], []))
    assert found.stability == pytest.approx(17.0)
    assert found.standard_error == pytest.approx(math.log(2), rel=1e-3)
    assert found.probes == 0


@pytest.mark.parametrize("guess", [0.0, 1 / 3])
@pytest.mark.parametrize("truth", [8.0, 20.0, 60.0])
def test_it_finds_the_truth(truth, guess):
    found = fit_stability(20.0, simulated(truth, 4000, seed=int(truth), guess=guess))
    assert abs(math.log(found.stability / truth)) < 3 * found.standard_error
    assert found.standard_error < 0.25


def test_intervals_hold_what_they_promise():
    """Stabilities drawn from the prior, 60 probes each: 90 % intervals hold 90 % of them."""
    rng, held = np.random.default_rng(7), 0
    for each in range(150):
        truth = 20.0 * math.exp(math.log(2) * rng.normal())
        found = fit_stability(20.0, simulated(truth, 60, seed=each))
        held += abs(math.log(found.stability / truth)) < 1.645 * found.standard_error
    assert 0.85 <= held / 150 <= 0.95


def test_many_more_failures_mean_less_stability():
    days = np.full(50, 60.0)
    good, bad = (fit_stability(20.0, probes(days, np.arange(50) < right)) for right in (48, 15))
    assert good.stability > 20.0 > bad.stability


@given(
    st.lists(st.tuples(st.floats(0, 1e5), st.booleans()), max_size=20),
    st.floats(-30, 30),
    st.floats(0, 50),
    st.floats(1e-3, 1e4),
)
def test_it_is_finite_whatever_comes(rows, fresh, variance, prior):
    elapsed, success = zip(*rows, strict=True) if rows else ((), ())
    found = fit_stability(prior, probes(elapsed, success, fresh, prior, variance=variance))
    assert 0 < found.stability < math.inf
    assert 0 < found.standard_error < 3 * math.log(2)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"elapsed": [-1.0]}, "elapsed_days of probe 0 is -1.0"),
        ({"success": [0.5]}, "success of probe 0 is 0.5"),
        ({"success": [1, 0]}, "success must hold one finite number for each probe"),
        ({"fresh": math.nan}, "fresh_logit must hold"),
        ({"stability": 0.0}, "stability of probe 0"),
        ({"variance": -1.0}, "fresh_variance of probe 0"),
        ({"guess": 1.0}, "guess of probe 0"),
    ],
)
def test_bad_probes_are_named(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        probes(**({"elapsed": [10.0], "success": [1.0]} | change))


def test_bad_days_are_named():
    with pytest.raises(ValueError, match="half-life is -1"):
        stability_from_half_life(-1)
    with pytest.raises(ValueError, match="elapsed_days must be 0 or more"):
        retained_share(-1, 20)
    with pytest.raises(ValueError, match="prior stability 0"):
        fit_stability(0.0, probes([], []))
