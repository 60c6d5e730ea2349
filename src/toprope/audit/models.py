"""The audit record, for reading. SQL makes and guards the table: see migrations/0001_record.sql."""

from django.db import models


class Entry(models.Model):
    """One link of the chain. `payload` is the truth; the last four are generated from it."""

    seq = models.BigIntegerField(primary_key=True)
    hash = models.BinaryField()
    payload = models.TextField()
    at = models.DateTimeField()
    tag = models.TextField()
    actor = models.TextField()
    subject = models.TextField()

    class Meta:
        managed = False
        db_table = "audit_entry"

    def __str__(self) -> str:
        return f"{self.seq} {self.tag}"
