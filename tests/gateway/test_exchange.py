"""What happens between the first byte and the last: streams, broken providers, clients that leave."""

import asyncio
import gzip
import http.client
import json
import socket
import threading

import openai
import pytest

START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream; charset=utf-8")],
}


def event(text):
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return f"data: {json.dumps({'id': 'c', 'choices': [choice]})}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def piece(body, more_body=True):
    return {"type": "http.response.body", "body": body, "more_body": more_body}


def plays(*pieces, end=True):
    """A stream of these pieces, with or without a proper end."""

    async def script(send):
        await send(START)
        for one in pieces:
            await send(piece(one))
        if not end:
            raise ConnectionAbortedError("the test's provider breaks off")
        await send(piece(b"", more_body=False))

    return script


def answers(status, body, *headers):
    async def script(send):
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send(piece(body, more_body=False))

    return script


async def never(_send):
    await asyncio.Event().wait()


JSON = (b"content-type", b"application/json")


class Raw:
    """A streamed call, byte by byte."""

    def __init__(self, world, person, model):
        self._link = http.client.HTTPConnection("127.0.0.1", world.port, timeout=10)
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "x"}], "stream": True})
        headers = {"authorization": f"Bearer {person.key}", "content-type": "application/json"}
        self._link.request("POST", "/v1/chat/completions", body, headers)
        self.response = self._link.getresponse()

    def read_event(self):
        lines = []
        while (line := self.response.readline()) not in (b"", b"\n"):
            lines.append(line)
        return b"".join(lines)

    def read(self):
        content = self.response.read()
        self._link.close()
        return content

    def leave(self):
        self._link.sock.shutdown(socket.SHUT_RDWR)
        self.response.close()
        self._link.close()


def test_events_come_as_they_are_made_not_when_the_stream_ends(world):
    person = world.add_person("R1")
    go_on = threading.Event()

    async def script(send):
        await send(START)
        await send(piece(event("first")))
        await asyncio.to_thread(go_on.wait, 10)
        await send(piece(event("second") + DONE, more_body=False))

    call = Raw(world, person, world.upstream.script(script))
    assert b"first" in call.read_event()
    assert world.tags(person) == ["exchange.started"]
    go_on.set()
    assert b"second" in call.read_event()
    assert call.read() == DONE
    assert world.tags(person) == ["exchange.started", "statement.recorded", "exchange.completed"]


@pytest.mark.parametrize(
    "pieces",
    [
        [event("one"), event("two"), DONE],
        [event("one") + event("two") + DONE],
        [bytes([byte]) for byte in event("é") + DONE],
        [event("one"), b": a comment\n\n", b"event: odd\ndata: 1\n\n", DONE],
        [event("one").replace(b"\n", b"\r\n"), DONE.replace(b"\n", b"\r\n")],
        [event("without an end")],
        [event("one"), b"data: [DONE]"],
        [b""],
        [DONE],
    ],
)
def test_a_stream_arrives_byte_for_byte(world, pieces):
    person = world.add_person("R1")
    call = Raw(world, person, world.upstream.script(plays(*pieces)))
    whole = b"".join(pieces)
    assert call.read() == whole
    detail = world.completed(person)
    assert (detail["outcome"], detail["answer"]["bytes"]) == ("completed", len(whole))


def test_a_stream_that_breaks_off_ends_with_an_error_that_the_client_raises(world):
    person = world.add_person("R1")
    model = world.upstream.script(plays(event("first"), event("half")[:10], end=False))
    with world.client(person) as client:
        stream = iter(client.chat.completions.create(model=model, messages=[], stream=True))
        assert next(stream).choices[0].delta.content == "first"
        with pytest.raises(openai.APIError, match="broke off"):
            next(stream)
    detail = world.completed(person)
    assert (detail["outcome"], detail["code"]) == ("provider_error", "provider_broke_off")
    assert detail["answer"]["bytes"] == len(event("first"))
    assert world.uses(person) == []


@pytest.mark.django_db
def test_a_provider_that_falls_silent(run_gateway):
    with run_gateway(provider_timeout=0.3) as hasty:
        hasty.publish_installation()
        person, other = hasty.add_person("R1"), hasty.add_person("R1")
        body = json.dumps({"model": hasty.upstream.script(never), "messages": []}).encode()
        status, headers, document = hasty.post(person, body)
        assert (status, document["error"]["code"]) == (504, "provider_slow")
        assert headers["x-should-retry"] == "false"
        assert hasty.completed(person)["outcome"] == "provider_error"
        check_silence_in_a_stream(hasty, other)


def check_silence_in_a_stream(world, person):
    async def script(send):
        await send(START)
        await send(piece(event("first")))
        await never(send)

    call = Raw(world, person, world.upstream.script(script))
    content = call.read()
    assert content.startswith(event("first"))
    assert json.loads(content[len(event("first")) + 6 :])["error"]["code"] == "provider_slow"
    assert world.completed(person)["outcome"] == "provider_error"


