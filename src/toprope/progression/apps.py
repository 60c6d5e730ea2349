from django.apps import AppConfig


class ProgressionConfig(AppConfig):
    name = "toprope.progression"
    label = "progression"
