"""How evidence moves the belief about all of a person's abilities together.

An observation is a score k of an item with discrimination a, difficulty b and steps (`items`), on one
competency or a few with loadings l, perhaps by a rater of severity s. With x = (l, -1 at the rater's place)
over the joint state z = (theta, s) ~ N(m, P), everything happens on the scalar

    eta = a (l' theta - s - b),      eta ~ N(eta0, v),      h = a P x = Cov(z, eta),
    eta0 = a (x' m - b) - Cov(a, b),
    v    = a^2 (x' P x + Var b) + Var a ((x' m - b)^2 + x' P x + Var b) - 2 a (x' m - b) Cov(a, b)

so that what is not known of the item widens v and never counts as known. The score's likelihood, raised to
its weight omega, tilts the normal of eta; its mean e1 and variance e2 are found by quadrature at 41 fixed
points, and the normal with those moments takes its place (assumed-density filtering: Opper 1998; Minka
2001):

    m <- m + h (e1 - eta0) / v,       P <- P - h h' (v - e2) / v^2

Positive semi-definite stays so, because h' P^-1 h <= v and e2 >= 0. A score whose likelihood is 0 to machine
precision teaches nothing.

**Raters.** A rating tells of ability minus severity (Linacre 1989); the criteria that one mentor rates
share one severity, and so do all later ratings by the same mentor (Patz et al. 2002). So the severities of
a person's latest raters are part of the state, with their covariances to the abilities: a hundred ratings
by one mentor never make more certain than that mentor's severity is known. A rater enters with what is
known of them (`raters.Severities`), strangers with N(0, spread^2). What one person's ratings say of a rater
is the ratio of the belief after to that before, as in expectation propagation (Minka 2001);
`fold_observations` hands back the severities with all those messages taken in, at half strength, as people
differ in ways that look like a rater's severity.

**On-the-job signals** count with their weight until a limit. For each competency c, failures and successes
apart, a ledger u_c adds up what signals could have done: the larger of |shift of the mean| / sigma_c and of
the gain in log precision, by the bounds omega a top |(P x)_c| / sigma_c and omega a^2 top^2 (P x)_c^2 / (4
P_cc). A signal that would take any u_c beyond 0.6 has its weight cut to what fits. As u_c fades as the
ability does, signals alone hold mean - mu <= 0.6 sigma and precision <= e^1.2 / sigma^2, so P(ability >=
cut) <= Phi(0.6 e^0.6) = 0.863 for every cut at or above the prior mean, on every competency, whatever their
number: below the certainty that any level asks (`decisions.THRESHOLDS`).

**Practice** adds `learning_gain` times what is left to half a prior deviation above the prior mean, and its
square to the variance; pure assessment adds nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.folding import fold_compiled
from toprope.stats.items import Items
from toprope.stats.population import Population
from toprope.stats.raters import Severities
from toprope.stats.states import AbilityState, check_state

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

RATERS_KEPT = 4
"""How many of a person's latest raters stand in the state; whoever comes back after more is met anew."""

SEVERITY_SHARE = 0.5
"""How much of what one fold says of a rater is taken over: planning value."""

HINT_WEIGHT, AIDED_WEIGHT = 0.5, 0.5
UNAIDED = frozenset({"", "unaided"})


def evidence_weight(condition: str = "", hints: int = 0) -> float:
    """The weight omega of an answer: each hint used halves it, and so does any condition but "unaided" (""
    where none was recorded): with AI allowed, paired or unknown, part of it may be somebody else's.
    Planning values. Raises ValueError for hints below 0.
    """
    if hints < 0:
        raise ValueError(f"hints is {hints}; it counts the hints used, 0 or more")
    return (1.0 if condition in UNAIDED else AIDED_WEIGHT) * HINT_WEIGHT**hints


