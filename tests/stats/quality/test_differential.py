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

# Printed by the R package difR (Magis, Beland, Tuerlinckx & De Boeck 2010) for its own data `verbal`, group
# Gender, focal 1: the examples of difMH and difLogistic, as its maintainers' snapshots
# tests/testthat/_snaps/difMH.md and difLogistic.md hold them. Per item: chi-square with continuity
# correction, delta, class by size; then the likelihood-ratio statistics for both effects, uniform,
# nonuniform, and the change of Nagelkerke's R2.
PUBLISHED = """
S1wantCurse 1.7076 -1.2476 B  2.0014  1.9998 0.0016 0.0067
S1WantScold 2.1486 -1.3420 B  3.3541  1.9065 1.4476 0.0101
S1WantShout 0.9926 -0.8701 A  2.4742  2.1606 0.3136 0.0074
S2WantCurse 1.9302 -1.5567 C  4.7296  4.2639 0.4658 0.0177
S2WantScold 2.9540 -1.6052 C  4.1404  2.9036 1.2367 0.0125
S2WantShout 9.6032 -2.4861 C 11.4111 11.3031 0.1080 0.0343
S3WantCurse 0.0013  0.1358 A  1.6061  0.0955 1.5106 0.0056
S3WantScold 0.6752  0.7741 A  1.6331  1.6260 0.0071 0.0050
S3WantShout 0.8185 -0.9965 A  2.6989  2.1397 0.5592 0.0106
S4WantCurse 1.6292 -1.2260 B  2.4547  1.9563 0.4983 0.0085
S4WantScold 0.0152 -0.2028 A  2.0997  0.0042 2.0955 0.0060
S4WantShout 4.1188 -2.0036 C  3.6877  3.6491 0.0386 0.0133
S1DoCurse   0.1324  0.5340 A  1.2196  0.4234 0.7962 0.0039
S1DoScold   2.7501  1.6313 C  4.7304  4.0968 0.6335 0.0122
S1DoShout   0.0683 -0.3821 A  1.0456  0.7163 0.3293 0.0033
S2DoCurse   6.3029  2.6709 C  7.6935  7.6372 0.0563 0.0243
S2DoScold   6.8395  2.3072 C 10.2622  9.1401 1.1221 0.0277
S2DoShout   0.2170  0.5447 A  1.7016  0.0928 1.6088 0.0058
S3DoCurse   5.7817  1.8165 C  7.2379  7.1433 0.0945 0.0232
S3DoScold   3.8880  1.7606 C  5.8680  4.6496 1.2184 0.0211
S3DoShout   0.2989  1.0585 B  1.2763  0.5258 0.7505 0.0078
S4DoCurse   1.1220  1.0327 B  2.9521  1.8339 1.1182 0.0092
S4DoScold   1.4491  1.0541 B  2.6956  2.3918 0.3039 0.0083
S4DoShout   0.8390 -1.1123 B  1.3524  1.0577 0.2947 0.0057
"""
FLAGGED = {"S2WantShout", "S4WantShout", "S2DoCurse", "S2DoScold", "S3DoCurse", "S3DoScold"}
FLAGGED_PURIFIED = (FLAGGED - {"S4WantShout"}) | {"S3WantScold", "S1DoScold", "S4DoCurse", "S4DoScold"}
FLAGGED_LOGISTIC = {"S2WantShout", "S2DoCurse", "S2DoScold", "S3DoCurse"}
LOG_ODDS_TEST = {"S2WantShout": 3.1373, "S4WantShout": 2.2368, "S2DoCurse": -2.6614, "S3DoScold": -2.1368}
ADJUSTED = {"S2WantShout": 0.0466, "S2DoCurse": 0.0964, "S3DoCurse": 0.0972, "S3WantCurse": 0.9711}
PURIFIED = {"S2WantShout": 4.2680, "S2DoScold": 11.9436, "S4DoShout": 0.3223, "S1wantCurse": 0.0069}


def test_mantel_haenszel_gives_the_published_figures_and_verdicts():
    sample = verbal()
    study = mantel_haenszel(sample.scores, sample.focal)
    published = [line.split() for line in PUBLISHED.strip().split("\n")]
    assert [row[0] for row in published] == sample.names
    for item, (name, chi_square, delta, size, *_) in zip(study.items, published, strict=True):
        assert item.chi_square == pytest.approx(float(chi_square), abs=6e-5), name
        assert item.delta == pytest.approx(float(delta), abs=6e-5), name
        assert item.size_class == size, name
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
    published = [line.split() for line in PUBLISHED.strip().split("\n")]
    for item, (name, _, _, _, both, uniform, nonuniform, change) in zip(items, published, strict=True):
        assert item.both == pytest.approx(float(both), abs=6e-5), name
        assert item.uniform == pytest.approx(float(uniform), abs=6e-5), name
        assert item.nonuniform == pytest.approx(float(nonuniform), abs=6e-5), name
        assert item.r_square_change == pytest.approx(float(change), abs=6e-5), name
        assert (item.zumbo_thomas, item.jodoin_gierl) == ("A", "A"), name
    assert {sample.names[item.item] for item in items if item.p_value < 0.05} == FLAGGED_LOGISTIC


def test_the_admission_test_by_gender_agrees_with_r():
    sample = medical()
    known = ~np.isnan(sample.focal)
    scores, focal = sample.scores[known], sample.focal[known] == 1
    assert len(scores) == 2383  # 750 men and 1,633 women (documentation of dataMedical)
    with (Path(__file__).parent / "golden" / "differential_datamedical.csv").open(newline="") as file:
        golden = list(csv.DictReader(file))
    study, logistic = mantel_haenszel(scores, focal), logistic_differences(scores, focal)
    for row, classical, regression in zip(golden, study.items, logistic, strict=True):
        assert sample.names[classical.item] == row["item"]
        if classical.chi_square == 0.0:  # less than half a person from even: R leaves its correction out
            assert float(row["chi_square"]) < 0.01
        else:
            assert classical.chi_square == pytest.approx(float(row["chi_square"]), abs=2e-6)
        assert classical.odds_ratio == pytest.approx(float(row["odds_ratio"]), abs=2e-6)
        assert regression.uniform == pytest.approx(float(row["uniform"]), abs=2e-5)
        assert regression.nonuniform == pytest.approx(float(row["nonuniform"]), abs=2e-5)
        assert regression.r_square_change == pytest.approx(float(row["r_square_change"]), abs=2e-6)
    classes = [item.ets_class for item in study.items]
    assert {sample.names[place] for place, each in enumerate(classes) if each == "C"} <= {
        sample.names[item.item] for item in logistic if item.p_value < 0.01
    }


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
