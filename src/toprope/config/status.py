"""What `toprope status` says."""

import json
import platform
from collections.abc import Iterator

from toprope import __version__
from toprope.config.database import Address
from toprope.config.home import Lock, home


def describe(address: Address) -> Iterator[tuple[str, str]]:
    """The lines of the status, topic by topic."""
    from django.db import connection

    from toprope.audit.api import get_head
    from toprope.competency.api import reference_in_force
    from toprope.evidence.api import last_seq
    from toprope.people.api import get_organisation

    yield "toprope", f"{__version__}, Python {platform.python_version()}"
    yield "data", str(home())
    yield "serving", _describe_serving()
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
    yield "database", f"PostgreSQL {version}, {address.name} at {address.place}, as {address.user}"
    organisation = get_organisation()
    if organisation is None:
        yield "organisation", "none yet; `toprope person create` makes it with its first person"
    else:
        yield "organisation", organisation.name + (" (demo)" if organisation.demo else "")
    yield "framework", reference_in_force() or "none; `toprope serve` loads the built-in one"
    yield "statements", f"{last_seq():,}"
    head = get_head()
    yield "audit head", f"entry {head.seq:,}, {head.hash.hex()}" if head else "the record is empty"


def _describe_serving() -> str:
    lock = Lock(home() / "serve.lock")
    if not lock.path.exists():
        return "no"
    if lock.try_alone():
        lock.release()
        return "no"
    try:
        note = json.loads(lock.path.read_text())
        return f"yes, {note['url']} (process {note['pid']})"
    except (ValueError, KeyError):
        return "starting or stopping"
