"""A grant taken away stops the next call at once, and open streams within a second."""

import asyncio
import json
import threading
import time

import openai
import psycopg
import pytest

from toprope.policy.access import Grant, GrantState

START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream; charset=utf-8")],
}
CHUNK = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]}\n\n'


async def talks_on(send):
    """For much longer than any test may take to stop it."""
    await send(START)
    for _ in range(1000):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b""})


async def thinks_for_ever(_send):
    await asyncio.Event().wait()


def open_stream(client, model):
    stream = client.chat.completions.create(model=model, messages=[], stream=True)
    next(iter(stream))
    return stream


TAKE_AWAY = {
    "grant.suspended": lambda world, person: world.suspend(person),
    "grant.missing": lambda world, person: world.publish(person),
    "invalid_api_key": lambda world, person: world.revoke_key(person),
    "rung.on_hold": lambda world, _: world.hold("R1"),
    "tool.ceiling": lambda world, _: world.publish_installation(tools={"*": "R0"}),
}


@pytest.mark.parametrize("code", TAKE_AWAY)
def test_the_next_call_is_refused(world, code):
    person = world.add_person("R1")
    world.chat(person)
    TAKE_AWAY[code](world, person)
    with pytest.raises((openai.BadRequestError, openai.AuthenticationError)) as refused:
        world.chat(person)
    assert refused.value.code == code


@pytest.mark.parametrize("code", TAKE_AWAY)
def test_an_open_stream_is_cut_within_a_second_and_says_why(world, code):
    person = world.add_person("R1")
    model = world.upstream.script(talks_on)
    with world.client(person) as client:
        stream = open_stream(client, model)
        before = time.monotonic()
        TAKE_AWAY[code](world, person)
        with pytest.raises(openai.APIError) as cut:
            list(stream)
        assert time.monotonic() - before < 1
    assert cut.value.code == code
    detail = world.completed(person)
    assert (detail["outcome"], detail["code"]) == ("cut", code)
    world.wait_until(lambda: f"{model} cancelled" in world.upstream.ended)


def test_a_call_the_provider_still_thinks_about_is_refused_within_a_second(world):
    person = world.add_person("R1")
    model = world.upstream.script(thinks_for_ever)
    found = []

    def call():
        try:
            world.chat(person, model=model)
        except openai.BadRequestError as error:
            found.append(error.code)

    thread = threading.Thread(target=call)
    thread.start()
    world.wait_until(lambda: world.upstream.bodies(model))
    before = time.monotonic()
    world.suspend(person)
    thread.join()
    assert time.monotonic() - before < 1
    assert found == ["grant.suspended"]
    assert world.completed(person)["outcome"] == "cut"


def test_other_peoples_streams_go_on(world):
    person, other = world.add_person("R1"), world.add_person("R1")
    model = world.upstream.script(talks_on)
    with world.client(person) as client, world.client(other) as other_client:
        mine, theirs = open_stream(client, model), open_stream(other_client, model)
        world.suspend(person)
        with pytest.raises(openai.APIError):
            list(mine)
        for _ in range(20):
            next(iter(theirs))


def test_a_change_that_takes_nothing_away_cuts_nothing(world):
    person = world.add_person("R1")
    with world.client(person) as client:
        stream = open_stream(client, world.upstream.script(talks_on))
        world.publish(person, "R0", "R1", "R4")
        world.publish_installation(tools={"*": "R4"})
        for _ in range(100):
            next(iter(stream))


def test_a_grant_that_expires_cuts_its_streams(world):
    person = world.add_person("R1")
    with world.client(person) as client:
        stream = open_stream(client, world.upstream.script(talks_on))
        soon = time.time() + 0.4
        world.publish(person, grants=(Grant("R1", GrantState.ACTIVE, "S4", soon),))
        with pytest.raises(openai.APIError) as cut:
            list(stream)
        assert soon <= time.time() < soon + 1
    assert cut.value.code == "grant.expired"


def test_a_change_nobody_was_told_of_is_found_by_looking(world):
    person = world.add_person("R1")
    with world.client(person) as client:
        stream = open_stream(client, world.upstream.script(talks_on))
        before = time.monotonic()
        world.sql("DELETE FROM gateway_access WHERE key_hash = %s", person.hash)
        with pytest.raises(openai.APIError):
            list(stream)
        assert time.monotonic() - before < 1
        with pytest.raises(openai.AuthenticationError):
            world.chat(person)


def test_a_revocation_that_waits_for_the_record_is_obeyed_by_the_exchange_behind_it(world):
    """The fence: the copy still allows, the upstream has answered, but the revocation commits first."""
    person = world.add_person("R1")
    world.chat(person)
    answered = threading.Event()

    async def script(send):
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"secret":1}'})
        answered.set()

    model = world.upstream.script(script)
    found = []
    entry = {
        "at": "2026-11-23T12:00:00+00:00",
        "tag": "grant.changed",
        "actor": "test",
        "subject": "x",
        "detail": {},
    }
    with psycopg.connect(world.settings.database_url) as revoking:
        revoking.execute("SELECT audit_append(%s)", (json.dumps(entry),))
        body = json.dumps({"model": model, "messages": []}).encode()
        thread = threading.Thread(target=lambda: found.append(world.post(person, body)))
        thread.start()
        assert answered.wait(10)
        waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        world.wait_until(lambda: world.sql(waiting))
        assert found == []
        # No notification: only the fence can know.
        revoking.execute("DELETE FROM gateway_access WHERE key_hash = %s", (person.hash,))
    thread.join()
    ((status, _, document),) = found
    assert (status, document["error"]["code"]) == (401, "invalid_api_key")
    world.wait_until(lambda: world.tags(person)[3:] == ["exchange.started", "exchange.completed"])
    assert world.entries(person)[-1]["detail"]["outcome"] == "cut"
