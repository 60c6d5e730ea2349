"""Grants, keys, ceilings, and the two tables that the gateway reads."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from toprope.kit.ids import uuid7


class Grant(models.Model):
    """A grant on a rung. Derived, as are the three tables after it: `toprope rebuild` makes them anew."""

    person = models.UUIDField()
    rung = models.CharField(max_length=16)
    supervision = models.CharField(max_length=4)
    tiers = ArrayField(models.CharField(max_length=16))
    data = ArrayField(models.CharField(max_length=32))
    framework = models.CharField(max_length=128)
    provisional = models.BooleanField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    unused_at = models.DateTimeField()
    focused_until = models.DateTimeField()
    focused_uses = models.IntegerField()
    evidence = ArrayField(models.UUIDField())
    suspended_at = models.DateTimeField(null=True)
    suspended_by = models.UUIDField(null=True)
    suspended_until = models.DateTimeField(null=True)
    suspended_through = models.CharField(max_length=16, default="")
    suspension_reason = models.TextField(default="")
    confirmed_at = models.DateTimeField(null=True)
    stepped_down_at = models.DateTimeField(null=True)
    stepped_down_by = models.UUIDField(null=True)
    stepped_down_to = models.CharField(max_length=4, default="")
    stepped_down_through = models.CharField(max_length=16, default="")
    step_down_reason = models.TextField(default="")
    way_back = models.TextField(default="")
    review_on = models.DateField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "rung"], name="grant_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} on {self.rung}"


class RungUse(models.Model):
    """How often a person used a rung on one day (UTC), under one condition. Derived.

    `times` and `statements` are those of the first uses of the day, up to a bound: what a rung may ask for.
    """

    person = models.UUIDField()
    rung = models.CharField(max_length=16)
    day = models.DateField()
    condition = models.CharField(max_length=32)
    count = models.IntegerField()
    times = ArrayField(models.DateTimeField())
    statements = ArrayField(models.UUIDField())

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "rung", "day", "condition"], name="rung_use_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} used {self.rung} {self.count} times on {self.day}"


class EmergencyGrant(models.Model):
    """A rung opened for some hours in an incident. Derived."""

    statement = models.UUIDField(primary_key=True)
    person = models.UUIDField(db_index=True)
    rung = models.CharField(max_length=16)
    granted_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    by = models.UUIDField()
    paired_with = models.UUIDField()
    reason = models.TextField()
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.UUIDField(null=True)

    def __str__(self) -> str:
        return f"{self.person} on {self.rung} until {self.ends_at}"


class GrantedUpTo(models.Model):
    """The cursor of one person: statements up to this `seq` are in their grants. Derived."""

    person = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.person} up to {self.seq}"


class GatewayKey(models.Model):
    """A person's key for the gateway. Only its SHA-256 is kept; `prefix` is what people recognise it by."""

    uuid = models.UUIDField(default=uuid7, unique=True, editable=False)
    person = models.ForeignKey("people.Person", on_delete=models.CASCADE, related_name="+")
    label = models.CharField(max_length=64)
    prefix = models.CharField(max_length=16)
    hash = models.BinaryField(unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.prefix}… of {self.person_id}"


class RungHold(models.Model):
    """The global switch, thrown on one rung: nobody gets past S1 there while this row stands."""

    rung = models.CharField(max_length=16, primary_key=True)
    reason = models.TextField()
    decided_by = models.UUIDField()
    decided_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"hold on {self.rung}"


class ToolCeiling(models.Model):
    """The highest rung a model is admitted for. ``*`` at the end of `model` stands for any rest."""

    model = models.CharField(max_length=128, primary_key=True)
    rung = models.CharField(max_length=16)
    decided_by = models.UUIDField(null=True)
    decided_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.model} up to {self.rung}"


class RepositoryCeiling(models.Model):
    """The highest rung a repository's owner allows, and the repository's tier."""

    key = models.CharField(max_length=200, primary_key=True)
    tier = models.CharField(max_length=16)
    rung = models.CharField(max_length=16)
    decided_by = models.UUIDField(null=True)
    decided_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key} up to {self.rung}"


class PublishedAccess(models.Model):
    """What the gateway knows of the holder of one key; a `toprope.policy.access.Access` document.

    From `stale_at` on, time alone has changed what it should say.
    """

    key_hash = models.BinaryField(primary_key=True)
    person = models.UUIDField(db_index=True)
    version = models.BigIntegerField()
    document = models.TextField()
    stale_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        db_table = "gateway_access"

    def __str__(self) -> str:
        return f"access of {self.person} at version {self.version}"


class PublishedInstallation(models.Model):
    """What the gateway knows of the installation; one row, a `policy.access.Installation` document."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField()
    document = models.TextField()

    class Meta:
        db_table = "gateway_installation"

    def __str__(self) -> str:
        return f"installation at version {self.version}"


class FollowedUpTo(models.Model):
    """How far the worker has followed the statements of everybody; one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"followed up to {self.seq}"
