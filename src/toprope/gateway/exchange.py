"""One exchange: a request that was let through, its answer, and the record of both.

Nothing of an answer leaves before the exchange is on record and the fence has confirmed the decision. An
answer in one piece leaves after its completion is on record too; a stream holds back its end until then.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import msgspec

from toprope.evidence.statement import (
    GATEWAY,
    Context,
    Object,
    ObjectType,
    Result,
    Statement,
    Verb,
    canonical,
)
from toprope.gateway.access import Holder, View
from toprope.gateway.forward import Answer, Headers, Provider, too_large
from toprope.gateway.protocol import ChatRequest, Problem, Usage, read_usage, refusal, unavailable
from toprope.gateway.record import Entry, Promise, Recorder, Tag, make_payload
from toprope.gateway.sse import Events, TooLargeError
from toprope.kit import clock
from toprope.kit.ids import derive_uuid7, uuid7
from toprope.policy.decision import Call, Decision, decide

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_LAST_WORD_SECONDS = 0.5
_DRAIN_SECONDS = 0.2


class Outcome(StrEnum):
    """How an exchange ended."""

    COMPLETED = "completed"
    CLIENT_GONE = "client_gone"
    CUT = "cut"  # by the gateway: no longer allowed, or no longer known to be
    PROVIDER_ERROR = "provider_error"
    WITHHELD = "withheld"  # the answer came, and was kept back because it could not be recorded


class StoppedError(Exception):
    """The exchange was stopped from outside; `problem` is what to tell the client, if there still is one."""

    def __init__(self, outcome: Outcome, problem: Problem | None) -> None:
        super().__init__(outcome)
        self.outcome, self.problem = outcome, problem


class Stop:
    """Lets another task stop what runs within this context: there, `StoppedError` is raised."""

    def __init__(self) -> None:
        self._why: StoppedError | None = None
        self._task: asyncio.Task[Any] | None = None

    def set(self, outcome: Outcome, problem: Problem | None = None) -> None:
        """Stop; the first reason stands."""
        if self._why is None:
            self._why = StoppedError(outcome, problem)
            if self._task is not None and self._task is not asyncio.current_task():
                self._task.cancel()

    def disarm(self) -> None:
        """From here on the exchange ends by itself."""
        self.check()
        self._task = None

    def check(self) -> None:
        """Raise here, if stopped."""
        if self._why is not None:
            raise self._why

    async def __aenter__(self) -> Self:
        self.check()
        self._task = asyncio.current_task()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if self._why is None or task is None or kind is not asyncio.CancelledError:
            return
        if task.uncancel() == 0:
            raise self._why from error


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, by whom, and what was decided."""

    key_hash: bytes
    holder: Holder
    request: ChatRequest
    call: Call
    decision: Decision
    headers: Headers
    body: bytes


