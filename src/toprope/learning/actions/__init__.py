"""Writes of the learning stage."""

from toprope.learning.actions.assessing import rate_assessment
from toprope.learning.actions.attempts import accept_policy, answer_item, start_step, submit_practical
from toprope.learning.actions.observing import record_adoption, record_coaching, record_note
from toprope.learning.actions.rating import rate_submission, rebuild

__all__ = [
    "accept_policy",
    "answer_item",
    "rate_assessment",
    "rate_submission",
    "rebuild",
    "record_adoption",
    "record_coaching",
    "record_note",
    "start_step",
    "submit_practical",
]
