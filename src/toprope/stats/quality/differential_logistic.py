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
_LONGEST_STEP = 4.0  # logits per iteration
_TOLERANCE = 1e-7  # of the log-likelihood; Newton's next step would gain its square
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
    hits, count = right.sum(axis=0), persons.sum(axis=0)
    varied = np.flatnonzero((hits > 0.0) & (hits < count))
    values, effect = np.zeros((4, right.shape[1])), np.full(right.shape[1], np.inf)
    if len(varied):
        right, persons, share = right[:, varied], persons[:, varied], (hits / np.maximum(count, 1.0))[varied]
        beta = np.log(share / (1.0 - share))[:, None]
        values[0, varied] = count[varied] * (share * np.log(share) + (1.0 - share) * np.log1p(-share))
        for width in (2, 3, 4):
            beta = np.column_stack([beta, np.zeros(len(varied))])
            values[width - 1, varied], beta = _fit(design[:, :width], right, persons, beta)
            if width == 3:
                effect[varied] = beta[:, 2]
    return *values, count, effect


def _fit(design: Floats, right: Floats, persons: Floats, beta: Floats) -> tuple[Floats, Floats]:
    """Newton's method with halved steps, from `beta` (J, p), for all items: log-likelihoods (J,),
    coefficients.
    """
    width = design.shape[1]
    squares = (design[:, :, None] * design[:, None, :]).reshape(len(design), width * width)
    beta, value = beta.copy(), _log_likelihood(design, right, persons, beta)
    climbing = np.arange(right.shape[1])
    for _ in range(_ITERATIONS):
        hits, count = right[:, climbing], persons[:, climbing]
        chance = _logistic(design @ beta[climbing].T)
        slope = (design.T @ (hits - count * chance)).T
        bend = (squares.T @ (count * chance * (1.0 - chance))).T.reshape(len(climbing), width, width)
        # A trace of ridge keeps the system solvable where a group is all right or all wrong.
        bend += (1e-10 * count.sum(axis=0))[:, None, None] * np.eye(width)
        step = np.linalg.solve(bend, slope[..., None])[..., 0]
        step /= np.maximum(1.0, np.abs(step).max(axis=1, keepdims=True) / _LONGEST_STEP)
        gain = np.full(len(climbing), -np.inf)
        for _ in range(_HALVINGS):
            low = gain < -_TOLERANCE
            moved = _log_likelihood(design, hits[:, low], count[:, low], (beta[climbing] + step)[low])
            gain[low] = moved - value[climbing[low]]
            if (gain >= -_TOLERANCE).all():
                break
            step[gain < -_TOLERANCE] *= 0.5
        better = gain > 0.0
        beta[climbing[better]] += step[better]
        value[climbing[better]] += gain[better]
        climbing = climbing[gain > _TOLERANCE]
        if not len(climbing):
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
