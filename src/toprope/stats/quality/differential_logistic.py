"""Differential item functioning by logistic regression (Swaminathan & Rogers 1990).

With the matching variable m and the group g (1 in the focal group), three nested models of a right answer:

    logit P = b0 + b1 m                     no difference
    logit P = b0 + b1 m + b2 g              uniform: the same at every ability
    logit P = b0 + b1 m + b2 g + b3 m g     nonuniform: changes with ability

Persons with the same m and g are alike to all three, so they are counted once, as a cell; all items are
fitted together, by Newton's method.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.distributions import chi_square_sf
from toprope.stats.quality.chance import adjust_p_values
from toprope.stats.quality.differential import SizeClass
from toprope.stats.quality.scores import Floats, check_column, check_flags, check_scores

_LEVEL = 0.05
_ITERATIONS = 60
_HALVINGS = 8
_SEPARATED = 12.0  # logits: beyond it the groups are told apart without error, and no finite estimate exists
_CHUNK = 4_000_000  # cells times items fitted at once; bounds the memory to some 200 MB


@dataclass(frozen=True, slots=True)
class LogisticDifference:
    """How an item differs between two groups, by likelihood ratio.

    uniform, nonuniform: chi-squares with 1 degree of freedom each; both: with 2.
    p_value belongs to `both`, as does adjusted_p_value (Benjamini & Hochberg 1995, over the items).
    group_effect: b2 of the uniform model, in logits; below 0 the item is harder for the focal group. None
    where it is not finite (one group is all right or all wrong) or nobody varies.
    r_square_change: Nagelkerke's R2 of the third model less that of the first, 0..1.
    zumbo_thomas: A below 0.13, B below 0.26, else C (Zumbo & Thomas 1997).
    jodoin_gierl: A below 0.035, B below 0.07, else C (Jodoin & Gierl 2001). Both classes are A without
    significance at 5 %, as their authors ask.
    """

    item: int
    persons: int
    uniform: float
    uniform_p_value: float
    nonuniform: float
    nonuniform_p_value: float
    both: float
    p_value: float
    adjusted_p_value: float
    group_effect: float | None
    r_square_change: float
    zumbo_thomas: SizeClass
    jodoin_gierl: SizeClass


def logistic_differences(
    scores: ArrayLike, focal: ArrayLike, *, matching: ArrayLike | None = None
) -> tuple[LogisticDifference, ...]:
    """The logistic regression study of every item of a right-or-wrong test.

    scores: (N, J) of 0, 1 and, only with `matching`, NaN for not asked.
    focal: (N,) true or 1 for the focal group.
    matching: (N,) any ability measure; by default the number right over all items.

    An item that nobody or everybody gets right shows no difference: chi-squares 0, p-values 1.
    Raises ValueError for other scores than 0 and 1, a single group, missing scores without `matching`, or a
    matching variable that is the same for everybody.
    """
    table = check_scores(scores, complete=matching is None)
    asked = ~np.isnan(table)
    if not np.isin(table[asked], (0.0, 1.0)).all():
        raise ValueError("logistic regression asks for scores of 0 and 1; see `mantel` for ordered scores")
    group = check_flags(focal, len(table), "focal")
    level = table.sum(axis=1) if matching is None else check_column(matching, len(table), "matching")
    spread = float(level.std())
    if spread <= 1e-12 * max(1.0, float(np.abs(level).max())):
        raise ValueError("the matching variable is the same for everybody: abilities are not told apart")
    design, cell = _cells((level - level.mean()) / spread, group)
    size = max(1, _CHUNK // len(design))
    parts = []
    for start in range(0, table.shape[1], size):
        part = slice(start, start + size)
        right, persons = _count(table[:, part], asked[:, part], cell, len(design))
        parts.append(_fit_all(design, right, persons))
    fits = tuple(np.concatenate(column) for column in zip(*parts, strict=True))
    adjusted = adjust_p_values(
        [chi_square_sf(max(0.0, 2.0 * float(gain)), 2.0) for gain in fits[3] - fits[1]]
    )
    return tuple(_difference(item, fits, float(adjusted[item])) for item in range(table.shape[1]))


def _cells(level: Floats, group: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.int64]]:
    """The four columns of the largest model for each distinct (level, group), and each person's cell."""
    values, place = np.unique(level, return_inverse=True)
    numbers, cell = np.unique(place * 2 + group, return_inverse=True)
    m, g = values[numbers // 2], (numbers % 2).astype(np.float64)
    return np.column_stack([np.ones_like(m), m, g, m * g]), np.asarray(cell, dtype=np.int64)


def _count(
    table: Floats, asked: NDArray[np.bool_], cell: NDArray[np.int64], cells: int
) -> tuple[Floats, Floats]:
    """Right answers and persons asked, each (cells, items)."""
    right, persons = np.empty((cells, table.shape[1])), np.empty((cells, table.shape[1]))
    for item in range(table.shape[1]):
        here = asked[:, item]
        persons[:, item] = np.bincount(cell[here], minlength=cells)
        right[:, item] = np.bincount(cell[here], table[here, item], cells)
    return right, persons


def _fit_all(design: Floats, right: Floats, persons: Floats) -> tuple[Floats, ...]:
    """Per item: log-likelihoods of the models with 1, 2, 3 and 4 columns, persons, and the uniform group
    effect.

    Where nobody varies there is nothing to fit: log-likelihoods 0, effect infinite.
    """
    fits = [_fit(design[:, :width], right, persons) for width in (1, 2, 3, 4)]
    varied = (right.sum(axis=0) > 0.0) & (right.sum(axis=0) < persons.sum(axis=0))
    likelihoods = [np.where(varied, value, 0.0) for value, _ in fits]
    return *likelihoods, persons.sum(axis=0), np.where(varied, fits[2][1][:, 2], np.inf)


def _fit(design: Floats, right: Floats, persons: Floats) -> tuple[Floats, Floats]:
    """Newton's method with halved steps for all items at once: log-likelihoods (J,), coefficients (J, p)."""
    count, width = right.shape[1], design.shape[1]
    squares = (design[:, :, None] * design[:, None, :]).reshape(len(design), width * width)
    scale = np.maximum(persons.sum(axis=0), 1.0)
    beta = np.zeros((count, width))
    value = _log_likelihood(design, right, persons, beta)
    for _ in range(_ITERATIONS):
        chance = _logistic(design @ beta.T)
        slope = (design.T @ (right - persons * chance)).T
        bend = (squares.T @ (persons * chance * (1.0 - chance))).T.reshape(count, width, width)
        # A trace of ridge keeps the system solvable for separated and unvaried items.
        bend = bend + (1e-10 * scale)[:, None, None] * np.eye(width)
        step = np.linalg.solve(bend, slope[..., None])[..., 0]
        step /= np.maximum(1.0, np.abs(step).max(axis=1, keepdims=True) / 4.0)
        gain = np.full(count, -np.inf)
        for _ in range(_HALVINGS):
            moved = _log_likelihood(design, right, persons, beta + step)
            gain = moved - value
            if (gain >= 0.0).all():
                break
            step[gain < 0.0] *= 0.5
        step[gain < 0.0] = 0.0
        beta, value = beta + step, value + np.maximum(gain, 0.0)
        if (gain <= 1e-10 * scale).all():
            break
    return value, beta


def _log_likelihood(design: Floats, right: Floats, persons: Floats, beta: Floats) -> Floats:
    logits = design @ beta.T
    return np.asarray((right * logits - persons * np.logaddexp(0.0, logits)).sum(axis=0), dtype=np.float64)


def _logistic(x: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)), dtype=np.float64)


