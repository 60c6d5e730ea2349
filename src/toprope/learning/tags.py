"""What this stage writes into the audit record."""

from enum import StrEnum


class Tag(StrEnum):
    POLICY_ACCEPTED = "policy.accepted"
    ATTEMPT_STARTED = "attempt.started"
    SUBMISSION_RATED = "submission.rated"
    ASSESSMENT_RATED = "assessment.rated"
    NOTE_RECORDED = "note.recorded"
    ADOPTION_RECORDED = "adoption.recorded"
    COACHING_RECORDED = "coaching.recorded"
