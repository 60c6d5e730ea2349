"""Items that change: harder or easier at a later calibration, and items that got about.

- `item_drift` compares two calibrations of the same items.
- `detect_changes` reads answers as they come and tells since when an item has been easier than it should be:
a
  CUSUM of likelihood ratios (Page 1954), whose false alarms are bounded whatever the items are like.
- `exposure_rates`: how much of the bank people have seen.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from toprope.stats.distributions import normal_cdf
from toprope.stats.items import Items, expected_score, score_probabilities
from toprope.stats.quality.chance import adjust_p_values
from toprope.stats.quality.reasons import Description, Reason, ReasonKind, give_reasons
from toprope.stats.quality.scores import Floats, Places, check_column, check_errors, check_places, places_by
from toprope.stats.responses import Responses

_GRID = np.linspace(-5.0, 5.0, 201)
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_LEVEL = 0.05
_TINY = 1e-300
_ONE_SIDED = 1.645  # standard errors to the end of a one-sided 95 % interval
_QUARTILES = 0.74  # of an interquartile range make a standard deviation


@dataclass(frozen=True, slots=True)
class ItemDrift:
    """How an item moved between two calibrations, after the median move of all was taken out.

    shift: of the difficulty, in logits; below 0 the item became easier.
    shift_error, p_value, adjusted_p_value: from the calibrations' standard errors (adjusted over the items,
    Benjamini & Hochberg 1995); None where neither calibration has any.
    robust_z: shift over 0.74 interquartile ranges of all shifts (Huynh & Meyer 2010); None where at least
    half of the items moved alike.
    signed, unsigned: mean difference of the expected share of points, and its mean size, over the population.
    drifted: |shift| of at least 0.3 logits, and significant at 5 % after adjustment (without errors:
    |robust_z| > 2.7).
    """

    item: int
    shift: float
    shift_error: float | None
    p_value: float | None
    adjusted_p_value: float | None
    robust_z: float | None
    signed: float
    unsigned: float
    drifted: bool


def item_drift(
    before: Items, after: Items, *, mean: float = 0.0, deviation: float = 1.0, smallest: float = 0.3
) -> tuple[ItemDrift, ...]:
    """How each item moved from one calibration to another, both in the same unit (logits).

    A constant between the scales is removed as the median move, so that a few drifting items do not drag it
    along.
    mean, deviation: of the population over which expected scores are compared. smallest: the shift in logits
    from which drift matters. Raises ValueError where the calibrations differ in number or scores of their
    items.
    """
    if len(before) != len(after) or not len(before) or (before.scores != after.scores).any():
        raise ValueError(
            "two calibrations of the same items are asked, with the same highest scores, one at least"
        )
    if deviation <= 0.0 or smallest <= 0.0:
        raise ValueError("the population's deviation and the smallest shift of interest are above 0")
    moves = after.difficulty - before.difficulty
    middle = float(np.median(moves))
    shifts = moves - middle
    quarter, three = np.quantile(shifts, [0.25, 0.75])
    spread = _QUARTILES * float(three - quarter)
    errors = np.sqrt(before.covariance[:, 1, 1] + after.covariance[:, 1, 1])
    p_values = [
        2.0 * normal_cdf(-abs(shift) / error) if error > 0.0 else None
        for shift, error in zip(shifts, errors, strict=True)
    ]
    adjusted = iter(adjust_p_values([p for p in p_values if p is not None]))
    ability = mean + deviation * _GRID
    weight = np.exp(-0.5 * _GRID**2) / np.exp(-0.5 * _GRID**2).sum()
    gaps = expected_score(after, ability + middle) - expected_score(before, ability)
    drifts = []
    for item, shift in enumerate(map(float, shifts)):
        robust = shift / spread if spread > 1e-12 else None
        p_value = p_values[item]
        q_value = None if p_value is None else float(next(adjusted))
        sure = q_value < _LEVEL if q_value is not None else robust is not None and abs(robust) > 2.7
        drifts.append(
            ItemDrift(
                item=item,
                shift=shift,
                shift_error=None if p_value is None else float(errors[item]),
                p_value=p_value,
                adjusted_p_value=q_value,
                robust_z=robust,
                signed=float(weight @ gaps[:, item]),
                unsigned=float(weight @ np.abs(gaps[:, item])),
                drifted=bool(sure and abs(shift) >= smallest),
            )
        )
    return tuple(drifts)


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What the answers to an item say of its getting easier.

    answers: how many were read. peak: the highest value of the CUSUM. p_value: a bound on the chance of such
    a peak where the item never changed, answers * exp(-peak).
    alarm: the place, among all answers given, of the one at which the bound fell to the false alarm rate
    asked; since: the place of the first answer of that run, the best guess of when the change began. Both
    None without alarm.
    surplus: mean score over the highest, less its expectation, from `since` on; None without alarm.
    """

    item: int
    answers: int
    peak: float
    p_value: float
    alarm: int | None
    since: int | None
    surplus: float | None