def _difference(item: int, fits: tuple[Floats, ...], adjusted: float) -> LogisticDifference:
    null, base, uniform, full, persons, effect = (float(column[item]) for column in fits)
    first, second = max(0.0, 2.0 * (uniform - base)), max(0.0, 2.0 * (full - uniform))
    both = max(0.0, 2.0 * (full - base))
    p_value = chi_square_sf(both, 2.0)
    change = max(0.0, _nagelkerke(null, full, persons) - _nagelkerke(null, base, persons))
    return LogisticDifference(
        item=item,
        persons=int(persons),
        uniform=first,
        uniform_p_value=chi_square_sf(first, 1.0),
        nonuniform=second,
        nonuniform_p_value=chi_square_sf(second, 1.0),
        both=both,
        p_value=p_value,
        adjusted_p_value=adjusted,
        group_effect=effect if abs(effect) < _SEPARATED else None,
        r_square_change=change,
        zumbo_thomas=_class(change, p_value, 0.13, 0.26),
        jodoin_gierl=_class(change, p_value, 0.035, 0.07),
    )


def _nagelkerke(null: float, model: float, persons: float) -> float:
    """Nagelkerke's (1991) R2; 0 where nobody varies."""
    ceiling = -math.expm1(2.0 * null / persons) if persons else 0.0
    return -math.expm1(2.0 * (null - model) / persons) / ceiling if ceiling > 1e-9 else 0.0


def _class(change: float, p_value: float, moderate: float, large: float) -> SizeClass:
    if p_value >= _LEVEL or change < moderate:
        return "A"
    return "B" if change < large else "C"
