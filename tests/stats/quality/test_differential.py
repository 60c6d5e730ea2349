"""Differential item functioning: against published verdicts, another program, and its rules as properties."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import optimize
from tests.stats.quality.samples import medical, two_parameter, verbal

from toprope.stats.quality.differential import mantel, mantel_haenszel
from toprope.stats.quality.differential_logistic import logistic_differences
from toprope.stats.quality.scores import bands

GOLDEN = Path(__file__).parent / "golden"

# golden/differential_verbal.csv was printed by the R package difR (Magis, Beland, Tuerlinckx & De Boeck 2010)
# for its own data `verbal`, group Gender, focal 1: the examples of difMH and difLogistic, as the snapshots of
# its maintainers' tests hold them (tests/testthat/_snaps/difMH.md, difLogistic.md). So are the verdicts and
# figures here.
FLAGGED = {"S2WantShout", "S4WantShout", "S2DoCurse", "S2DoScold", "S3DoCurse", "S3DoScold"}
FLAGGED_PURIFIED = (FLAGGED - {"S4WantShout"}) | {"S3WantScold", "S1DoScold", "S4DoCurse", "S4DoScold"}
FLAGGED_LOGISTIC = {"S2WantShout", "S2DoCurse", "S2DoScold", "S3DoCurse"}
LOG_ODDS_TEST = {"S2WantShout": 3.1373, "S4WantShout": 2.2368, "S2DoCurse": -2.6614, "S3DoScold": -2.1368}
ADJUSTED = {"S2WantShout": 0.0466, "S2DoCurse": 0.0964, "S3DoCurse": 0.0972, "S3WantCurse": 0.9711}
PURIFIED = {"S2WantShout": 4.2680, "S2DoScold": 11.9436, "S4DoShout": 0.3223, "S1wantCurse": 0.0069}


def golden(name):
    with (GOLDEN / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_mantel_haenszel_gives_the_published_figures_and_verdicts():
    sample = verbal()
    study = mantel_haenszel(sample.scores, sample.focal)
    published = golden("differential_verbal.csv")
    assert [row["item"] for row in published] == sample.names
    for item, row in zip(study.items, published, strict=True):
        name = row["item"]
        assert item.chi_square == pytest.approx(float(row["chi_square"]), abs=6e-5), name
        assert item.delta == pytest.approx(float(row["delta"]), abs=6e-5), name
        assert item.size_class == row["size_class"], name
        if name in LOG_ODDS_TEST:
            assert -item.delta / item.delta_error == pytest.approx(LOG_ODDS_TEST[name], abs=6e-5)
        if name in ADJUSTED:
            assert item.adjusted_p_value == pytest.approx(ADJUSTED[name], abs=6e-5)
    assert {sample.names[item.item] for item in study.items if item.p_value < 0.05} == FLAGGED
    assert (study.rounds, study.settled) == (0, True)


def test_purification_gives_the_published_verdicts():
    sample = verbal()
    study = mantel_haenszel(sample.scores, sample.focal, purify=True)
    assert (study.rounds, study.settled) == (6, True)
    flagged = {sample.names[item.item] for item in study.items if item.p_value < 0.05}
    assert flagged == FLAGGED_PURIFIED
    assert {sample.names[item.item] for item in study.items if not item.anchor} == flagged
    for name, chi_square in PURIFIED.items():
        assert study.items[sample.names.index(name)].chi_square == pytest.approx(chi_square, abs=6e-5)


def test_logistic_regression_gives_the_published_figures_and_verdicts():
    sample = verbal()
    items = logistic_differences(sample.scores, sample.focal)
    published = golden("differential_verbal.csv")
    for item, row in zip(items, published, strict=True):
        for name in ("both", "uniform", "nonuniform", "r_square_change"):
            assert getattr(item, name) == pytest.approx(float(row[name]), abs=6e-5), (row["item"], name)
        assert (item.zumbo_thomas, item.jodoin_gierl) == ("A", "A"), row["item"]
    assert {sample.names[item.item] for item in items if item.p_value < 0.05} == FLAGGED_LOGISTIC


def test_the_admission_test_by_gender_agrees_with_r():
    sample = medical()
    known = ~np.isnan(sample.focal)
    scores, focal = sample.scores[known], sample.focal[known] == 1
    assert len(scores) == 2383  # 750 men and 1,633 women (documentation of dataMedical)
    study, logistic = mantel_haenszel(scores, focal), logistic_differences(scores, focal)
    rows = golden("differential_datamedical.csv")
    for row, classical, regression in zip(rows, study.items, logistic, strict=True):
        assert sample.names[classical.item] == row["item"]
        if classical.chi_square == 0.0:  # less than half a person from even: R leaves its correction out
            assert float(row["chi_square"]) < 0.01
        else:
            assert classical.chi_square == pytest.approx(float(row["chi_square"]), abs=2e-6)
        assert classical.odds_ratio == pytest.approx(float(row["odds_ratio"]), abs=2e-6)
        assert regression.uniform == pytest.approx(float(row["uniform"]), abs=2e-5)
        assert regression.nonuniform == pytest.approx(float(row["nonuniform"]), abs=2e-5)
        assert regression.r_square_change == pytest.approx(float(row["r_square_change"]), abs=2e-6)
    noticeable = {
        row["item"]
        for row in rows
        if abs(2.35 * math.log(float(row["odds_ratio"]))) >= 1 and float(row["chi_square"]) > 3.8415
    }
    assert noticeable == {"X2010", "X2036", "X2044", "X2045", "X209", "X218"}
    assert {sample.names[item.item] for item in study.items if item.ets_class != "A"} == noticeable


def test_the_significance_rule_of_the_classes():
    """Large but uncertain differences are B or A in the testing service's rule, C by size alone."""
    sample = verbal()
    study = mantel_haenszel(sample.scores, sample.focal)
    verdict = {sample.names[item.item]: (item.ets_class, item.size_class) for item in study.items}
    assert verdict["S2WantShout"] == ("C", "C")
    assert verdict["S3DoScold"] == ("B", "C")
    assert verdict["S2WantCurse"] == ("A", "C")


