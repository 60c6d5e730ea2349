"""Foreign keys point down the river only, and leave nothing behind at their target."""

import pytest
from django.core.checks import run_checks
from django.db import models
from django.test.utils import isolate_apps

from toprope.config.checks import check_foreign_keys


class _App:
    """A stand-in for an app config that holds one planted model."""

    def __init__(self, label, model):
        self.name = f"toprope.{label}"
        self._model = model

    def get_models(self):
        return [self._model]


def check_planted(label, target, related_name):
    with isolate_apps():

        class Target(models.Model):  # noqa: DJ008 - never shown
            class Meta:
                app_label = target

        class Planted(models.Model):  # noqa: DJ008 - never shown
            pointer = models.ForeignKey(Target, on_delete=models.PROTECT, related_name=related_name)

            class Meta:
                app_label = label

        return [problem.id for problem in check_foreign_keys([_App(label, Planted)])]


def test_the_real_models_pass():
    assert run_checks(tags=["toprope"]) == []


@pytest.mark.parametrize(
    ("label", "target", "related_name", "found"),
    [
        ("learning", "people", "+", []),
        ("people", "people", "+", []),
        ("people", "learning", "+", ["toprope.E001"]),
        ("people", "competency", "+", ["toprope.E001"]),
        ("audit", "people", "+", ["toprope.E001"]),
        ("learning", "people", "attempts", ["toprope.E002"]),
        ("learning", "people", None, ["toprope.E002"]),
        ("learning", "auth", "+", ["toprope.E001"]),
    ],
)
def test_a_planted_trespass_is_caught(label, target, related_name, found):
    assert check_planted(label, target, related_name) == found
