"""How long a level stays current, and when it was lapsed in between. Pure."""

from collections.abc import Iterable
from datetime import datetime

from toprope.progression.logic.periods import Period, unite


def find_gaps(
    awarded_at: datetime, lapses_at: datetime, vouched: Iterable[tuple[datetime, datetime]]
) -> tuple[Period, ...]:
    """The times between award and present lapse in which nothing vouched for the level.

    `vouched` tells from when until when each piece of evidence kept it current; the award itself is one.
    """
    covered = unite(Period(start, end) for start, end in vouched)
    edges = [awarded_at, *(period.end for period in covered if period.end is not None)]
    starts = [period.start for period in covered]
    return tuple(
        Period(edge, start)
        for edge, start in zip(edges, starts, strict=False)
        if awarded_at <= edge < start <= lapses_at
    )
