"""How evidence moves a state: against brute force on grids, and the rules that protect people as
properties.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.stats.filtering import evidence_weight, fold_observations, make_observations
from toprope.stats.items import make_items, score_probabilities
from toprope.stats.population import Population, population_from_graph
from toprope.stats.raters import Severities
from toprope.stats.states import (
    age_state,
    lowest_probability,
    predict_ability,
    probability_at_or_above,
    severity_of,
    start_state,
)

NAMES = ("A", "B", "C", "D")
GRAPH = {"B": ("A",), "C": ("A",), "D": ("B", "C")}
FOUR = population_from_graph(NAMES, GRAPH, {"A": 120, "B": 240, "C": 240, "D": 540})
ITEMS = make_items(
    [-0.5, 0.3, 0.0, 0.8, 0.2],
    [1.2, 0.8, 1.0, 1.5, 0.7],
    guess=[0.25, 0, 0, 0, 0],
    slip=[0.05, 0, 0, 0, 0],
    steps=[[0, 0, 0], [0, 0, 0], [-1, 0, 1], [-0.5, 0.5, 0], [-0.4, 0.1, 0.3]],
    scores=[1, 1, 3, 2, 3],
    covariance=[0.3, 0.1, 0.2, 0.0, 0.4],
)


def alone(deviation: float = 1.0, mean: float = 0.0) -> Population:
    return population_from_graph(["A"], {}, 240, mean=mean, standard_deviation=deviation)


def grid(mean: float, variance: float, points: int = 601) -> tuple[np.ndarray, np.ndarray]:
    nodes = mean + math.sqrt(variance) * np.linspace(-8, 8, points)
    mass = np.exp(-0.5 * (nodes - mean) ** 2 / variance)
    return nodes, mass / mass.sum()


def likelihood(number: int, score: int, gap: np.ndarray) -> np.ndarray:
    """P(score) on item `number` where ability minus difficulty minus severity is `gap`."""
    item = ITEMS.take([number])
    return score_probabilities(item, gap + item.difficulty[0])[..., 0, score]


ALL_SCORES = [(number, score) for number in range(5) for score in range(ITEMS.scores[number] + 1)]


@pytest.mark.parametrize(("number", "score"), ALL_SCORES)
@pytest.mark.parametrize("weight", [1.0, 0.4])
def test_one_ability_matches_a_grid_over_ability_and_difficulty(number, score, weight):
    """The likelihood is raised to its weight; what is not known of the difficulty is integrated out with
    it.
    """
    population = alone(1.3, 0.4)
    item, doubt = ITEMS.take([number]), ITEMS.covariance[number, 1, 1]
    theta, prior = grid(0.4, 1.69)
    error, chance = grid(0.0, max(doubt, 1e-12), 201)
    posterior = prior * (
        likelihood(number, score, theta[:, None] - item.difficulty - error) ** weight @ chance
    )
    posterior /= posterior.sum()
    mean = posterior @ theta
    deviation = math.sqrt(posterior @ (theta - mean) ** 2)

    seen = make_observations(0, score, 0.0, 0, weight=weight)
    steps = fold_observations(population, [start_state(population, 0.0)], item, seen).steps[0]
    assert steps == pytest.approx([0.4, 1.3, mean, deviation], abs=1e-6)


@pytest.mark.parametrize(("number", "score"), ALL_SCORES)
@pytest.mark.parametrize("loading", [(1.0, 0.0), (0.7, 0.5)])
def test_two_abilities_match_a_grid(number, score, loading):
    population = population_from_graph(["A", "B"], {"B": {"A": 0.6}}, 240, mean={"B": 0.5})
    item = make_items(
        ITEMS.difficulty[number],
        ITEMS.discrimination[number],
        guess=ITEMS.guess[number],
        slip=ITEMS.slip[number],
        steps=ITEMS.steps[[number]],
        scores=ITEMS.scores[number],
    )
    first, second = np.meshgrid(np.linspace(-7, 7, 501), np.linspace(-7, 7, 501), indexing="ij")
    apart = np.stack([first, second - 0.5], axis=-1)
    mass = np.exp(-0.5 * np.einsum("ijk,kl,ijl->ij", apart, np.linalg.inv(population.covariance), apart))
    mass *= likelihood(number, score, loading[0] * first + loading[1] * second - item.difficulty)
    mass /= mass.sum()
    mean = np.array([(mass * first).sum(), (mass * second).sum()])
    apart = np.stack([first - mean[0], second - mean[1]], axis=-1)
    covariance = np.einsum("ij,ijk,ijl->kl", mass, apart, apart)

    seen = make_observations(0, score, 0.0, [[0, 1]], loading=[loading])
    state = fold_observations(population, [start_state(population, 0.0)], item, seen).states[0]
    assert state.mean == pytest.approx(mean, abs=1e-6)
    assert state.covariance == pytest.approx(covariance, abs=1e-6)


@pytest.mark.parametrize("score", range(4))
def test_ability_and_severity_match_a_grid(score):
    population, known = alone(), Severities(("ben",), np.array([0.3]), np.array([0.6]))
    item = ITEMS.take([4])
    item = make_items(item.difficulty, item.discrimination, steps=item.steps, scores=item.scores)
    theta, severity = np.meshgrid(np.linspace(-7, 7, 501), 0.3 + np.linspace(-5, 5, 501), indexing="ij")
    mass = np.exp(-0.5 * theta**2 - 0.5 * ((severity - 0.3) / 0.6) ** 2)
    mass *= likelihood(4, score, theta - severity - item.difficulty)
    mass /= mass.sum()
    mean, harsh = (mass * theta).sum(), (mass * severity).sum()

    seen = make_observations(0, score, 0.0, 0, rater=["ben"])
    state = fold_observations(
        population, [start_state(population, 0.0)], item, seen, severities=known
    ).states[0]
    assert severity_of(state, "ben")[0] == pytest.approx(harsh, abs=1e-6)
    assert severity_of(state, "ben")[1] ** 2 == pytest.approx(
        (mass * (severity - harsh) ** 2).sum(), abs=1e-6
    )
    assert state.mean[0] == pytest.approx(mean, abs=1e-6)
    assert state.covariance[0, 1] == pytest.approx(
        (mass * (theta - mean) * (severity - harsh)).sum(), abs=1e-6
    )


def test_many_answers_stay_near_the_exact_posterior():
    """Assumed-density filtering is approximate over many answers: within .03 of the grid after forty."""
    population, rng = alone(), np.random.default_rng(2)
    items = make_items(rng.normal(size=40), rng.uniform(0.7, 1.5, 40), guess=0.2)
    scores = rng.random(40) < score_probabilities(items, 0.8)[:, 1]
    theta, posterior = grid(0.0, 1.0)
    chances = score_probabilities(items, theta)
    posterior = posterior * np.prod(np.where(scores, chances[..., 1], chances[..., 0]), axis=1)
    posterior /= posterior.sum()
    mean = posterior @ theta
    seen = make_observations(np.arange(40), scores, 0.0, 0)
    last = fold_observations(population, [start_state(population, 0.0)], items, seen).steps[-1]
    assert last[2:] == pytest.approx([mean, math.sqrt(posterior @ (theta - mean) ** 2)], abs=0.03)


observed = st.lists(
    st.tuples(
        st.sampled_from(ALL_SCORES),
        st.floats(0, 900),
        st.integers(0, 3),
        st.sampled_from([None, "ben", "eva", "kim", "lou", "ana", "tom"]),
        st.floats(0.05, 1),
        st.booleans(),
        st.floats(0, 1),
    ),
    min_size=1,
    max_size=25,
)


def made(rows, **fixed):
    answers, at, competency, rater, weight, job, practice = zip(*rows, strict=True)
    columns = {"weight": weight, "job": job, "practice": practice, "rater": rater} | fixed
    numbers, scores = zip(*answers, strict=True)
    return make_observations(numbers, scores, sorted(at), competency, **columns)


@given(observed)
def test_folding_in_parts_gives_the_same_bits(rows):
    start, middle = start_state(FOUR, 0.0), len(rows) // 2
    rows.sort(key=lambda row: row[1])
    whole = fold_observations(FOUR, [start], ITEMS, made(rows)).states[0]
    part = start
    for piece in (rows[:middle], rows[middle:]):
        if piece:
            part = fold_observations(FOUR, [part], ITEMS, made(piece)).states[0]
    assert part.to_bytes() == whole.to_bytes()


@given(observed, observed)
def test_persons_do_not_touch_each_other(rows, others):
    rows.sort(key=lambda row: row[1])
    others.sort(key=lambda row: row[1])
    start = start_state(FOUR, 0.0)
    both = make_observations(
        [row[0][0] for row in rows + others],
        [row[0][1] for row in rows + others],
        [row[1] for row in rows + others],
        [row[2] for row in rows + others],
        rater=[row[3] for row in rows + others],
        weight=[row[4] for row in rows + others],
        job=[row[5] for row in rows + others],
        practice=[row[6] for row in rows + others],
    )
    together = fold_observations(FOUR, [start] * 2, ITEMS, both, starts=[0, len(rows), len(both)])
    alone_after = [fold_observations(FOUR, [start], ITEMS, made(each)).states[0] for each in (rows, others)]
    assert [each.to_bytes() for each in together.states] == [each.to_bytes() for each in alone_after]


@given(observed)
def test_a_state_stays_finite_symmetric_and_positive(rows):
    state = fold_observations(FOUR, [start_state(FOUR, 0.0)], ITEMS, made(rows)).states[0]
    assert np.isfinite(state.mean).all()
    assert np.array_equal(state.covariance, state.covariance.T)
    assert np.linalg.eigvalsh(state.covariance)[0] > 0
    assert (state.job_credit <= 0.6 + 1e-12).all()


@pytest.mark.parametrize("size", [4, 30])
def test_thousands_of_updates_leave_a_covariance(size):
    rng = np.random.default_rng(size)
    names = [f"c{each}" for each in range(size)]
    population = population_from_graph(names, {f"c{n}": [f"c{n // 2}"] for n in range(1, size)}, 120)
    items = make_items(rng.normal(size=50), rng.uniform(0.3, 3, 50), covariance=np.full(50, 0.05))
    n = 5000
    seen = make_observations(
        rng.integers(0, 50, n),
        rng.integers(0, 2, n),
        np.sort(rng.random(n)) * rng.choice([0, 1000]),
        rng.integers(0, size, n),
        rater=[rng.choice(["a", "b", "c", "d", "e", None]) for _ in range(n)],
    )
    state = fold_observations(population, [start_state(population, 0.0)], items, seen).states[0]
    assert np.isfinite(state.mean).all()
    assert np.linalg.eigvalsh(state.covariance)[0] > 0


@given(st.integers(0, 4), st.floats(-3, 3), st.integers(0, 3))
def test_a_higher_score_never_means_less(number, mean, competency):
    population = population_from_graph(NAMES, GRAPH, 240, mean=mean)
    start = start_state(population, 0.0)
    values = [
        fold_observations(population, [start], ITEMS, make_observations(number, score, 0.0, competency))
        .states[0]
        .mean
        for score in range(ITEMS.scores[number] + 1)
    ]
    assert (np.diff(values, axis=0) >= -1e-12).all()  # on every competency: evidence flows both ways
    assert (np.diff(values, axis=0)[:, competency] > 0).all()


def test_evidence_flows_up_and_down_the_graph():
    start = start_state(FOUR, 0.0)
    for competency in range(4):
        after = fold_observations(FOUR, [start], ITEMS, make_observations(1, 1, 0.0, competency)).states[0]
        assert (after.mean > 0.01).all()


def test_a_new_item_moves_less_than_a_known_one():
    moves = []
    for doubt in (0.0, 0.5, 2.0):
        item = make_items([0.0], covariance=np.array([doubt]))
        fold = fold_observations(alone(), [start_state(alone(), 0.0)], item, make_observations(0, 1, 0.0, 0))
        moves.append(fold.steps[0, 2])
    assert moves[0] > moves[1] > moves[2] > 0


def test_doubt_about_the_discrimination_counts_away_from_the_difficulty():
    doubtful = make_items([2.0], 1.5, covariance=[[[0.5, 0.0], [0.0, 0.0]]])
    seen = make_observations(0, 1, 0.0, 0)
    after = [
        fold_observations(alone(), [start_state(alone(), 0.0)], item, seen).steps[0, 2]
        for item in (make_items([2.0], 1.5), doubtful)
    ]
    assert after[1] < after[0]


def test_what_the_model_holds_impossible_teaches_nothing():
    item = make_items([5000.0])
    fold = fold_observations(alone(), [start_state(alone(), 0.0)], item, make_observations(0, 1, 0.0, 0))
    assert fold.steps[0] == pytest.approx([0, 1, 0, 1], abs=0)


def test_one_lenient_mentor_never_makes_certain():
    """However many ratings: what the mentor's severity leaves open stays open."""
    n = 400
    seen = make_observations(np.full(n, 4), np.full(n, 3), 0.0, 0, rater=["ben"] * n)
    known = Severities((), np.zeros(0), np.zeros(0), spread=0.6)
    fold = fold_observations(alone(), [start_state(alone(), 0.0)], ITEMS, seen, severities=known)
    modelled, naive = (
        fold.steps[-1, 3],
        fold_observations(
            alone(),
            [start_state(alone(), 0.0)],
            ITEMS,
            make_observations(np.full(n, 4), np.full(n, 3), 0.0, 0),
        ).steps[-1, 3],
    )
    assert naive < 0.35
    # With ability minus severity known exactly, the ability keeps the variance 1 * .36 / 1.36.
    assert modelled > math.sqrt(0.36 / 1.36) - 1e-9


