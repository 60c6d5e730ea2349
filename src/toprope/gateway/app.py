"""The gateway: a bare ASGI application under ``/v1``.

Alone: ``uvicorn --factory toprope.gateway.app:application``, as many as are needed. Beside other applications
in one server: call `Gateway.startup` and `Gateway.shutdown` where that server starts and stops, and route
``/v1`` here.
"""

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any

import msgspec

from toprope.gateway.access import Directory, Holder, View
from toprope.gateway.database import DatabaseGoneError, Link
from toprope.gateway.exchange import Asked, Exchange, Receive, Send, unconfirmed, unrecorded
from toprope.gateway.forward import Headers, Provider
from toprope.gateway.intake import Intake
from toprope.gateway.protocol import Problem, parse_chat, refusal, unavailable, unknown_key
from toprope.gateway.record import Entry, Recorder, Tag, make_payload
from toprope.gateway.refusals import Refusals
from toprope.gateway.settings import Settings, load_settings
from toprope.gateway.watch import Watch
from toprope.kit import clock
from toprope.kit.ids import uuid7
from toprope.kit.witness import Witness
from toprope.policy.capability import classify
from toprope.policy.decision import Call, Decision, decide, find_ceiling

log = logging.getLogger("toprope.gateway")

Scope = MutableMapping[str, Any]

_CHAT, _MODELS, _HEALTH = "/v1/chat/completions", "/v1/models", "/v1/health"
_KEY = re.compile(rb"(?i:bearer) +(tp_[0-9A-Za-z]{20,100})")
_REPOSITORY = re.compile(rb"[!-~]{1,200}")
_HEADERS, _HEADER_BYTES = 100, 65_536
_FLUSH_SECONDS = 5.0
_LOOK_UP_SECONDS = 3.0


class Gateway:
    """One gateway; see the module."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._parts: _Parts | None = None

    async def startup(self) -> None:
        """Connect and begin to watch. A database that is not there yet is no error: it is waited for."""
        self._parts = _Parts(self._settings)
        await self._parts.start()

    async def shutdown(self) -> None:
        """Put on record what is still waiting, and close every connection."""
        if self._parts is not None:
            await self._parts.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            try:
                await self._answer(scope, receive, send)
            except Problem as problem:
                await _tell(problem, send)
            except DatabaseGoneError:
                await _tell(unconfirmed(), send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.startup()
                except OSError as error:  # the witness's directory
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    raise
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.shutdown()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts = self._parts
        if parts is None:
            raise RuntimeError("the gateway was not started: await startup() first")
        path, method, headers = scope["path"], scope["method"], scope["headers"]
        if len(headers) > _HEADERS or sum(len(n) + len(v) for n, v in headers) > _HEADER_BYTES:
            raise Problem(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", "Too many headers."
            )
        if path == _HEALTH:
            _allow(method, "GET")
            await _send_health(parts, send)
        elif path == _CHAT:
            _allow(method, "POST")
            await _chat(parts, headers, receive, send)
        elif path == _MODELS or path.startswith(_MODELS + "/"):
            _allow(method, "GET")
            await _send_models(parts, headers, path[len(_MODELS) + 1 :], send)
        else:
            raise Problem(
                HTTPStatus.NOT_FOUND,
                "unknown_path",
                f"There is no {path!r} here. There are: POST {_CHAT}, GET {_MODELS},"
                f" GET {_MODELS}/{{id}}, GET {_HEALTH}.",
            )


class _Parts:
    """What a running gateway is made of."""

    def __init__(self, settings: Settings) -> None:
        url, limit = settings.database_url, settings.record_timeout
        self.settings = settings
        look_up, record = Link(url, "look-up", _LOOK_UP_SECONDS), Link(url, "record", limit)
        watch = Link(url, "watch", _LOOK_UP_SECONDS)
        self.directory = Directory(look_up)
        self.watch = Watch(watch, self.directory, settings.lease, others=(look_up, record))
        self.recorder = Recorder(record, self.directory, Witness(settings.home / "witness"))
        self.provider = Provider(settings)
        self.intake = Intake(settings)
        self.refusals = Refusals()
        self._flusher: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.recorder.start()
        await self.watch.start()
        self._flusher = asyncio.create_task(self._flush(), name="toprope gateway: refusals")

    async def stop(self) -> None:
        if self._flusher is not None:
            self._flusher.cancel()
        await self.watch.stop()
        self.refusals.flush(float("inf"))
        await self.recorder.stop()
        await self.directory.close()
        await self.provider.close()

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            self.refusals.flush(time.monotonic())


async def _chat(parts: _Parts, headers: Headers, receive: Receive, send: Send) -> None:
    key_hash = await _authenticate(parts, headers)
    repository = _read_repository(headers)
    if parts.watch.count >= parts.settings.open_limit:
        raise unavailable("too_many_calls", "Too many calls are under way here. Try again soon.")
    async with parts.intake.body(headers, receive) as body:
        if body is None:
            return
        request = parse_chat(body)
        capability = classify(request.shape)
        call = Call(capability.capability, request.model, repository, capability.because)
        holder, decision = await _decide(parts, key_hash, call)
        if not decision.allowed:
            await _record_refusal(parts, key_hash, holder, call, decision)
            raise refusal(decision)
        asked = Asked(key_hash, holder, request, call, decision, headers, body)
        exchange = Exchange(asked, parts.provider, parts.recorder, parts.settings.answer_limit)
        parts.watch.add(exchange)
        try:
            await exchange.run(receive, send)
        finally:
            parts.watch.remove(exchange)


async def _authenticate(parts: _Parts, headers: Headers) -> bytes:
    """The hash of the caller's key, which somebody holds. Keys themselves are never kept or logged."""
    given = [value for name, value in headers if name == b"authorization"]
    found = _KEY.fullmatch(given[0]) if len(given) == 1 else None
    keys_page = f"{parts.settings.base_url}/keys/"
    if found is None:
        raise unknown_key(keys_page)
    if not parts.watch.trusted:
        raise unconfirmed()
    key_hash = hashlib.sha256(found[1]).digest()
    if (await parts.directory.look_up(key_hash)).holder is None:
        raise unknown_key(keys_page)
    return key_hash


