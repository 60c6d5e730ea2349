"""Server-sent events, as far as passing them on needs: where one ends, and which one is the last."""

import re

from toprope.gateway.protocol import Usage, read_usage

# Two line ends. A carriage return at the very end may be half of one: what follows will tell.
_END = re.compile(rb"(?:\r\n|\n|\r(?!\n|\Z)){2}")
_DONE = re.compile(rb"(?:\A|[\r\n])(data: ?\[DONE\])")
_DATA = re.compile(rb"^data: ?(.*)$", re.MULTILINE)


class TooLargeError(Exception):
    """An event does not end within the limit."""


class Events:
    """Cuts a stream into whole events, passed on byte for byte, and finds the one that says it is over."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self.done = False
        self.tail = b""  # from the final event on: what has to wait for the record
        self.usage: Usage | None = None

    def feed(self, chunk: bytes) -> bytes:
        """The whole events that have come by now, up to the final one.

        Raises `TooLargeError` on the feed after the one that passed the limit: what was whole comes out.
        """
        self._check_size()
        whole = self._rest + chunk if self._rest else chunk
        end = _last_end(whole, max(0, len(self._rest) - 3))
        whole, self._rest = whole[:end], whole[end:]
        if b"[DONE]" in whole and (found := _DONE.search(whole)):
            self.done = True
            whole, self.tail = whole[: found.start(1)], whole[found.start(1) :] + self._rest
        if b'"usage"' in whole:
            self._read_usage(whole)
        return whole

    def finish(self) -> None:
        """The stream has ended properly: what is left is the tail. Raises `TooLargeError`."""
        self._check_size()
        if not self.done:
            self.tail = self._rest

    def _check_size(self) -> None:
        if len(self._rest) > self._limit:
            raise TooLargeError

    def _read_usage(self, events: bytes) -> None:
        for found in _DATA.finditer(events):
            if b'"usage"' in found[1] and (usage := read_usage(found[1])) is not None:
                self.usage = usage


def _last_end(data: bytes, start: int) -> int:
    """Where the last whole event of `data` ends; what lies before `start` has been searched already."""
    if data.endswith(b"\n\n"):
        return len(data)
    end = 0
    for found in _END.finditer(data, start):
        end = found.end()
    return end
