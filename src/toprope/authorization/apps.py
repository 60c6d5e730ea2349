from django.apps import AppConfig


class AuthorizationConfig(AppConfig):
    name = "toprope.authorization"
    label = "authorization"
