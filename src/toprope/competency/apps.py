from django.apps import AppConfig


class CompetencyConfig(AppConfig):
    name = "toprope.competency"
    label = "competency"
