"""Prediction of next answers: it sees the past only, is better than what it should beat, and is honest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from toprope.stats import prediction
from toprope.stats.prediction import (
    area_under_curve,
    assess_predictions,
    calibration_error,
    mean_rate,
    person_folds,
    predict_next_answers,
    prepare_answers,
)
from toprope.stats.prediction.filter import START, lay_out, new_content, run_filter
from toprope.stats.prediction.history import trace_history
from toprope.stats.prediction.search import search_minimum
from toprope.stats.prediction.trees import Trees, add_trees, bin_edges, bin_features, count_trees, grow_trees
from toprope.stats.tables import AnswerTable


def simulate(persons=60, length=40, items=30, skills=5, seed=3):
    """Abilities, difficulties and learning; nothing else."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(persons), length)
    item = rng.integers(items, size=person.size)
    ability = rng.normal(0.0, 1.0, persons)[person] + np.tile(np.linspace(0.0, 1.0, length), persons)
    logit = ability - rng.normal(0.0, 1.2, items)[item]
    score = (rng.random(person.size) < 1.0 / (1.0 + np.exp(-logit))).astype(float)
    return AnswerTable(person, item, item % skills, score)


def with_scores(table, score, hours=None):
    return AnswerTable(table.person, table.item, table.competency, score, hours)


def predict(table, test):
    return predict_next_answers(prepare_answers(table), test, np.random.default_rng(5))


@pytest.fixture(autouse=True)
def _short_search(monkeypatch):
    monkeypatch.setattr(prediction, "EVALUATIONS", 40)


# --- the past only


@pytest.mark.parametrize("place", [0, 1, 17, 39])
def test_no_prediction_sees_its_own_answer_or_a_later_one(place):
    table = simulate()
    test = table.person < 12
    before = predict(table, test)
    score = table.score.copy()
    changed = 5 * 40 + place  # an answer of person 5, and all that this person gave after it
    score[changed : 6 * 40] = 1.0 - score[changed : 6 * 40]
    after = predict(with_scores(table, score), test)
    assert np.array_equal(before[: changed + 1], after[: changed + 1])
    assert np.array_equal(before[6 * 40 :], after[6 * 40 :])  # nor does one person to test see another
    if place < 39:
        assert not np.array_equal(before[changed + 1 : 6 * 40], after[changed + 1 : 6 * 40])


def test_items_to_come_do_not_move_a_prediction():
    table = simulate()
    test = table.person < 12
    item, skill = table.item.copy(), table.competency.copy()
    item[220:240], skill[220:240] = item[0], skill[0]
    changed = AnswerTable(table.person, item, skill, table.score)
    assert np.array_equal(predict(table, test)[:220], predict(changed, test)[:220])


@given(data=st.data())
def test_history_holds_what_went_before_and_nothing_else(data):
    count = data.draw(st.integers(2, 40))
    small = st.integers(0, 3)
    person = np.sort(data.draw(arrays(np.int64, count, elements=st.integers(0, 2))))
    item, skill = (data.draw(arrays(np.int64, count, elements=small)) for _ in range(2))
    score = data.draw(arrays(np.float64, count, elements=st.sampled_from([0.0, 0.4, 0.5, 1.0])))
    history = trace_history(AnswerTable(person, item, skill, score))
    for n in range(count):
        mine = [m for m in range(n) if person[m] == person[n]]
        skilled, met = [m for m in mine if skill[m] == skill[n]], [m for m in mine if item[m] == item[n]]
        right = [int(score[m] >= 0.5) for m in mine]
        on_skill = [int(score[m] >= 0.5) for m in skilled]
        assert history.answered[n] == len(mine)
        assert history.wins[n] == sum(on_skill)
        assert history.losses[n] == len(on_skill) - sum(on_skill)
        assert history.pattern[n] == int("1" + "".join(map(str, right[-5:])), 2)
        assert history.skill_pattern[n] == int("1" + "".join(map(str, on_skill[-3:])), 2)
        assert history.previous[n] == (1 + right[-1] if right else 0)
        assert history.previous_item[n] == (item[n - 1] if mine else -1)
        assert history.previous_skill[n] == (skill[n - 1] if mine else -1)
        assert history.skill_gap[n] == (n - skilled[-1] if skilled else 0)
        assert history.item_gap[n] == (n - met[-1] if met else 0)
        assert history.tries[n] == expected_tries(n, met, score)


def expected_tries(n, met, score):
    if not met:
        return 0
    right = score[met[-1]] >= 0.5
    if met[-1] < n - 1:
        return 6 if right else 5
    return 4 if right else min(len(met), 3)


# --- good, and honest