def test_an_item_made_harder_for_one_group_is_found_and_the_others_are_not():
    generator = np.random.default_rng(5)
    focal = np.arange(4000) % 2 == 1
    theta = generator.normal(size=4000) - 0.5 * focal  # groups may differ in ability
    difficulty = np.tile(np.linspace(-1.5, 1.5, 20), (4000, 1))
    difficulty[focal, 7] += 0.8
    chance = 1 / (1 + np.exp(-1.2 * (theta[:, None] - difficulty)))
    scores = (generator.random(chance.shape) < chance).astype(float)
    study = mantel_haenszel(scores, focal, purify=True)
    assert [item.item for item in study.items if item.ets_class == "C"] == [7]
    assert study.items[7].delta < -1.5
    assert [item.item for item in logistic_differences(scores, focal) if item.adjusted_p_value < 0.001] == [7]
    assert logistic_differences(scores, focal)[7].group_effect < -0.5


def test_a_difference_that_changes_sign_is_seen_by_regression_only():
    generator = np.random.default_rng(6)
    focal = np.arange(6000) % 2 == 1
    slope = np.ones((6000, 15))
    slope[focal, 4], slope[~focal, 4] = 0.3, 2.0
    theta = generator.normal(size=6000)
    chance = 1 / (1 + np.exp(-slope * (theta[:, None] - np.linspace(-1, 1, 15) * (np.arange(15) != 4))))
    scores = (generator.random(chance.shape) < chance).astype(float)
    assert mantel_haenszel(scores, focal).items[4].ets_class == "A"
    assert logistic_differences(scores, focal)[4].nonuniform_p_value < 1e-10


def test_mantel_equals_mantel_haenszel_without_correction_on_right_or_wrong_items():
    generator = np.random.default_rng(7)
    scores, _ = two_parameter(generator, 500, np.ones(6), np.linspace(-1, 1, 6))
    focal = generator.random(500) < 0.4
    level = bands(generator.normal(size=500), 4)
    for item, each in enumerate(mantel(scores, focal, matching=level)):
        excess = variance = 0.0
        for stratum in range(4):
            here = level == stratum
            n, right, mine = here.sum(), scores[here, item].sum(), focal[here].sum()
            excess += scores[here & focal, item].sum() - mine * right / n
            variance += mine * (n - mine) * right * (n - right) / (n * n * (n - 1))
        assert each.chi_square == pytest.approx(excess**2 / variance)


def test_ordered_scores_show_their_difference_in_points():
    generator = np.random.default_rng(8)
    focal = np.arange(3000) % 2 == 1
    theta = generator.normal(size=3000)
    scores = np.clip(np.round(theta[:, None] + generator.normal(size=(3000, 8)) + 1.5), 0, 3)
    scores[:, 2] = np.clip(scores[:, 2] - (focal & (generator.random(3000) < 0.6)), 0, 3)
    studied = mantel(scores, focal, matching=bands(theta, 10))
    assert studied[2].ets_class == "C"
    assert studied[2].mean_difference == pytest.approx(-0.55, abs=0.1)
    assert {each.ets_class for each in studied if each.item != 2} == {"A"}


def test_regression_reaches_the_maximum():
    """The batched Newton against a general optimiser."""
    sample = verbal()
    total = sample.scores.sum(axis=1)
    design = np.column_stack([np.ones(len(total)), total / 10, sample.focal, total / 10 * sample.focal])
    score = sample.scores[:, 5]

    def loss(beta, columns):
        logits = design[:, :columns] @ beta
        return np.logaddexp(0, logits).sum() - score @ logits

    best = [optimize.minimize(loss, np.zeros(width), (width,), tol=1e-10).fun for width in (2, 4)]
    found = logistic_differences(sample.scores, sample.focal)[5]
    assert found.both == pytest.approx(2 * (best[0] - best[1]), abs=1e-4)


