"""Unusual sittings: answers too fast to have been read, sudden jumps, patterns that do not go together.

Every function here (and `like_answers`) returns reasons for a person to look, never a verdict: fast readers
exist, and people learn. Each reason tells how many like it chance alone would bring, over all that were
examined; `level` bounds the expected share of false alarms among the reasons given (Benjamini & Hochberg
1995).
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from toprope.stats.distributions import beta_cdf, normal_cdf
from toprope.stats.quality.person_fit import PersonFit, read_person_fit
from toprope.stats.quality.reasons import Description, Reason, ReasonKind, give_reasons
from toprope.stats.quality.scores import Floats, Places, check_column, check_errors, check_places, places_by

SHARE_OF_MEDIAN = 0.10  # the normative threshold NT10
LONGEST_THRESHOLD = 10.0  # seconds

_FEWEST_TIMES = 10
_RAPID_SHARE = 0.10  # response-time effort below 0.9
_QUARTILES = 1.349  # standard deviations between the quartiles of a normal distribution
_LEAST_SPREAD = 0.1  # of log times; times are never held to be more regular than that


def rapid_thresholds(item: ArrayLike, seconds: ArrayLike, *, items: int) -> Floats:
    """Seconds below which an answer to each item counts as rapid, (items,): the normative threshold NT10.

    item, seconds: (n,) of all answers. A tenth of the item's median time, 10 seconds at most (Wise & Ma 2012,
    with the median for their mean); 0, so that nothing is rapid, for items with fewer than ten answers.
    Raises ValueError naming the first answer with a bad item or time.
    """
    what, times = _check_times(item, seconds, items)
    thresholds = np.zeros(items)
    for number, own in places_by(what, items):
        if len(own) >= _FEWEST_TIMES:
            thresholds[number] = min(LONGEST_THRESHOLD, SHARE_OF_MEDIAN * float(np.median(times[own])))
    return thresholds


def rapid_answers(
    person: ArrayLike, item: ArrayLike, seconds: ArrayLike, *, persons: int, items: int, level: float = 0.05
) -> tuple[Reason, ...]:
    """Persons with more rapid answers than their pace explains.

    person, item, seconds: (n,), one row per answer. Looked at are persons of whose answers more than a tenth
    are rapid (response-time effort below 0.9; Wise & Kong 2005). By chance an answer is rapid with the
    probability that a lognormal time, spread as on that item and shifted to the person's own median pace,
    falls below the threshold; their number then has at most a binomial tail (Hoeffding 1956). Raises
    ValueError naming the first bad answer.
    """
    what, times = _check_times(item, seconds, items)
    who = check_places(person, len(what), persons, "person")
    thresholds = rapid_thresholds(what, times, items=items)
    pace, spread = _pace(what, times, items)
    gap = np.log(times) - pace[what]
    limit = np.log(np.maximum(thresholds, np.finfo(np.float64).tiny)) - pace
    p_values, counts = np.ones(persons), np.zeros((persons, 2), dtype=np.int64)
    for number, own in places_by(who, persons):
        known = own[thresholds[what[own]] > 0.0]
        rapid = times[known] < thresholds[what[known]]
        fast = int(rapid.sum())
        counts[number] = fast, len(known)
        if fast <= _RAPID_SHARE * len(known):
            continue
        calm = gap[known[~rapid]]
        own_pace = float(np.median(calm)) if len(calm) >= 3 else 0.0
        chance = np.mean([normal_cdf((limit[each] - own_pace) / spread[each]) for each in what[known]])
        p_values[number] = beta_cdf(float(np.clip(chance, 0.0, 1.0)), fast, len(known) - fast + 1.0)

    def describe(place: int) -> Description:
        fast, total = map(int, counts[place])
        sentence = (
            f"{fast} of {total} answers came in under a tenth of the usual time, too fast to have been read."
        )
        return (place,), sentence, {"rapid": float(fast), "answers": float(total)}

    return give_reasons(ReasonKind.RAPID_ANSWERS, p_values, describe, level=level, noun="persons")


def ability_jumps(
    earlier: ArrayLike,
    earlier_error: ArrayLike,
    later: ArrayLike,
    later_error: ArrayLike,
    *,
    growth: float = 0.0,
    growth_deviation: float = 0.5,
    level: float = 0.05,
) -> tuple[Reason, ...]:
    """Persons whose ability rose between two sittings by more than error and usual learning explain.

    earlier, later: (N,) estimates in logits from separate sittings, with their standard errors (N,) or one
    for all.
    growth, growth_deviation: mean and standard deviation of true growth in that time, in logits. The
    standardised difference (later - earlier - growth) / sqrt(sum of the three variances) is standard normal
    where nothing is amiss (Guo & Drasgow 2010). Falls are no reason here: they have their own, kinder,
    explanations. Raises ValueError for numbers that are not finite and for errors below 0.
    """
    before = check_column(earlier, np.size(earlier), "earlier ability")
    after = check_column(later, len(before), "later ability")
    first = check_errors(earlier_error, len(before), "earlier error")
    second = check_errors(later_error, len(before), "later error")
    if not growth_deviation > 0.0 or not math.isfinite(growth + growth_deviation):
        raise ValueError("growth is a finite number of logits, and its deviation is above 0")
    deviate = (after - before - growth) / np.sqrt(first**2 + second**2 + growth_deviation**2)
    p_values = np.array([normal_cdf(-each) for each in deviate])

    def describe(place: int) -> Description:
        rise, z = float(after[place] - before[place]), float(deviate[place])
        sentence = f"Ability rose by {rise:.1f} logits between two sittings; error and learning explain less."
        return (place,), sentence, {"rise": rise, "z": z}

    return give_reasons(ReasonKind.ABILITY_JUMP, p_values, describe, level=level, noun="persons")


def odd_patterns(fit: PersonFit, *, level: float = 0.05) -> tuple[Reason, ...]:
    """Persons whose answers do not go together: hard items right and easy ones wrong (see `person_fit`)."""

    def describe(place: int) -> Description:
        value = float(fit.corrected[place])
        words = read_person_fit(value).partition(";")[0]
        numbers = {"l_z_star": value, "answers": float(fit.answers[place])}
        return (place,), f"{words[0].upper()}{words[1:]}.", numbers

    return give_reasons(ReasonKind.ODD_PATTERN, fit.p_value, describe, level=level, noun="persons")


def _check_times(item: ArrayLike, seconds: ArrayLike, items: int) -> tuple[Places, Floats]:
    times = check_column(seconds, np.size(seconds), "seconds")
    if (times <= 0.0).any():
        raise ValueError(f"answer {int(np.flatnonzero(times <= 0.0)[0])} took no time; seconds are above 0")
    return check_places(item, len(times), items, "item"), times


def _pace(what: Places, times: Floats, items: int) -> tuple[Floats, Floats]:
    """Median and robust spread of the logarithm of the time on each item."""
    pace, spread = np.zeros(items), np.ones(items)
    for number, own in places_by(what, items):
        if len(own):
            low, middle, high = np.quantile(np.log(times[own]), [0.25, 0.5, 0.75])
            pace[number], spread[number] = middle, max(_LEAST_SPREAD, float(high - low) / _QUARTILES)
    return pace, spread
