"""Periods of time in which something holds, and the first moment at which several hold together. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` on, until just before `end`; None has no end."""

    start: datetime
    end: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return self.start <= at and (self.end is None or at < self.end)


def holds(periods: Iterable[Period], at: datetime) -> bool:
    """Whether one of them holds at a moment."""
    return any(period.holds(at) for period in periods)


def last_end(periods: Iterable[Period]) -> datetime | None:
    """When the last of them ends; None where one has no end. There has to be one."""
    ends = [period.end for period in periods]
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None


def unite(periods: Iterable[Period]) -> tuple[Period, ...]:
    """The same time as periods that neither touch nor overlap, in order."""
    united: list[Period] = []
    for period in sorted(periods, key=lambda each: each.start):
        if period.end is not None and period.end <= period.start:
            continue
        last = united[-1] if united else None
        if last is None or (last.end is not None and last.end < period.start):
            united.append(period)
        elif last.end is not None:
            end = None if period.end is None else max(last.end, period.end)
            united[-1] = Period(last.start, end)
    return tuple(united)


def first_common(requirements: Sequence[Sequence[Period]]) -> datetime | None:
    """The first moment that lies in a period of each; None where there is none, or nothing is asked."""
    if not requirements:
        return None
    starts = sorted({period.start for periods in requirements for period in periods})
    return next((at for at in starts if all(holds(periods, at) for periods in requirements)), None)
