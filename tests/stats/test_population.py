"""The prior from the graph of competencies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.stats.population import Population, population_from_graph


def test_a_chain_by_hand():
    """u_B = .5 u_A + eps, u_C = .8 u_B + eps under a general factor of .2: correlations .2 + .8 r."""
    population = population_from_graph(
        ["A", "B", "C"],
        {"B": {"A": 0.5}, "C": {"B": 0.8}},
        243.0,
        general=0.2,
        standard_deviation={"C": 2.0},
        mean=-0.5,
    )
    expected = np.array([[1, 0.6, 2 * 0.52], [0.6, 1, 2 * 0.84], [2 * 0.52, 2 * 0.84, 4]])
    assert population.covariance == pytest.approx(expected)
    assert population.mean == pytest.approx([-0.5, -0.5, -0.5])
    assert population.stability == pytest.approx([19.0, 19.0, 19.0])


def test_it_is_the_covariance_of_the_structural_regression():
    """Simulated from the equations of the module's docstring."""
    graph = {"B": {"A": 0.5}, "C": {"A": 0.3, "B": 0.4}, "D": {"C": -0.6}}
    population = population_from_graph(["D", "B", "A", "C"], graph, 100.0, general=0.3)
    rng = np.random.default_rng(1)
    general = np.sqrt(0.3) * rng.normal(size=200_000)
    u = {"A": rng.normal(size=200_000)}
    for name in "BCD":
        said = sum(weight * u[other] for other, weight in graph[name].items())
        u[name] = said + np.sqrt(1 - said.var()) * rng.normal(size=200_000)
    theta = np.array([general + np.sqrt(0.7) * u[name] for name in "DBAC"])
    assert np.cov(theta) == pytest.approx(population.covariance, abs=0.01)


def test_names_alone_share_what_prerequisites_explain():
    population = population_from_graph(["A", "B", "C"], {"C": ["A", "B"]}, 100.0, general=0.0, explained=0.5)
    assert population.covariance[2] == pytest.approx([0.5, 0.5, 1.0])  # w = sqrt(.5 / 2) each
    assert population.covariance[0, 1] == 0.0


graphs = st.integers(1, 12).flatmap(
    lambda size: st.tuples(
        st.just(size), st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=30)
    )
)


@given(graphs, st.floats(0, 0.95), st.floats(0, 0.95))
def test_any_graph_without_circles_gives_a_correlation(graph, general, explained):
    size, edges = graph
    needs = {str(n): {str(low) for low, high in edges if low < high == n} for n in range(size)}
    names = [str(n) for n in range(size)]
    population = population_from_graph(names, needs, 100.0, general=general, explained=explained)
    assert np.diagonal(population.covariance) == pytest.approx(np.ones(size))
    assert (population.covariance >= -1e-12).all()
    assert np.linalg.eigvalsh(population.covariance)[0] > 0


def test_groups_shift_the_mean():
    population = population_from_graph(
        ["A", "B"],
        {},
        100.0,
        mean={"A": 1.0},
        shifts={"senior": {"A": 0.5}, "cohort-3": {"A": -0.1, "B": 0.2}},
    )
    assert population.mean_for(()) == pytest.approx([1.0, 0.0])
    assert population.mean_for(["senior", "cohort-3"]) == pytest.approx([1.4, 0.2])
    with pytest.raises(ValueError, match="no group 'junior'"):
        population.mean_for(["junior"])


def test_fitted_stabilities_take_the_place_of_the_classes():
    population = population_from_graph(["A", "B"], {}, 243.0).with_stability({"B": 30.0})
    assert population.stability == pytest.approx([19.0, 30.0])


@pytest.mark.parametrize(
    ("prerequisites", "more", "complaint"),
    [
        ({"A": ["B"], "B": ["C"], "C": ["A"]}, {}, "circle: .* -> "),
        ({"A": ["X"]}, {}, "prerequisites of 'A' name 'X'"),
        ({"X": ["A"]}, {}, "name 'X'"),
        ({"B": {"A": 1.0}}, {}, "the weights of 'B' explain 1.00"),
        ({"B": {"A": float("nan")}}, {}, "the weights of 'B' explain nan"),
        ({}, {"half_life_days": {"A": 120.0}}, "half-life is nan days; it must be given"),
        ({}, {"half_life_days": 0.0}, "half-life is 0.0"),
        ({}, {"general": 1.0}, r"shares in \[0, 1\)"),
        ({}, {"mean": {"X": 1.0}}, "mean names 'X'"),
        ({}, {"mean": float("inf")}, "mean must hold a finite number"),
        ({}, {"standard_deviation": 0.0}, "not positive definite"),
        ({}, {"learning_gain": {"B": -1.0}}, "learning_gain of 'B' is -1.0"),
        ({}, {"shifts": {"senior": {"X": 1.0}}}, "shift of 'senior' names 'X'"),
    ],
)
def test_what_is_wrong_is_named(prerequisites, more, complaint):
    with pytest.raises(ValueError, match=complaint):
        population_from_graph(["A", "B", "C"], prerequisites, **({"half_life_days": 120.0} | more))


@pytest.mark.parametrize(
    ("covariance", "complaint"),
    [
        ([[1.0, 0.5], [0.4, 1.0]], "not symmetric"),
        ([[1.0, 1.0], [1.0, 1.0]], "not positive definite: its least eigenvalue"),
        ([[1.0]], "2 by 2 finite numbers"),
        ([[1.0, np.nan], [np.nan, 1.0]], "2 by 2 finite numbers"),
    ],
)
def test_a_covariance_of_ones_own_is_checked(covariance, complaint):
    two = np.ones(2)
    with pytest.raises(ValueError, match=complaint):
        Population(("A", "B"), two, np.array(covariance), two, two)


def test_names_must_differ():
    with pytest.raises(ValueError, match="each name once"):
        population_from_graph(["A", "A"], {}, 120.0)
