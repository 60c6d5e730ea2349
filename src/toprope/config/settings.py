"""Django's settings. Everything an operator sets comes from the environment; see docs/reference/settings.md."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

HOME = Path(os.environ.get("TOPROPE_HOME", "var")).resolve()
DEMO = os.environ.get("TOPROPE_DEMO", "") == "1"
DEBUG = False
SECRET_KEY = os.environ.get("TOPROPE_SECRET_KEY", "")
ALLOWED_HOSTS = os.environ.get("TOPROPE_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
BASE_URL = os.environ.get("TOPROPE_BASE_URL", "http://localhost:8000")
CSRF_TRUSTED_ORIGINS = [BASE_URL]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",
    "procrastinate.contrib.django",
    "toprope.audit.apps.AuditConfig",
    "toprope.people.apps.PeopleConfig",
    "toprope.competency.apps.CompetencyConfig",
    "toprope.content.apps.ContentConfig",
    "toprope.evidence.apps.EvidenceConfig",
    "toprope.measurement.apps.MeasurementConfig",
    "toprope.progression.apps.ProgressionConfig",
    "toprope.authorization.apps.AuthorizationConfig",
    "toprope.learning.apps.LearningConfig",
    "toprope.web.apps.WebConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "toprope.config.urls"
ASGI_APPLICATION = "toprope.config.asgi.application"
AUTH_USER_MODEL = "people.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def database(url: str) -> dict[str, object]:
    """Django's settings for a ``postgresql://`` URL; a socket directory may stand as ``?host=/path``."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
        "ATOMIC_REQUESTS": False,
    }


DATABASES = {"default": database(os.environ.get("DATABASE_URL", "postgresql:///toprope"))}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