def detect_changes(
    item: ArrayLike,
    score: ArrayLike,
    ability: ArrayLike,
    items: Items,
    *,
    ability_error: ArrayLike = 0.0,
    easier_by: float = 1.0,
    false_alarm: float = 0.01,
) -> tuple[ItemChange, ...]:
    """A CUSUM over the answers to each item, in the order in which they were given.

    item, score, ability: (n,), oldest first; the ability is the estimate from before that answer, in logits,
    with its standard error `ability_error` (n,) or one for all. easier_by: the change to look for, in logits;
    below 0 looks for items that became harder. false_alarm: the chance of an alarm for an item that does not
    change.

    Each answer adds log(P1 / P0): its probability were the item easier by so much, over that as calibrated,
    both averaged over the ability's error; the sum starts anew whenever it falls below 0. An alarm at
    log(n / false_alarm) is false with that probability at most (Ville's inequality for each of n starting
    points), however difficult the items and whatever the mix of persons, as long as abilities are as
    uncertain as they claim. "As calibrated" is the near end of the difficulty's one-sided 95 % interval, so
    that an item calibrated on few answers is not suspected for that. Raises ValueError naming the first
    answer that does not belong.
    """
    what = check_places(item, np.size(item), len(items), "item")
    got = check_places(score, len(what), int(items.scores.max()) + 1, "score")
    if (got > items.scores[what]).any():
        place = int(np.flatnonzero(got > items.scores[what])[0])
        raise ValueError(f"score {place}: item {what[place]} has no score {got[place]}")
    level = check_column(ability, len(what), "ability")
    error = check_errors(ability_error, len(what), "ability error")
    if easier_by == 0.0 or not math.isfinite(easier_by):
        raise ValueError(f"easier_by is {easier_by}; a change of some logits is asked")
    if not 0.0 < false_alarm < 1.0:
        raise ValueError(f"false_alarm is {false_alarm}; a probability between 0 and 1 is asked")
    margins = math.copysign(_ONE_SIDED, easier_by) * np.sqrt(items.covariance[:, 1, 1])
    changes = []
    for number, places in places_by(what, len(items)):
        if not len(places):
            changes.append(ItemChange(number, 0, 0.0, 1.0, None, None, None))
            continue
        one, row, own = items.take([number]), np.arange(len(places)), got[places]
        usual = _predict(one, level[places], error[places], -margins[number])
        changed = _predict(one, level[places], error[places], -margins[number] - easier_by)
        ratio = np.log(np.maximum(changed[row, own], _TINY)) - np.log(np.maximum(usual[row, own], _TINY))
        top = usual.shape[1] - 1
        changes.append(_add_up(number, ratio, (own - usual @ np.arange(top + 1)) / top, places, false_alarm))
    return tuple(changes)


def leak_reasons(changes: tuple[ItemChange, ...], *, level: float = 0.05) -> tuple[Reason, ...]:
    """Items that have become easier than chance explains; at most a share `level` of the reasons are false.

    changes: what `detect_changes` found with `easier_by` above 0.
    """

    def describe(place: int) -> Description:
        change = changes[place]
        numbers = {"answers": float(change.answers), "peak": change.peak}
        sentence = f"Item {change.item} has been answered right more often than its difficulty explains."
        if change.surplus is not None:
            numbers["surplus"] = change.surplus
            sentence += f" Lately people reach {100.0 * change.surplus:.0f} points of 100 more than expected."
        return (
            (change.item,),
            sentence + " It may have got about, or have become easier for good reasons.",
            numbers,
        )

    p_values = np.array([change.p_value for change in changes])
    return give_reasons(ReasonKind.LEAKED_ITEM, p_values, describe, level=level, noun="items")


def exposure_rates(responses: Responses) -> Floats:
    """The share of persons who have seen each item, (J,); all 0 without persons."""
    seen = np.bincount(responses.item, minlength=responses.items)
    return np.asarray(seen / max(1, responses.persons), dtype=np.float64)


def _add_up(item: int, ratio: Floats, surplus: Floats, places: Places, false_alarm: float) -> ItemChange:
    """The CUSUM over one item's answers: log-likelihood ratios, and what each scored beyond expectation."""
    total = np.concatenate([[0.0], np.cumsum(ratio)])
    lowest = np.minimum.accumulate(total)
    height = (total - lowest)[1:]
    peak = float(height.max())
    p_value = min(1.0, len(places) * math.exp(-peak))
    over = np.flatnonzero(height >= math.log(len(places) / false_alarm))
    if not len(over):
        return ItemChange(item, len(places), peak, p_value, None, None, None)
    start = int(np.flatnonzero(total[: over[0] + 1] == lowest[over[0]])[-1])
    alarm, since = int(places[over[0]]), int(places[start])
    return ItemChange(item, len(places), peak, p_value, alarm, since, float(surplus[start:].mean()))


def _predict(one: Items, level: Floats, error: Floats, severity: float) -> Floats:
    """P(score) on one item, averaged over the error of each ability: (answers, m + 1)."""
    width = int(one.scores[0]) + 1
    if not error.any():
        return score_probabilities(one, level, severity)[:, 0, :width]
    total = np.zeros((len(level), width))
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        total += weight * score_probabilities(one, level + error * node, severity)[:, 0, :width]
    return total
