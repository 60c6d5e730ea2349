"""The E-step against the plain sums, in each of its ways."""

import numpy as np
import pytest
from tests.stats.calibration.simulated import answer, log_likelihood, pool

from toprope.stats.calibration import expectation
from toprope.stats.calibration.expectation import expect
from toprope.stats.calibration.kernels import normalise_double, normalise_single
from toprope.stats.calibration.parameters import items_of, parameters_of, quadrature
from toprope.stats.items import score_probabilities
from toprope.stats.responses import table_responses


def made() -> tuple:
    items = pool(9, 1, highest=3)
    table = answer(items, np.random.default_rng(2).normal(size=2500), 3, asked=0.7)
    table[5] = np.nan
    return items, table


def test_counts_are_sums_of_posteriors():
    items, table = made()
    found = expect(table_responses(table), parameters_of(items), 64, single=False)
    grid = quadrature(64)
    chances = score_probabilities(items, grid.points)
    likelihood = np.exp(np.tile(grid.log_weights, (len(table), 1)))
    for j in range(9):
        asked = ~np.isnan(table[:, j])
        likelihood[asked] *= chances[:, j, table[asked, j].astype(int)].T
    posterior = likelihood / likelihood.sum(axis=1, keepdims=True)
    first = parameters_of(items).first
    for j in range(9):
        for k in range(items.scores[j] + 1):
            assert found.counts[first[j] + k] == pytest.approx(
                posterior[table[:, j] == k].sum(axis=0), abs=1e-9
            )
    assert found.log_likelihood == pytest.approx(log_likelihood(items, table), abs=1e-6)
    answered = ~np.isnan(table).all(axis=1)
    assert found.persons == answered.sum() < 2500
    assert found.mass == pytest.approx(posterior[answered].sum(axis=0), abs=1e-9)


@pytest.mark.parametrize("single", [False, True])
def test_very_many_items_are_taken_in_groups(monkeypatch, single):
    items, table = made()
    arguments = (table_responses(table), parameters_of(items), 48)
    plain = expect(*arguments, single=single, step=3)
    monkeypatch.setattr(expectation, "MANY_ITEMS", 5)
    monkeypatch.setattr(expectation, "GROUP_SHIFT", 1)
    grouped = expect(*arguments, single=single, step=3)
    assert grouped.counts == pytest.approx(plain.counts, rel=1e-4, abs=1e-4)
    assert grouped.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-7)
    assert grouped.persons == 833


def test_single_precision_is_close(monkeypatch):
    items, table = made()
    arguments = (table_responses(table), parameters_of(items), 48)
    monkeypatch.setattr(expectation, "FOLD", 2)
    rough, fine = expect(*arguments, single=True), expect(*arguments, single=False)
    assert rough.counts == pytest.approx(fine.counts, rel=1e-4, abs=1e-4)
    assert rough.log_likelihood == pytest.approx(fine.log_likelihood, abs=1e-5 * len(table))


def test_parts_add_up():
    items, table = made()
    whole, parameters = table_responses(table), parameters_of(items)
    parts = [expect(part, parameters, 32, single=False) for part in whole.chunks(999)]
    total, once = parts[0] + parts[1] + parts[2], expect(whole, parameters, 32, single=False)
    assert total.counts == pytest.approx(once.counts, abs=1e-9)
    assert total.log_likelihood == pytest.approx(once.log_likelihood, abs=1e-8)
    assert total.persons == once.persons


def test_exponentials_in_single_precision():
    logs = np.random.default_rng(4).uniform(-120, 30, (50, 37))
    rough, fine = logs.astype(np.float32), logs.copy()
    single, double = normalise_single(rough, 50), normalise_double(fine, 50)
    assert single == pytest.approx(double, abs=50 * 1e-5)
    assert rough == pytest.approx(fine, rel=3e-5, abs=1e-30)
    assert fine.sum(axis=1) == pytest.approx(1.0)
    assert double == pytest.approx(np.log(np.exp(logs).sum(axis=1)).sum())


def test_the_forms_of_an_item_are_one():
    items = pool(12, 5, highest=4)
    back = items_of(parameters_of(items), items.covariance)
    for name in ("discrimination", "difficulty", "steps", "scores"):
        assert getattr(back, name) == pytest.approx(getattr(items, name), abs=1e-12)
    grid = np.linspace(-4, 4, 9)
    table = np.exp(parameters_of(items).log_chances(grid))
    chances = score_probabilities(items, grid)
    first = parameters_of(items).first
    for j in range(12):
        for k in range(items.scores[j] + 1):
            assert table[first[j] + k] == pytest.approx(chances[:, j, k], abs=1e-12)
