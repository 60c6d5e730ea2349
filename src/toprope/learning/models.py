"""What people have to rate. Derived: `toprope rebuild` drops and rebuilds these tables."""

from django.contrib.postgres.fields import ArrayField
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


class Assessment(models.Model):
    """A practical rated by its rubric: who rated it so far, and what came of it."""

    attempt = models.UUIDField(primary_key=True)
    person = models.UUIDField(db_index=True)
    rubric = models.CharField(max_length=32)
    level = models.SmallIntegerField()
    competency = models.CharField(max_length=32)
    raters = ArrayField(models.UUIDField())
    begun_at = models.DateTimeField()
    verdict = models.CharField(max_length=16)

    def __str__(self) -> str:
        return f"{self.rubric} of {self.person}: {self.verdict}"
