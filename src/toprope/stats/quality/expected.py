"""What the response model expects of each answer: the ground of all fit statistics."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from toprope.stats.items import Items, score_probabilities
from toprope.stats.quality.scores import Floats, Places, check_column, places_by
from toprope.stats.responses import Responses

CERTAIN = 1e-10  # variances below this are taken as this: an outcome is never held to be more certain


def persons_of(responses: Responses) -> Places:
    """The person of each response, (n,)."""
    return np.repeat(np.arange(responses.persons), np.diff(responses.indptr))


def check_ability(responses: Responses, items: Items, ability: ArrayLike) -> Floats:
    """The abilities as floats (N,), if they, the items and the responses go together; ValueError says what
    does not.
    """
    if len(items) != responses.items:
        raise ValueError(f"responses to {responses.items} items, but the parameters of {len(items)}")
    value = check_column(ability, responses.persons, "ability")
    highest = items.scores[responses.item]
    if (responses.score > highest).any():
        place = int(np.flatnonzero(responses.score > highest)[0])
        raise ValueError(
            f"response {place} (item {responses.item[place]}): the score {responses.score[place]} "
            f"exceeds the item's highest, {highest[place]}"
        )
    return value


def chances_by_item(
    responses: Responses, items: Items, ability: Floats
) -> Iterator[tuple[int, Places, Places, Floats]]:
    """Item after item that was answered: (item, places of its responses, their persons, chances of each
    score).

    The chances are (answers, m + 1).
    """
    who = persons_of(responses)
    for item, places in places_by(responses.item, responses.items):
        if len(places):
            persons = who[places]
            one = items.take([item])
            chances = score_probabilities(one, ability[persons])[:, 0, : one.scores[0] + 1]
            yield item, places, persons, chances


def moments(chances: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, variance (at least CERTAIN) and fourth central moment of the score, each (answers,)."""
    scores = np.arange(chances.shape[1])
    mean = chances @ scores
    gap = scores - mean[:, None]
    variance = (chances * gap**2).sum(axis=1)
    return mean, np.maximum(variance, CERTAIN), (chances * gap**4).sum(axis=1)
