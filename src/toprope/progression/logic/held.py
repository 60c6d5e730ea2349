"""A level that somebody holds. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from toprope.progression.logic.periods import Period


@dataclass(frozen=True, slots=True)
class LevelHeld:
    """A level that was awarded, and how long it stays current.

    `refresh_by` asks for fresh evidence; from `lapses_at` on (after the grace) the level is lapsed: it counts
    as the one below, and fresh evidence brings it back. `gaps` are the times in which it was lapsed before.
    """

    competency: str
    level: int
    awarded_at: datetime
    renewed_at: datetime
    provisional: bool
    framework: str
    refresh_by: datetime
    lapses_at: datetime
    evidence: tuple[UUID, ...]
    gaps: tuple[Period, ...] = ()

    def current(self, now: datetime) -> bool:
        """Whether the level counts at `now`."""
        return now < self.lapses_at

    def effective(self, now: datetime) -> int:
        """The level that counts at `now`: a lapsed one counts as the one below, a provisional one not at all.

        A provisional award rests on few questions; once it lapses, it shows nothing about the level below.
        """
        if self.current(now):
            return self.level
        return 0 if self.provisional else self.level - 1

    def periods_at(self, level: int) -> tuple[Period, ...]:
        """When this award counted, and will count, for `level`."""
        if level > self.level:
            return ()
        if level < self.level and not self.provisional:
            return (Period(self.awarded_at),)
        starts = [self.awarded_at, *(gap.end for gap in self.gaps if gap.end is not None)]
        ends = [*(gap.start for gap in self.gaps), self.lapses_at]
        return tuple(Period(start, end) for start, end in zip(starts, ends, strict=True))
