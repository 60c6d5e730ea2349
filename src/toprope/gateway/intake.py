"""Takes in request bodies, within bounds: of each body, of its time, and of all bodies held at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from toprope.gateway.forward import Headers
from toprope.gateway.protocol import Problem, unavailable
from toprope.gateway.settings import Settings

_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Intake:
    """Counts what is held."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held = 0

    @asynccontextmanager
    async def body(self, headers: Headers, receive: _Receive) -> AsyncIterator[bytes | None]:
        """The body of a JSON request, or None if the client leaves first. Raises `Problem` beyond a bound."""
        self._check_head(headers)
        pieces: list[bytes] = []
        seconds = self._settings.body_timeout
        try:
            try:
                async with asyncio.timeout(seconds):
                    whole = await self._read(receive, pieces)
            except TimeoutError:
                message = f"The request did not arrive within {seconds:g} seconds."
                raise Problem(HTTPStatus.REQUEST_TIMEOUT, "request_slow", message) from None
            yield b"".join(pieces) if whole else None
        finally:
            self._held -= sum(map(len, pieces))

    async def _read(self, receive: _Receive, pieces: list[bytes]) -> bool:
        size = 0
        while (message := await receive())["type"] != "http.disconnect":
            piece = message.get("body", b"")
            size += len(piece)
            if size > self._settings.body_limit:
                raise self._too_large()
            if self._held + len(piece) > self._settings.waiting_limit:
                raise unavailable("too_many_calls", "Too much is waiting here. Try again soon.")
            self._held += len(piece)
            pieces.append(piece)
            if not message.get("more_body", False):
                return True
        return False

    def _check_head(self, headers: Headers) -> None:
        for name, value in headers:
            if name == b"content-length" and (not value.isdigit() or int(value) > self._settings.body_limit):
                raise self._too_large()
            if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
                message = "Send the request without compression (content-encoding: identity)."
                raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", message)
            if name == b"content-type":
                kind = value.partition(b";")[0].strip().lower()
                if kind != b"application/json" and not kind.endswith(b"+json"):
                    message = "Send the request as content-type: application/json."
                    raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_content_type", message)

    def _too_large(self) -> Problem:
        limit = self._settings.body_limit
        message = f"The request is larger than {limit:,} bytes, which is what this gateway takes."
        return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_too_large", message)