def test_it_beats_the_mean_rate_and_comes_near_the_truth():
    table = simulate(persons=200)
    found = []
    for test in person_folds(table.person, 4, np.random.default_rng(1)):
        quality = assess_predictions(table.score[test], predict(table, test))
        floor = assess_predictions(table.score[test], mean_rate(table.score, test))
        assert quality.log_loss < floor.log_loss - 0.05
        found.append(quality)
    assert np.mean([each.auc for each in found]) > 0.74  # with the true parameters: .79
    assert np.mean([each.calibration_error for each in found]) < 0.05


def test_the_same_input_gives_the_same_bits():
    table = simulate()
    test = table.person % 5 == 0
    assert np.array_equal(predict(table, test), predict(table, test))


def test_pauses_are_used_where_times_are_known():
    table = simulate()
    rng = np.random.default_rng(2)
    pause = rng.exponential(10.0, len(table)) * (rng.random(len(table)) < 0.3)
    score = np.where(pause > 5.0, 0.0, table.score)  # after a long pause everything is forgotten
    hours = np.cumsum(pause)
    test = table.person < 12
    without = assess_predictions(score[test], predict(with_scores(table, score), test))
    timed = assess_predictions(score[test], predict(with_scores(table, score, hours), test))
    assert timed.log_loss < without.log_loss - 0.02


def test_an_item_nobody_met_and_a_person_with_one_answer_get_a_finite_prediction():
    table = simulate(persons=20)
    item, skill = table.item.copy(), table.competency.copy()
    item[:40], skill[:40] = 30, 5
    person = np.append(table.person, 20)
    table = AnswerTable(person, np.append(item, 31), np.append(skill, 6), np.append(table.score, 1.0))
    predicted = predict(table, (person == 0) | (person == 20))
    assert predicted.shape == (41,)
    assert ((predicted > 0) & (predicted < 1)).all()


def test_partial_scores_are_learned_as_shares():
    table = simulate()
    score = np.full(len(table), 0.25)
    score[::40] = 0.5
    predicted = predict(with_scores(table, score), table.person < 12)
    assert np.abs(np.delete(predicted, np.arange(0, 480, 40)) - 0.25).max() < 0.1


# --- one update, against brute force


def test_the_first_answer_moves_every_belief_as_the_equations_say():
    table = AnswerTable(*(np.zeros(2, dtype=np.int64) for _ in range(3)), np.array([1.0, 0.0]))
    rows, layout = lay_out(table, trace_history(table))
    settings = START | {"guess": 0.0, "slip": 0.0}
    content = new_content(layout, settings, 0.6)
    predicted, _ = run_filter(rows, layout, content, settings, learn=True)

    # at a first answer there is the person (3 states), the competency and the item (4 effects each kind once)
    middle = np.log(0.6 / 0.4)
    person = settings["ability_variance"] + settings["fast_variance"] + settings["skill_variance"]
    once = ("skill", "item", "skill_pattern", "item_previous", "skill_pair", "item_pair", "pattern")
    spread = person + sum(settings[name] for name in once)
    assert predicted[0] == pytest.approx(
        1.0 / (1.0 + np.exp(-middle / np.sqrt(1 + np.pi / 8 * spread))), abs=1e-12
    )

    # the approximation (MacKay 1992) lies near the integral that it stands for
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    exact = (weights / (1.0 + np.exp(-(middle + np.sqrt(spread) * nodes)))).sum() / weights.sum()
    assert predicted[0] == pytest.approx(exact, abs=0.01)
    assert (
        content.variance <= np.repeat([settings[name] for name in tuple(START)[-10:]], layout.sizes)
    ).all()


def test_content_stays_as_it_is_unless_it_is_to_learn():
    table = simulate(persons=10)
    rows, layout = lay_out(table, trace_history(table))
    content = new_content(layout, START, 0.5)
    kept = [part.copy() for part in content]
    run_filter(rows, layout, content, START, learn=False)
    assert all(np.array_equal(a, b) for a, b in zip(content, kept, strict=True))
    run_filter(rows, layout, content, START, learn=True)
    assert not any(np.array_equal(a, b) for a, b in zip(content[:2], kept[:2], strict=True))
    assert (content.variance > 0).all()
    assert (content.slope_variance > 0).all()


# --- trees


def test_trees_find_an_interaction_and_add_nothing_where_there_is_none():
    rng = np.random.default_rng(4)
    features = rng.normal(size=(20_000, 3)).astype(np.float32)
    logit = rng.normal(size=20_000)
    hidden = logit + 1.5 * np.sign(features[:, 0] * features[:, 1])
    score = (rng.random(20_000) < 1 / (1 + np.exp(-hidden))).astype(float)
    edges = bin_edges(features)
    bins = bin_features(features, edges)
    corrected = logit[16_000:].copy()
    count = count_trees(bins[:16_000], score[:16_000], logit[:16_000], 12_000)
    assert count > 10
    add_trees(bins[16_000:], grow_trees(bins[:16_000], score[:16_000], logit[:16_000], count), corrected)
    assert np.corrcoef(corrected, hidden[16_000:])[0, 1] > 0.95

    plain = (rng.random(20_000) < 1 / (1 + np.exp(-logit))).astype(float)
    assert count_trees(bins[:16_000], plain[:16_000], logit[:16_000], 12_000) <= 10


