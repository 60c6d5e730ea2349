from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "toprope.audit"
    label = "audit"
