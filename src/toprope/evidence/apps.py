from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    name = "toprope.evidence"
    label = "evidence"
