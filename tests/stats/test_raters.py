"""Raters' severities: from simulated tables with a known truth, and from real ratings."""

import csv

import numpy as np
import pytest
from tests.stats.shared_data import responses_file

from toprope.stats.raters import Severities, estimate_severities


def table(persons, raters, each, spread, *, seed=1, criteria=3):
    """Persons rated by `each` raters drawn at random on criteria scored 0..3; the true severities."""
    rng = np.random.default_rng(seed)
    severity, ability = spread * rng.normal(size=raters), 1.5 * rng.normal(size=persons)
    thresholds = np.array([[-1.2, 0.1, 1.4], [-0.8, -0.2, 0.9], [-1.5, 0.4, 1.0]])[:criteria]
    rows = []
    for person in range(persons):
        for rater in rng.choice(raters, each, replace=False):
            for criterion in range(criteria):
                terms = np.cumsum([0, *(ability[person] - thresholds[criterion] - severity[rater])])
                chance = np.exp(terms - terms.max())
                score = rng.choice(4, p=chance / chance.sum())
                rows.append((person, f"r{rater:02}", f"k{criterion}", score))
    return [np.array(column) for column in zip(*rows, strict=True)], severity, thresholds


def test_it_finds_severities_spreads_and_thresholds():
    columns, severity, thresholds = table(400, 20, 3, spread=0.7)
    found = estimate_severities(*columns)
    assert found.converged
    error = found.severities.severity - severity
    assert np.abs(error / found.severities.standard_error).max() < 3.5
    assert np.corrcoef(found.severities.severity, severity)[0, 1] > 0.97
    assert abs(found.severities.spread - severity.std()) < 2 * found.spread_error
    assert abs(found.person_deviation - 1.5) < 3 * found.person_deviation_error
    assert found.thresholds == pytest.approx(thresholds, abs=0.35)
    assert found.ratio == pytest.approx(found.severities.spread / found.person_deviation)
    assert found.severities.names == tuple(f"r{n:02}" for n in range(20))


def test_its_intervals_hold_what_they_promise():
    """Over thirty small tables: 90 % intervals of severities hold .85 to .95 of them, shrunk as they are."""
    held, spreads = [], []
    for seed in range(30):
        columns, severity, _ = table(60, 10, 2, spread=0.5, seed=seed, criteria=2)
        found = estimate_severities(*columns).severities
        held.append(np.abs(found.severity - severity) < 1.645 * found.standard_error)
        spreads.append(found.spread)
    assert 0.85 <= np.mean(held) <= 0.95
    assert np.mean(spreads) == pytest.approx(0.5, abs=0.08)


def test_raters_who_agree_have_no_spread():
    columns, _, _ = table(400, 15, 3, spread=0.0)
    found = estimate_severities(*columns)
    assert found.severities.spread < 0.12
    assert np.abs(found.severities.severity).max() < 0.2


def test_the_same_table_in_another_order_gives_the_same():
    columns, _, _ = table(80, 6, 2, spread=0.5)
    order = np.random.default_rng(3).permutation(len(columns[0]))
    first, second = estimate_severities(*columns), estimate_severities(*(each[order] for each in columns))
    assert first.severities.severity == pytest.approx(second.severities.severity, abs=1e-9)
    assert first.ratio == pytest.approx(second.ratio, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "criteria", "ratio"),
    [
        ("ratings1.csv", ["k1", "k2", "k3", "k4", "k5"], 0.36),
        ("ratings3.csv", ["crit2", "crit3", "crit4", "crit6"], 0.23),
    ],
)
def test_real_ratings(name, criteria, ratio):
    """Severity / person standard deviation as the research measured it, within .05."""
    with responses_file(name).open() as file:
        rows = list(csv.DictReader(file))
    ratings = [
        (row["idstud"], row["rater"], each, int(row[each])) for row in rows for each in criteria if row[each]
    ]
    found = estimate_severities(*(np.array(column) for column in zip(*ratings, strict=True)))
    assert found.converged
    assert found.ratio == pytest.approx(ratio, abs=0.05)
    assert 0 < found.ratio_error < 0.15


@pytest.mark.parametrize(
    "rows",
    [
        [("p", "r", "k", 0), ("q", "r", "k", 1)],  # one rater
        [("p", "r", "k", 0), ("p", "s", "k", 1)],  # one person
        [("p", "r", "k", 0), ("q", "s", "k", 3)],  # raters who share nobody; scores that nobody got
        [
            ("p", "r", "k", 2),
            ("q", "s", "l", 3),
            ("q", "s", "k", 2),
            ("p", "s", "l", 1),
        ],  # a constant criterion
    ],
)
def test_thin_tables_give_finite_and_doubtful_answers(rows):
    found = estimate_severities(*(np.array(column) for column in zip(*rows, strict=True)))
    assert np.isfinite(found.severities.severity).all()
    assert (found.severities.standard_error > 0).all()
    assert np.isfinite([found.ratio, found.ratio_error, found.spread_error, found.person_deviation]).all()
    assert np.isfinite(found.thresholds[~np.isnan(found.thresholds)]).all()


@pytest.mark.parametrize(
    ("score", "complaint"),
    [
        ([], "at least 1"),
        ([1], "columns of one length"),
        ([1, np.nan], "score nan of rating 1"),
        ([1, 0.5], "score 0.5 of rating 1"),
        ([1, 1], "one score only"),
    ],
)
def test_bad_tables_are_named(score, complaint):
    labels = ["a", "b"] if score else []
    with pytest.raises(ValueError, match=complaint):
        estimate_severities(labels, labels, labels, score)


def test_severities_take_in_strangers_and_evidence():
    known = Severities(("ben",), np.array([0.4]), np.array([0.2]), spread=0.8)
    more = known.including(["eva", "ben"])
    assert more.names == ("ben", "eva")
    assert more.standard_error == pytest.approx([0.2, 0.8])
    learnt = more.learn(np.array([0.0, 1 / 0.64]), np.array([0.0, 1.0]))
    assert learnt.severity == pytest.approx([0.4, 0.32])
    assert learnt.standard_error == pytest.approx([0.2, 0.8 / np.sqrt(2)])
    with pytest.raises(ValueError, match="above 0 and finite"):
        Severities(("ben",), np.zeros(1), np.zeros(1))
    with pytest.raises(ValueError, match="each name once"):
        Severities(("ben", "ben"), np.zeros(2), np.ones(2))
    with pytest.raises(ValueError, match="spread above 0"):
        Severities((), np.zeros(0), np.zeros(0), spread=0.0)