@dataclass(frozen=True, slots=True)
class Observations:
    """n scores in the order they count. Make them with `make_observations`, which checks them.

    item: (n,) places in Items. score: (n,) 0..top. at: (n,) days.
    competency: (n, L) places, -1 for none; loading: (n, L).
    rater: (n,) places in `raters`, -1 for none.
    weight: (n,) in (0, 1]. job: (n,) whether an on-the-job signal.
    practice: (n,) how much was practised with it, 0 for pure assessment, 1 for one answer.
    """

    item: Integers
    score: Integers
    at: Floats
    competency: Integers
    loading: Floats
    rater: Integers
    weight: Floats
    job: NDArray[np.bool_]
    practice: Floats
    raters: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.item)


def make_observations(
    item: ArrayLike,
    score: ArrayLike,
    at: ArrayLike,
    competency: ArrayLike,
    *,
    loading: ArrayLike = 1.0,
    rater: Sequence[str | None] | None = None,
    weight: ArrayLike = 1.0,
    job: ArrayLike = False,
    practice: ArrayLike = 0.0,
) -> Observations:
    """Observations from columns (n,); single values stand for all. See `Observations` for shapes and units.

    `competency` and `loading` may be (n, L) for items on several. `rater` names who rated, None where
    nobody did. Raises ValueError naming the first bad observation.
    """
    places = np.atleast_1d(np.asarray(item, dtype=np.int64)).copy()
    count = len(places)
    on = np.asarray(competency, dtype=np.int64)
    on = np.array(
        np.broadcast_to(on[..., None] if on.ndim < 2 else on, (count, on.shape[1] if on.ndim == 2 else 1))
    )
    given = np.asarray(loading, dtype=np.float64)
    given = given[..., None] if given.ndim == 1 else given
    names = tuple(sorted({name for name in rater or () if name is not None}))
    number = {name: place for place, name in enumerate(names)}
    who = [-1 if name is None else number[name] for name in rater] if rater is not None else [-1] * count
    scores = np.asarray(score, dtype=np.float64)
    if not np.all(scores == np.floor(scores)):  # NaN and infinities are caught here too
        raise ValueError("scores are whole numbers from 0 to the item's highest")
    observations = Observations(
        item=places,
        score=np.array(np.broadcast_to(scores, (count,))).astype(np.int64),
        at=np.array(np.broadcast_to(np.asarray(at, dtype=np.float64), (count,))),
        competency=on,
        loading=np.array(np.broadcast_to(given, on.shape)),
        rater=np.array(np.broadcast_to(np.asarray(who, dtype=np.int64), (count,))),
        weight=np.array(np.broadcast_to(np.asarray(weight, dtype=np.float64), (count,))),
        job=np.array(np.broadcast_to(np.asarray(job, dtype=np.bool_), (count,))),
        practice=np.array(np.broadcast_to(np.asarray(practice, dtype=np.float64), (count,))),
        raters=names,
    )
    _check(
        (observations.score >= 0, "its score is below 0"),
        (np.isfinite(observations.at), "its time is not a finite number of days"),
        (np.isfinite(observations.loading.sum(axis=1)), "a loading is not finite"),
        ((observations.weight > 0) & (observations.weight <= 1), "its weight must lie in (0, 1]"),
        ((observations.practice >= 0) & (observations.practice <= 1), "its practice must lie in [0, 1]"),
    )
    return observations


@dataclass(frozen=True, slots=True)
class Fold:
    """What observations did.

    states: those after them. steps: (n, 4) logits, for each observation the value and standard error of its
    first competency before it, aged until then, and after it.
    severities: with what was learnt of the raters.
    """

    states: tuple[AbilityState, ...]
    steps: Floats
    severities: Severities


