"""The rules of progression, as pure functions over what a person has shown."""

from toprope.progression.logic.held import LevelHeld
from toprope.progression.logic.history import FOLLOWED, History, Measured, Piece, read_history
from toprope.progression.logic.level_rules import LevelCase, check_level
from toprope.progression.logic.levels import award_levels
from toprope.progression.logic.pools import Catalogue, is_measurable, levels_to_draw_from, pool_size
from toprope.progression.logic.requirement import Checklist, Requirement, Status
from toprope.progression.logic.rungs import Situation, check_rung

__all__ = [
    "FOLLOWED",
    "Catalogue",
    "Checklist",
    "History",
    "LevelCase",
    "LevelHeld",
    "Measured",
    "Piece",
    "Requirement",
    "Situation",
    "Status",
    "award_levels",
    "check_level",
    "check_rung",
    "is_measurable",
    "levels_to_draw_from",
    "pool_size",
    "read_history",
]
