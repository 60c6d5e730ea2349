"""OpenAI's shapes: what a chat request must look like to be decided on, and how errors are told.

The body goes to the provider unchanged, so it must mean the same to the provider as it did here. Parsers
differ on what a field named twice means, on upper and lower case in names, and on odd characters in them; a
request that leaves such a choice open is refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

import msgspec

from toprope.policy.capability import CHAT_COMPLETIONS, Shape
from toprope.policy.decision import Decision, Rule

_NAME = re.compile(r"[A-Za-z0-9_.$-]{1,100}")
_MODEL = re.compile(r"[!-~]{1,200}")
_EMPTY = frozenset({b"null", b"false", b"[]", b"{}", b'""', b'"none"'})
_LONGEST_EMPTY = max(map(len, _EMPTY))
_MAX_NAMES = 100_000  # in one request; bounds the memory that 8 MiB of tiny objects would take
_DECIDING = frozenset({"model", "messages", "stream", "role"})


class Problem(Exception):  # noqa: N818 - the word for what a client is told; most are no errors of ours
    """An answer in OpenAI's error shape. `retry` sets ``x-should-retry``, which OpenAI's clients obey."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry: bool | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param, self.retry = status, code, message, param, retry
        self.headers = headers

    @property
    def body(self) -> bytes:
        """The error as JSON."""
        kind = "invalid_request_error" if self.status < HTTPStatus.INTERNAL_SERVER_ERROR else "api_error"
        return msgspec.json.encode(
            {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}
        )

    @property
    def all_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of the error."""
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self.body)).encode()),
            *self.headers,
        ]
        if self.retry is not None:
            headers.append((b"x-should-retry", b"true" if self.retry else b"false"))
        return headers

    @property
    def event(self) -> bytes:
        """The error as an event of a stream that is open already."""
        return b"data: " + self.body + b"\n\n"


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat request, as far as the gateway looks at it."""

    model: str
    stream: bool
    shape: Shape


_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Usage(msgspec.Struct, frozen=True):
    """Tokens as the provider counted them."""

    prompt_tokens: _Count = 0
    completion_tokens: _Count = 0
    total_tokens: _Count = 0


class _WithUsage(msgspec.Struct):
    usage: Usage | None = None


