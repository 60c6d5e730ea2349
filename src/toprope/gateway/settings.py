"""What the gateway is told by its environment. It reads the same variables as the rest, without Django."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

MIB = 1024 * 1024


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the variable and the cure."""


@dataclass(frozen=True)
class Settings:
    """Where things are, and the bounds on what others control. Times are in seconds."""

    database_url: str = field(default="postgresql:///toprope", repr=False)
    home: Path = Path("var")
    base_url: str = "http://localhost:8000"
    provider_url: str = ""
    provider_key: str = field(default="", repr=False)
    provider_timeout: float = 120.0  # to the first byte of an answer, and between two pieces of a stream
    body_limit: int = 8 * MIB  # of a request
    body_timeout: float = 30.0  # for a request to arrive in whole
    answer_limit: int = 64 * MIB  # of an answer that is not streamed, and of one event of a stream
    waiting_limit: int = 256 * MIB  # of all request bodies held at once
    open_limit: int = 4096  # exchanges at once
    lease: float = 5.0  # how long the published snapshot is trusted without word from the database
    record_timeout: float = 5.0  # for the record of an exchange to become durable


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `environment`; raises `SettingsError` for those that cannot be used."""
    default = Settings()
    settings = Settings(
        database_url=environment.get("DATABASE_URL") or default.database_url,
        home=Path(environment.get("TOPROPE_HOME") or "var").resolve(),
        base_url=_url(environment, "TOPROPE_BASE_URL", default.base_url),
        provider_url=_url(environment, "TOPROPE_PROVIDER_URL", ""),
        provider_key=environment.get("TOPROPE_PROVIDER_KEY", "").strip(),
        provider_timeout=_number(environment, "TOPROPE_PROVIDER_TIMEOUT", default.provider_timeout),
        body_limit=int(_number(environment, "TOPROPE_BODY_LIMIT", default.body_limit)),
    )
    try:
        conninfo_to_dict(settings.database_url)
    except psycopg.ProgrammingError:
        # Not what psycopg says: it repeats the address, password and all.
        raise SettingsError(
            "DATABASE_URL is not an address of a PostgreSQL database; write it like"
            " postgresql://user:password@host:5432/name"
        ) from None
    return settings


def _url(environment: Mapping[str, str], name: str, default: str) -> str:
    url = (environment.get(name) or default).rstrip("/")
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
        raise SettingsError(f"{name} is {url!r}; write it like https://host/v1, without a question mark")
    return url


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e12:
        raise SettingsError(f"{name} is {text!r}; write a number above 0, like {default:g}")
    return value