def test_a_rater_found_lenient_counts_backwards_too():
    """Whoever was rated by Ben before is believed less once others show him lenient."""
    start = start_state(alone(), 0.0)
    rated = fold_observations(
        alone(), [start], ITEMS, make_observations([4, 4], [3, 3], 0.0, 0, rater=["ben", "ben"])
    ).states[0]
    lenient = Severities(("ben",), np.array([-1.0]), np.array([0.1]))
    answer = make_observations(1, 1, 0.0, 0)
    before = fold_observations(alone(), [rated], ITEMS, answer)
    after = fold_observations(alone(), [rated], ITEMS, answer, severities=lenient)
    assert after.steps[0, 0] < before.steps[0, 0] - 0.1
    assert severity_of(after.states[0], "ben")[1] <= 0.1 + 1e-12


def test_severities_are_learnt_over_persons():
    """Fifty persons whose ability their answers tell, all rated too high by Ben and fairly by Eva."""
    rng = np.random.default_rng(5)
    items = make_items(np.zeros(21), 1.0, steps=np.tile([-0.5, 0.5], (21, 1)) * ([[0]] * 20 + [[1]]),
                       scores=[1] * 20 + [2])  # fmt: skip
    ability = rng.normal(size=50)
    rows = {"item": [], "score": [], "rater": []}
    for value in ability:
        for j in range(20):
            rows["item"].append(j)
            rows["score"].append(int(rng.random() < 1 / (1 + math.exp(-value))))
            rows["rater"].append(None)
        for name, severity in (("ben", -1.0), ("eva", 0.0)):
            chance = score_probabilities(items.take([20]), value, severity)[0]
            rows["item"].append(20)
            rows["score"].append(int(rng.choice(3, p=chance)))
            rows["rater"].append(name)
    seen = make_observations(rows["item"], rows["score"], 0.0, 0, rater=rows["rater"])
    found = fold_observations(
        alone(), [start_state(alone(), 0.0)] * 50, items, seen, starts=np.arange(51) * 22
    ).severities
    assert found.names == ("ben", "eva")
    assert found.severity[0] < -0.5
    assert abs(found.severity[1]) < 0.35
    assert (found.standard_error < 0.3).all()


