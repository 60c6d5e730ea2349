"""Writes of the learning stage."""

from toprope.learning.actions.attempts import accept_policy, answer_item, start_step, submit_practical
from toprope.learning.actions.rating import rate_submission, rebuild

__all__ = ["accept_policy", "answer_item", "rate_submission", "rebuild", "start_step", "submit_practical"]
