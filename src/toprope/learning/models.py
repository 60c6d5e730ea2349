"""Work handed in for a person to rate. Derived: `toprope rebuild` drops and rebuilds this table."""

from django.db import models


class Submission(models.Model):
    """One explanation handed in; `rated_at` is empty while it waits."""

    attempt = models.UUIDField(primary_key=True)
    person = models.UUIDField(db_index=True)
    practical = models.CharField(max_length=128)
    submitted_at = models.DateTimeField()
    rated_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.practical} of {self.person}"