@pytest.mark.parametrize(
    ("script", "status", "code", "retry"),
    [
        (plays(b"data: " + b"x" * 100, end=False), 502, "provider_broke_off", None),
        (answers(302, b"", (b"location", b"http://127.0.0.1/elsewhere")), 502, "provider_redirects", "false"),
        (
            answers(200, gzip.compress(b"{}"), JSON, (b"content-encoding", b"gzip")),
            502,
            "provider_compressed",
            "false",
        ),
    ],
)
def test_a_provider_that_fails(world, script, status, code, retry):
    person = world.add_person("R1")
    body = json.dumps({"model": world.upstream.script(script), "messages": [], "stream": True}).encode()
    found, headers, document = world.post(person, body)
    assert (found, document["error"]["code"], document["error"]["type"]) == (status, code, "api_error")
    assert headers.get("x-should-retry") == retry
    detail = world.completed(person)
    assert (detail["outcome"], detail["code"]) == ("provider_error", code)
    assert world.uses(person) == []


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 529])
def test_the_providers_own_errors_pass_through(world, status):
    person = world.add_person("R1")
    told = json.dumps({"error": {"message": "the provider says no", "code": "own"}}).encode()
    script = answers(status, told, JSON, (b"retry-after", b"7"), (b"x-should-retry", b"false"))
    with pytest.raises(openai.APIStatusError, match="the provider says no") as raised:
        world.chat(person, model=world.upstream.script(script))
    assert raised.value.status_code == status
    assert raised.value.response.headers["retry-after"] == "7"
    detail = world.completed(person)
    assert (detail["outcome"], detail["status"]) == ("provider_error", status)
    assert world.uses(person) == []


@pytest.mark.django_db
def test_a_provider_that_is_not_there(run_gateway):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with run_gateway(provider_url=f"http://127.0.0.1:{port}/v1") as alone:
        alone.publish_installation()
        person = alone.add_person("R1")
        with pytest.raises(openai.InternalServerError, match="cannot be reached") as raised:
            alone.chat(person)
        assert raised.value.status_code == 502
        with alone.client(person) as client, pytest.raises(openai.InternalServerError):
            client.models.list()
        assert alone.completed(person)["code"] == "provider_unreachable"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort", b"\x00\x01garbage\r\n\r\n"]
)
def test_a_provider_that_does_not_speak_http_properly(run_gateway, said):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            link, _ = listener.accept()
            with link:
                link.recv(65_536)
                link.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        with run_gateway(provider_url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1") as alone:
            alone.publish_installation()
            person = alone.add_person("R1")
            with pytest.raises(openai.InternalServerError, match="broke off") as raised:
                alone.chat(person)
            assert raised.value.status_code == 502
            assert alone.completed(person)["outcome"] == "provider_error"
        thread.join()


@pytest.mark.django_db
def test_an_answer_without_bounds_is_cut(run_gateway):
    with run_gateway(answer_limit=100_000) as small:
        small.publish_installation()
        person, other = small.add_person("R1"), small.add_person("R1")
        with pytest.raises(openai.InternalServerError, match="larger than 100,000 bytes"):
            small.chat(person, model=small.upstream.script(answers(200, b"x" * 200_000, JSON)))
        assert small.completed(person)["code"] == "provider_answer_too_large"
        endless = small.upstream.script(plays(event("first"), b"data: " + b"x" * 200_000))
        content = Raw(small, other, endless).read()
        assert content.startswith(event("first"))
        assert json.loads(content[len(event("first")) + 6 :])["error"]["code"] == "provider_answer_too_large"


def test_a_long_stream_is_no_trouble(world):
    person = world.add_person("R1")
    pieces = [event(f"{number} " + "x" * 1000) for number in range(5000)]
    assert Raw(world, person, world.upstream.script(plays(*pieces, DONE))).read() == b"".join(pieces) + DONE


@pytest.mark.parametrize("after", ["head", "first event"])
def test_a_client_that_leaves_cancels_the_provider(world, after):
    person = world.add_person("R1")

    async def script(send):
        if after == "first event":
            await send(START)
            await send(piece(event("first")))
        await never(send)

    model = world.upstream.script(script)
    if after == "first event":
        call = Raw(world, person, model)
        call.read_event()
        call.leave()
    else:
        with socket.create_connection(("127.0.0.1", world.port)) as link:
            body = json.dumps({"model": model, "messages": []})
            lines = ("POST /v1/chat/completions HTTP/1.1", "host: x", f"authorization: Bearer {person.key}")
            link.sendall("\r\n".join([*lines, f"content-length: {len(body)}", "", body]).encode())
            world.wait_until(lambda: world.upstream.bodies(model))
    world.wait_until(lambda: f"{model} cancelled" in world.upstream.ended)
    detail = world.completed(person)
    assert detail["outcome"] == "client_gone"
    assert len(world.uses(person)) == (after == "first event")


def test_many_at_once_get_each_their_own(world):
    person = world.add_person("R1")
    answers_ = {}

    def call(number):
        answers_[number] = world.chat(person, text=f"number {number}").choices[0].message.content

    threads = [threading.Thread(target=call, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: text.split(": ")[1] for number, text in answers_.items()} == {
        number: f"number {number}" for number in range(24)
    }
    assert world.tags(person).count("exchange.completed") == 24
    assert len(world.uses(person)) == 24
