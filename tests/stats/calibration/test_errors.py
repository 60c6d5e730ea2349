"""Standard errors against second differences of the plain likelihood."""

import numpy as np
import pytest
from tests.stats.calibration.simulated import answer, log_likelihood, pool

from toprope.stats.calibration import Anchors, Prior, calibrate, errors
from toprope.stats.items import make_items
from toprope.stats.responses import table_responses


def numeric_covariance(value, place):
    """The inverse of minus the second derivatives of `value` at `place`, by central differences."""
    count, h = len(place), 1e-3
    unit = np.eye(count) * h
    information = np.empty((count, count))
    for i in range(count):
        for j in range(count):
            corners = [
                sign * value(place + a * unit[i] + b * unit[j])
                for a, b, sign in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
            ]
            information[i, j] = -sum(corners) / (4 * h * h)
    return np.linalg.inv(information)


def test_they_are_the_curvature_of_the_likelihood():
    table = answer(pool(5, 1), np.random.default_rng(2).normal(size=1000), 3)
    found = calibrate(table_responses(table), tolerance=1e-7)
    place = np.concatenate([found.items.discrimination, found.items.difficulty])
    plain = numeric_covariance(lambda x: log_likelihood(make_items(x[5:], x[:5]), table), place)
    for j in range(5):
        expected = plain[np.ix_([j, j + 5], [j, j + 5])]
        assert found.items.covariance[j] == pytest.approx(expected, rel=0.02, abs=1e-5)


def test_partial_credit_is_no_different():
    table = answer(pool(4, 4, highest=2), np.random.default_rng(5).normal(size=500), 6)
    found = calibrate(table_responses(table), tolerance=1e-7)
    kept = found.items

    def value(x):
        steps = kept.steps.copy()
        steps[[1, 3], 0], steps[[1, 3], 1] = x[8:], -x[8:]
        return log_likelihood(make_items(x[4:8], x[:4], steps=steps, scores=kept.scores), table)

    place = np.concatenate([kept.discrimination, kept.difficulty, kept.steps[[1, 3], 0]])
    plain = numeric_covariance(value, place)
    for j in range(4):
        expected = plain[np.ix_([j, j + 4], [j, j + 4])]
        assert kept.covariance[j] == pytest.approx(expected, rel=0.02, abs=1e-5)


def test_of_the_abilities_too():
    items = pool(6, 7)
    table = answer(items, np.random.default_rng(8).normal(0.5, 1.3, size=1200), 9)
    places = np.arange(5)
    found = calibrate(table_responses(table), anchors=Anchors(places, items.take(places)), tolerance=1e-7)

    def value(x):
        moved = make_items(np.append(items.difficulty[:5], x[1]), np.append(items.discrimination[:5], x[0]))
        return log_likelihood(moved, table, x[2], x[3])

    place = np.array(
        [found.items.discrimination[5], found.items.difficulty[5], found.ability_mean, found.ability_sd]
    )
    plain = numeric_covariance(value, place)
    assert found.items.covariance[5] == pytest.approx(plain[:2, :2], rel=0.02, abs=1e-5)
    assert found.ability_errors == pytest.approx(np.sqrt(np.diag(plain)[2:]), rel=0.02)


def test_the_prior_counts():
    """Far more persons, far less error than the prior's; hardly any, the prior's."""
    wide = Prior(discrimination_spread=1e3, easiness_spread=1e3)
    table = answer(pool(5, 10), np.random.default_rng(11).normal(size=1000), 12)
    plain, vague = (calibrate(table_responses(table), prior=each) for each in (None, wide))
    assert vague.items.covariance == pytest.approx(plain.items.covariance, rel=0.02, abs=1e-4)
    narrow = calibrate(table_responses(table), prior=Prior(discrimination_spread=0.01))
    assert np.sqrt(narrow.items.covariance[:, 0, 0]) == pytest.approx(0.01, rel=0.05)


def test_blocks_and_samples_come_close_to_the_whole(monkeypatch):
    table = answer(pool(40, 13), np.random.default_rng(14).normal(size=4000), 15)
    whole = calibrate(table_responses(table)).items.covariance
    monkeypatch.setattr(errors, "FULL", 0)
    blocks = calibrate(table_responses(table)).items.covariance
    ratio = np.sqrt(blocks[:, [0, 1], [0, 1]] / whole[:, [0, 1], [0, 1]])
    assert ratio.min() > 0.99
    assert ratio.max() < 1.03
    monkeypatch.setattr(errors, "RESPONSES_PER_ITEM", 1000)
    sampled = calibrate(table_responses(table)).items.covariance
    assert sampled[:, [0, 1], [0, 1]] == pytest.approx(blocks[:, [0, 1], [0, 1]], rel=0.05)
