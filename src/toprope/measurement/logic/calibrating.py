"""From everybody's answers to the parameters of items and the severities of raters. Pure.

Each competency is calibrated on its own, by marginal maximum likelihood with weak priors. The scale stays
put: items that an earlier calibration knows are anchors, and the mean and spread of those who answered are
estimated instead. The first time nothing is anchored; then the levels that the items were written for place
the scale, all together, so that one item written too easy does not move it.

An item needs some thirty answers to be calibrated. Until then it keeps its planned parameters, errors and
all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toprope.measurement.logic.inspecting import inspect_fit, inspect_options
from toprope.measurement.logic.readings import Parameters
from toprope.measurement.logic.scale import DIFFICULTY_ERROR, LEVEL_DIFFICULTY
from toprope.stats import estimate_severities, make_responses, watch_item
from toprope.stats.calibration import Anchors, Calibration, DistributedResponses, Prior, calibrate
from toprope.stats.items import make_items

LEAST_ANSWERS = 30
"""So many answers an item needs (the pack's rule for new items)."""

SETTLED_ERROR = 0.15
"""From this standard error of the difficulty on, in logits, an item is settled and holds the scale."""

FEWEST_ITEMS = 3
"""Fewer items of a competency than this say nothing of each other."""

LEAST_DISCRIMINATION = 0.3
"""Below it, an item hardly tells those who know from those who do not; in 1 / logit."""

SHARES = (0.3, 0.95)
"""An item that fewer or more get right is too hard or too easy for those who meet it (the pack's rule)."""

EXPOSED = 0.5
"""From this chance on that its answer has got about, an item wants looking at."""

LEAST_RATINGS = 30

PERSONS_PER_PART = 20_000
"""Answers are worked on in parts of so many persons, here as on a cluster, so that both add up alike."""

ItemKey = tuple[str, str]
"""An item's key and the digest of its text."""


@dataclass(frozen=True, slots=True)
class Answers:
    """n first answers on one competency, in the order they were recorded; columns of one length."""

    competency: str
    person: Sequence[int]
    item: Sequence[ItemKey]
    level: Mapping[ItemKey, int]
    right: Sequence[bool]
    predicted: Sequence[float]  # P(right) by what is believed of the person now
    ability: Sequence[float]  # that belief's value, in logits
    choice: Sequence[str]  # the option taken
    options: Mapping[ItemKey, tuple[str, ...]]
    key: Mapping[ItemKey, str]


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What the answers told of one item; `parameters` is None where it keeps the planned ones."""

    item: ItemKey
    competency: str
    responses: int
    share_right: float
    parameters: Parameters | None
    exposed: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompetencyResult:
    """The calibration of one competency. `said` tells in a few words how it went."""

    competency: str
    persons: int
    responses: int
    ability_mean: float
    ability_sd: float
    items: tuple[ItemResult, ...]
    said: str

    @property
    def calibrated(self) -> int:
        return sum(1 for each in self.items if each.parameters is not None)


@dataclass(frozen=True, slots=True)
class RaterResult:
    """How severe a rater is, in logits; above 0 is stricter than most."""

    rater: str
    severity: float
    standard_error: float
    ratings: int


@dataclass(frozen=True, slots=True)
class RatersResult:
    """All raters, and the standard deviation of severities among them."""

    raters: tuple[RaterResult, ...]
    spread: float


def calibrate_competency(
    answers: Answers, known: Mapping[ItemKey, Parameters], client: Any = None
) -> CompetencyResult:
    """Calibrate the items of one competency; those that `known` has settled are anchors and stay as they are.

    With a `dask.distributed.Client` its cluster computes, with the same result to the last bit.
    """
    items = sorted(set(answers.item))
    place = {item: number for number, item in enumerate(items)}
    number = np.array([place[item] for item in answers.item], dtype=np.int64)
    right = np.array(answers.right, dtype=np.int64)
    counts = np.bincount(number, minlength=len(items))
    shares = np.bincount(number, weights=right, minlength=len(items)) / np.maximum(counts, 1)
    enough = (counts >= LEAST_ANSWERS) & (shares > 0.0) & (shares < 1.0)
    chosen = [item for item, good in zip(items, enough, strict=True) if good]
    kept = {item: known[item] for item in items if item in known}
    estimates = _estimate(answers, chosen, kept, client)
    found = {**kept, **estimates.found}
    exposed = _watch(number, right, answers.predicted, len(items))
    rows = np.split(np.argsort(number, kind="stable"), np.cumsum(counts)[:-1])
    results = []
    for at, item in enumerate(items):
        count, share, chance = int(counts[at]), float(shares[at]), float(exposed[at])
        notes = _notes(count, share, found.get(item), chance)
        if item in estimates.reversed:
            notes.append("Those who know more get it wrong more often: look at the key.")
        if count >= LEAST_ANSWERS:
            notes += _inspect(answers, item, rows[at].tolist(), found.get(item))
        results.append(
            ItemResult(item, answers.competency, count, share, found.get(item), chance, tuple(notes))
        )
    return CompetencyResult(
        competency=answers.competency,
        persons=len(set(answers.person)),
        responses=len(right),
        ability_mean=estimates.ability_mean,
        ability_sd=estimates.ability_sd,
        items=tuple(results),
        said=estimates.said,
    )


@dataclass(frozen=True, slots=True)
class _Estimates:
    """Items estimated on Toprope's scale, those with a reversed key, and of whom."""

    found: Mapping[ItemKey, Parameters]
    reversed: frozenset[ItemKey]
    said: str
    ability_mean: float = 0.0
    ability_sd: float = 1.0


def _estimate(
    answers: Answers,
    chosen: Sequence[ItemKey],
    known: Mapping[ItemKey, Parameters],
    client: Any,
) -> _Estimates:
    if len(chosen) < FEWEST_ITEMS:
        said = f"{len(chosen)} items with {LEAST_ANSWERS} answers; {FEWEST_ITEMS} are needed"
        return _Estimates({}, frozenset(), said)
    anchors = {item: known[item] for item in chosen if item in known and _is_settled(known[item])}
    if len(anchors) < FEWEST_ITEMS:
        anchors = {}
    if len(anchors) == len(chosen):
        return _Estimates({}, frozenset(), "all settled before")
    fitted = _fit(answers, chosen, anchors, client)
    shift, doubt = (0.0, 0.0) if anchors else _shift(fitted, chosen, answers.level, known)
    found = _on_the_scale(fitted, [None if item in anchors else item for item in chosen], shift, doubt)
    said = "converged" if fitted.converged else f"still moving after {fitted.iterations} steps"
    if not fitted.connected:
        said += "; some items share no persons with the others, and are compared on trust"
    turned = frozenset(item for item, odd in zip(chosen, fitted.reversed, strict=True) if odd)
    return _Estimates(found, turned, said, fitted.ability_mean + shift, fitted.ability_sd)


def _is_settled(parameters: Parameters) -> bool:
    return parameters.covariance[2] <= SETTLED_ERROR**2


def _fit(
    answers: Answers,
    chosen: Sequence[ItemKey],
    known: Mapping[ItemKey, Parameters],
    client: Any,
) -> Calibration:
    place = {item: number for number, item in enumerate(chosen)}
    rows = [at for at, item in enumerate(answers.item) if item in place]
    persons = {person: at for at, person in enumerate(sorted({answers.person[row] for row in rows}))}
    responses = make_responses(
        [persons[answers.person[row]] for row in rows],
        [place[answers.item[row]] for row in rows],
        [int(answers.right[row]) for row in rows],
        persons=len(persons),
        items=len(chosen),
    )
    anchored = [item for item in chosen if item in known]
    anchors = None
    if anchored:
        values = [known[item] for item in anchored]
        anchors = Anchors(
            np.array([place[item] for item in anchored], dtype=np.int64),
            make_items(
                [each.difficulty for each in values],
                [each.discrimination for each in values],
                covariance=[
                    [[each.covariance[0], each.covariance[1]], [each.covariance[1], each.covariance[2]]]
                    for each in values
                ],
            ),
        )
    chunks = list(responses.chunks(PERSONS_PER_PART))
    data = chunks if client is None else DistributedResponses(client, chunks)
    return calibrate(data, prior=Prior(), anchors=anchors)


def _on_the_scale(
    fitted: Calibration, chosen: Sequence[ItemKey | None], shift: float, doubt: float
) -> dict[ItemKey, Parameters]:
    """The new items' parameters on Toprope's scale; anchors are None, items with a reversed key left out.

    `shift` is added to the difficulties, and its error variance `doubt` to theirs.
    """
    found = {}
    for at, item in enumerate(chosen):
        if item is None or fitted.reversed[at]:
            continue
        errors = fitted.items.covariance[at]
        found[item] = Parameters(
            difficulty=float(fitted.items.difficulty[at]) + shift,
            discrimination=float(fitted.items.discrimination[at]),
            covariance=(float(errors[0, 0]), float(errors[0, 1]), float(errors[1, 1]) + doubt),
        )
    return found


def _shift(
    fitted: Calibration,
    chosen: Sequence[ItemKey],
    level: Mapping[ItemKey, int],
    known: Mapping[ItemKey, Parameters],
) -> tuple[float, float]:
    """How far the items lie above their estimates, as far as was known before, and the error variance of it.

    What was known is an earlier calibration, or else the difficulty planned for their level.
    """
    before = [
        (known[item].difficulty, known[item].covariance[2])
        if item in known
        else (LEVEL_DIFFICULTY.get(level[item], 0.0), DIFFICULTY_ERROR**2)
        for item in chosen
    ]
    reference, variance = np.array(before).T
    weight = 1.0 / (variance + fitted.items.covariance[:, 1, 1])
    weight[fitted.reversed] = 0.0
    if not weight.any():
        return 0.0, DIFFICULTY_ERROR**2
    return float(np.average(reference - fitted.items.difficulty, weights=weight)), float(1.0 / weight.sum())


def _watch(number: np.ndarray, right: np.ndarray, predicted: Sequence[float], items: int) -> np.ndarray:
    exposed = np.zeros(items)
    for item, success, chance in zip(number, right, predicted, strict=True):
        exposed[item] = watch_item(exposed[item], bool(success), chance)
    return exposed


def _notes(count: int, share: float, found: Parameters | None, exposed: float) -> list[str]:
    """Why somebody should look at an item, in plain words."""
    notes = []
    if count < LEAST_ANSWERS:
        notes.append(f"Too few answers: {count} of {LEAST_ANSWERS}.")
    elif found is not None and found.discrimination < LEAST_DISCRIMINATION:
        notes.append("It hardly tells those who know from those who do not.")
    if count >= LEAST_ANSWERS and not SHARES[0] <= share <= SHARES[1]:
        notes.append(
            "Too hard for those who meet it." if share < SHARES[0] else "Nearly everybody gets it right."
        )
    if exposed >= EXPOSED:
        notes.append("Right more often than ability explains: its answer may have got about.")
    return notes


def _inspect(answers: Answers, item: ItemKey, rows: Sequence[int], found: Parameters | None) -> list[str]:
    ability = [answers.ability[at] for at in rows]
    options, key = answers.options[item], answers.key[item]
    notes = inspect_options([answers.choice[at] for at in rows], options, key, ability)
    if found is not None:
        notes += inspect_fit([answers.right[at] for at in rows], ability, found)
    return notes


def calibrate_raters(
    persons: Sequence[str], raters: Sequence[str], criteria: Sequence[str], scores: Sequence[int]
) -> RatersResult | None:
    """How severe each rater is, from ratings in columns; None while there are too few to compare."""
    if len(scores) < LEAST_RATINGS or len(set(raters)) < 2 or len(set(scores)) < 2:
        return None
    found = estimate_severities(list(persons), list(raters), list(criteria), list(scores)).severities
    counts = Counter(raters)
    return RatersResult(
        tuple(
            RaterResult(name, float(severity), float(error), counts[name])
            for name, severity, error in zip(found.names, found.severity, found.standard_error, strict=True)
        ),
        found.spread,
    )