job_signals = st.lists(
    st.tuples(st.integers(0, 4), st.floats(0, 1000), st.integers(0, 3), st.floats(0.01, 1), st.booleans()),
    min_size=1,
    max_size=60,
)


@given(job_signals, st.floats(0, 2), st.floats(0.3, 3), st.floats(0.0, 0.95))
def test_job_signals_alone_never_unlock(signals, above, deviation, general):
    """At every cut at or above the prior mean, on every competency, at every time: below .922, so below
    .95.
    """
    population = population_from_graph(
        NAMES, GRAPH, {"A": 120, "B": 240, "C": 240, "D": 540}, general=general, standard_deviation=deviation
    )
    state = start_state(population, 0.0)
    for number, at, competency, weight, success in sorted(signals, key=lambda each: each[1]):
        score = int(ITEMS.scores[number]) if success else 0
        seen = make_observations(number, score, at, competency, weight=weight, job=True)
        state = fold_observations(population, [state], ITEMS, seen).states[0]
        assert (probability_at_or_above(population, state, above, state.at) <= 0.922).all()


def test_a_flood_of_job_signals_stops_at_the_limit_and_failures_still_count():
    n = 3000
    hard = make_items([3.0], 2.0)
    flood = make_observations(np.zeros(n), np.ones(n), 0.0, np.arange(n) % 4, job=True)
    state = fold_observations(FOUR, [start_state(FOUR, 0.0)], hard, flood).states[0]
    assert (probability_at_or_above(FOUR, state, 0.0, 0.0) < 0.922).all()
    more = fold_observations(FOUR, [state], hard, flood).states[0]
    assert more.mean == pytest.approx(state.mean, abs=1e-12)
    easy = make_items([-1.0], 1.0)
    failed = fold_observations(FOUR, [state], easy, make_observations(0, 0, 0.0, 0, job=True)).states[0]
    assert failed.mean[0] < state.mean[0] - 0.1


