from django.apps import AppConfig


class MeasurementConfig(AppConfig):
    name = "toprope.measurement"
    label = "measurement"
