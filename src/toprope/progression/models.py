"""Levels held. Derived: `toprope rebuild` drops and rebuilds these tables."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class LevelAward(models.Model):
    """A level a person holds, under the pack version it was earned on; gaps are earlier lapses."""

    person = models.UUIDField()
    competency = models.CharField(max_length=32)
    level = models.SmallIntegerField()
    framework = models.CharField(max_length=128)
    awarded_at = models.DateTimeField()
    renewed_at = models.DateTimeField()
    refresh_by = models.DateTimeField()
    lapses_at = models.DateTimeField()
    provisional = models.BooleanField()
    evidence = ArrayField(models.UUIDField())
    gap_starts = ArrayField(models.DateTimeField())
    gap_ends = ArrayField(models.DateTimeField())

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "competency", "level"], name="level_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} holds {self.competency} at {self.level}"


class ProgressedUpTo(models.Model):
    """The cursor of one person: statements up to this `seq` are in the awards."""

    person = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.person} up to {self.seq}"
