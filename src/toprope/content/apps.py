from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "toprope.content"
    label = "content"
