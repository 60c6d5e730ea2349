from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "toprope.web"
    label = "web"
