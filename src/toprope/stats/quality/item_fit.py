"""How an item does: its classical figures, and whether the response model describes its answers.

- `item_statistics`: share right and item-rest correlation; no model.
- `item_fit`: infit and outfit mean squares (Wright & Masters 1982), for responses however sparse.
- `summed_score_fit`: S-X2 (Orlando & Thissen 2000; for ordered scores Kang & Chen 2008), for complete
answers.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from toprope.stats.distributions import chi_square_sf
from toprope.stats.items import Items, score_probabilities
from toprope.stats.quality.chance import adjust_p_values, correlate
from toprope.stats.quality.expected import chances_by_item, check_ability, moments
from toprope.stats.quality.scores import Floats, check_scores
from toprope.stats.responses import Responses

_NODES = 61
_REACH = 6.0  # quadrature over this many standard deviations to each side
_SMALLEST_CELL = 1.0  # expected answers in a cell of S-X2, below which neighbours are joined


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """Classical figures of an item.

    answers: persons who were asked. share: mean score over the highest, 0..1; None without answers.
    deviation: standard deviation of that share; None with fewer than two answers.
    item_rest: correlation with the share reached on the person's other items; item_total: with all items,
    itself among them (the point-biserial correlation). None where one side does not vary or fewer than three
    persons tell.
    note: what stands in the way or looks wrong, in plain words; empty where nothing does.
    """

    item: int
    answers: int
    share: float | None
    deviation: float | None
    item_rest: float | None
    item_total: float | None
    note: str


def item_statistics(scores: ArrayLike, *, highest: ArrayLike | None = None) -> tuple[ItemStatistics, ...]:
    """The classical figures of every item.

    scores: (N, J), NaN where not asked. highest: (J,) the highest score of each item, by default the highest
    seen (at least 1). Persons with gaps are compared by the share of points they reached on what they were
    asked. Raises ValueError for scores that are not numbers from 0 up, and for a `highest` below a score.
    """
    table = check_scores(scores)
    asked = ~np.isnan(table)
    points = np.where(asked, table, 0.0)
    seen = points.max(axis=0)
    top = np.maximum(seen, 1.0) if highest is None else np.asarray(highest, dtype=np.float64)
    if top.shape != seen.shape or not (top >= seen).all() or not (top > 0.0).all():
        raise ValueError("highest holds, for each item, a number above 0 and not below any of its scores")
    possible, reached = asked @ top, points.sum(axis=1)
    results = []
    for item in range(table.shape[1]):
        here = asked[:, item]
        own, rest = points[here, item], possible[here] - top[item]
        others = rest > 0.0
        item_rest = correlate(own[others], (reached[here] - own)[others] / rest[others])
        results.append(
            ItemStatistics(
                item=item,
                answers=len(own),
                share=float(own.mean() / top[item]) if len(own) else None,
                deviation=float(own.std(ddof=1) / top[item]) if len(own) > 1 else None,
                item_rest=item_rest,
                item_total=correlate(own, reached[here] / possible[here]),
                note=_note(own, float(top[item]), item_rest),
            )
        )
    return tuple(results)


def _note(own: Floats, top: float, item_rest: float | None) -> str:
    if not len(own):
        return "nobody was asked"
    if len(own) < 3:
        return "too few answers to say anything"
    if (own == top).all():
        return "everybody is right: it tells nobody apart"
    if (own == 0.0).all():
        return "nobody is right: too hard, or its key is wrong"
    if item_rest is not None and item_rest < 0.0:
        return "the better do worse on it: its key may be reversed"
    return ""


@dataclass(frozen=True, slots=True)
class ItemFit:
    """How far the answers to an item lie from what the model expects (expected mean squares: 1).

    outfit: mean of squared standardised residuals; answers far from the person's level weigh most.
    infit: the same weighted by information; answers near the person's level weigh most.
    infit_z, outfit_z: both as standard normal deviates (cube-root transformation), None where the spread of
    the statistic cannot be told. All are None without answers.
    """

    item: int
    answers: int
    infit: float | None
    infit_z: float | None
    outfit: float | None
    outfit_z: float | None

    @property
    def reading(self) -> str:
        """In plain words; 0.7 to 1.3 is usual for multiple-choice tests (Wright & Linacre 1994)."""
        if self.infit is None or self.outfit is None:
            return "no answers, nothing to say"
        if max(self.infit, self.outfit) > 1.3:
            return "noisier than the model expects: the able miss it or the others get it"
        if min(self.infit, self.outfit) < 0.7:
            return "more regular than the model expects: it may repeat another item"
        return "as the model expects"


def item_fit(responses: Responses, items: Items, ability: ArrayLike) -> tuple[ItemFit, ...]:
    """Infit and outfit of every item (Wright & Masters 1982, pp. 100-101).

    responses: of N persons on J items. ability: (N,) in logits; the closer to the truth, the closer to
    nominal is z. With x the score, E, V and C its expectation, variance and fourth central moment under the
    model, and n answers:

        outfit = sum((x - E)^2 / V) / n            variance  sum(C / V^2) / n^2 - 1 / n
        infit = sum((x - E)^2) / sum(V)            variance  sum(C - V^2) / sum(V)^2

    Items that everybody or nobody gets right have finite mean squares like any other. Raises ValueError where
    responses, items and abilities do not go together.
    """
    theta = check_ability(responses, items, ability)
    fits = [ItemFit(item, 0, None, None, None, None) for item in range(responses.items)]
    for item, places, _, chances in chances_by_item(responses, items, theta):
        mean, variance, fourth = moments(chances)
        squared = (responses.score[places] - mean) ** 2
        count, information = len(places), float(variance.sum())
        outfit, infit = float((squared / variance).mean()), float(squared.sum()) / information
        outfit_variance = float((fourth / variance**2).sum()) / count**2 - 1.0 / count
        infit_variance = float((fourth - variance**2).sum()) / information**2
        fits[item] = ItemFit(
            item, count, infit, _deviate(infit, infit_variance), outfit, _deviate(outfit, outfit_variance)
        )
    return tuple(fits)


def _deviate(mean_square: float, variance: float) -> float | None:
    """The Wilson-Hilferty cube root: about standard normal where the model holds."""
    if variance < 1e-12:
        return None
    spread = math.sqrt(variance)
    return (math.cbrt(mean_square) - 1.0) * 3.0 / spread + spread / 3.0


@dataclass(frozen=True, slots=True)
class SummedScoreFit:
    """S-X2 of an item: scores on it against those expected, at each total score.

    degrees may be 0, when cells had to be joined so far that nothing is left to test; then p_value is None.
    adjusted_p_value: over the items that could be tested (Benjamini & Hochberg 1995).
    """

    item: int
    chi_square: float
    degrees: int
    p_value: float | None
    adjusted_p_value: float | None


def summed_score_fit(
    scores: ArrayLike, items: Items, *, estimated: int = 2, mean: float = 0.0, deviation: float = 1.0
) -> tuple[SummedScoreFit, ...]:
    """S-X2 of every item (Orlando & Thissen 2000; Kang & Chen 2008), for persons who answered all of them.

    scores: (N, J) whole numbers; persons with a gap are left out, and ValueError is raised if nobody remains.
    estimated: parameters of each item estimated from these very answers (0 where the items were fixed
    before).
    mean, deviation: of the normal population, in logits.

    With f(s) the chance of a total s and f*(s) that of a total s without item j (Lord & Wingersky 1984), the
    share of persons with total s expected to score k on j is the integral of P_j(k) f*(s - k) over that of
    f(s). Totals are joined with their neighbours until every cell expects one answer at least.
    """
    table = check_scores(scores, items=2)
    if table.shape[1] != len(items):
        raise ValueError(f"scores on {table.shape[1]} items, but the parameters of {len(items)}")
    if deviation <= 0.0:
        raise ValueError(f"the population's standard deviation is {deviation}; it must be above 0")
    whole = table[~np.isnan(table).any(axis=1)]
    if not len(whole):
        raise ValueError("nobody answered every item; S-X2 compares persons by their total on all of them")
    if (np.mod(whole, 1.0) != 0.0).any() or (whole > items.scores).any():
        raise ValueError("scores are whole numbers from 0 to each item's highest")
    counts = whole.astype(np.int64)
    nodes = np.linspace(mean - _REACH * deviation, mean + _REACH * deviation, _NODES)
    weights = np.exp(-0.5 * ((nodes - mean) / deviation) ** 2)
    chances = score_probabilities(items, nodes)
    total, size = counts.sum(axis=1), int(items.scores.sum()) + 1
    group = np.bincount(total, minlength=size).astype(np.float64)
    results = []
    for item, rest in enumerate(_rest_scores(chances, items)):
        width = int(items.scores[item]) + 1
        joint = np.zeros((size, width))
        for score in range(width):
            joint[score : score + rest.shape[1], score] = (weights * chances[:, item, score]) @ rest
        expected = group[:, None] * joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)
        observed = np.bincount(total * width + counts[:, item], minlength=size * width).reshape(size, width)
        results.append((item, *_compare(observed.astype(np.float64), expected, estimated)))
    return _with_p_values(results)


def _rest_scores(chances: Floats, items: Items) -> list[Floats]:
    """For each item the chances of every total on the other items, (nodes, totals), by halving.

    The items are split in two, the one half's totals handed down to the other, and so on: about J log J
    joinings where leaving each item out in turn would take J^2.
    """
    found: list[Floats] = [np.empty((0, 0))] * len(items)

    def descend(first: int, end: int, outside: Floats) -> None:
        if end - first == 1:
            found[first] = outside
            return
        middle = (first + end) // 2
        descend(first, middle, _add_items(outside, chances, items, middle, end))
        descend(middle, end, _add_items(outside, chances, items, first, middle))

    descend(0, len(items), np.ones((len(chances), 1)))
    return found


def _add_items(totals: Floats, chances: Floats, items: Items, first: int, end: int) -> Floats:
    """Lord & Wingersky (1984): the totals with items first..end-1 taken in."""
    for item in range(first, end):
        top = int(items.scores[item])
        grown = np.zeros((totals.shape[0], totals.shape[1] + top))
        for score in range(top + 1):
            grown[:, score : score + totals.shape[1]] += totals * chances[:, item, score, None]
        totals = grown
    return totals


def _compare(observed: Floats, expected: Floats, estimated: int) -> tuple[float, int]:
    """Pearson's chi-square over totals joined until each cell is large enough, and its degrees of freedom.

    Totals 0 and the highest leave nothing to chance; joined to their neighbours they add nothing.
    """
    rows: list[tuple[Floats, Floats]] = []
    seen, hoped = np.zeros(observed.shape[1]), np.zeros(observed.shape[1])
    for total in range(1, len(observed) - 1):
        seen, hoped = seen + observed[total], hoped + expected[total]
        if (hoped >= _SMALLEST_CELL).all():
            rows.append((seen, hoped))
            seen, hoped = np.zeros_like(seen), np.zeros_like(hoped)
    if not rows:
        return 0.0, 0
    last_seen, last_hoped = rows.pop()
    rows.append((last_seen + seen, last_hoped + hoped))
    chi_square = sum(float(((one - two) ** 2 / two).sum()) for one, two in rows)
    return chi_square, max(0, len(rows) * (observed.shape[1] - 1) - estimated)


def _with_p_values(results: list[tuple[int, float, int]]) -> tuple[SummedScoreFit, ...]:
    p_values = [chi_square_sf(chi, degrees) if degrees else None for _, chi, degrees in results]
    adjusted = iter(adjust_p_values([p for p in p_values if p is not None]))
    return tuple(
        SummedScoreFit(item, chi, degrees, p, None if p is None else float(next(adjusted)))
        for (item, chi, degrees), p in zip(results, p_values, strict=True)
    )
