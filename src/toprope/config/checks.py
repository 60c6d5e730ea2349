"""Rules of the house that only Django can see, as system checks."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error
from django.db.models.fields.related import RelatedField

RIVER = (
    ("audit",),
    ("people", "competency"),
    ("content",),
    ("evidence",),
    ("measurement",),
    ("progression",),
    ("authorization",),
    ("learning",),
    ("web",),
    ("config",),
)
"""The apps from the source to the mouth; `.importlinter` has the same order for imports."""


def check_foreign_keys(app_configs: Sequence[AppConfig] | None, **_kwargs: Any) -> list[CheckMessage]:
    """Foreign keys point down the river only and leave nothing behind at their target."""
    problems: list[CheckMessage] = []
    for app in app_configs or apps.get_app_configs():
        if app.name.startswith("toprope."):
            for model in app.get_models():
                for field in model._meta.get_fields():  # noqa: SLF001 - Django's documented way
                    if isinstance(field, RelatedField):
                        problems += _check_field(field)
    return problems


def _check_field(field: "RelatedField[Any, Any]") -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    source, target = field.model._meta.app_label, field.related_model._meta.app_label  # noqa: SLF001 - as above
    if not _flows_down(source, target):
        problems.append(
            Error(
                f"{source}.{field.model.__name__}.{field.name} points up the river, to {target}.",
                hint="Keep the other's uuid, or turn the relation round.",
                obj=field.model,
                id="toprope.E001",
            )
        )
    if field.remote_field.related_name != "+":
        problems.append(
            Error(
                f"{source}.{field.model.__name__}.{field.name} gives its target a way back.",
                hint='Say related_name="+": the target knows nothing of those after it.',
                obj=field.model,
                id="toprope.E002",
            )
        )
    return problems


def _flows_down(source: str, target: str) -> bool:
    if source == target:
        return True
    tiers = {label: tier for tier, labels in enumerate(RIVER) for label in labels}
    return source in tiers and target in tiers and tiers[target] < tiers[source]
