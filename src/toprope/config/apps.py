from django.apps import AppConfig
from django.core.checks import register


class CompositionConfig(AppConfig):
    """The composition root as an app: it has no tables, only checks over everybody else's."""

    name = "toprope.config"
    label = "config"

    def ready(self) -> None:
        from toprope.config.checks import check_foreign_keys

        register(check_foreign_keys, "toprope")
