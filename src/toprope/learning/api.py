"""The learning stage: what to do next, and doing it."""

from toprope.learning.actions import (
    accept_policy,
    answer_item,
    rate_assessment,
    rate_submission,
    rebuild,
    record_adoption,
    record_coaching,
    record_note,
    start_step,
    submit_practical,
)
from toprope.learning.logic import Answered, Attempt, AttemptKind, Feedback, NextStep, Outcome, Question
from toprope.learning.models import Assessment, Submission
from toprope.learning.queries import (
    AssessmentView,
    QueueEntry,
    SubmissionView,
    get_assessment,
    get_attempt,
    get_next_step,
    get_submission,
    list_unrated,
    list_unsettled,
)

DERIVED_MODELS = (Submission, Assessment)
"""What `rebuild` drops and rebuilds."""

__all__ = [
    "DERIVED_MODELS",
    "Answered",
    "Assessment",
    "AssessmentView",
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
    "get_assessment",
    "get_attempt",
    "get_next_step",
    "get_submission",
    "list_unrated",
    "list_unsettled",
    "rate_assessment",
    "rate_submission",
    "rebuild",
    "record_adoption",
    "record_coaching",
    "record_note",
    "start_step",
    "submit_practical",
]
