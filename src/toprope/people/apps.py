from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "toprope.people"
    label = "people"
