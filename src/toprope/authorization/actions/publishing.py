"""Publishing: what the gateway reads is written here, and the gateway is told at commit."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from toprope.authorization.logic import next_change, publish_access
from toprope.authorization.models import GatewayKey, PublishedAccess, PublishedInstallation
from toprope.authorization.queries import describe_installation, get_standing
from toprope.kit.clock import now as read_clock
from toprope.people.api import get_person
from toprope.policy.access import encode

CHANNEL = "gateway_access"
INSTALLATION = "installation"
_BATCH = 1_000


def publish_person(person: UUID) -> None:
    """Bring the published snapshot of one person's keys up to date; a no-op where nothing changed.

    Called inside the transaction that changed something, so that both become true together.
    """
    hashes = _live_hashes(person)
    stale = PublishedAccess.objects.filter(person=person).exclude(key_hash__in=hashes)
    withdrawn, _ = stale.delete()
    if not hashes:
        if withdrawn:
            _notify(str(person))
        return
    now = read_clock()
    standing = get_standing(person, now)
    document = encode(publish_access(standing, get_person(person).name, now)).decode()
    stale_at = next_change(standing, now)
    current = {
        bytes(row.key_hash)
        for row in PublishedAccess.objects.filter(person=person, document=document).only("key_hash")
    }
    outdated = [one for one in hashes if one not in current]
    if outdated:
        version = _next_version()
        PublishedAccess.objects.bulk_create(
            [
                PublishedAccess(
                    key_hash=one, person=person, version=version, document=document, stale_at=stale_at
                )
                for one in outdated
            ],
            update_conflicts=True,
            unique_fields=["key_hash"],
            update_fields=["person", "version", "document", "stale_at"],
        )
    PublishedAccess.objects.filter(person=person).exclude(stale_at=stale_at).update(stale_at=stale_at)
    if outdated or withdrawn:
        _notify(str(person))


def publish_installation() -> None:
    """Bring the published ladder and ceilings up to date; a no-op where nothing changed."""
    with transaction.atomic():
        document = encode(describe_installation()).decode()
        if PublishedInstallation.objects.filter(id=1, document=document).exists():
            return
        PublishedInstallation.objects.update_or_create(
            id=1, defaults={"version": _next_version(), "document": document}
        )
        _notify(INSTALLATION)


def publish_stale(now: datetime) -> int:
    """Publish anew what time alone has changed since; gives for how many persons that was."""
    people = PublishedAccess.objects.filter(stale_at__lte=now).values_list("person", flat=True)
    stale = sorted(set(people[:_BATCH]))
    for person in stale:
        with transaction.atomic():
            publish_person(person)
    return len(stale)


def publish_everybody() -> None:
    """After a change of pack or policy: the ladder, then every holder of a key, each in a transaction."""
    publish_installation()
    holders = set(GatewayKey.objects.filter(revoked_at=None).values_list("person__uuid", flat=True))
    holders.update(PublishedAccess.objects.values_list("person", flat=True))
    for person in sorted(holders):
        with transaction.atomic():
            publish_person(person)


def _live_hashes(person: UUID) -> list[bytes]:
    keys = GatewayKey.objects.filter(person__uuid=person, person__is_active=True, revoked_at=None)
    return [bytes(one) for one in keys.values_list("hash", flat=True)]


def _next_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('gateway_version')")
        return int(cursor.fetchone()[0])


def _notify(payload: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
