"""The rules of progression, as pure functions over what a person has shown."""

from toprope.progression.logic.authorities import PANEL_MEMBERS, PANEL_SUPERVISORS, parts_given, parts_of
from toprope.progression.logic.held import LevelHeld
from toprope.progression.logic.history import FOLLOWED, History, Measured, Piece, read_history
from toprope.progression.logic.level_case import LevelCase
from toprope.progression.logic.level_rules import check_level
from toprope.progression.logic.levels import award_levels
from toprope.progression.logic.periods import Period, last_end
from toprope.progression.logic.pools import Catalogue, is_measurable, levels_to_draw_from, pool_size
from toprope.progression.logic.requirement import Checklist, Requirement, Status
from toprope.progression.logic.rubrics import Outcome, Verdict, agreement, judge, pass_rule
from toprope.progression.logic.rungs import check_rung
from toprope.progression.logic.said import Approval, Assessment, Note, Part, Rating, supervision_number
from toprope.progression.logic.situation import PAIRED, SANDBOX, RungCase, Situation, UseDay
from toprope.progression.logic.validations.automatic import is_whole

__all__ = [
    "FOLLOWED",
    "PAIRED",
    "PANEL_MEMBERS",
    "PANEL_SUPERVISORS",
    "SANDBOX",
    "Approval",
    "Assessment",
    "Catalogue",
    "Checklist",
    "History",
    "LevelCase",
    "LevelHeld",
    "Measured",
    "Note",
    "Outcome",
    "Part",
    "Period",
    "Piece",
    "Rating",
    "Requirement",
    "RungCase",
    "Situation",
    "Status",
    "UseDay",
    "Verdict",
    "agreement",
    "award_levels",
    "check_level",
    "check_rung",
    "is_measurable",
    "is_whole",
    "judge",
    "last_end",
    "levels_to_draw_from",
    "parts_given",
    "parts_of",
    "pass_rule",
    "pool_size",
    "read_history",
    "supervision_number",
]
