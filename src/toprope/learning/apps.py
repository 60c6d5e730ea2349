from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "toprope.learning"
    label = "learning"
