"""Content as it was loaded, by version of the pack. Rows are never changed (a trigger sees to it)."""

from typing import ClassVar

from django.db import models


class Content(models.Model):
    """What all kinds of content share: `body` is the entry as the pack has it."""

    framework = models.ForeignKey(
        "competency.FrameworkVersion", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    key = models.CharField(max_length=80)
    body = models.JSONField()

    class Meta:
        abstract = True
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["framework", "key"], name="%(class)s_once")
        ]

    def __str__(self) -> str:
        return self.key


class Item(Content):
    kind = models.CharField(max_length=8)
    competency = models.CharField(max_length=32)
    level = models.SmallIntegerField()

    class Meta(Content.Meta):
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["framework", "competency", "level"], name="item_pool")
        ]


class Lesson(Content):
    competency = models.CharField(max_length=32)
    level = models.SmallIntegerField()
    position = models.SmallIntegerField()  # in the pack's order


class Practical(Content):
    kind = models.CharField(max_length=16)
    competency = models.CharField(max_length=32)
    level = models.SmallIntegerField()


class Policy(Content):
    version = models.CharField(max_length=32)  # its own: people accept it again only when it changes