def test_practice_lifts_a_little_and_not_for_ever():
    start = start_state(alone(), 0.0)
    n = 500
    item = make_items([0.0], 0.001)  # tells next to nothing
    practised = fold_observations(
        alone(), [start], item, make_observations(np.zeros(n), np.ones(n), 0.0, 0, practice=1.0)
    )
    assessed = fold_observations(alone(), [start], item, make_observations(np.zeros(n), np.ones(n), 0.0, 0))
    assert practised.steps[0, 2] - assessed.steps[0, 2] == pytest.approx(0.03, abs=1e-3)
    assert practised.steps[-1, 2] < 0.8  # half a deviation, and what 500 answers that tell nothing add
    assert probability_at_or_above(alone(), practised.states[0], 0.0, 0.0)[0] < 0.8


def test_spaced_success_keeps_longer_than_massed():
    item, start = make_items([0.0]), start_state(alone(), 0.0)
    spaced = fold_observations(
        alone(), [start], item, make_observations([0] * 4, [1] * 4, [0, 30, 60, 90], 0)
    ).states[0]
    massed = fold_observations(
        alone(), [start], item, make_observations([0] * 4, [1] * 4, [90] * 4, 0)
    ).states[0]
    once = fold_observations(alone(), [start], item, make_observations([0], [1], [0.0], 0)).states[0]
    assert spaced.stability[0] > massed.stability[0] == once.stability[0] == start.stability[0]
    assert massed.last_success[0] == 90.0


