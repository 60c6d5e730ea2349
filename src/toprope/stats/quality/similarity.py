"""Answers like somebody else's: the generalised binomial test (van der Linden & Sotaridona 2006).

Two persons who answer independently choose the same option of item j with probability

    p_j = P_a(right) P_b(right) + (1 - P_a(right)) (1 - P_b(right)) sum over wrong options of pi_a(o) pi_b(o),

and the number of like choices is a sum of independent trials with these unequal chances; its tail is taken
exactly. pi(o), how wrong answers are shared among the options, is counted within each third of ability, so
that distractors that tempt the able do not pass for copying. Like wrong answers tell most, and every reason
counts them.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.compiled import compiled
from toprope.stats.items import Items, score_probabilities
from toprope.stats.quality.reasons import Description, Reason, ReasonKind, give_reasons
from toprope.stats.quality.scores import Floats, Places, bands, check_column, check_places

MOST_PERSONS = 1_000  # of whom all pairs are compared

_ABILITY_BANDS = 3
_PRIOR_CHOICES = 10.0  # weight, in answers, of an option's share over all abilities within one band
_SCREEN = 2.0  # standard deviations above expectation, below which a pair is not examined further
_NONE, _KEY = -1, 0  # codes of no answer and of the key; wrong options are coded from 1


def like_answers(
    choices: ArrayLike,
    key: ArrayLike,
    items: Items,
    ability: ArrayLike,
    *,
    pairs: ArrayLike | None = None,
    level: float = 0.01,
) -> tuple[Reason, ...]:
    """Pairs of persons who chose the same options more often than their abilities explain.

    choices: (N, J) options from 0, or -1 for no answer. key: (J,). items: J right-or-wrong items. ability:
    (N,) in logits. pairs: (P, 2) persons who could have seen each other's answers; by default all pairs of up
    to 1,000 persons (a named smaller set finds more with fewer false alarms). Pairs within two standard
    deviations of what is expected count as examined and nothing more. level: as in `aberrance`.

    Raises ValueError naming the choice, key or pair that is bad.
    """
    chosen = np.asarray(choices)
    if chosen.dtype.kind not in "iu" or chosen.shape[1:] != (len(items),) or not chosen.size:
        raise ValueError(f"choices are whole numbers, persons by {len(items)} items")
    if (chosen < -1).any():
        raise ValueError("choices are options from 0, or -1 for no answer")
    if (items.scores != 1).any():
        raise ValueError(
            f"item {int(np.flatnonzero(items.scores != 1)[0])} is not of the kind right or wrong"
        )
    right = check_places(key, len(items), 1 + max(int(chosen.max()), int(np.max(key))), "key")
    level_of = check_column(ability, len(chosen), "ability")
    couples = _check_pairs(pairs, len(chosen))
    codes = np.where(chosen == right, _KEY, np.where(chosen < 0, _NONE, chosen + 1)).astype(np.int64)
    third = bands(level_of, _ABILITY_BANDS)
    chance = np.ascontiguousarray(score_probabilities(items, level_of)[..., 1])
    counts, expected, tail = _compare_pairs(couples, codes, chance, third, _likeness(codes, third))

    def describe(place: int) -> Description:
        first, second = map(int, couples[place])
        shared, like, wrong = map(int, counts[place])
        hoped = float(expected[place])
        sentence = (
            f"Of {shared} answers {like} are the same option, where {hoped:.0f} are expected; "
            f"{wrong} of them are the same wrong option."
        )
        numbers = {
            "answers": float(shared),
            "same": float(like),
            "same_wrong": float(wrong),
            "expected": hoped,
        }
        return (first, second), sentence, numbers

    return give_reasons(ReasonKind.LIKE_ANSWERS, tail, describe, level=level, noun="pairs")


def _check_pairs(pairs: ArrayLike | None, persons: int) -> Places:
    if pairs is None:
        if persons > MOST_PERSONS:
            raise ValueError(
                f"all pairs of {persons} persons are too many; name the pairs that sat together, "
                f"or study {MOST_PERSONS} persons at most"
            )
        return np.column_stack(np.triu_indices(persons, 1)).astype(np.int64)
    couples = np.asarray(pairs)
    if couples.ndim != 2 or couples.shape[1] != 2 or couples.dtype.kind not in "iu":
        raise ValueError("pairs form two columns of persons")
    bad = (couples < 0).any(axis=1) | (couples >= persons).any(axis=1) | (couples[:, 0] == couples[:, 1])
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        found = couples[place].tolist()
        raise ValueError(f"pair {place} is {found}; two different persons 0..{persons - 1} are asked")
    return couples.astype(np.int64)


def _likeness(codes: Places, third: Places) -> Floats:
    """P(two wrong answers are the same option) for two thirds of ability and each item: (3, 3, J)."""
    options = int(codes.max()) + 1
    shares = np.zeros((_ABILITY_BANDS, codes.shape[1], options))
    for item in range(codes.shape[1]):
        wrong = codes[:, item] > _KEY
        overall = np.bincount(codes[wrong, item], minlength=options).astype(np.float64)
        overall /= max(1.0, overall.sum())
        for band in range(_ABILITY_BANDS):
            own = np.bincount(codes[wrong & (third == band), item], minlength=options)
            shares[band, item] = (own + _PRIOR_CHOICES * overall) / (own.sum() + _PRIOR_CHOICES)
    return np.asarray(np.einsum("ajo,bjo->abj", shares, shares), dtype=np.float64)


@compiled
def _compare_pairs(
    couples: Places, codes: Places, chance: Floats, third: Places, likeness: Floats
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Per pair: shared items, like answers and like wrong ones; like ones expected; P(so many or more)."""
    counts = np.zeros((len(couples), 3), dtype=np.int64)
    expected = np.zeros(len(couples))
    tail = np.ones(len(couples))
    same = np.empty(codes.shape[1])
    spread = np.empty(codes.shape[1] + 1)
    for pair in range(len(couples)):
        a, b = couples[pair]
        shared = 0
        variance = 0.0
        for j in range(codes.shape[1]):
            if codes[a, j] == _NONE or codes[b, j] == _NONE:
                continue
            p, q = chance[a, j], chance[b, j]
            both = p * q + (1.0 - p) * (1.0 - q) * likeness[third[a], third[b], j]
            same[shared] = both
            shared += 1
            expected[pair] += both
            variance += both * (1.0 - both)
            if codes[a, j] == codes[b, j]:
                counts[pair, 1] += 1
                counts[pair, 2] += codes[a, j] > _KEY
        counts[pair, 0] = shared
        like = counts[pair, 1]
        if like <= expected[pair] + _SCREEN * math.sqrt(variance):
            continue
        spread[: shared + 1] = 0.0
        spread[0] = 1.0
        for k in range(shared):
            for m in range(k + 1, 0, -1):
                spread[m] += same[k] * (spread[m - 1] - spread[m])
            spread[0] *= 1.0 - same[k]
        tail[pair] = min(1.0, spread[like : shared + 1].sum())
    return counts, expected, tail
