"""Frameworks as they were loaded: every version is kept, whole, and exactly one is in force."""

from typing import ClassVar

from django.db import models


class FrameworkVersion(models.Model):
    """One version of a framework. Never changed once loaded (a trigger sees to it), but for `in_force`."""

    key = models.CharField(max_length=64)
    version = models.CharField(max_length=32)
    digest = models.CharField(max_length=64)  # SHA-256 of the whole pack that it came with, in hexadecimal
    document = models.TextField()  # JSON: the documents by path, in the order they were written
    loaded_at = models.DateTimeField()
    in_force = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["key", "version"], name="framework_version_once"),
            models.UniqueConstraint(
                fields=["in_force"], condition=models.Q(in_force=True), name="framework_one_in_force"
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """How statements name this version, such as ``toprope-default@1.0.0``."""
        return f"{self.key}@{self.version}"
