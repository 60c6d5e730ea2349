"""The statements, for reading. SQL makes and guards the table: see migrations/0001_statements.sql."""

from django.db import models


class StatementRow(models.Model):
    """One recorded statement. `body` is the truth; the other columns are read out of it, for look-ups."""

    id = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField()  # of the audit entry that recorded it
    actor = models.UUIDField()
    verb = models.TextField()
    object_type = models.TextField()
    object_key = models.TextField()
    timestamp = models.DateTimeField()
    authority = models.TextField()
    sitting = models.UUIDField(null=True)
    voids = models.UUIDField(null=True)
    digest = models.BinaryField()
    body = models.TextField()

    class Meta:
        managed = False
        db_table = "evidence_statement"

    def __str__(self) -> str:
        return f"{self.seq} {self.verb} {self.object_key}"
