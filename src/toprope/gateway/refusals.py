"""Keeps the record of refusals bounded: a client in a loop is counted, not written down each time."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

WINDOW_SECONDS = 60.0
_REMEMBERED = 10_000


@dataclass(slots=True)
class _Window:
    opened: float
    flush: Callable[[int], None]
    repeated: int = 0


class Refusals:
    """Identical refusals within a minute are counted; the count goes on record when the minute is over."""

    def __init__(self) -> None:
        self._windows: OrderedDict[Hashable, _Window] = OrderedDict()

    def is_new(self, refusal: Hashable, now: float, flush: Callable[[int], None]) -> bool:
        """Whether to record this refusal; if not, it is counted and `flush` called with the count later."""
        self.flush(now)
        window = self._windows.get(refusal)
        if window is not None:
            window.repeated += 1
            return False
        self._windows[refusal] = _Window(now, flush)
        if len(self._windows) > _REMEMBERED:
            self._close(next(iter(self._windows)))
        return True

    def flush(self, now: float) -> None:
        """Close the windows whose minute is over at `now`."""
        while self._windows:
            refusal, window = next(iter(self._windows.items()))
            if now - window.opened < WINDOW_SECONDS:
                break
            self._close(refusal)

    def _close(self, refusal: Hashable) -> None:
        window = self._windows.pop(refusal)
        if window.repeated:
            window.flush(window.repeated)
