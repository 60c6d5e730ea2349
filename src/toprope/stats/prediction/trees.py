"""Boosted trees that correct a prediction: they say what a sum of effects cannot.

Gradient boosting of the log loss (Friedman 2001) with second-order leaves (Chen & Guestrin 2016) on binned
features. The first prediction is given, and the trees add to its logit. How many trees, and whether any, is
settled on persons that they were not grown on.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toprope.stats.compiled import compiled
from toprope.stats.tables import Floats, Integers

Bins = NDArray[np.uint8]

BINS = 64
DEPTH = 4
RATE = 0.1
MOST_TREES = 150
STRIDE = 10  # the number of trees is sought in steps of this
PENALTY = 20.0
LEAST_WEIGHT = 30.0  # sum of p (1 - p) in a leaf: about 150 answers


class Trees(NamedTuple):
    """T trees of depth 4, node n above nodes 2 n + 1 and 2 n + 2.

    feature: (T, 15), -1 where a node does not split (all go left).
    cut: (T, 15), the last bin that goes left.
    value: (T, 16), what each leaf adds to the logit.
    """

    feature: Integers
    cut: Integers
    value: Floats


def bin_edges(features: NDArray[np.float32]) -> list[Floats]:
    """Up to 63 edges for each column, at the quantiles of the (N, C) features."""
    levels = np.linspace(0.0, 1.0, BINS + 1)[1:-1]
    return [np.unique(np.quantile(column, levels)) for column in features.T]


def bin_features(features: NDArray[np.float32], edges: list[Floats]) -> Bins:
    """The bin, 0 to 63, of each of the (N, C) features."""
    columns = [np.searchsorted(edge, column) for edge, column in zip(edges, features.T, strict=True)]
    return np.stack(columns, axis=1).astype(np.uint8)


def count_trees(bins: Bins, score: Floats, logit: Floats, hold_out: int) -> int:
    """How many trees correct `logit` (N,) for `score` (N,) best, given (N, C) `bins`; 0 where none helps.

    They are grown on the answers before the place `hold_out` and judged on the others.
    """
    grown = grow_trees(bins[:hold_out], score[:hold_out], logit[:hold_out], MOST_TREES)
    held, held_score, current = bins[hold_out:], score[hold_out:], logit[hold_out:].copy()
    best, count = _loss(held_score, current), 0
    for first in range(0, MOST_TREES, STRIDE):
        add_trees(held, Trees._make(part[first : first + STRIDE] for part in grown), current)
        loss = _loss(held_score, current)
        if loss < best:
            best, count = loss, first + STRIDE
    return count


def _loss(score: Floats, logit: Floats) -> float:
    return float(np.mean(np.logaddexp(0.0, logit) - score * logit)) if len(score) else math.inf


def grow_trees(bins: Bins, score: Floats, logit: Floats, count: int) -> Trees:
    """So many trees that correct `logit` (N,) for `score` (N,), grown on (N, C) `bins`."""
    nodes, current = 2**DEPTH - 1, logit.copy()
    cut = np.zeros((count, nodes), dtype=np.int64)
    trees = Trees(np.full((count, nodes), -1), cut, np.zeros((count, nodes + 1)))
    for number in range(count):
        _grow_tree(bins, score, current, trees.feature[number], trees.cut[number], trees.value[number])
    return trees


@compiled
def _grow_tree(
    bins: Bins, score: Floats, logit: Floats, feature: Integers, cut: Integers, value: Floats
) -> None:
    count, columns = bins.shape
    leaf = np.zeros(count, dtype=np.int64)
    slope, weight = np.empty(count), np.empty(count)
    for n in range(count):
        right = 1.0 / (1.0 + math.exp(-logit[n]))
        slope[n], weight[n] = score[n] - right, right * (1.0 - right)
    for level in range(DEPTH):
        width = 2**level
        sums = np.zeros((width, columns, BINS, 2))
        for n in range(count):
            for c in range(columns):
                sums[leaf[n], c, bins[n, c], 0] += slope[n]
                sums[leaf[n], c, bins[n, c], 1] += weight[n]
        for node in range(width):
            feature[width - 1 + node], cut[width - 1 + node] = _best_split(sums[node])
        for n in range(count):
            node = width - 1 + leaf[n]
            c = feature[node]
            leaf[n] = 2 * leaf[n] + (1 if c >= 0 and bins[n, c] > cut[node] else 0)
    slopes, weights = np.zeros(value.size), np.zeros(value.size)
    for n in range(count):
        slopes[leaf[n]] += slope[n]
        weights[leaf[n]] += weight[n]
    value[:] = RATE * slopes / (weights + PENALTY)
    for n in range(count):
        logit[n] += value[leaf[n]]


@compiled
def _best_split(sums: Floats) -> tuple[int, int]:
    """(feature, last bin to the left) for a node with (C, 64, 2) sums of slope and weight; (-1, 0): none."""
    slope, weight = sums[0, :, 0].sum(), sums[0, :, 1].sum()
    best = slope * slope / (weight + PENALTY) + 1e-3
    feature, cut = -1, 0
    for c in range(sums.shape[0]):
        left = left_weight = 0.0
        for b in range(BINS - 1):
            left += sums[c, b, 0]
            left_weight += sums[c, b, 1]
            right, right_weight = slope - left, weight - left_weight
            if left_weight < LEAST_WEIGHT or right_weight < LEAST_WEIGHT:
                continue
            gain = left * left / (left_weight + PENALTY) + right * right / (right_weight + PENALTY)
            if gain > best:
                best, feature, cut = gain, c, b
    return feature, cut


@compiled
def add_trees(bins: Bins, trees: Trees, logit: Floats) -> None:
    """Add the trees' values to `logit` (N,), in place."""
    for n in range(bins.shape[0]):
        for t in range(trees.feature.shape[0]):
            node = 0
            for _ in range(DEPTH):
                c = trees.feature[t, node]
                node = 2 * node + (2 if c >= 0 and bins[n, c] > trees.cut[t, node] else 1)
            logit[n] += trees.value[t, node - (2**DEPTH - 1)]
