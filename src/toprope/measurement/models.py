"""What is believed of each person. Derived: `toprope rebuild` drops and rebuilds this table."""

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