def test_a_tree_sends_each_row_to_the_leaf_that_its_cuts_name():
    feature, cut = np.full((1, 15), -1), np.zeros((1, 15), dtype=np.int64)
    feature[0, 0], cut[0, 0] = 1, 7
    feature[0, 2], cut[0, 2] = 0, 3
    value = np.arange(16.0)[None]
    logit = np.zeros(3)
    add_trees(np.array([[0, 7], [3, 8], [4, 8]], dtype=np.uint8), Trees(feature, cut, value), logit)
    assert logit.tolist() == [0.0, 8.0, 12.0]


# --- search and measures


def test_the_search_finds_the_lowest_point_and_keeps_its_bound():
    calls = []

    def bowl(point):
        calls.append(point)
        return float(((point - np.array([2.0, -1.0, 0.5])) ** 2 * np.array([1.0, 10.0, 0.1])).sum())

    point, value = search_minimum(bowl, np.zeros(3), np.full(3, 0.7), 200)
    assert value < 1e-2
    assert np.allclose(point, [2.0, -1.0, 0.5], atol=0.1)
    assert len(calls) <= 200
    calls.clear()
    search_minimum(bowl, np.zeros(3), np.full(3, 0.7), 7)
    assert len(calls) == 7


SCORES = arrays(np.float64, st.shared(st.integers(1, 40), key="n"), elements=st.sampled_from([0.0, 1.0]))
CHANCES = arrays(
    np.float64, st.shared(st.integers(1, 40), key="n"), elements=st.sampled_from([0.1, 0.3, 0.5, 0.9])
)


@given(SCORES, CHANCES)
def test_auc_is_the_share_of_pairs_in_the_right_order(score, chance):
    hits, misses = chance[score > 0.5], chance[score < 0.5]
    found = area_under_curve(score > 0.5, chance)
    if not len(hits) or not len(misses):
        assert np.isnan(found)
        return
    pairs = (hits[:, None] > misses).mean() + 0.5 * (hits[:, None] == misses).mean()
    assert found == pytest.approx(pairs, abs=1e-12)


def test_calibration_error_is_the_gap_between_promise_and_outcome():
    chance = np.linspace(0.2, 0.8, 9000)
    assert calibration_error(chance, chance) == pytest.approx(0.0, abs=1e-12)
    assert calibration_error(chance + 0.1, chance) == pytest.approx(0.1)


def test_assessing_what_are_no_predictions_is_refused():
    with pytest.raises(ValueError, match="no probability"):
        assess_predictions([1.0, 0.0], [0.5, np.nan])
    with pytest.raises(ValueError, match="no probability"):
        assess_predictions([1.0, 0.0], [0.5, 1.5])
    with pytest.raises(ValueError, match="are asked"):
        assess_predictions([1.0], [0.5, 0.5])


@given(st.integers(2, 9), st.integers(0, 100))
def test_folds_divide_the_persons(folds, seed):
    person = np.repeat(np.arange(9), 3)
    tests = list(person_folds(person, folds, np.random.default_rng(seed)))
    assert np.array_equal(np.sum(tests, axis=0), np.ones(27))
    for test in tests:
        assert set(person[test]).isdisjoint(person[~test])
        assert test.any()


# --- refusals


def test_what_cannot_be_learned_from_is_refused_with_its_cure():
    table = simulate(persons=8, length=5)
    answers, rng = prepare_answers(table), np.random.default_rng(1)
    with pytest.raises(ValueError, match="both to learn from and to test"):
        predict_next_answers(answers, np.arange(40) < 7, rng)
    with pytest.raises(ValueError, match="3 persons to learn from; at least 4"):
        predict_next_answers(answers, table.person >= 3, rng)
    with pytest.raises(ValueError, match="all right or all wrong"):
        predict_next_answers(prepare_answers(with_scores(table, np.ones(40))), table.person < 2, rng)
    scattered = AnswerTable(table.person[::-1] % 2, table.item, table.competency, table.score)
    with pytest.raises(ValueError, match="do not stand together"):
        prepare_answers(scattered)
    for folds in (1, 9):
        with pytest.raises(ValueError, match=f"{folds} folds of 8 persons"):
            list(person_folds(table.person, folds, rng))
