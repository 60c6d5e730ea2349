"""Keys for the gateway: shown once, kept as a digest."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from toprope.audit.api import record_entry
from toprope.authorization.actions.publishing import publish_person
from toprope.authorization.models import GatewayKey
from toprope.authorization.queries import KeyView, hash_secret
from toprope.authorization.refusal import Refused
from toprope.authorization.tags import Tag
from toprope.kit.ids import new_token
from toprope.people.api import Person, deactivate_person

KEYS_PER_PERSON = 20
_LABEL_LIMIT = 64
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `secret` is shown to its owner now and never again."""

    secret: str
    key: KeyView


def issue_key(person: Person, label: str, now: datetime) -> NewKey:
    """Make a key for the gateway. What it opens is decided call by call from the person's grants."""
    label = label.strip() or "key"
    if len(label) > _LABEL_LIMIT:
        raise Refused(f"The label has {len(label)} characters; at most {_LABEL_LIMIT} fit.")
    secret = new_token("tp")
    with transaction.atomic():
        live = GatewayKey.objects.filter(person=person, revoked_at=None).count()
        if live >= KEYS_PER_PERSON:
            raise Refused(f"You have {live} keys; revoke one that you no longer use first.")
        row = GatewayKey.objects.create(
            person=person, label=label, prefix=secret[:_SHOWN], hash=hash_secret(secret), created_at=now
        )
        publish_person(person.uuid)
        detail = {"key": str(row.uuid), "prefix": row.prefix, "label": label}
        record_entry(Tag.KEY_ISSUED, actor=person.uuid, subject=str(person.uuid), detail=detail, now=now)
    return NewKey(secret, KeyView(row.uuid, row.label, row.prefix, row.created_at))


def close_account(person: Person, now: datetime) -> None:
    """Let a person in no more, neither to the pages nor through the gateway; the next call is refused.

    What they have shown stays on record.
    """
    with transaction.atomic():
        deactivate_person(person, now=now)
        publish_person(person.uuid)


def revoke_key(person: Person, key: UUID, now: datetime) -> None:
    """Revoke a key of the person's own; the next call with it is refused. Revoking twice is harmless."""
    with transaction.atomic():
        row = GatewayKey.objects.select_for_update().filter(person=person, uuid=key).first()
        if row is None:
            raise Refused("There is no such key among yours.")
        if row.revoked_at is not None:
            return
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
        publish_person(person.uuid)
        detail = {"key": str(row.uuid), "prefix": row.prefix}
        record_entry(Tag.KEY_REVOKED, actor=person.uuid, subject=str(person.uuid), detail=detail, now=now)
