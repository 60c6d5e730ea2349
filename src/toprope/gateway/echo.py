"""The echo provider: speaks OpenAI's chat protocol, and says that it is no model.

For trying Toprope out, and for tests: it answers with what it was sent. Tokens are counted in words, and it
says so. It is a bare ASGI application.
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

import msgspec
import uvicorn

from toprope.gateway.protocol import Problem
from toprope.kit.ids import uuid7

MODEL = "echo"
PREAMBLE = "This is Toprope's echo provider, not a model. You wrote: "

_LIMIT = 16 * 1024 * 1024

_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class _Part(msgspec.Struct):
    type: str = ""
    text: str = ""


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Request(msgspec.Struct):
    model: str
    messages: list[_Message]
    stream: bool | None = False
    stream_options: _StreamOptions | None = None


async def app(scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
    """The application."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await send({"type": "websocket.close"})
    else:
        try:
            await _answer(scope, receive, send)
        except Problem as problem:
            await _respond(send, problem.status, problem.body)


def run(host: str, port: int) -> None:
    """Serve until stopped."""
    uvicorn.run(app, host=host, port=port, log_level="warning")


async def _answer(scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
    asked = (scope["method"], scope["path"])
    described = {"id": MODEL, "object": "model", "created": 0, "owned_by": "toprope"}
    if asked == ("GET", "/v1/models"):
        await _respond(send, 200, msgspec.json.encode({"object": "list", "data": [described]}))
    elif asked == ("GET", f"/v1/models/{MODEL}"):
        await _respond(send, 200, msgspec.json.encode(described))
    elif asked == ("POST", "/v1/chat/completions"):
        request = await _read(receive)
        if request.stream:
            await _stream(request, send)
        else:
            await _respond(send, 200, msgspec.json.encode(_complete(request)))
    else:
        message = "The echo provider has POST /v1/chat/completions and GET /v1/models only."
        raise Problem(HTTPStatus.NOT_FOUND, "unknown_path", message)


async def _read(receive: _Receive) -> _Request:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _LIMIT:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_too_large", "The request is too large."
            )
    try:
        return msgspec.json.decode(body, type=_Request)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "malformed_request", f"Not a chat request: {error}") from error


def _text(message: _Message) -> str:
    content = message.content
    return content if isinstance(content, str) else "".join(part.text for part in content or [])


def _reply(request: _Request) -> str:
    """The preamble, and the last thing that a user wrote."""
    written = [_text(message) for message in request.messages if message.role == "user"]
    return PREAMBLE + (written[-1] if written else "")


def _usage(request: _Request, reply: str) -> dict[str, Any]:
    asked = sum(len(_text(message).split()) for message in request.messages)
    told = len(reply.split())
    return {
        "prompt_tokens": asked,
        "completion_tokens": told,
        "total_tokens": asked + told,
        "counted_in": "words",
    }


def _head(request: _Request, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid7()}", "object": kind, "created": int(time.time()), "model": request.model}


def _complete(request: _Request) -> dict[str, Any]:
    reply = _reply(request)
    message = {"role": "assistant", "content": reply}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {**_head(request, "chat.completion"), "choices": [choice], "usage": _usage(request, reply)}


async def _stream(request: _Request, send: _Send) -> None:
    """Word by word, each in a piece of its own."""
    head = _head(request, "chat.completion.chunk")
    reply = _reply(request)

    async def put(document: dict[str, Any]) -> None:
        body = b"data: " + msgspec.json.encode({**head, **document}) + b"\n\n"
        await send({"type": "http.response.body", "body": body, "more_body": True})

    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for number, word in enumerate(reply.split(" ")):
        delta = {"content": f" {word}"} if number else {"role": "assistant", "content": word}
        await put({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    await put({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if request.stream_options is not None and request.stream_options.include_usage:
        await put({"choices": [], "usage": _usage(request, reply)})
    await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def _respond(send: _Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
