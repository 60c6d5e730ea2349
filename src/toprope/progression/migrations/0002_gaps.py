import django.contrib.postgres.fields
from django.db import migrations, models

_TIMES = django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), default=list, size=None)


class Migration(migrations.Migration):
    """Earlier lapses of a level. Awards that are there have none on record until they are derived again."""

    dependencies = [
        ("progression", "0001_initial"),
    ]

    operations = [
        migrations.AddField("levelaward", "gap_starts", _TIMES, preserve_default=False),
        migrations.AddField("levelaward", "gap_ends", _TIMES, preserve_default=False),
    ]
