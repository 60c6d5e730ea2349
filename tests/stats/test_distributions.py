"""The distribution functions, against SciPy's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from toprope.stats.distributions import (
    beta_cdf,
    beta_quantile,
    chi_square_sf,
    normal_cdf,
    normal_quantile,
    proportion_interval,
    proportion_upper_bound,
)

shapes = st.floats(0.3, 5_000)


@given(st.floats(-30, 30))
def test_normal(x):
    assert normal_cdf(x) == pytest.approx(stats.norm.cdf(x), rel=1e-11)


@given(st.floats(1e-12, 1 - 1e-12))
def test_normal_quantile(probability):
    assert normal_quantile(probability) == pytest.approx(stats.norm.ppf(probability), rel=1e-9, abs=1e-12)


@given(st.floats(0, 2_000), st.floats(0.3, 1_000))
def test_chi_square(x, degrees):
    assert chi_square_sf(x, degrees) == pytest.approx(stats.chi2.sf(x, degrees), rel=1e-8, abs=1e-280)


@given(st.floats(0, 1), shapes, shapes)
def test_beta(x, a, b):
    assert beta_cdf(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-7, abs=1e-10)


@given(st.floats(0.001, 0.999), shapes, shapes)
def test_beta_quantile_inverts(probability, a, b):
    assert beta_cdf(beta_quantile(probability, a, b), a, b) == pytest.approx(probability, abs=1e-6)


@given(st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_proportion_interval(counts):
    exact = stats.binomtest(*counts).proportion_ci(0.95, method="exact")
    assert proportion_interval(*counts) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_a_proportion_without_trials_may_be_anything():
    assert proportion_interval(0, 0) == (0.0, 1.0)
    assert proportion_upper_bound(0, 59) == pytest.approx(0.0495, abs=1e-4)  # the "rule of three"


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (normal_quantile, (0.0,)),
        (chi_square_sf, (-1.0, 2.0)),
        (chi_square_sf, (float("nan"), 2.0)),
        (beta_cdf, (1.5, 1.0, 1.0)),
        (beta_quantile, (1.1, 1.0, 1.0)),
        (proportion_interval, (3, 2)),
    ],
)
def test_nonsense_is_refused(function, arguments):
    with pytest.raises(ValueError, match=r"."):
        function(*arguments)
