"""Coordinate search: the lowest point of a function of a few numbers, without derivatives."""

from collections.abc import Callable

import numpy as np

from toprope.stats.tables import Floats

LEAST_GAIN = 1e-5  # a round over all coordinates that gains less, with short steps, is the last one
SHORT = 0.1  # of a coordinate's first step


def search_minimum(
    function: Callable[[Floats], float], start: Floats, steps: Floats, evaluations: int
) -> tuple[Floats, float]:
    """The best point found and its value, after at most `evaluations` calls. Deterministic.

    One coordinate after the other moves by its step, up or down, where that lowers the function; a step that
    helped grows by a half, one that did not shrinks to two fifths (Hooke & Jeeves 1961).
    """
    point, step = start.astype(np.float64).copy(), steps.astype(np.float64).copy()
    best, calls = function(point), 1
    while True:
        before = best
        for coordinate in range(point.size):
            for move in (step[coordinate], -step[coordinate]):
                if calls >= evaluations:
                    return point, best
                moved = point.copy()
                moved[coordinate] += move
                value = function(moved)
                calls += 1
                if value < best:
                    point, best, step[coordinate] = moved, value, 1.5 * move
                    break
            else:
                step[coordinate] *= 0.4
        if before - best < LEAST_GAIN and (np.abs(step) < SHORT * steps).all():
            return point, best
