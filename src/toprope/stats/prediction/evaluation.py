"""How good predictions of answers are: order, size and honesty."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.tables import Floats, Integers

CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True)
class PredictionQuality:
    """Of predictions of right and wrong answers.

    auc: chance that a right answer was held likelier than a wrong one; ties count half; NaN if all are alike.
    log_loss: mean negative log-likelihood in nats.
    calibration_error: see the function of that name.
    """

    auc: float
    log_loss: float
    calibration_error: float


def assess_predictions(score: ArrayLike, predicted: ArrayLike) -> PredictionQuality:
    """Quality of `predicted` (N,) for `score` (N,), 0 to 1. In the AUC a score of at least .5 is right.

    Raises ValueError for shapes that do not fit and for numbers that are no probabilities.
    """
    y, p = np.asarray(score, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if y.shape != p.shape or y.ndim != 1 or not y.size:
        raise ValueError(f"score and predicted are {y.shape} and {p.shape}; (N,) and (N,) are asked")
    if not (np.isfinite(p).all() and (p >= 0).all() and (p <= 1).all()):
        raise ValueError("predicted holds something that is no probability; numbers from 0 to 1 are asked")
    clipped = np.clip(p, 1e-6, 1.0 - 1e-6)
    loss = -np.mean(y * np.log(clipped) + (1.0 - y) * np.log1p(-clipped))
    return PredictionQuality(area_under_curve(y >= 0.5, p), float(loss), calibration_error(y, p))


def area_under_curve(right: ArrayLike, predicted: ArrayLike) -> float:
    """Area under the ROC curve by ranks (Mann & Whitney 1947), O(N log N)."""
    truth, p = np.asarray(right, dtype=bool), np.asarray(predicted, dtype=np.float64)
    hits, misses = int(truth.sum()), int((~truth).sum())
    if not hits or not misses:
        return float("nan")
    _, place, count = np.unique(p, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count - 1) / 2.0  # the mean rank of equal predictions
    return float((middle[place][truth].sum() - hits * (hits + 1) / 2.0) / (hits * misses))


def calibration_error(score: ArrayLike, predicted: ArrayLike) -> float:
    """Expected calibration error: |mean score - mean prediction| in 15 bins of equal size, averaged."""
    y, p = np.asarray(score, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    edges = np.quantile(p, np.linspace(0.0, 1.0, CALIBRATION_BINS + 1))
    bins = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, CALIBRATION_BINS - 1)
    gap = np.bincount(bins, weights=y - p, minlength=CALIBRATION_BINS)
    return float(np.abs(gap).sum() / y.size)


def person_folds(person: Integers, folds: int, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
    """For each fold, which of the N answers are its test answers. A person's answers stay together.

    Raises ValueError for fewer than 2 folds or more folds than persons.
    """
    everybody, place = np.unique(person, return_inverse=True)
    if not 2 <= folds <= everybody.size:
        raise ValueError(f"{folds} folds of {everybody.size} persons; 2 to as many as persons are asked")
    drawn = rng.permutation(everybody.size) % folds
    for fold in range(folds):
        yield drawn[place] == fold


def mean_rate(score: Floats, test: NDArray[np.bool_]) -> Floats:
    """The simplest prediction: the mean score of the others."""
    return np.full(int(test.sum()), score[~test].mean())
