"""Grants, keys, ceilings, and the two tables that the gateway reads."""

from django.db import models


class PublishedAccess(models.Model):
    """What the gateway knows of the holder of one key; a `toprope.policy.access.Access` document."""

    key_hash = models.BinaryField(primary_key=True)
    person = models.UUIDField(db_index=True)
    version = models.BigIntegerField()
    document = models.TextField()

    class Meta:
        db_table = "gateway_access"

    def __str__(self) -> str:
        return f"access of {self.person} at version {self.version}"


class PublishedInstallation(models.Model):
    """What the gateway knows of the installation; one row, a `toprope.policy.access.Installation` document."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField()
    document = models.TextField()

    class Meta:
        db_table = "gateway_installation"

    def __str__(self) -> str:
        return f"installation at version {self.version}"
