"""Who is here: one organisation, its departments, teams and persons, and what duties they carry."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from toprope.kit.ids import uuid7


class Organisation(models.Model):
    """The one organisation of this installation."""

    uuid = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=200)
    demo = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class Department(models.Model):
    uuid = models.UUIDField(default=uuid7, unique=True, editable=False)
    key = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    uuid = models.UUIDField(default=uuid7, unique=True, editable=False)
    key = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.name


class PersonManager(BaseUserManager["Person"]):
    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(email=(username or "").strip().lower())


class Person(AbstractBaseUser):
    """A person, who signs in with an e-mail address. `role` is a key of the framework's role profiles."""

    uuid = models.UUIDField(default=uuid7, unique=True, editable=False)
    key = models.SlugField(max_length=64, unique=True)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=64)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=True)
    demo = models.BooleanField(default=False)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # One spelling per address, so that looking it up is one index probe and nobody has two accounts.
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="email_in_lower_case")
        ]

    def __str__(self) -> str:
        return self.name


class DutyKind(models.TextChoices):
    MENTOR = "mentor", "Mentor"
    MANAGER = "manager", "Manager"
    GOVERNANCE = "governance", "Governance lead"
    OPERATOR = "operator", "Operator"


class Duty(models.Model):
    """What a person answers for beyond their own work. `team` is empty where it is the whole organisation."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=DutyKind.choices)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+", null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "kind", "team"], name="duty_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_kind_display()}"


class SignInTry(models.Model):
    """A sign-in that has not succeeded. `account` is a digest: people type passwords into wrong fields."""

    account = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["account", "at"], name="sign_in_try_account"),
            models.Index(fields=["address", "at"], name="sign_in_try_address"),
            models.Index(fields=["at"], name="sign_in_try_at"),
        ]

    def __str__(self) -> str:
        return f"{self.account[:8]} from {self.address}"
