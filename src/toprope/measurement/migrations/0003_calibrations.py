"""Decisions of sittings, and what was adopted: calibrations and standards."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("measurement", "0002_one_state"),
    ]

    operations = [
        migrations.CreateModel(
            name="Calibration",
            fields=[
                ("number", models.IntegerField(primary_key=True, serialize=False)),
                ("adopted_at", models.DateTimeField()),
                ("seq", models.BigIntegerField()),
                ("persons", models.IntegerField()),
                ("responses", models.IntegerField()),
                ("severity_spread", models.FloatField(null=True)),
                ("certainty", models.FloatField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="LevelDecision",
            fields=[
                ("statement", models.UUIDField(primary_key=True, serialize=False)),
                ("person", models.UUIDField(db_index=True)),
                ("competency", models.CharField(max_length=32)),
                ("level", models.SmallIntegerField()),
                ("at", models.DateTimeField()),
                ("certainty", models.FloatField()),
                ("passed", models.BooleanField()),
                ("by_estimate", models.BooleanField()),
                ("alone", models.FloatField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Standard",
            fields=[
                ("number", models.IntegerField(primary_key=True, serialize=False)),
                ("level", models.SmallIntegerField()),
                ("cut", models.FloatField()),
                ("standard_error", models.FloatField()),
                ("method", models.CharField(max_length=32)),
                ("panelists", models.IntegerField()),
                ("adopted_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="CalibratedRater",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rater", models.CharField(max_length=200)),
                ("severity", models.FloatField()),
                ("standard_error", models.FloatField()),
                ("ratings", models.IntegerField()),
                (
                    "calibration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="measurement.calibration",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("calibration", "rater"), name="calibrated_rater_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="CalibratedItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=128)),
                ("digest", models.CharField(max_length=64)),
                ("competency", models.CharField(max_length=32)),
                ("responses", models.IntegerField()),
                ("share_right", models.FloatField()),
                ("discrimination", models.FloatField(null=True)),
                ("difficulty", models.FloatField(null=True)),
                (
                    "covariance",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(), default=list, size=None
                    ),
                ),
                ("exposed", models.FloatField()),
                (
                    "notes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), default=list, size=None
                    ),
                ),
                (
                    "calibration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="measurement.calibration",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("calibration", "key", "digest"), name="calibrated_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="FittedRetention",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("competency", models.CharField(max_length=32)),
                ("stability", models.FloatField()),
                ("standard_error", models.FloatField()),
                ("probes", models.IntegerField()),
                (
                    "calibration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="measurement.calibration",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("calibration", "competency"), name="fitted_once")
                ],
            },
        ),
    ]
