"""What the answers to one question say about the question: its options, and how it fits the model. Pure.

Each finding is a reason for a person to look at the question; none changes anything by itself.
"""

from collections.abc import Sequence

import numpy as np

from toprope.measurement.logic.following import items_of
from toprope.measurement.logic.readings import Parameters
from toprope.stats import make_responses
from toprope.stats.quality import OptionFlag, distractor_analysis, item_fit

LARGEST_OUTFIT = 1.3
"""Mean squares above it are noisier than usual for multiple choice (Wright & Linacre 1994)."""

SURE = 3.0
"""Deviates beyond it are no accident, with hundreds of questions looked at."""


def inspect_options(
    choices: Sequence[str], options: Sequence[str], key: str, ability: Sequence[float]
) -> list[str]:
    """What its options do: those nobody takes, and those that draw the able. Columns of one length."""
    place = {option: number for number, option in enumerate(options)}
    chosen = np.array([[place[choice]] for choice in choices], dtype=np.int64)
    (analysis,) = distractor_analysis(chosen, [place[key]], options=len(options), ability=ability)
    notes = []
    for option in analysis.options:
        name = options[option.option]
        if option.is_key:
            continue
        if OptionFlag.RARELY_CHOSEN in option.flags:
            notes.append(f"Almost nobody takes option {name}: it distracts no one.")
        if OptionFlag.ATTRACTS_THE_ABLE in option.flags:
            notes.append(f"Option {name} draws those who know more: it may be right too.")
    return notes


def inspect_fit(right: Sequence[bool], ability: Sequence[float], parameters: Parameters) -> list[str]:
    """Whether the answers are noisier than the question's own parameters lead one to expect."""
    count = len(right)
    responses = make_responses(range(count), [0] * count, [int(each) for each in right])
    (fit,) = item_fit(responses, items_of([parameters]), ability)
    if fit.outfit is None or fit.outfit_z is None or fit.outfit <= LARGEST_OUTFIT or fit.outfit_z <= SURE:
        return []
    return ["Answers are noisier than they should be: the able miss it, or others find it by luck."]