@given(observed)
def test_no_evidence_hastens_forgetting(rows):
    """After its first success each answer leaves a competency fading no faster, within the limit."""

    def ages(state):
        return np.minimum(state.stability * 81 / 19 + state.at - state.last_success, longest)

    state, longest = start_state(FOUR, 0.0), 4 * FOUR.stability * 81 / 19
    for row in sorted(rows, key=lambda each: each[1]):
        after = fold_observations(FOUR, [state], ITEMS, made([row])).states[0]
        before = age_state(FOUR, state, after.at)
        assert (ages(after) >= ages(before) - 1e-9)[state.proven == 1.0].all()
        state = after
    assert (state.stability >= FOUR.stability).all()
    assert (state.stability <= 4 * FOUR.stability).all()


def test_the_order_within_a_sitting_does_not_matter_to_stability():
    before = fold_observations(
        alone(), [start_state(alone(), 0.0)], ITEMS, make_observations(1, 1, 0.0, 0)
    ).states[0]
    numbers, scores = [2, 1, 4, 3], [1, 1, 0, 2]
    found = [
        fold_observations(
            alone(), [before], ITEMS, make_observations(numbers[::way], scores[::way], 40.0, 0)
        ).states[0]
        for way in (1, -1)
    ]
    assert found[0].stability == pytest.approx(found[1].stability, rel=1e-12)
    assert found[0].last_success == pytest.approx(found[1].last_success, rel=1e-12)
    assert found[0].stability > before.stability