binary_tables = hnp.arrays(
    np.float64, st.tuples(st.integers(2, 12), st.integers(1, 5)), elements=st.sampled_from([0.0, 1.0])
)


@given(binary_tables, st.data())
@settings(max_examples=150)
def test_no_table_of_answers_brings_a_silent_nan(scores, data):
    focal = data.draw(hnp.arrays(np.bool_, len(scores)).filter(lambda flags: flags.any() and not flags.all()))
    for each in (*mantel_haenszel(scores, focal, purify=True).items, *mantel(scores, focal)):
        numbers = [getattr(each, name) for name in each.__slots__]
        assert all(value is None or isinstance(value, str) or math.isfinite(value) for value in numbers)
        assert 0.0 <= each.p_value <= each.adjusted_p_value <= 1.0
    if np.ptp(scores.sum(axis=1)):
        for each in logistic_differences(scores, focal):
            numbers = [getattr(each, name) for name in each.__slots__]
            assert all(value is None or isinstance(value, str) or math.isfinite(value) for value in numbers)


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_swapping_the_groups_turns_the_sign_and_nothing_else(seed):
    generator = np.random.default_rng(seed)
    scores, _ = two_parameter(generator, 200, np.ones(5), np.linspace(-1, 1, 5))
    focal = np.arange(200) % 3 == 0
    for here, there in zip(
        mantel_haenszel(scores, focal).items, mantel_haenszel(scores, ~focal).items, strict=True
    ):
        assert here.chi_square == pytest.approx(there.chi_square)
        assert here.delta == pytest.approx(-there.delta, abs=1e-9)
        assert here.delta_error == pytest.approx(there.delta_error)
        assert here.ets_class == there.ets_class
    for one, other in zip(
        logistic_differences(scores, focal), logistic_differences(scores, ~focal), strict=True
    ):
        assert one.both == pytest.approx(other.both, abs=1e-6)


def test_items_that_nobody_or_everybody_gets_right_are_told_apart_from_findings():
    scores = np.tile([[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]], (10, 1))
    focal = np.arange(20) % 4 < 2
    for item in mantel_haenszel(scores, focal).items[:2]:
        assert (item.odds_ratio, item.delta, item.ets_class, item.p_value) == (None, None, None, 1.0)
    for each in logistic_differences(scores, focal)[:2]:
        assert (each.group_effect, each.p_value, each.r_square_change) == (None, 1.0, 0.0)


def test_missing_scores_need_a_matching_variable():
    generator = np.random.default_rng(9)
    scores, theta = two_parameter(generator, 400, np.ones(6), np.linspace(-1, 1, 6))
    focal = generator.random(400) < 0.5
    level = bands(theta, 5)
    whole = mantel_haenszel(scores, focal, matching=level).items[2]
    gaps = scores.copy()
    gaps[::3, 0] = np.nan
    with pytest.raises(ValueError, match="person 0 has no score on item 0"):
        mantel_haenszel(gaps, focal)
    study = mantel_haenszel(gaps, focal, matching=level)
    assert study.items[2].chi_square == whole.chi_square
    kept = ~np.isnan(gaps[:, 0])
    alone = mantel_haenszel(scores[kept], focal[kept], matching=level[kept]).items[0]
    assert study.items[0].chi_square == pytest.approx(alone.chi_square)
    assert logistic_differences(gaps, focal, matching=theta)[0].persons == kept.sum()


@pytest.mark.parametrize(
    ("scores", "focal", "options", "message"),
    [
        (np.full((4, 2), 2.0), [0, 1, 0, 1], {}, "0 and 1"),
        (np.ones((4, 2)), [1, 1, 1, 1], {}, "same for everybody"),
        (np.ones((4, 2)), [0, 1, 2, 1], {}, "other values"),
        (np.ones((4, 2)), [0, 1, 1], {}, "shape"),
        (np.ones((0, 2)), [], {}, "0 persons"),
        (np.ones(4), [0, 1, 0, 1], {}, "table"),
        ([[-1.0, 0.0], [1.0, 0.0]], [0, 1], {}, "person 0, item 0"),
        (np.ones((4, 2)), [0, 1, 0, 1], {"matching": [1, 2, np.nan, 1]}, "matching 2"),
        (np.ones((4, 2)), [0, 1, 0, 1], {"matching": [1, 2, 1, 1], "purify": True}, "purification"),
    ],
)
def test_bad_input_is_named(scores, focal, options, message):
    with pytest.raises(ValueError, match=message):
        mantel_haenszel(scores, focal, **options)


def test_regression_without_anybody_to_tell_apart_is_refused():
    with pytest.raises(ValueError, match="same for everybody"):
        logistic_differences([[1.0, 0.0], [0.0, 1.0]], [0, 1])


def test_bands_are_even_and_keep_equals_together():
    values = np.random.default_rng(1).normal(size=1000)
    assert np.ptp(np.bincount(bands(values, 10))) <= 1
    assert len(set(bands(np.ones(7), 3))) == 1
    with pytest.raises(ValueError, match="two or more"):
        bands(values, 1)
