import django.contrib.postgres.fields
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F


def _drop_where_it_expired(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Until a grant is derived again, it drops to S2 on the day on which it would have expired."""
    apps.get_model("authorization", "Grant").objects.update(unused_at=F("expires_at"))


class Migration(migrations.Migration):
    """Decisions on grants, emergency grants, and uses by day. All of it derived: a rebuild fills it in full."""

    dependencies = [
        ("authorization", "0002_follow"),
    ]

    operations = [
        migrations.CreateModel(
            name="EmergencyGrant",
            fields=[
                ("statement", models.UUIDField(primary_key=True, serialize=False)),
                ("person", models.UUIDField(db_index=True)),
                ("rung", models.CharField(max_length=16)),
                ("granted_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("by", models.UUIDField()),
                ("paired_with", models.UUIDField()),
                ("reason", models.TextField()),
                ("reviewed_at", models.DateTimeField(null=True)),
                ("reviewed_by", models.UUIDField(null=True)),
            ],
        ),
        migrations.AddField("grant", "unused_at", models.DateTimeField(null=True)),
        migrations.RunPython(_drop_where_it_expired, migrations.RunPython.noop),
        migrations.AlterField("grant", "unused_at", models.DateTimeField()),
        migrations.AlterField("grant", "expires_at", models.DateTimeField(null=True)),
        migrations.AddField("grant", "confirmed_at", models.DateTimeField(null=True)),
        migrations.AddField("grant", "stepped_down_at", models.DateTimeField(null=True)),
        migrations.AddField("grant", "stepped_down_by", models.UUIDField(null=True)),
        migrations.AddField("grant", "stepped_down_to", models.CharField(default="", max_length=4)),
        migrations.AddField("grant", "stepped_down_through", models.CharField(default="", max_length=16)),
        migrations.AddField("grant", "step_down_reason", models.TextField(default="")),
        migrations.AddField("grant", "way_back", models.TextField(default="")),
        migrations.AddField("grant", "review_on", models.DateField(null=True)),
        migrations.AddField("publishedaccess", "stale_at", models.DateTimeField(db_index=True, null=True)),
        migrations.RemoveConstraint("runguse", "rung_use_once"),
        migrations.RenameField("runguse", "last_on", "day"),
        migrations.AddField(
            "runguse", "condition", models.CharField(default="", max_length=32), preserve_default=False
        ),
        migrations.AddField(
            "runguse",
            "times",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.DateTimeField(), default=list, size=None
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "runguse",
            "statements",
            django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            "runguse",
            models.UniqueConstraint(fields=("person", "rung", "day", "condition"), name="rung_use_once"),
        ),
    ]