class _Name:
    """The name of a field. Compared by identity, so that a dict keeps both of two equal names."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_Fields = dict[_Name, msgspec.Raw]
_Message = Annotated[_Fields, msgspec.Meta(min_length=1)]


def _make_name(_: type, text: str) -> _Name:
    """Called by msgspec for each name. Requests are parsed one at a time, so one counter serves all."""
    _names.left -= 1
    if _names.left < 0:
        raise _malformed(f"The request has more than {_MAX_NAMES:,} fields in its messages.")
    return _Name(text)


class _Names:
    left = 0


_names = _Names()
_object = msgspec.json.Decoder(_Fields, dec_hook=_make_name)
_messages = msgspec.json.Decoder(list[_Message], dec_hook=_make_name)
_text = msgspec.json.Decoder(str)
_switch = msgspec.json.Decoder(bool | None)
_usage = msgspec.json.Decoder(_WithUsage)


def parse_chat(body: bytes) -> ChatRequest:
    """What `body` asks for. Raises `Problem` for what is no chat request or could be read in two ways."""
    _names.left = _MAX_NAMES
    try:
        body.decode()  # values are skipped below, not read; whoever reads them must not meet surprises
        fields = _unique(_object.decode(body), "the request")
        model, stream = _read_model(fields), _read_stream(fields)
        roles, message_fields = _read_messages(fields)
    except UnicodeDecodeError as error:
        raise _malformed(f"The request is not valid UTF-8 (byte {error.start}).") from error
    except RecursionError as error:
        raise _malformed("The request is nested too deeply.") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise _malformed(f"The request is not the JSON of a chat completion: {error}.") from error
    held = frozenset(_holding(fields))
    return ChatRequest(model, stream, Shape(CHAT_COMPLETIONS, held, roles, message_fields))


def read_usage(document: bytes | bytearray | memoryview) -> Usage | None:
    """The tokens that a completion, or a chunk of one, says it used; None where it does not say."""
    try:
        return _usage.decode(document).usage
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None


def _read_model(fields: dict[str, msgspec.Raw]) -> str:
    if "model" not in fields:
        raise _malformed("The request names no model.", "model")
    for name in fields:
        if name != "model" and ("model" in name or "fallback" in name):
            raise _malformed(
                f"The field {name!r} could name another model than 'model' does; leave it out.", name
            )
    try:
        model = _text.decode(fields["model"])
    except msgspec.ValidationError as error:
        raise _malformed("'model' must be a string.", "model") from error
    if not _MODEL.fullmatch(model):
        raise _malformed("'model' must be 1 to 200 visible ASCII characters.", "model")
    return model


def _read_stream(fields: dict[str, msgspec.Raw]) -> bool:
    try:
        return bool(_switch.decode(fields.get("stream", b"false")))
    except msgspec.ValidationError as error:
        raise _malformed("'stream' must be true or false.", "stream") from error


def _read_messages(fields: dict[str, msgspec.Raw]) -> tuple[frozenset[str], frozenset[str]]:
    if "messages" not in fields:
        raise _malformed("The request has no messages.", "messages")
    roles: set[str] = set()
    held: set[str] = set()
    try:
        for number, message in enumerate(_messages.decode(fields["messages"])):
            parts = _unique(message, f"messages[{number}]")
            roles.add(_text.decode(parts.get("role", b"null")))
            held.update(_holding(parts))
    except msgspec.ValidationError as error:
        raise _malformed(
            "'messages' must be a list of objects, each with a 'role' that is a string.", "messages"
        ) from error
    return frozenset(roles), frozenset(held)


def _holding(fields: dict[str, msgspec.Raw]) -> Iterator[str]:
    """The names of the fields that hold something."""
    for name, value in fields.items():
        view = memoryview(value)
        if len(view) > _LONGEST_EMPTY or bytes(view) not in _EMPTY:
            yield name


def _unique(fields: _Fields, place: str) -> dict[str, msgspec.Raw]:
    """The fields by name, where every parser reads the same names whatever it does about case and repeats."""
    seen: dict[str, msgspec.Raw] = {}
    for name, value in fields.items():
        if not _NAME.fullmatch(name.text):
            raise _malformed(f"{place} has a field with an odd name: {name.text[:40]!r}.")
        lower = name.text.lower()
        if lower in seen:
            raise _malformed(
                f"{place} has the field {name.text!r} more than once.", name.text, "duplicate_field"
            )
        if lower != name.text and lower in _DECIDING:
            raise _malformed(f"{place} has a field {name.text!r}; write it {lower!r}.", name.text)
        seen[lower] = value
    return seen


def _malformed(message: str, param: str | None = None, code: str = "malformed_request") -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, code, message, param=param)


def unavailable(code: str, message: str, *, retry: bool = True) -> Problem:
    """A 503: the gateway itself cannot serve now."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, code, message, retry=retry)


def refusal(decision: Decision) -> Problem:
    """What a client is told that may not: 400, because real clients show its message and do not try again."""
    links = " ".join(dict.fromkeys(reason.link for reason in decision.reasons))
    rules = ", ".join(dict.fromkeys(reason.rule for reason in decision.reasons))
    said = " ".join(reason.message for reason in decision.reasons)
    first = decision.reasons[0].rule
    if first is Rule.PERSON_UNKNOWN:
        return unknown_key(links)
    message = f"Toprope did not let this call through. {said} (Rule: {rules}.) What to do: {links}"
    return Problem(HTTPStatus.BAD_REQUEST, first, message)


def unknown_key(link: str) -> Problem:
    """What a client is told whose key nobody holds."""
    message = (
        "This is no key of Toprope, or not any more. Send yours as 'Authorization: Bearer tp_...'."
        f" Keys are made here: {link}"
    )
    return Problem(
        HTTPStatus.UNAUTHORIZED, "invalid_api_key", message, headers=((b"www-authenticate", b"Bearer"),)
    )
