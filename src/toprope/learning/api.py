"""The learning stage: what to do next, and doing it."""

from toprope.learning.actions import (
    accept_policy,
    answer_item,
    rate_submission,
    rebuild,
    start_step,
    submit_practical,
)
from toprope.learning.logic import Answered, Attempt, AttemptKind, Feedback, NextStep, Outcome, Question
from toprope.learning.models import Submission
from toprope.learning.queries import (
    QueueEntry,
    SubmissionView,
    get_attempt,
    get_next_step,
    get_submission,
    list_unrated,
)

DERIVED_MODELS = (Submission,)
"""What `rebuild` drops and rebuilds."""

__all__ = [
    "DERIVED_MODELS",
    "Answered",
    "Attempt",
    "AttemptKind",
    "Feedback",
    "NextStep",
    "Outcome",
    "Question",
    "QueueEntry",
    "Submission",
    "SubmissionView",
    "accept_policy",
    "answer_item",
    "get_attempt",
    "get_next_step",
    "get_submission",
    "list_unrated",
    "rate_submission",
    "rebuild",
    "start_step",
    "submit_practical",
]
