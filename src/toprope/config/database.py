"""Where the database is, and whether it will do: every wrong address gets one sentence with its cure."""

import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from toprope.config.problem import Problem

MINIMUM_VERSION = 16  # the oldest one the migrations were run on
APP_ROLE = "toprope_app"
CONNECT_SECONDS = 10
_ESCAPE = "If its password holds one of : / ? # [ ] @ or %, write it percent-encoded (@ is %40)."


@dataclass(frozen=True)
class Address:
    """A database's address, taken apart. `variable` is the setting that gave it, for messages."""

    name: str
    user: str = ""
    password: str = field(default="", repr=False)
    host: str = ""
    port: str = ""
    options: dict[str, str] = field(default_factory=dict)
    variable: str = "DATABASE_URL"

    @property
    def place(self) -> str:
        """Where the server is, in words; never with the password."""
        if self.host.startswith("/") or not self.host:
            return f"the socket in {self.host}" if self.host else "the default socket"
        return f"{self.host}:{self.port or 5432}"

    @property
    def url(self) -> str:
        """The address as libpq reads it."""
        who = quote(self.user, safe="")
        if self.password:
            who += ":" + quote(self.password, safe="")
        options = dict(self.options)
        place = ""
        if self.host.startswith("/"):
            options["host"] = self.host
            if self.port:
                options["port"] = self.port
        else:
            place = f"[{self.host}]" if ":" in self.host else self.host
            place += f":{self.port}" if self.port else ""
        query = "?" + urlencode(options, quote_via=quote) if options else ""
        return f"postgresql://{who}{'@' if who else ''}{place}/{quote(self.name, safe='')}{query}"

    def django(self, pool_size: int) -> dict[str, Any]:
        """Django's settings for this database, with a pool of connections where `pool_size` says so."""
        options: dict[str, Any] = dict(self.options)
        if pool_size:
            options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10}
            bounds = "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
            options["options"] = f"{options.get('options', '')} {bounds}".strip()
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": self.name,
            "USER": self.user,
            "PASSWORD": self.password,
            "HOST": self.host,
            "PORT": self.port,
            "OPTIONS": options,
            "CONN_HEALTH_CHECKS": bool(pool_size),
        }


def parse_url(url: str, variable: str = "DATABASE_URL") -> Address:
    """Take a database URL apart; no part of a URL that cannot be read is shown, it may be a password."""
    scheme = url.partition(":")[0] if ":" in url else ""
    if scheme not in ("postgresql", "postgres"):
        shown = f"it starts with {scheme}:" if scheme.isalnum() else "it has no scheme"
        raise Problem(
            f"{variable} must read postgresql://user:password@host:5432/name ({shown}). Toprope runs on "
            f"PostgreSQL only; unset {variable} to use the built-in server."
        )
    try:
        parts = urlsplit(url)
        port = str(parts.port or "")
    except ValueError:
        parts, port = None, ""
    if parts is None or parts.fragment or "@" in parts.path:
        raise Problem(f"{variable} cannot be read as a URL. {_ESCAPE}")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    address = Address(
        name=unquote(parts.path.lstrip("/")),
        user=unquote(parts.username or "") or options.pop("user", ""),
        password=unquote(parts.password or "") or options.pop("password", ""),
        host=options.pop("host", "") or parts.hostname or "",
        port=options.pop("port", "") or port,
        options=options,
        variable=variable,
    )
    if not address.name:
        raise Problem(f"{variable} names no database; add its name at the end: postgresql://.../toprope.")
    return address


@dataclass(frozen=True)
class Facts:
    """What a server said of itself."""

    version: str
    user: str


def check_database(address: Address) -> Facts:
    """Connect once and see that what is there will do."""
    import psycopg  # heavy: `toprope --help` does without it

    options: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, **address.options}
    try:
        with psycopg.connect(
            dbname=address.name,
            user=address.user or None,
            password=address.password or None,
            host=address.host or None,
            port=address.port or None,
            autocommit=True,
            **options,
        ) as connection:
            number = connection.info.server_version
            _check_version(address, number)
            row = connection.execute("SELECT version(), current_user").fetchone()
    except psycopg.Error as error:
        raise Problem(_explain(address, str(error))) from None
    banner, user = row or ("", "")
    if not banner.startswith("PostgreSQL "):
        raise Problem(
            f"{address.variable}: the server at {address.place} is no PostgreSQL (it calls itself "
            f"{banner[:60]!r}). Toprope needs the real one, version {MINIMUM_VERSION} or newer."
        )
    return Facts(version=banner.split()[1], user=user)


def _check_version(address: Address, number: int) -> None:
    if number // 10000 < MINIMUM_VERSION:
        raise Problem(
            f"{address.variable}: the server at {address.place} is PostgreSQL {number // 10000}; Toprope "
            f"needs {MINIMUM_VERSION} or newer. Upgrade it, or unset {address.variable}."
        )


def _explain(address: Address, said: str) -> str:
    """One sentence with a cure for what libpq said. It says things in many lines, and never the password."""
    lower = said.lower()
    who = address.user or "this account"
    where = f"{address.variable}: "
    for signs, sentence in (
        (
            ("password authentication failed", "no password supplied", "fe_sendauth"),
            f"the server at {address.place} refuses the password of {who}. Correct it. {_ESCAPE}",
        ),
        (
            (f'database "{address.name}" does not exist'.lower(),),
            f"{address.place} has no database {address.name!r}. Make it: createdb {address.name}",
        ),
        (
            (f'role "{address.user}" does not exist'.lower(),),
            f"the server at {address.place} knows no role {who!r}. Make it: createuser --pwprompt {who}",
        ),
        (
            ("no pg_hba.conf entry",),
            f"the server at {address.place} does not admit {who} from here. Add a line to its pg_hba.conf.",
        ),
        (
            ("invalid response to ssl", "expected authentication request", "server closed the connection"),
            f"what answers at {address.place} is no PostgreSQL. Correct the host and the port.",
        ),
        (
            ("could not translate host name", "name or service not known", "failed to resolve host"),
            f"there is no host {address.host!r}. Correct the host's name.",
        ),
        (
            ("invalid connection option", *(f"invalid {name} value" for name in address.options)),
            f"PostgreSQL does not know what it says of {', '.join(address.options)}. Correct or remove it.",
        ),
        (
            ("connection refused", "timeout expired", "timed out", "no such file", "unreachable", "no route"),
            f"nothing answers at {address.place}. Start the server there, or correct the address.",
        ),
    ):
        if any(sign in lower for sign in signs):
            return where + sentence
    shown = said.strip().splitlines()[-1] if said.strip() else "no reason given"
    if address.password:
        shown = shown.replace(address.password, "***")
    return f"{where}the server at {address.place} refuses: {shown}"


@dataclass(frozen=True)
class Configured:
    """The user's own server: whom the application is, and who may change the schema."""

    app: Address
    owner: Address


def configured() -> Configured | None:
    """The server that DATABASE_URL names, or nothing where the built-in one is to be used."""
    url = os.environ.get("DATABASE_URL", "")
    owner_url = os.environ.get("DATABASE_ADMIN_URL", "")
    if not url:
        if owner_url:
            raise Problem("DATABASE_ADMIN_URL is set and DATABASE_URL is not; set both, or unset both.")
        return None
    app = parse_url(url)
    return Configured(app, parse_url(owner_url, "DATABASE_ADMIN_URL") if owner_url else app)
