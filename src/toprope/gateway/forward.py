"""The provider: what is passed on to it, what of its answers comes back, and what its failures are called."""

import io
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp

from toprope.gateway.protocol import Problem, unavailable
from toprope.gateway.settings import Settings

log = logging.getLogger("toprope.gateway")

Headers = Iterable[tuple[bytes, bytes]]

_CONNECT_SECONDS = 10.0
_KEPT_SECONDS = 60.0
_HEADER_BYTES = 65_536
_PIECES_FROM_BYTES = 262_144

# RFC 9110, section 7.6.1, and what older software treats the same way.
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
# Written anew, or said by the client to Toprope only: who it is, on whose account it wants to work, where it
# comes from, and tricks that change what a request means.
_NOT_PASSED_ON = _HOP_BY_HOP | {
    "accept-encoding",
    "api-key",
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "openai-organization",
    "openai-project",
    "origin",
    "proxy-authorization",
    "referer",
    "via",
    "x-api-key",
    "x-goog-api-key",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-real-ip",
}
_NOT_PASSED_ON_PREFIXES = ("x-toprope-", "x-forwarded-", "proxy-", "sec-")
# With such a header a client tells some providers to use another model than the request names, or elsewhere.
_NOT_PASSED_ON_WORDS = ("model", "provider", "override", "fallback", "portkey", "helicone", "litellm")
_NOT_PASSED_BACK = _HOP_BY_HOP | {
    "alt-svc",
    "content-encoding",
    "content-length",
    "date",
    "server",
    "set-cookie",
    "strict-transport-security",
}


def select_headers(headers: Headers) -> list[tuple[str, str]]:
    """The client's headers that go on to the provider."""
    dropped = set(_NOT_PASSED_ON)
    for name, value in headers:
        if name == b"connection":
            dropped.update(part.strip().lower() for part in value.decode("latin-1").split(","))
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in headers
        if (lower := name.decode("latin-1").lower()) not in dropped
        and not lower.startswith(_NOT_PASSED_ON_PREFIXES)
        and not any(word in lower for word in _NOT_PASSED_ON_WORDS)
        and value.isascii()
    ]


class Answer:
    """The provider's answer, once its head has come."""

    def __init__(self, response: aiohttp.ClientResponse, limit: int) -> None:
        self._response, self._limit = response, limit
        self.status = response.status
        self._content_type = response.headers.get("content-type") or "application/json"
        self.streamed = self._content_type.lower().startswith("text/event-stream")

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The provider's headers that go back to the client, its content type among them."""
        found = [
            (name, value)
            for name, value in self._response.raw_headers
            if name.lower().decode("latin-1") not in _NOT_PASSED_BACK
        ]
        return [*found, (b"content-type", self._content_type.encode("latin-1"))]

    async def read_chunk(self) -> bytes | None:
        """The next piece of the body as it came, None at its end; raises `Problem` where it breaks off."""
        try:
            chunk = await self._response.content.readany()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _explain(error) from error
        return chunk or None

    async def read(self) -> bytes:
        """The whole body; raises `Problem` where it breaks off or passes the limit."""
        pieces: list[bytes] = []
        size = 0
        while (piece := await self.read_chunk()) is not None:
            size += len(piece)
            if size > self._limit:
                raise too_large(self._limit)
            pieces.append(piece)
        return b"".join(pieces)


class Provider:
    """The provider that this installation has, and the connections to it. Made within a running loop."""

    def __init__(self, settings: Settings) -> None:
        self._url, self._limit = settings.provider_url, settings.answer_limit
        self._authorization = f"Bearer {settings.provider_key}" if settings.provider_key else ""
        seconds = settings.provider_timeout
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_SECONDS),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=min(_CONNECT_SECONDS, seconds), sock_read=seconds
            ),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("user-agent", "accept"),
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    @asynccontextmanager
    async def post(self, path: str, headers: Headers, body: bytes) -> AsyncIterator[Answer]:
        """Send `body` to `path`. Leaving the context before the end of the answer breaks it off."""
        selected = select_headers(headers)
        selected.append(("content-type", "application/json"))
        # Written in pieces where it is large, so that other calls get their turn.
        data = body if len(body) < _PIECES_FROM_BYTES else io.BytesIO(body)
        async with self._send("POST", path, selected, data) as answer:
            yield answer

    @asynccontextmanager
    async def get(self, path: str) -> AsyncIterator[Answer]:
        """Ask for `path`."""
        async with self._send("GET", path, [("accept", "application/json")], None) as answer:
            yield answer

    @asynccontextmanager
    async def _send(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes | io.BytesIO | None
    ) -> AsyncIterator[Answer]:
        if not self._url:
            raise unavailable(
                "provider_missing",
                "This installation has no model provider; its operator sets TOPROPE_PROVIDER_URL.",
                retry=False,
            )
        headers.append(("accept-encoding", "identity"))
        if self._authorization:
            headers.append(("authorization", self._authorization))
        try:
            # The installation names the provider; a redirect may not name another.
            response = await self._client.request(
                method, self._url + path, headers=headers, data=body, allow_redirects=False
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _explain(error) from error
        async with response:
            _check(response)
            yield Answer(response, self._limit)


def too_large(limit: int) -> Problem:
    """The problem of an answer that passes the limit."""
    return _broken("provider_answer_too_large", f"The provider's answer is larger than {limit:,} bytes.")


def _check(response: aiohttp.ClientResponse) -> None:
    encoding = response.headers.get("content-encoding", "identity")
    if encoding.strip().lower() not in ("", "identity"):
        raise _broken(
            "provider_compressed", "The provider sent a compressed answer although it was asked not to."
        )
    if not response.status >= HTTPStatus.OK or HTTPStatus.MULTIPLE_CHOICES <= response.status < 400:
        raise _broken(
            "provider_redirects",
            f"The provider answered {response.status}: its address (TOPROPE_PROVIDER_URL) is wrong.",
        )


def _broken(code: str, message: str) -> Problem:
    return Problem(HTTPStatus.BAD_GATEWAY, code, message, retry=False)


def _explain(error: Exception) -> Problem:
    """What the client is told; the log is told more, for addresses inside the house are not for everybody."""
    log.warning("the provider failed: %s: %s", type(error).__name__, error)
    if isinstance(error, TimeoutError):
        return Problem(
            HTTPStatus.GATEWAY_TIMEOUT, "provider_slow", "The provider did not answer in time.", retry=False
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return Problem(HTTPStatus.BAD_GATEWAY, "provider_unreachable", "The provider cannot be reached.")
    return Problem(HTTPStatus.BAD_GATEWAY, "provider_broke_off", "The provider broke off its answer.")
