"""What is believed of each person, which is derived, and the calibrations it rests on, which are not."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class PersonAbility(models.Model):
    """The belief about all of a person's abilities, after the statements up to `seq`.

    `state` is a `toprope.stats.AbilityState`, `responses` how many scores there were on each of its
    competencies. `basis` names the framework and the calibration it was folded with; under another it is
    folded anew.
    """

    person = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField()
    basis = models.CharField(max_length=200)
    state = models.BinaryField(null=True)
    responses = ArrayField(models.IntegerField())

    def __str__(self) -> str:
        return f"abilities of {self.person} up to {self.seq}"


class LevelDecision(models.Model):
    """What a sitting decided about a level. Derived; see `toprope.measurement.logic.Made`."""

    statement = models.UUIDField(primary_key=True)
    person = models.UUIDField(db_index=True)
    competency = models.CharField(max_length=32)
    level = models.SmallIntegerField()
    at = models.DateTimeField()
    certainty = models.FloatField()
    passed = models.BooleanField()
    by_estimate = models.BooleanField()
    alone = models.FloatField(null=True)

    def __str__(self) -> str:
        return f"{self.competency} at {self.level} of {self.person}"


class Calibration(models.Model):
    """A calibration that was adopted: what answers up to `seq` told of the items. Kept; not derived.

    `certainty` is what is asked for a level since; None where the usual one stays.
    """

    number = models.IntegerField(primary_key=True)
    adopted_at = models.DateTimeField()
    seq = models.BigIntegerField()
    persons = models.IntegerField()
    responses = models.IntegerField()
    severity_spread = models.FloatField(null=True)
    certainty = models.FloatField(null=True)

    def __str__(self) -> str:
        return f"calibration {self.number}"


class CalibratedItem(models.Model):
    """An item under a calibration. `digest` is that of its text: the same question under another version.

    Logits; `covariance` holds the error variance of the discrimination, the covariance, and that of the
    difficulty. `exposed` is the chance that its answer has got about. Without parameters the planned stay.
    """

    calibration = models.ForeignKey(Calibration, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=128)
    digest = models.CharField(max_length=64)
    competency = models.CharField(max_length=32)
    responses = models.IntegerField()
    share_right = models.FloatField()
    discrimination = models.FloatField(null=True)
    difficulty = models.FloatField(null=True)
    covariance = ArrayField(models.FloatField(), default=list)
    exposed = models.FloatField()
    notes = ArrayField(models.CharField(max_length=200), default=list)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["calibration", "key", "digest"], name="calibrated_once")
        ]

    def __str__(self) -> str:
        return f"{self.key} in {self.calibration_id}"


class CalibratedRater(models.Model):
    """How severe a rater is under a calibration, in logits; above 0 is stricter than most."""

    calibration = models.ForeignKey(Calibration, on_delete=models.PROTECT, related_name="+")
    rater = models.CharField(max_length=200)
    severity = models.FloatField()
    standard_error = models.FloatField()
    ratings = models.IntegerField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["calibration", "rater"], name="calibrated_rater_once")
        ]

    def __str__(self) -> str:
        return f"{self.rater} in {self.calibration_id}"


class FittedRetention(models.Model):
    """How fast a competency fades under a calibration: stability in days, standard error of its logarithm."""

    calibration = models.ForeignKey(Calibration, on_delete=models.PROTECT, related_name="+")
    competency = models.CharField(max_length=32)
    stability = models.FloatField()
    standard_error = models.FloatField()
    probes = models.IntegerField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["calibration", "competency"], name="fitted_once")
        ]

    def __str__(self) -> str:
        return f"{self.competency} in {self.calibration_id}"


class Standard(models.Model):
    """Where a panel put the beginning of a level, in logits. The newest of a level is in force."""

    number = models.IntegerField(primary_key=True)
    level = models.SmallIntegerField()
    cut = models.FloatField()
    standard_error = models.FloatField()
    method = models.CharField(max_length=32)
    panelists = models.IntegerField()
    adopted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"level {self.level} from {self.cut:+.2f}"
