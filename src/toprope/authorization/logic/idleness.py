"""Use of a rung: how much of it there was, and since when there has been too little. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from toprope.competency.logic import Rung
from toprope.progression.logic import PAIRED, SANDBOX, Situation, UseDay, is_whole

MIXED = "mixed_items"
SINGLE_USES = 32
"""So many uses of a day are kept one by one, with their statements; more than rungs ask for."""


def uses_since(uses: Iterable[UseDay], since: datetime) -> int:
    """How many uses there were from that day on, those in a sandbox left out."""
    first = since.astimezone(UTC).date()
    return sum(use.count for use in uses if use.day >= first and use.condition != SANDBOX)


def find_unused(situation: Situation, rung: Rung, issued_at: datetime) -> datetime:
    """When the grant drops, or dropped, to S2 for want of use, unless something is done before.

    Any use renews it, and so does the rung's mixed set passed again. Once it has dropped, only one paired use
    *and* one check bring it back (the ladder's lapse rules). Uses count by whole days, so that not every call
    changes what is published.
    """
    limit = timedelta(days=rung.unused_days)
    check = next((rule for rule in rung.validations if rule.get("mixed_items")), None)
    events = [(datetime.combine(use.day, time(), UTC), use.condition) for use in _uses(situation, rung)]
    if check is not None:
        events += [
            (piece.timestamp, MIXED)
            for piece in situation.history.pieces
            if piece.kind == MIXED
            and piece.rung == rung.key
            and is_whole(piece, int(check["mixed_items"]), float(check["pass"]))
        ]
    last, since_drop = issued_at, set[str]()
    needed = {PAIRED, MIXED} if check is not None else {PAIRED}
    for at, what in sorted(events):
        if at <= last + limit:
            last = max(last, at)
            continue
        since_drop.add(what)
        if needed <= since_drop:
            last, since_drop = at, set()
    return last + limit


def _uses(situation: Situation, rung: Rung) -> list[UseDay]:
    return [use for use in situation.uses.get(rung.key, ()) if use.condition != SANDBOX]
