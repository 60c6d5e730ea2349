"""The scale: what is believed before any evidence, and where the levels begin. Pure.

Abilities and difficulties are in logits; 0 is the middle of the people an installation starts with, 1 their
standard deviation. Items are placed on it by the level they were written for until answers calibrate them.
"""

from functools import cache

from toprope.competency.logic import Framework
from toprope.stats import Population, cut_for_mark, make_items, population_from_graph

LEVEL_DIFFICULTY = {1: -1.0, 2: 0.0, 3: 1.0, 4: 2.0}
"""The difficulty of an item written for a level: planning value, until a standard-setting panel moves the
cuts.
"""

DIFFICULTY_ERROR, DISCRIMINATION_ERROR = 0.7, 0.3
"""Items written for one level differ so much (standard deviations, logits and 1 / logit): planning values."""

PASS_MARK, GUESS = 0.75, 1 / 3
"""A level begins where three in four of its usual questions, of three options each, are expected right."""


@cache
def planned_cut(level: int) -> float:
    """The cut score of a level until a panel sets another, in logits."""
    return cut_for_mark(make_items([LEVEL_DIFFICULTY[level]], guess=GUESS), PASS_MARK)


def planned_cuts() -> dict[int, float]:
    """The cut score of each level until panels set others."""
    return {level: planned_cut(level) for level in LEVEL_DIFFICULTY}


def population_of(framework: Framework) -> Population:
    """What is believed of somebody new: all abilities at 0, related as the framework's prerequisites relate
    them.

    How fast each fades comes from its currency class.
    """
    competencies = framework.competencies.values()
    return population_from_graph(
        [each.key for each in competencies],
        {each.key: sorted({needed.competency for needed in each.prerequisites}) for each in competencies},
        {each.key: float(framework.currency[each.currency].half_life_days) for each in competencies},
    )
