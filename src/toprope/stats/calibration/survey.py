"""What must be known before the first step: which scores occur, how many, and what hangs together."""

from dataclasses import dataclass

import numpy as np

from toprope.stats.calibration.kernels import Places, count_scores, link_items
from toprope.stats.items import Integers
from toprope.stats.responses import Responses


@dataclass(frozen=True, slots=True)
class Survey:
    """counts: (J, S) how often each item got each score. forest: (J,) a parent of each item in its linked
    group.

    persons: those who answered anything. longest: the most responses of one person.
    """

    counts: Integers
    forest: Places
    persons: int
    longest: int

    def __add__(self, other: "Survey") -> "Survey":
        if len(self.counts) != len(other.counts):
            raise ValueError(f"one part has {len(self.counts)} items, another {len(other.counts)}")
        width = max(self.counts.shape[1], other.counts.shape[1])
        forest = self.forest.copy()
        pairs = np.stack([np.arange(len(forest), dtype=np.int32), other.forest], axis=1)
        link_items(np.arange(0, 2 * len(forest) + 1, 2), pairs.ravel(), forest)
        return Survey(
            _widened(self.counts, width) + _widened(other.counts, width),
            forest,
            self.persons + other.persons,
            max(self.longest, other.longest),
        )

    @property
    def answers(self) -> Integers:
        """(J,) how many responses each item has."""
        return np.asarray(self.counts.sum(axis=1), dtype=np.int64)

    @property
    def highest(self) -> Integers:
        """(J,) the highest score seen on each item, and 1 at least."""
        seen = self.counts > 0
        last = self.counts.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)
        return np.asarray(np.where(seen.any(axis=1), np.maximum(last, 1), 1), dtype=np.int64)

    def groups(self) -> Integers:
        """(J,) the number of each item's linked group, from 0; -1 for items without responses.

        Two items are linked when somebody answered both, or through other items. Groups that share nobody
        lie on one scale only in so far as their persons are equally able on average.
        """
        root = self.forest.astype(np.int64)
        while (root[root] != root).any():
            root = root[root]
        groups = np.full(len(root), -1, dtype=np.int64)
        answered = self.answers > 0
        groups[answered] = np.unique(root[answered], return_inverse=True)[1]
        return groups


def survey(responses: Responses) -> Survey:
    """The survey of one part of the data; the survey of the whole is their sum."""
    wide = np.zeros((responses.items, int(responses.score.max(initial=1)) + 1), dtype=np.int64)
    count_scores(responses.item, responses.score, wide)
    forest = np.arange(responses.items, dtype=np.int32)
    link_items(responses.indptr, responses.item, forest)
    lengths = np.diff(responses.indptr)
    return Survey(wide, forest, int(np.count_nonzero(lengths)), int(lengths.max(initial=0)))


def check_determined(counts: Integers, scores: Integers, free: np.ndarray) -> None:
    """Raise ValueError where an item has no finite maximum-likelihood estimate: a score that nobody got."""
    counts = _widened(counts, max(counts.shape[1], int(scores.max()) + 1))
    possible = np.arange(counts.shape[1]) <= scores[:, None]
    missing = (possible & (counts == 0)).any(axis=1) & free
    if missing.any():
        item = int(np.flatnonzero(missing)[0])
        got = [int(each) for each in np.flatnonzero(counts[item])]
        seen = f"only the scores {got} of 0..{scores[item]}" if got else "no responses"
        raise ValueError(
            f"item {item} has {seen}, and {np.count_nonzero(missing) - 1} more items are like it: without a "
            "prior no estimate is finite; give one (prior=Prior()), or leave them out"
        )


def _widened(counts: Integers, width: int) -> Integers:
    return np.pad(counts, ((0, 0), (0, width - counts.shape[1])))
