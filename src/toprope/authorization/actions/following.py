"""Following the statements of everybody: what nobody's own request has brought up to date yet.

A page refreshes its person right after it records something. What it missed (the process died in between),
and what the gateway recorded (use of a rung), is caught up with here.
"""

from datetime import datetime

from django.db import transaction

from toprope.authorization.actions.grants import refresh_person
from toprope.authorization.models import FollowedUpTo
from toprope.evidence.api import list_actors_after

_BATCH = 200


def follow_statements(now: datetime) -> int:
    """Refresh every person with statements since the last time; gives how many persons that were."""
    refreshed = 0
    while True:
        with transaction.atomic():
            FollowedUpTo.objects.get_or_create(id=1)
            cursor = FollowedUpTo.objects.select_for_update().get(id=1)
            actors = list_actors_after(cursor.seq, _BATCH)
            for person, _ in actors:
                refresh_person(person, now)
            if actors:
                cursor.seq = actors[-1][1]
                cursor.save(update_fields=["seq"])
        refreshed += len(actors)
        if len(actors) < _BATCH:
            return refreshed
