from pathlib import Path
from typing import Any, ClassVar

from django.db import migrations, models

_HERE = Path(__file__).parent


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar[list[Any]] = [("audit", "0001_initial")]
    operations: ClassVar[list[Any]] = [
        migrations.RunSQL(
            sql=(_HERE / "0001_statements.sql").read_text(encoding="utf-8"),
            reverse_sql=(_HERE / "0001_statements_reverse.sql").read_text(encoding="utf-8"),
        ),
        migrations.CreateModel(
            name="StatementRow",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField()),
                ("actor", models.UUIDField()),
                ("verb", models.TextField()),
                ("object_type", models.TextField()),
                ("object_key", models.TextField()),
                ("timestamp", models.DateTimeField()),
                ("authority", models.TextField()),
                ("sitting", models.UUIDField(null=True)),
                ("voids", models.UUIDField(null=True)),
                ("digest", models.BinaryField()),
                ("body", models.TextField()),
            ],
            options={"db_table": "evidence_statement", "managed": False},
        ),
    ]
