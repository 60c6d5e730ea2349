"""Distractor analysis: what each option of a multiple-choice item does.

A good distractor is chosen by some, and by persons of lower ability than those who find the key. One that
hardly anybody takes makes the item a choice of fewer options; one that the able prefer is often right, or the
key wrong (Haladyna & Downing 1993).
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toprope.stats.quality.chance import correlate
from toprope.stats.quality.scores import Floats, check_column

NO_ANSWER = -1

_RARE = 0.05
_FEWEST = 10  # choosers, below which nothing is said of who they are


class OptionFlag(StrEnum):
    """Why an option deserves a look."""

    KEY_NOT_BEST = "key_not_best"  # the ability of the key's choosers is not the highest
    KEY_NEGATIVE = "key_negative"  # the better a person, the rarer the key: it may be wrong
    RARELY_CHOSEN = "rarely_chosen"  # by fewer than 5 % of the answers
    ATTRACTS_THE_ABLE = "attracts_the_able"  # a distractor that goes with ability


@dataclass(frozen=True, slots=True)
class Option:
    """One option of an item.

    count: choosers; share: of the item's answers, 0 without any. correlation: of choosing it with ability
    (point- biserial), None where it cannot be told. mean_ability: of its choosers, None without any. flags:
    see OptionFlag; the flags about ability need ten choosers.
    """

    option: int
    is_key: bool
    count: int
    share: float
    correlation: float | None
    mean_ability: float | None
    flags: tuple[OptionFlag, ...]


@dataclass(frozen=True, slots=True)
class OptionAnalysis:
    """The options 0..K-1 of an item; `answers` of those asked, `omitted` by those who passed it over."""

    item: int
    answers: int
    omitted: int
    options: tuple[Option, ...]

    @property
    def flagged(self) -> bool:
        return any(option.flags for option in self.options)


def distractor_analysis(
    choices: ArrayLike, key: ArrayLike, *, options: ArrayLike, ability: ArrayLike | None = None
) -> tuple[OptionAnalysis, ...]:
    """What every option of every item does.

    choices: (N, J) whole numbers, the option chosen from 0, or -1 for no answer. key: (J,) the right option.
    options: (J,) or one number, how many each item has. ability: (N,) any measure of it; by default, item by
    item, the number right on the other items, so that no item vouches for itself.

    Raises ValueError naming the first choice or key that is not an option of its item.
    """
    chosen = _whole(choices, "choices")
    if chosen.ndim != 2 or 0 in chosen.shape:
        raise ValueError(f"choices form a table of persons by items, not one of the shape {chosen.shape}")
    width = np.broadcast_to(_whole(options, "options"), (chosen.shape[1],))
    right = _whole(key, "key")
    if right.shape != width.shape or (width < 2).any():
        raise ValueError("each item has one key and at least two options")
    if ((right < 0) | (right >= width)).any():
        item = int(np.flatnonzero((right < 0) | (right >= width))[0])
        raise ValueError(f"the key of item {item} is {right[item]}; its options are 0..{width[item] - 1}")
    outside = (chosen < NO_ANSWER) | (chosen >= width)
    if outside.any():
        person, item = (int(each[0]) for each in np.nonzero(outside))
        raise ValueError(
            f"person {person}, item {item}: the choice {chosen[person, item]} is none of 0..{width[item] - 1}"
        )
    given = None if ability is None else check_column(ability, len(chosen), "ability")
    scores = (chosen == right).astype(np.float64)
    total = scores.sum(axis=1)
    return tuple(
        _analyse(
            item,
            chosen[:, item],
            int(right[item]),
            int(width[item]),
            total - scores[:, item] if given is None else given,
        )
        for item in range(chosen.shape[1])
    )


def _whole(values: ArrayLike, what: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.size and (array.dtype.kind not in "biuf" or not (array == np.floor(array)).all()):
        raise ValueError(f"{what} holds something that is not a whole number")
    return array.astype(np.int64)


def _analyse(item: int, chosen: NDArray[np.int64], key: int, width: int, ability: Floats) -> OptionAnalysis:
    answered = chosen != NO_ANSWER
    taken, level = chosen[answered], ability[answered]
    counts = [int((taken == option).sum()) for option in range(width)]
    means = [float(level[taken == option].mean()) if counts[option] else None for option in range(width)]
    links = [correlate((taken == option).astype(np.float64), level) for option in range(width)]
    rivals = [
        mean
        for option, mean in enumerate(means)
        if option != key and mean is not None and counts[option] >= _FEWEST
    ]
    built = []
    for option in range(width):
        flags = []
        link, mean = links[option], means[option]
        enough = counts[option] >= _FEWEST
        if option == key:
            if enough and mean is not None and rivals and max(rivals) >= mean:
                flags.append(OptionFlag.KEY_NOT_BEST)
            if enough and link is not None and link < 0.0:
                flags.append(OptionFlag.KEY_NEGATIVE)
        else:
            if len(taken) >= _FEWEST and counts[option] < _RARE * len(taken):
                flags.append(OptionFlag.RARELY_CHOSEN)
            if enough and link is not None and link > 0.0:
                flags.append(OptionFlag.ATTRACTS_THE_ABLE)
        share = counts[option] / len(taken) if len(taken) else 0.0
        built.append(Option(option, option == key, counts[option], share, link, mean, tuple(flags)))
    return OptionAnalysis(item, len(taken), int((~answered).sum()), tuple(built))
