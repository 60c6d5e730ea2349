"""What is believed of a person before any evidence: the prior, from the graph of competencies.

With competencies c, their prerequisites pa(c), a general factor G and disturbances eps, all independent,

    u_c     = sum over p in pa(c) of  w_pc u_p  +  eps_c,         Var(u_c) = 1
    theta_c = mu_c + sd_c ( sqrt(g) G + sqrt(1 - g) u_c )

a structural regression (Bollen 1989) under one general factor of share g. Conditioning on evidence for any
competency moves all that are related, up the graph and down it. The graph says what goes with what; it
never gates: gates belong to progression. What is known of a person's role or cohort shifts the mean mu.

Abilities are in logits; stabilities in days (`retention`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from toprope.stats.retention import stability_from_half_life

Floats = NDArray[np.float64]

GENERAL_SHARE = 0.4
"""Share of each competency's variance that is common to all: planning value."""

EXPLAINED_SHARE = 0.3
"""Share of the rest that the prerequisites explain, where their weights are not given: planning value."""

LEARNING_GAIN = 0.03
"""Logits that one practised answer adds to a beginner's ability: planning value."""

Prerequisites = Mapping[str, Collection[str] | Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Population:
    """The prior over K competencies, in the order of their names.

    mean: (K,) logits. covariance: (K, K), positive definite, squared logits.
    stability: (K,) days, that of somebody new to the competency.
    learning_gain: (K,) logits per practised answer.
    shifts: for each group (a role, a cohort) what it adds to the mean, (K,) logits.

    Raises ValueError naming what is wrong.
    """

    competencies: tuple[str, ...]
    mean: Floats
    covariance: Floats
    stability: Floats
    learning_gain: Floats
    shifts: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.competencies)
        if not count or len(set(self.competencies)) != count:
            raise ValueError("a population has at least one competency, and each name once")
        columns = {"mean": self.mean, "stability": self.stability, "learning_gain": self.learning_gain}
        columns |= {f"shift of '{group}'": shift for group, shift in self.shifts.items()}
        for name, column in columns.items():
            if column.shape != (count,) or not np.isfinite(column).all():
                raise ValueError(f"{name} must hold a finite number for each of the {count} competencies")
        for name, wrong in (("stability", self.stability <= 0), ("learning_gain", self.learning_gain < 0)):
            if wrong.any():
                competency = self.competencies[int(np.argmax(wrong))]
                raise ValueError(f"{name} of '{competency}' is {columns[name][np.argmax(wrong)]}")
        _check_covariance(self.covariance, count)

    def mean_for(self, groups: Collection[str]) -> Floats:
        """(K,) the prior mean, in logits, of a person of these groups."""
        unknown = sorted(set(groups) - set(self.shifts))
        if unknown:
            raise ValueError(f"the population knows no group '{unknown[0]}'; it knows {sorted(self.shifts)}")
        return np.asarray(
            self.mean + sum(self.shifts[group] for group in sorted(set(groups))), dtype=np.float64
        )

    def with_stability(self, stability: Mapping[str, float]) -> "Population":
        """The same with these stabilities (days), as `retention.fit_stability` finds them."""
        return replace(self, stability=_column("stability", self.competencies, stability, self.stability))


def population_from_graph(
    competencies: Sequence[str],
    prerequisites: Prerequisites,
    half_life_days: Mapping[str, float] | float,
    *,
    general: float = GENERAL_SHARE,
    explained: float = EXPLAINED_SHARE,
    mean: Mapping[str, float] | float = 0.0,
    standard_deviation: Mapping[str, float] | float = 1.0,
    learning_gain: Mapping[str, float] | float = LEARNING_GAIN,
    shifts: Mapping[str, Mapping[str, float]] | None = None,
) -> Population:
    """The prior that the graph implies (Bollen 1989); see the module for the equations.

    prerequisites: for a competency the names of others, which then explain `explained` of its own variance in
    equal parts, or their weights w.
    half_life_days: after how long without evidence half of what sets a person apart is left (the pack's
    currency classes).
    general: the share g, in [0, 1). mean, standard_deviation, learning_gain: logits, one number or by name.
    shifts: group -> competency -> logits.

    Raises ValueError for an unknown name, a circle, weights that explain all of a variance, a number out of
    range.
    """
    if not 0.0 <= general < 1.0 or not 0.0 <= explained < 1.0:
        raise ValueError(f"general and explained are shares in [0, 1), not {general} and {explained}")
    names = tuple(competencies)
    zeros, ones = np.zeros(len(names)), np.ones(len(names))
    deviations = _column("standard_deviation", names, standard_deviation, ones)
    half_lives = _column("half_life_days", names, half_life_days, np.full(len(names), np.nan))
    own = _graph_correlation(names, prerequisites, explained)
    correlation = general + (1.0 - general) * own
    return Population(
        competencies=names,
        mean=_column("mean", names, mean, zeros),
        covariance=correlation * np.outer(deviations, deviations),
        stability=np.array([stability_from_half_life(days) for days in half_lives]),
        learning_gain=_column("learning_gain", names, learning_gain, zeros),
        shifts={
            group: _column(f"shift of '{group}'", names, each, zeros)
            for group, each in (shifts or {}).items()
        },
    )


def _column(what: str, names: tuple[str, ...], given: Mapping[str, float] | float, default: Floats) -> Floats:
    if not isinstance(given, Mapping):
        return np.full(len(names), float(given))
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ValueError(f"{what} names '{unknown[0]}', which is none of the competencies")
    return np.array([given.get(name, default[place]) for place, name in enumerate(names)], dtype=np.float64)


def _graph_correlation(names: tuple[str, ...], prerequisites: Prerequisites, explained: float) -> Floats:
    """(K, K) the covariance of u, filled in from those without prerequisites upwards."""
    place = {name: number for number, name in enumerate(names)}
    for name, needed in prerequisites.items():
        for each in (name, *needed):
            if each not in place:
                raise ValueError(
                    f"prerequisites of '{name}' name '{each}', which is none of the competencies"
                )
    graph = {name: sorted(prerequisites.get(name, ())) for name in names}
    try:
        order = tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise ValueError(f"prerequisites run in a circle: {' -> '.join(error.args[1])}") from error

    covariance = np.eye(len(names))
    for name in order:
        parents = [place[each] for each in graph[name]]
        if not parents:
            continue
        among = covariance[np.ix_(parents, parents)]
        given = prerequisites[name]
        if isinstance(given, Mapping):
            weights = np.array([given[each] for each in graph[name]], dtype=np.float64)
        else:
            weights = np.full(len(parents), np.sqrt(explained / among.sum()))
        share = float(weights @ among @ weights)
        if not share < 1.0:
            raise ValueError(
                f"the weights of '{name}' explain {share:.2f} of its variance; it must stay below 1"
            )
        row = weights @ covariance[parents]
        row[place[name]] = 1.0
        covariance[place[name], :] = covariance[:, place[name]] = row
    return covariance


def _check_covariance(covariance: Floats, count: int) -> None:
    if covariance.shape != (count, count) or not np.isfinite(covariance).all():
        raise ValueError(f"covariance must be {count} by {count} finite numbers, not {covariance.shape}")
    if not np.array_equal(covariance, covariance.T):
        raise ValueError("covariance is not symmetric")
    least = float(np.linalg.eigvalsh(covariance)[0])
    if least <= 1e-9:
        raise ValueError(f"covariance is not positive definite: its least eigenvalue is {least:.2g}")
