"""Django's settings. What an operator sets comes from the environment; see docs/reference/settings.md."""

import os
from typing import Any
from urllib.parse import urlsplit

from toprope.config.database import parse_url
from toprope.config.home import home, read_secret

HOME = home()
DEMO = os.environ.get("TOPROPE_DEMO", "") == "1"
DEBUG = False
SECRET_KEY = os.environ.get("TOPROPE_SECRET_KEY") or read_secret(HOME)
BASE_URL = os.environ.get("TOPROPE_BASE_URL") or "http://localhost:8000"
ALLOWED_HOSTS = [
    *(os.environ.get("TOPROPE_HOSTS") or "localhost,127.0.0.1,[::1]").replace(" ", "").split(","),
    urlsplit(BASE_URL).hostname or "localhost",
]
CSRF_TRUSTED_ORIGINS = [BASE_URL]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
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
    "toprope.config.apps.CompositionConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "toprope.web.middleware.ContentSecurityPolicy",
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
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "web:sign-in"
LOGIN_REDIRECT_URL = "web:home"
CSRF_FAILURE_VIEW = "toprope.web.errors.csrf_failed"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"

# Behind a proxy that speaks TLS, cookies travel over TLS only.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
X_FRAME_OPTIONS = "DENY"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "toprope.web.shell.shell",
            ],
        },
    },
]

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # `toprope serve` collects the files once per version; without that (tests) they keep plain names.
        "BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"
        if (STATIC_ROOT / "staticfiles.json").exists()
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

DATABASES = {
    "default": parse_url(os.environ.get("DATABASE_URL") or "postgresql:///toprope").django(
        pool_size=int(os.environ.get("TOPROPE_DATABASE_POOL") or 0)
    )
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "toprope.config.logs.Lines"}},
    "handlers": {"terminal": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["terminal"], "level": "WARNING"},
    "loggers": {
        # Its own handlers would mail errors to nobody; and a page not found is nothing to shout about.
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.request": {"level": "ERROR"},
    },
}