async def _decide(parts: _Parts, key_hash: bytes, call: Call) -> tuple[Holder, Decision]:
    """Decide on the copy; a refusal only on a fresh look: what was missing may have been earned just now."""
    was_cached = parts.directory.cached(key_hash) is not None
    view = await parts.directory.look_up(key_hash)
    decision = _decide_on(view, call)
    if not decision.allowed and was_cached:
        view = await parts.directory.look_up(key_hash, fresh=True)
        decision = _decide_on(view, call)
    if view.holder is None:
        raise refusal(decision)
    return view.holder, decision


def _decide_on(view: View, call: Call) -> Decision:
    access = view.holder.access if view.holder is not None else None
    return decide(access, view.installation, call, time.time())


async def _record_refusal(
    parts: _Parts, key_hash: bytes, holder: Holder, call: Call, decision: Decision
) -> None:
    rules = tuple(reason.rule for reason in decision.reasons)

    def make_entry(repeated: int) -> Entry:
        detail = {
            "key": key_hash.hex()[:12],
            "rules": rules,
            "rung": decision.rung,
            "capability": call.capability,
            "model": call.model,
            "repository": call.repository,
            "repeated": repeated,
        }
        at, subject = clock.now(), str(uuid7())
        return Entry(make_payload(Tag.EXCHANGE_REFUSED, at, holder.person, subject, detail))

    same = (key_hash, rules, call.capability, call.model, call.repository)
    now = time.monotonic()
    if not parts.refusals.is_new(same, now, lambda count: parts.recorder.owe(make_entry(count))):
        return
    if await parts.recorder.submit(make_entry(0)) is None:
        raise unrecorded()


def _read_repository(headers: Headers) -> str:
    given = [value for name, value in headers if name == b"x-toprope-repository"]
    if not given:
        return ""
    if len(given) > 1 or not _REPOSITORY.fullmatch(given[0]):
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "malformed_repository",
            "The header x-toprope-repository names one repository, in 1 to 200 visible ASCII characters.",
        )
    return given[0].decode()


class _Models(msgspec.Struct):
    data: list[dict[str, Any]]


async def _send_models(parts: _Parts, headers: Headers, wanted: str, send: Send) -> None:
    """The provider's models, as far as this installation admits them."""
    key_hash = await _authenticate(parts, headers)
    tools = (await parts.directory.look_up(key_hash)).installation.tools
    async with parts.provider.get("/models") as answer:
        body = await answer.read()
        if answer.status != HTTPStatus.OK:
            await _respond(send, answer.status, answer.headers, body)
            return
    try:
        listed = msgspec.json.decode(body, type=_Models).data
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        message = "The provider's list of models cannot be read."
        raise Problem(HTTPStatus.BAD_GATEWAY, "provider_malformed", message, retry=False) from error
    admitted = [model for model in listed if find_ceiling(tools, str(model.get("id", ""))) is not None]
    if not wanted:
        await _send_json(send, HTTPStatus.OK, {"object": "list", "data": admitted})
        return
    for model in admitted:
        if model["id"] == wanted:
            await _send_json(send, HTTPStatus.OK, model)
            return
    message = f"The model {wanted[:200]!r} does not exist here, or is not admitted."
    raise Problem(HTTPStatus.NOT_FOUND, "model_not_found", message, param="model")


async def _send_health(parts: _Parts, send: Send) -> None:
    trusted = parts.watch.trusted
    document = {"status": "ok" if trusted else "unavailable", "database": trusted, "open": parts.watch.count}
    await _send_json(send, HTTPStatus.OK if trusted else HTTPStatus.SERVICE_UNAVAILABLE, document)


def _allow(method: str, allowed: str) -> None:
    if method != allowed:
        raise Problem(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method_not_allowed",
            f"{method[:20]} does not work here; use {allowed}.",
            headers=((b"allow", allowed.encode()),),
        )


async def _tell(problem: Problem, send: Send) -> None:
    await _respond(send, problem.status, problem.all_headers, problem.body)


async def _send_json(send: Send, status: int, document: Any) -> None:
    body = msgspec.json.encode(document)
    await _respond(send, status, [(b"content-type", b"application/json")], body)


async def _respond(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    if not any(name == b"content-length" for name, _ in headers):
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def create_app(settings: Settings) -> Gateway:
    """A gateway with these settings."""
    return Gateway(settings)


def application() -> Gateway:
    """A gateway with the environment's settings, for ``uvicorn --factory``."""
    return create_app(load_settings())