def fold_observations(
    population: Population,
    states: Sequence[AbilityState],
    items: Items,
    observations: Observations,
    *,
    starts: ArrayLike | None = None,
    severities: Severities | None = None,
) -> Fold:
    """Take observations into the states of P persons, in the order given; the same input gives the same bits.

    starts: (P + 1,) where each person's observations start and where the last end; one person needs none.
    severities: what is known of the raters before, the same for all persons. So neither the persons' order
    nor how they are divided over calls matters to their states, nor whether a person's observations come at
    once or in parts.

    An observation from before its state's time counts at the state's time. Raises ValueError naming bad
    input.
    """
    known = severities or Severities((), np.zeros(0), np.zeros(0))
    bounds = np.asarray([0, len(observations)] if starts is None else starts, dtype=np.int64)
    _check_fit(population, states, items, observations, bounds)
    if not states:
        return Fold((), np.zeros((0, 4)), known)
    names = {name: None for state in states for name in state.raters}
    table = known.including((*observations.raters, *names))
    place = {name: number for number, name in enumerate(table.names)}
    translate = np.array([*(place[name] for name in observations.raters), -1], dtype=np.int64)

    work = _stack(states, place)
    steps = np.zeros((len(observations), 4))
    messages = np.zeros((len(table.names), 2))
    fold_compiled(
        bounds,
        *work,
        population.covariance,
        population.stability,
        population.learning_gain,
        (items.discrimination, items.difficulty, items.guess, items.slip, items.scores),
        np.cumsum(items.steps, axis=1) * items.discrimination[:, None],
        items.covariance,
        (
            observations.item,
            observations.score,
            observations.at,
            observations.competency,
            observations.loading,
        ),
        (translate[observations.rater], observations.weight, observations.job, observations.practice),
        table.severity,
        table.standard_error**2,
        steps,
        messages,
    )
    after = tuple(_unstack(state, number, work, table.names) for number, state in enumerate(states))
    return Fold(after, steps, table.learn(SEVERITY_SHARE * messages[:, 0], SEVERITY_SHARE * messages[:, 1]))


Work = tuple[Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Integers]


def _stack(states: Sequence[AbilityState], place: dict[str, int]) -> Work:
    persons, count = len(states), len(states[0].stability)
    joint = count + RATERS_KEPT
    mean, covariance = np.zeros((persons, joint)), np.zeros((persons, joint, joint))
    slots = np.full((persons, RATERS_KEPT), -1, dtype=np.int64)
    for number, state in enumerate(states):
        size = len(state.mean)
        mean[number, :size] = state.mean
        covariance[number, :size, :size] = state.covariance
        slots[number, : len(state.raters)] = [place[name] for name in state.raters]
    rest = (
        np.array([getattr(state, name) for state in states], dtype=np.float64)
        for name in ("at", "prior_mean", "stability", "last_success", "proven", "job_credit")
    )
    at, prior_mean, stability, last_success, proven, job_credit = rest
    return mean, covariance, at, prior_mean, stability, last_success, proven, job_credit, slots


def _unstack(state: AbilityState, number: int, work: Work, names: tuple[str, ...]) -> AbilityState:
    mean, covariance, at, _, stability, last_success, proven, job_credit, slots = (
        each[number] for each in work
    )
    raters = tuple(names[place] for place in slots if place >= 0)
    size = len(stability) + len(raters)
    return AbilityState(
        competencies=state.competencies,
        raters=raters,
        at=float(at),
        mean=mean[:size].copy(),
        covariance=covariance[:size, :size].copy(),
        prior_mean=state.prior_mean,
        stability=stability.copy(),
        last_success=last_success.copy(),
        proven=proven.copy(),
        job_credit=job_credit.copy(),
    )


def _check(*asked: tuple[NDArray[np.bool_], str]) -> None:
    for good, complaint in asked:
        if not good.all():
            raise ValueError(f"observation {int(np.argmin(good))} of {len(good)}: {complaint}")


def _check_fit(
    population: Population,
    states: Sequence[AbilityState],
    items: Items,
    observations: Observations,
    bounds: Integers,
) -> None:
    for state in states:
        check_state(population, state)
    good = len(bounds) == len(states) + 1 and bounds[0] == 0 and bounds[-1] == len(observations)
    if not good or (np.diff(bounds) < 0).any():
        raise ValueError(
            f"starts must rise from 0 to {len(observations)} in {len(states) + 1} steps, one more than states"
        )
    _check(((observations.item >= 0) & (observations.item < len(items)), f"there are {len(items)} items"))
    on = observations.competency
    _check(
        (observations.score <= items.scores[observations.item], "its score is above the item's highest"),
        (on.min(axis=1) >= -1, "a competency's place is below -1"),
        (on.max(axis=1) < len(population.competencies), "no such competency"),
        (on[:, 0] >= 0, "it is on no competency"),
    )
