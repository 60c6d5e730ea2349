"""The progression stage: from evidence to levels held, and what is still asked."""

from toprope.progression.actions import rebuild, refresh_person
from toprope.progression.logic import (
    Checklist,
    History,
    LevelHeld,
    Requirement,
    Situation,
    Status,
    check_rung,
    is_measurable,
    levels_to_draw_from,
    read_history,
)
from toprope.progression.logic.history import FOLLOWED
from toprope.progression.models import LevelAward, ProgressedUpTo
from toprope.progression.queries import (
    get_catalogue,
    get_history,
    get_level_checklist,
    get_rung_checklist,
    get_situation,
    list_levels,
    list_levels_of,
    situation_of,
)

DERIVED_MODELS = (LevelAward, ProgressedUpTo)
"""What `rebuild` drops and rebuilds."""

__all__ = [
    "DERIVED_MODELS",
    "FOLLOWED",
    "Checklist",
    "History",
    "LevelHeld",
    "Requirement",
    "Situation",
    "Status",
    "check_rung",
    "get_catalogue",
    "get_history",
    "get_level_checklist",
    "get_rung_checklist",
    "get_situation",
    "is_measurable",
    "levels_to_draw_from",
    "list_levels",
    "list_levels_of",
    "read_history",
    "rebuild",
    "refresh_person",
    "situation_of",
]
