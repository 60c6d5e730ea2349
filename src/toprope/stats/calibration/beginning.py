"""Where a calibration starts from, and which items may move."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from toprope.stats.calibration.maximisation import Flags
from toprope.stats.calibration.parameters import Parameters, parameters_of
from toprope.stats.calibration.survey import Survey
from toprope.stats.items import Integers, Items


@dataclass(frozen=True, slots=True)
class Anchors:
    """Items whose parameters are known and stay put.

    places: (K,) their numbers in the responses, each once; items: (K,). Raises ValueError if they do not
    pair.
    """

    places: Integers
    items: Items

    def __post_init__(self) -> None:
        if self.places.shape != (len(self.items),) or len(self.places) == 0:
            raise ValueError(f"{len(self.items)} anchors at places of the shape {self.places.shape}")
        if self.places.min() < 0 or len(np.unique(self.places)) < len(self.places):
            raise ValueError("anchors need different places, from 0")


def beginning(
    found: Survey, anchors: Anchors | None, start: Items | None, scores: ArrayLike | None
) -> tuple[Parameters, Flags]:
    """The parameters to climb from, and the items (J,) that are free. ValueError where something does not
    fit.
    """
    count = len(found.counts)
    top = _highest_scores(found, anchors, start, scores)
    parameters = _from_counts(found.counts, top)
    if start is not None:
        if (start.guess + start.slip).any():
            raise ValueError(
                "guess and slip are known, not estimated: anchor such items, leave them out of start"
            )
        parameters = _put(parameters, np.arange(count), start)
    free = np.ones(count, dtype=np.bool_)
    if anchors is not None:
        parameters = _put(parameters, anchors.places, anchors.items)
        free[anchors.places] = False
    return parameters, free


def _highest_scores(
    found: Survey, anchors: Anchors | None, start: Items | None, scores: ArrayLike | None
) -> Integers:
    count = len(found.counts)
    if start is not None and len(start) != count:
        raise ValueError(f"start has {len(start)} items for {count} in the responses")
    if anchors is not None and anchors.places.max() >= count:
        raise ValueError(f"an anchor at place {anchors.places.max()}; the responses have {count} items")
    if scores is not None:
        top = np.broadcast_to(np.asarray(scores, dtype=np.int64), (count,)).copy()
    else:
        top = (found.highest if start is None else start.scores).copy()
    if anchors is not None:
        top[anchors.places] = anchors.items.scores
    bad = (top < 1) | ((top < found.highest) & (found.answers > 0))
    if bad.any():
        item = int(np.flatnonzero(bad)[0])
        raise ValueError(f"item {item}: a highest score of {top[item]}, but {found.highest[item]} was got")
    if start is not None and (start.scores != top).any():
        item = int(np.flatnonzero(start.scores != top)[0])
        raise ValueError(f"item {item} has the highest score {start.scores[item]} in start, here {top[item]}")
    return top


def _from_counts(counts: Integers, top: Integers) -> Parameters:
    """A slope of 1, and intercepts from the shares of the scores, drawn to the middle where responses are
    few.
    """
    width = int(top.max())
    seen = np.zeros((len(top), width + 1)) + 0.5
    common = min(width + 1, counts.shape[1])
    seen[:, :common] += counts[:, :common]
    # 1.2: the logits of shares are flatter than those at one ability
    intercepts = 1.2 * np.log(seen[:, 1:] / seen[:, :1])
    intercepts[np.arange(width) >= top[:, None]] = 0.0
    nothing = np.zeros(len(top))
    return Parameters(np.ones(len(top)), intercepts, top, nothing, nothing)


def _put(parameters: Parameters, places: Integers, items: Items) -> Parameters:
    """The parameters with those of the items at their places."""
    given = parameters_of(items)
    slope, intercepts = parameters.slope.copy(), parameters.intercepts.copy()
    guess, slip = parameters.guess.copy(), parameters.slip.copy()
    common = min(intercepts.shape[1], given.intercepts.shape[1])
    slope[places], guess[places], slip[places] = given.slope, given.guess, given.slip
    intercepts[places] = 0.0
    intercepts[places[:, None], np.arange(common)] = given.intercepts[:, :common]
    return replace(parameters, slope=slope, intercepts=intercepts, guess=guess, slip=slip)
