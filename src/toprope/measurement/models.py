"""Abilities as last estimated. Derived: `toprope rebuild` drops and rebuilds these tables."""

from typing import ClassVar

from django.db import models


class AbilityEstimate(models.Model):
    """One person's estimate on one competency; `value` and `standard_error` in logits."""

    person = models.UUIDField()
    competency = models.CharField(max_length=32)
    value = models.FloatField()
    standard_error = models.FloatField()
    responses = models.IntegerField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "competency"], name="ability_once")
        ]

    def __str__(self) -> str:
        return f"{self.competency} of {self.person}: {self.value:.2f}"


class MeasuredUpTo(models.Model):
    """The cursor of one person: statements up to this `seq` are in the estimates."""

    person = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.person} up to {self.seq}"