class Exchange:
    """See above. One per request that was let through."""

    def __init__(self, asked: Asked, provider: Provider, recorder: Recorder, answer_limit: int) -> None:
        self.id = uuid7()
        self.key_hash = asked.key_hash
        self._asked, self._provider, self._recorder = asked, provider, recorder
        self._limit = answer_limit
        self._view: View | None = None
        self._stop = Stop()
        self._started_at = time.monotonic()
        self._forwarded = self._unrecorded = self._headers_sent = self._settled = False
        self._digest, self._bytes = hashlib.sha256(), 0
        self._status: int | None = None
        self._usage: Usage | None = None

    # What the watch tells.

    def consider(self, view: View | None) -> None:
        """Stop where `view`, or where None the last one, no longer allows the call."""
        self._view = view or self._view
        if self._view is not None and (problem := self._object(self._view)) is not None:
            self._stop.set(Outcome.CUT, problem)

    def mistrust(self) -> None:
        """Stop: what allowed the call can no longer be trusted."""
        self._stop.set(Outcome.CUT, unconfirmed())

    # The way of an exchange.

    async def run(self, receive: Receive, send: Send) -> None:
        """Forward the request, record, and send the answer."""
        started = self._recorder.submit(self._make_started(self.key_hash))
        started.add_done_callback(self._on_started)
        watcher = asyncio.create_task(self._watch_client(receive))
        try:
            async with self._stop:
                if not self._recorder.healthy:
                    await self._confirm(started)  # no prompt goes out for an answer that would be withheld
                await self._forward(send, started)
        except StoppedError as stopped:
            self._settle(stopped.outcome, stopped.problem)
            if stopped.problem is not None:
                await self._say(stopped.problem, send)
        except Problem as problem:
            self._settle(Outcome.PROVIDER_ERROR, problem)
            await self._say(problem, send)
        except OSError:  # some servers raise when the client is gone
            self._settle(Outcome.CLIENT_GONE)
        finally:
            self._settle(Outcome.CUT)
            watcher.cancel()

    async def _forward(self, send: Send, started: Promise) -> None:
        self._forwarded = True
        asked = self._asked
        async with self._provider.post("/chat/completions", asked.headers, asked.body) as answer:
            self._status = answer.status
            if answer.streamed and answer.status < HTTPStatus.BAD_REQUEST:
                await self._relay(answer, send, started)
            else:
                await self._deliver(answer, send, started)

    async def _deliver(self, answer: Answer, send: Send, started: Promise) -> None:
        """An answer in one piece."""
        body = await answer.read()
        await self._confirm(started)
        self._stop.disarm()
        self._count(body)
        failed = answer.status >= HTTPStatus.BAD_REQUEST
        self._usage = None if failed else read_usage(body)
        outcome = Outcome.PROVIDER_ERROR if failed else Outcome.COMPLETED
        if await self._recorder.submit(self._make_completed(outcome)) is None:
            raise StoppedError(Outcome.WITHHELD, unrecorded())
        self._settled = True
        length = (b"content-length", str(len(body)).encode())
        await self._send_start(send, answer.status, [*answer.headers, length])
        await send({"type": "http.response.body", "body": body})

    async def _relay(self, answer: Answer, send: Send, started: Promise) -> None:
        """A stream, event by event as it comes."""
        events = Events(self._limit)
        try:
            while not events.done and (chunk := await answer.read_chunk()) is not None:
                if whole := events.feed(chunk):
                    await self._open_stream(answer, send, started)
                    self._count(whole)
                    await send({"type": "http.response.body", "body": whole, "more_body": True})
            events.finish()
        except TooLargeError as error:
            raise too_large(self._limit) from error
        await self._open_stream(answer, send, started)
        self._stop.disarm()
        self._count(events.tail)
        self._usage = events.usage
        if await self._recorder.submit(self._make_completed(Outcome.COMPLETED)) is None:
            # All but the end has been delivered, so that is what goes on record once it can.
            self._settle(Outcome.COMPLETED)
            await self._say(unrecorded(), send)
            return
        self._settled = True
        await send({"type": "http.response.body", "body": events.tail})
        with suppress(Problem, TimeoutError):  # the end of the body, so that the connection can serve again
            async with asyncio.timeout(_DRAIN_SECONDS):
                while await answer.read_chunk() is not None:
                    pass

    async def _open_stream(self, answer: Answer, send: Send, started: Promise) -> None:
        if not self._headers_sent:
            await self._confirm(started)
            await self._send_start(send, answer.status, answer.headers)

    async def _confirm(self, started: Promise) -> None:
        """Wait until the exchange is on record and its fence has confirmed the decision."""
        await asyncio.shield(started)  # it goes on record whether this exchange waits for it or not
        self._on_started(started)
        self._stop.check()

    def _on_started(self, started: Promise) -> None:
        recorded = started.result()
        if recorded is not None:
            self.consider(recorded.view)
        elif not self._unrecorded:
            self._unrecorded = True
            if self._forwarded:  # the prompt has gone out: that belongs on record, late as it may be
                self._recorder.owe(self._make_started(None))
            else:
                self._settled = True
            self._stop.set(Outcome.WITHHELD, unrecorded())

    async def _watch_client(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._stop.set(Outcome.CLIENT_GONE)

    def _object(self, view: View) -> Problem | None:
        access = view.holder.access if view.holder is not None else None
        decision = decide(access, view.installation, self._asked.call, time.time())
        return None if decision.allowed else refusal(decision)

    # What is sent.

    async def _send_start(self, send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._headers_sent = True
        ours = (b"x-toprope-exchange", str(self.id).encode())
        await send({"type": "http.response.start", "status": status, "headers": [*headers, ours]})

    async def _say(self, problem: Problem, send: Send) -> None:
        """Tell the client of a problem, in the stream if it is open; not for long if nobody listens."""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(_LAST_WORD_SECONDS):
                if self._headers_sent:
                    await send({"type": "http.response.body", "body": problem.event})
                else:
                    await self._send_start(send, problem.status, problem.all_headers)
                    await send({"type": "http.response.body", "body": problem.body})

    def _count(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._bytes += len(piece)

    # What is recorded.

    def _settle(self, outcome: Outcome, problem: Problem | None = None) -> None:
        """Put the end on record, whenever that can be done; once."""
        if self._settled:
            return
        self._settled = True
        self._recorder.owe(self._make_completed(outcome, problem))

    def _make_started(self, fence: bytes | None) -> Entry:
        asked = self._asked
        detail = {
            "key": asked.key_hash.hex()[:12],
            "access": asked.holder.version,
            "rule": asked.decision.reasons[0].rule,
            "rung": asked.decision.rung,
            "supervision": asked.decision.supervision,
            "capability": asked.call.capability,
            "model": asked.call.model,
            "repository": asked.call.repository,
            "stream": asked.request.stream,
            "request": {"bytes": len(asked.body), "sha256": hashlib.sha256(asked.body).hexdigest()},
        }
        return Entry(self._payload(Tag.EXCHANGE_STARTED, detail), fence=fence)

    def _make_completed(self, outcome: Outcome, problem: Problem | None = None) -> Entry:
        detail: dict[str, Any] = {
            "outcome": outcome,
            "rung": self._asked.decision.rung,
            "status": self._status,
            "answer": {"bytes": self._bytes, "sha256": self._digest.hexdigest()},
            "milliseconds": round((time.monotonic() - self._started_at) * 1000),
        }
        if self._usage is not None:
            detail["usage"] = msgspec.to_builtins(self._usage)
        if problem is not None:
            detail["code"] = problem.code
        used = self._bytes > 0 and outcome in (Outcome.COMPLETED, Outcome.CLIENT_GONE, Outcome.CUT)
        statement = canonical(self._make_statement(outcome)) if used else ""
        return Entry(self._payload(Tag.EXCHANGE_COMPLETED, detail), statement=statement)

    def _make_statement(self, outcome: Outcome) -> Statement:
        """The person used the rung: evidence, for currency and for what the next rung asks."""
        asked = self._asked
        return Statement(
            id=derive_uuid7(self.id, "used"),
            actor=asked.holder.person,
            verb=Verb.USED,
            object=Object(ObjectType.RUNG, asked.decision.rung),
            timestamp=clock.now(),
            authority=GATEWAY,
            result=Result(
                detail={"exchange": str(self.id), "model": asked.call.model, "outcome": str(outcome)}
            ),
            context=Context(rung=asked.decision.rung),
        )

    def _payload(self, tag: Tag, detail: dict[str, Any]) -> str:
        return make_payload(tag, clock.now(), self._asked.holder.person, str(self.id), detail)


def unrecorded() -> Problem:
    """The answer is withheld."""
    return unavailable(
        "record_unavailable",
        "The answer is withheld, because the audit record cannot be written now. Try again soon.",
    )


def unconfirmed() -> Problem:
    """Nobody is let through."""
    return unavailable(
        "access_unconfirmed",
        "Toprope cannot look up now what you may use, so it lets nothing through. Try again soon.",
    )
