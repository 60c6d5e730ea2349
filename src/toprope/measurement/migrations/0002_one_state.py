"""One row per person, of the whole belief; what the old tables held is folded anew from the statements."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("measurement", "0001_initial")]

    operations = [
        migrations.DeleteModel("AbilityEstimate"),
        migrations.DeleteModel("MeasuredUpTo"),
        migrations.CreateModel(
            name="PersonAbility",
            fields=[
                ("person", models.UUIDField(primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField()),
                ("basis", models.CharField(max_length=200)),
                ("state", models.BinaryField(null=True)),
                ("responses", django.contrib.postgres.fields.ArrayField(models.IntegerField(), size=None)),
            ],
        ),
    ]
