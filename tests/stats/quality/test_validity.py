"""Criterion validity: against other implementations and by coverage; and the real admission test."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.stats.quality.samples import medical

from toprope.stats.quality.chance import adjust_p_values, correlation_interval
from toprope.stats.quality.validity import area_difference, criterion_validity


def test_against_scipy_with_ties():
    generator = np.random.default_rng(1)
    measure = generator.integers(0, 10, 300)
    criterion = generator.random(300) < measure / 12
    found = criterion_validity(measure, criterion)
    rank = stats.mannwhitneyu(measure[criterion], measure[~criterion]).statistic
    assert found.area == pytest.approx(rank / (criterion.sum() * (~criterion).sum()))
    expected = stats.pearsonr(measure, criterion)
    assert found.correlation == pytest.approx(expected.statistic)
    assert found.correlation_interval == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_the_intervals_cover():
    generator = np.random.default_rng(2)
    truth = stats.norm.cdf(1 / 2**0.5)
    criterion = np.arange(120) % 3 == 0
    inside = even = 0
    for _ in range(500):
        measure = generator.normal(size=120) + criterion
        low, high = criterion_validity(measure, criterion, probability=0.9).area_interval
        inside += low <= truth <= high
        first, second = (measure + generator.normal(size=120) for _ in range(2))
        low, high = area_difference(first, second, criterion, probability=0.9)[1]
        even += low <= 0 <= high
    assert inside / 500 == pytest.approx(0.9, abs=0.04)
    assert even / 500 == pytest.approx(0.9, abs=0.04)


def test_the_admission_test_foretells_study_success():
    sample = medical()
    known = ~np.isnan(sample.criterion)
    found = criterion_validity(sample.scores[known].sum(axis=1), sample.criterion[known])
    assert found.correlation == pytest.approx(
        stats.pearsonr(sample.scores[known].sum(axis=1), sample.criterion[known]).statistic
    )
    assert found.area_interval[0] > 0.5


def test_nothing_to_tell_is_said():
    found = criterion_validity([1.0, 1.0, 1.0, 1.0], [0, 1, 0, 1])
    assert (found.correlation, found.correlation_interval) == (None, (-1.0, 1.0))
    assert found.area == 0.5
    perfect = criterion_validity([0.0, 0.0, 1.0, 1.0], [0, 0, 1, 1])
    assert (perfect.area, perfect.area_interval) == (1.0, (0.0, 1.0))
    assert perfect.correlation == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.booleans()), min_size=2, max_size=40))
def test_turning_the_measure_turns_the_area(pairs):
    measure, criterion = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    if criterion.all() or not criterion.any():
        with pytest.raises(ValueError, match="same for everybody"):
            criterion_validity(measure, criterion)
        return
    found, turned = criterion_validity(measure, criterion), criterion_validity(-measure, criterion)
    assert found.area + turned.area == pytest.approx(1)
    low, high = found.area_interval
    assert 0 <= low <= found.area <= high <= 1
    low, high = found.correlation_interval
    assert -1 <= low <= (found.correlation or 0.0) <= high <= 1


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="measure 1 is nan"):
        criterion_validity([1.0, np.nan], [0, 1])
    with pytest.raises(ValueError, match="probability"):
        criterion_validity([1.0, 2.0], [0, 1], probability=0.0)
    with pytest.raises(ValueError, match="two who did not"):
        area_difference([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [0, 1, 1])


def test_adjusted_p_values_as_published():
    """The worked example of Benjamini & Hochberg (1995): at 5 % the four smallest of fifteen are rejected."""
    given_values = [
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
        *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0),
    ]
    assert (adjust_p_values(given_values) <= 0.05).sum() == 4
    assert adjust_p_values(given_values) == pytest.approx(stats.false_discovery_control(given_values))
    assert len(adjust_p_values([])) == 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        adjust_p_values([0.5, np.nan])


def test_few_pairs_say_nothing_of_a_correlation():
    assert correlation_interval(0.5, 3) == (-1.0, 1.0)
    assert correlation_interval(1.0, 30) == (-1.0, 1.0)
