from pathlib import Path
from typing import Any, ClassVar

from django.db import migrations, models

_HERE = Path(__file__).parent


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar[list[Any]] = []
    operations: ClassVar[list[Any]] = [
        migrations.RunSQL(
            sql=(_HERE / "0001_record.sql").read_text(encoding="utf-8"),
            reverse_sql=(_HERE / "0001_record_reverse.sql").read_text(encoding="utf-8"),
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("hash", models.BinaryField()),
                ("payload", models.TextField()),
                ("at", models.DateTimeField()),
                ("tag", models.TextField()),
                ("actor", models.TextField()),
                ("subject", models.TextField()),
            ],
            options={"db_table": "audit_entry", "managed": False},
        ),
    ]
