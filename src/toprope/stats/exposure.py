"""Items that have got about: how likely it is that an item is known beforehand, and what its answers then
tell.

Every showing may let an item out (hazard h). Once out, a share k of those who meet it know the answer and
give it; the others answer as before. With p the chance of a right answer from the person's ability alone,

    P(right | intact) = p,        P(right | out) = k + (1 - k) p

and the chance pi that the item is out is updated after each answer by Bayes' rule, from pi + h (1 - pi):
Shiryaev's (1963) detection of a change point, as sequential monitoring of items does (Zhang 2014). Right
answers that the ability does not explain raise pi, wrong ones lower it. An item that everybody suddenly knows
is found within about twenty answers; those who meet it before are protected by the wide draw alone
(`selection`), so whatever was passed in the weeks before an item was withdrawn deserves a look.

The ability estimate uses it at once, before any person has looked: a right answer to an item that may be out
could have been known, so the item's guess rate is raised to

    c' = pi k + (1 - pi k) c          (its slip rate becomes (1 - pi k) d)

which lowers its information too, and so it is asked less. From pi = 1/2 on it is withdrawn (`suspected`)
until somebody has looked. An item that is merely easier than believed looks the same; so p is taken as if
each item were easier by its standard error (`easier_items`), and one that was calibrated on few answers is
not suspected for that. What is left of the likeness errs on the safe side, and calibrating anew clears it.
This finds items, and accuses nobody.
"""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.compiled import compiled
from toprope.stats.items import Items

LEAK_HAZARD = 1e-4
"""The chance that one showing lets an item out: one in 10,000."""
KNOWN_SHARE = 0.6
"""The share of persons taken to know an item that is out: between one team's crib and everybody's."""
SUSPICION = 0.5
"""The chance of being out from which on an item is withdrawn until somebody has looked."""


def watch_item(compromised: float, right: bool, predicted: float) -> float:
    """The chance that an item is out, after one more answer.

    compromised: the chance before (0 for a new item). predicted: P(right) from what is known of the person's
    ability at the end of the sitting, for the item of `easier_items`. Raises ValueError unless both lie in
    [0, 1].
    """
    if not (0.0 <= compromised <= 1.0 and 0.0 <= predicted <= 1.0):
        raise ValueError(f"chances must lie in [0, 1], not {compromised} and {predicted}")
    return float(watched(compromised, right, predicted))


def guard_items(items: Items, compromised: ArrayLike) -> Items:
    """The items as answers to them should be read, given the chance (J,) that each is out.

    Right-or-wrong items get the raised guess rate; items scored in steps stay as they are, for an answer to
    them is produced and judged, not recalled. Raises ValueError unless there is one chance in [0, 1] for each
    item.
    """
    chance = np.asarray(compromised, dtype=np.float64)
    if chance.shape != (len(items),) or not ((chance >= 0.0) & (chance <= 1.0)).all():
        raise ValueError(f"one chance in [0, 1] is asked for each of {len(items)} items")
    known = np.where(items.scores == 1, KNOWN_SHARE * chance, 0.0)
    return dataclasses.replace(
        items, guess=known + (1.0 - known) * items.guess, slip=(1.0 - known) * items.slip
    )


def easier_items(items: Items) -> Items:
    """The items, each easier by the standard error of its difficulty: what the watch compares answers
    with.
    """
    return dataclasses.replace(items, difficulty=items.difficulty - np.sqrt(items.covariance[:, 1, 1]))


def suspected(compromised: ArrayLike) -> NDArray[np.bool_]:
    """Which items are to be withdrawn until somebody has looked: those more likely out than not."""
    return np.asarray(np.asarray(compromised, dtype=np.float64) >= SUSPICION)


@compiled
def watched(compromised: float, right: bool, predicted: float) -> float:
    """`watch_item` for compiled callers."""
    before = compromised + LEAK_HAZARD * (1.0 - compromised)
    out = KNOWN_SHARE + (1.0 - KNOWN_SHARE) * predicted
    if not right:
        out, predicted = 1.0 - out, 1.0 - predicted
    total = before * out + (1.0 - before) * predicted
    # An answer held impossible either way tells nothing about the item.
    return before * out / total if total > 0.0 else before
