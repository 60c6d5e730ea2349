"""Reasons for a person to look: what was seen, and how often chance alone does it. Never a verdict."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from toprope.stats.quality.chance import adjust_p_values
from toprope.stats.quality.scores import Floats

Description = tuple[tuple[int, ...], str, Mapping[str, float]]


class ReasonKind(StrEnum):
    """What was seen."""

    RAPID_ANSWERS = "rapid_answers"
    ABILITY_JUMP = "ability_jump"
    LIKE_ANSWERS = "like_answers"
    ODD_PATTERN = "odd_pattern"
    LEAKED_ITEM = "leaked_item"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody should look, and how little it may mean.

    subject: the person, the two persons, or the item, as places in what was studied. text: a plain sentence
    or two, the expected false alarms among them. numbers: what the text rests on. p_value: chance of this or
    more where nothing is amiss. false_alarm_share: the expected share of false alarms among all reasons as
    strong as this one (Benjamini & Hochberg 1995). expected_false_alarms: how many of the `examined` would
    look like this, or more so, by chance.
    """

    kind: ReasonKind
    subject: tuple[int, ...]
    text: str
    numbers: Mapping[str, float]
    p_value: float
    false_alarm_share: float
    examined: int
    expected_false_alarms: float


def give_reasons(
    kind: ReasonKind,
    p_values: Floats,
    describe: Callable[[int], Description],
    *,
    level: float,
    noun: str,
) -> tuple[Reason, ...]:
    """Reasons for the places whose false alarm share is at most `level`, the strongest first.

    p_values: of everything examined. describe: (subject, sentence, numbers) of a place. noun: what was
    examined, in the plural. Raises ValueError for a level outside (0, 1).
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"the level is {level}; it is a share of false alarms between 0 and 1")
    adjusted = adjust_p_values(p_values)
    chosen = np.flatnonzero(adjusted <= level)
    reasons = []
    for place in chosen[np.argsort(p_values[chosen], kind="stable")]:
        subject, sentence, numbers = describe(int(place))
        expected = float(p_values[place]) * len(p_values)
        text = (
            f"{sentence} By chance alone {_amount(expected)} of {len(p_values)} {noun} would look like this. "
            "It is a reason to look, not a finding."
        )
        reasons.append(
            Reason(
                kind,
                subject,
                text,
                dict(numbers),
                float(p_values[place]),
                float(adjusted[place]),
                len(p_values),
                expected,
            )
        )
    return tuple(reasons)


def _amount(expected: float) -> str:
    return f"about {expected:.1g}" if expected >= 0.001 else "fewer than 0.001"
