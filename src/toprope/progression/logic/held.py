"""A level that somebody holds. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class LevelHeld:
    """A level that was awarded, and how long it stays current.

    `refresh_by` asks for fresh evidence; from `lapses_at` on (after the grace) the level no longer counts.
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

    def current(self, now: datetime) -> bool:
        """Whether the level counts at `now`."""
        return now < self.lapses_at
