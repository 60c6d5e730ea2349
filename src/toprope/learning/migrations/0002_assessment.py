import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Assessment",
            fields=[
                ("attempt", models.UUIDField(primary_key=True, serialize=False)),
                ("person", models.UUIDField(db_index=True)),
                ("rubric", models.CharField(max_length=32)),
                ("level", models.SmallIntegerField()),
                ("competency", models.CharField(max_length=32)),
                (
                    "raters",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None),
                ),
                ("begun_at", models.DateTimeField()),
                ("verdict", models.CharField(max_length=16)),
            ],
        ),
    ]