@given(observed, st.lists(st.floats(0, 2000), min_size=2, max_size=6), st.floats(-3, 3))
def test_time_only_ever_ages(rows, days, cut):
    """Looking further ahead: nearer to the prior's doubt; no better for whoever is above the mean and the
    cut.
    """
    state = fold_observations(FOUR, [start_state(FOUR, 0.0)], ITEMS, made(rows)).states[0]
    times = state.at + np.sort(days)
    seen = [predict_ability(FOUR, state, at) for at in times]
    apart = np.abs([each.standard_error**2 - np.diagonal(FOUR.covariance) for each in seen])
    assert (np.diff(apart, axis=0) <= 1e-12).all()
    chances = np.array([probability_at_or_above(FOUR, state, cut, at) for at in times])
    good = (seen[0].value >= state.prior_mean) & (seen[0].value >= cut)
    tight = seen[0].standard_error ** 2 <= np.diagonal(FOUR.covariance)
    assert (np.diff(chances, axis=0)[:, good & tight] <= 1e-12).all()
    lowest = np.array([lowest_probability(FOUR, state, cut, at) for at in times])
    assert (np.diff(lowest, axis=0) <= 1e-12).all()
    assert (lowest <= chances + 1e-12).all()


def test_weights_of_conditions_and_hints():
    assert evidence_weight("unaided") == evidence_weight("") == 1.0
    assert evidence_weight("ai_allowed", hints=2) == 0.125
    assert evidence_weight("open book") == 0.5  # what nobody vouches for counts as aided
    with pytest.raises(ValueError, match="hints is -1"):
        evidence_weight(hints=-1)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"score": [0.5]}, "whole numbers"),
        ({"score": [math.nan]}, "whole numbers"),
        ({"score": [-1]}, "observation 0 of 1: its score is below 0"),
        ({"score": [2]}, "above the item's highest"),
        ({"at": [math.inf]}, "finite number of days"),
        ({"item": [5]}, "there are 5 items"),
        ({"competency": [4]}, "no such competency"),
        ({"competency": [-1]}, "on no competency"),
        ({"weight": 0.0}, "weight must lie"),
        ({"practice": 2.0}, "practice must lie"),
        ({"loading": math.nan}, "loading is not finite"),
    ],
)
def test_bad_observations_are_named(change, complaint):
    columns = {"item": [0], "score": [1], "at": [0.0], "competency": [0]} | change
    with pytest.raises(ValueError, match=complaint):
        fold_observations(FOUR, [start_state(FOUR, 0.0)], ITEMS, make_observations(**columns))


def test_states_and_starts_must_fit():
    seen = make_observations([0, 1], 1, 0.0, 0)
    with pytest.raises(ValueError, match="starts must rise"):
        fold_observations(FOUR, [start_state(FOUR, 0.0)] * 2, ITEMS, seen, starts=[0, 2])
    with pytest.raises(ValueError, match="other competencies"):
        fold_observations(FOUR, [start_state(alone(), 0.0)], ITEMS, seen)


def test_no_persons_are_no_trouble():
    assert fold_observations(FOUR, [], ITEMS, make_observations([], [], [], []), starts=[0]).states == ()


def test_a_lucky_guess_widens_no_rater():
    """Folding in parts stays the same where a guessed right answer widens the belief."""
    population, items = alone(0.5, -4.0), make_items([0.0], 2.0, guess=0.3)
    start = start_state(population, 0.0)
    seen = make_observations([0] * 6, [1] * 6, 0.0, 0, rater=["ben"] * 6)
    whole = fold_observations(population, [start], items, seen).states[0]
    part, one = start, make_observations(0, 1, 0.0, 0, rater=["ben"])
    for _ in range(6):
        part = fold_observations(population, [part], items, one).states[0]
    assert part.to_bytes() == whole.to_bytes()
    assert severity_of(whole, "ben")[1] <= 0.5 + 1e-9


def test_nothing_observed_changes_nothing():
    state = start_state(FOUR, 3.0)
    fold = fold_observations(FOUR, [state], ITEMS, make_observations([], [], [], []))
    assert fold.states[0].to_bytes() == state.to_bytes()
    assert fold.severities.names == ()
