"""Who gets in, with the real client of OpenAI; what everybody else is told."""

import hashlib
import http.client
import json
import logging
import socket
import time
from contextlib import closing

import openai
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from toprope.policy.access import Grant, GrantState

CHAT = "/v1/chat/completions"
TOOL = {"type": "function", "function": {"name": "shell", "parameters": {"type": "object", "properties": {}}}}


def refused(world, person, **call):
    with pytest.raises(openai.BadRequestError) as raised:
        world.chat(person, **call)
    return raised.value


def test_without_a_grant_the_call_is_refused_with_what_is_missing_and_where_to_get_it(world):
    person = world.add_person(R1="level 1 in SEC-01")
    error = refused(world, person, model="never-forwarded")
    assert (error.code, error.type) == ("grant.missing", "invalid_request_error")
    assert "R1 (Chat without code context) is not open for you yet. Missing: level 1 in SEC-01." in str(error)
    assert "https://toprope.example/ladder/R1/" in str(error)
    assert world.upstream.bodies("never-forwarded") == []
    (entry,) = world.entries(person)
    assert entry["tag"] == "exchange.refused"
    assert entry["detail"]["rules"] == ["grant.missing"]
    assert entry["detail"]["model"] == "never-forwarded"


def test_with_a_grant_the_answer_passes_and_is_on_record(world):
    person = world.add_person("R1")
    answer = world.chat(person, text="hello there")
    assert answer.choices[0].message.content == (
        "This is Toprope's echo provider, not a model. You wrote: hello there"
    )
    started, recorded, completed = world.entries(person)
    assert started["tag"] == "exchange.started"
    assert started["detail"] | {"request": None, "access": None} == {
        "key": person.hash.hex()[:12],
        "access": None,
        "rule": "grant.active",
        "rung": "R1",
        "supervision": "S4",
        "capability": "chat",
        "model": "echo",
        "repository": "",
        "stream": False,
        "request": None,
    }
    body = world.upstream.bodies("echo")[-1]
    assert started["detail"]["request"] == {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    assert (recorded["tag"], recorded["subject"]) == ("statement.recorded", world.uses(person)[0]["id"])
    assert (completed["tag"], completed["subject"]) == ("exchange.completed", started["subject"])
    assert completed["detail"]["outcome"] == "completed"
    assert completed["detail"]["status"] == 200
    assert completed["detail"]["usage"] == {"prompt_tokens": 2, "completion_tokens": 12, "total_tokens": 14}
    (use,) = world.uses(person)
    assert (use["verb"], use["object"]["key"], use["authority"]) == ("used", "R1", "gateway")
    assert use["result"]["detail"]["exchange"] == started["subject"]


def test_the_answers_bytes_and_their_digest_are_the_providers(world):
    person = world.add_person("R1")
    raw = b'{"id":"x",  "choices":[],"odd":{"kept":[1,2]}}'

    async def answer(send):
        headers = [(b"content-type", b"application/json"), (b"x-request-id", b"r1"), (b"set-cookie", b"a=b")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": raw})

    model = world.upstream.script(answer)
    link = http.client.HTTPConnection("127.0.0.1", world.port)
    sent = json.dumps({"model": model, "messages": [], "unknown": {"b": 1, "a": 2}}).encode()
    link.request("POST", CHAT, sent, {"authorization": f"Bearer {person.key}", "cookie": "c=d", "x-one": "1"})
    response = link.getresponse()
    assert response.read() == raw
    link.close()
    assert response.getheader("x-request-id") == "r1"
    assert response.getheader("set-cookie") is None
    assert response.getheader("x-toprope-exchange") == world.entries(person)[0]["subject"]
    assert world.upstream.bodies(model) == [sent]
    assert world.completed(person)["answer"] == {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}


def test_the_provider_gets_its_own_key_and_nothing_of_the_clients_identity(world):
    person = world.add_person("R1")
    world.chat(
        person,
        text="which headers",
        extra_headers={
            "cookie": "session=1",
            "x-api-key": "mine",
            "openai-organization": "mine",
            "x-toprope-note": "mine",
            "x-forwarded-for": "10.0.0.1",
            "helicone-model-override": "mine",
            "x-portkey-config": "mine",
            "x-session-id": "kept",
            "connection": "keep-alive, x-hop",
            "x-hop": "mine",
        },
        extra_query={"model": "mine"},
    )
    scope, _ = world.upstream.seen[-1]
    assert scope["query_string"] == b""
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    assert headers["authorization"] == "Bearer the-provider's-key"
    assert headers["accept-encoding"] == "identity"
    assert headers["content-type"] == "application/json"
    assert headers["x-session-id"] == "kept"
    assert headers["user-agent"].startswith("OpenAI/Python")
    assert not [name for name, value in headers.items() if "mine" in value or person.key in value]
    assert not {"cookie", "x-api-key", "x-forwarded-for", "x-hop"} & set(headers)


def test_a_stream_passes_word_by_word(world):
    person = world.add_person("R1")
    with world.client(person) as client:
        stream = client.chat.completions.create(
            model="echo",
            messages=[{"role": "user", "content": "one two"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    words = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert words[-3:] == [" one", " two", None]
    assert chunks[-1].usage.total_tokens == 14
    detail = world.completed(person)
    assert detail["outcome"] == "completed"
    assert detail["usage"]["total_tokens"] == 14
    assert world.tags(person) == ["exchange.started", "statement.recorded", "exchange.completed"]


def test_tools_ask_for_the_rung_of_agents(world):
    person = world.add_person("R1")
    error = refused(world, person, tools=[TOOL])
    assert error.code == "grant.missing"
    assert "R6 (Agent through pull requests)" in str(error)
    assert "because the request offers tools (tools)" in str(error)
    assert "/ladder/R6/" in str(error)
    world.publish(person, "R1", "R6")
    error = refused(world, person, tools=[TOOL])
    assert error.code == "repository.missing"
    world.chat(person, tools=[TOOL], extra_headers={"x-toprope-repository": "web-shop"})
    started = next(e for e in world.entries(person) if e["tag"] == "exchange.started")["detail"]
    assert (started["rung"], started["repository"]) == ("R6", "web-shop")


@pytest.mark.parametrize(
    ("grant", "code"),
    [
        ({"state": GrantState.SUSPENDED, "reason": "a look is due", "decided_by": "Ben"}, "grant.suspended"),
        ({"expires_at": 1.0}, "grant.expired"),
        ({"supervision": "S1"}, "grant.watch_only"),
    ],
)
def test_a_grant_that_does_not_stand_refuses(world, grant, code):
    person = world.add_person()
    facts = {"rung": "R1", "state": GrantState.ACTIVE, "supervision": "S4", "expires_at": time.time() + 9e6}
    world.publish(person, grants=(Grant(**{**facts, **grant}),))
    assert refused(world, person).code == code


def test_a_hold_refuses_everybody(world):
    person = world.add_person("R1")
    world.chat(person)
    world.hold("R1")
    error = refused(world, person)
    assert error.code == "rung.on_hold"
    assert "a leak is looked into (decided by Gita)" in str(error)


def test_an_installation_that_lists_nothing_admits_nothing(world):
    person = world.add_person("R1")
    world.publish_installation(tools={})
    assert refused(world, person).code == "tool.not_admitted"
    world.publish_installation(ladder=())
    assert refused(world, person).code == "capability.unknown"
    world.sql("DELETE FROM gateway_installation")
    assert refused(world, person).code == "capability.unknown"


@pytest.mark.parametrize("table", ["gateway_access", "gateway_installation"])
def test_a_published_document_that_cannot_be_read_opens_nothing(world, table):
    person = world.add_person("R1")
    world.chat(person)
    column, value = ("key_hash", person.hash) if table == "gateway_access" else ("id", 1)
    statement = (
        f"UPDATE {table} SET document = '{{\"ladder\": 3}}', version = version + 1 WHERE {column} = %s"
    )
    world.sql(statement, value)
    with pytest.raises((openai.BadRequestError, openai.AuthenticationError)):
        world.chat(person)


def test_what_was_earned_just_now_counts_at_once_even_before_the_gateway_is_told(world):
    person = world.add_person(R1="everything")
    refused(world, person)
    world.publish(person, "R1", tell=False)
    world.chat(person)


def test_the_same_refusal_is_recorded_once_a_minute(world):
    person = world.add_person()
    for _ in range(3):
        refused(world, person)
    refused(world, person, model="another")
    assert world.tags(person) == ["exchange.refused"] * 2


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer sk-123",
        "Basic dHA6dHA=",
        "Bearer tp_short",
        "Bearer tp_" + "0" * 40,
        "Bearer tp_" + "0" * 90,
        "Bearer tp_" + "x" * 5000,
    ],
)
def test_unknown_keys_are_told_where_keys_are_made(world, authorization):
    headers = {} if authorization is None else {"authorization": authorization}
    for method, path in (("POST", CHAT), ("GET", "/v1/models")):
        status, told, document = world.request(method, path, b"{}" if method == "POST" else None, headers)
        assert status == 401
        assert told["www-authenticate"] == "Bearer"
        assert document["error"]["code"] == "invalid_api_key"
        assert "https://toprope.example/keys/" in document["error"]["message"]


def test_two_keys_are_no_key(world):
    person, other = world.add_person("R1"), world.add_person("R1")
    link = http.client.HTTPConnection("127.0.0.1", world.port)
    link.putrequest("POST", CHAT)
    for key in (person.key, other.key):
        link.putheader("authorization", f"Bearer {key}")
    link.putheader("content-length", "2")
    link.endheaders(b"{}")
    assert link.getresponse().status == 401
    link.close()


def test_the_openai_client_shows_an_unknown_key_as_such(world):
    person = world.add_person("R1")
    world.revoke_key(person)
    with pytest.raises(openai.AuthenticationError, match="Keys are made here"):
        world.chat(person)


def test_keys_are_never_logged(world, caplog):
    caplog.set_level(logging.DEBUG)
    person = world.add_person("R1")
    world.chat(person)
    world.suspend(person)
    refused(world, person)
    world.post(person, b"nonsense")
    assert person.key not in caplog.text
    assert person.key not in json.dumps(world.entries(person))


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/v1/embeddings", 404, "unknown_path"),
        ("GET", "/v1", 404, "unknown_path"),
        ("POST", "/v1/chat/completions/", 404, "unknown_path"),
        ("GET", CHAT, 405, "method_not_allowed"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
        ("POST", "/v1/health", 405, "method_not_allowed"),
    ],
)
def test_other_paths_and_methods(world, method, path, status, code):
    found, headers, document = world.request(method, path)
    assert (found, document["error"]["code"]) == (status, code)
    if status == 405:
        assert headers["allow"] in document["error"]["message"]
    else:
        assert CHAT in document["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_request"),
        (b"{", 400, "malformed_request"),
        (b'{"model":"a","messages":[{"role":"user"}],"model":"b"}', 400, "duplicate_field"),
        (b'{"messages":[]}', 400, "malformed_request"),
        (b"[" * 1_000_000, 400, "malformed_request"),
        (b'{"model":"m","messages":[],"x":"\xff"}', 400, "malformed_request"),
    ],
)
def test_malformed_bodies_get_an_answer_in_openais_shape(world, body, status, code):
    person = world.add_person("R1")
    found, _, document = world.post(person, body)
    assert (found, document["error"]["code"]) == (status, code)
    assert document["error"]["type"] == "invalid_request_error"
    assert world.entries(person) == []


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content_type": "application/x-www-form-urlencoded"}, 415, "unsupported_content_type"),
        ({"content_encoding": "gzip"}, 415, "unsupported_encoding"),
        ({"x_toprope_repository": "a b"}, 400, "malformed_repository"),
        ({"x_toprope_repository": "r" * 201}, 400, "malformed_repository"),
        ({"x_padding": "x" * 70_000}, 431, "headers_too_large"),
    ],
)
def test_headers_that_cannot_be_taken(world, headers, status, code):
    found, _, document = world.post(world.add_person("R1"), b'{"model":"echo","messages":[]}', **headers)
    assert (found, document["error"]["code"]) == (status, code)


def test_a_prompt_of_10_mb_is_too_large_and_one_of_7_mb_is_not(world):
    person = world.add_person("R1")
    with pytest.raises(openai.APIStatusError) as raised:
        world.chat(person, text="x" * 10_000_000)
    assert raised.value.status_code == 413
    assert "8,388,608 bytes" in str(raised.value)
    assert world.chat(person, text="x" * 7_000_000).choices[0].message.content.endswith("xxx")


def test_a_prompt_too_large_without_a_length_is_stopped_too(world):
    person = world.add_person("R1")
    link = http.client.HTTPConnection("127.0.0.1", world.port)
    pieces = (b"x" * 1_000_000 for _ in range(9))
    link.request("POST", CHAT, pieces, {"authorization": f"Bearer {person.key}"}, encode_chunked=True)
    response = link.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"]["code"] == "request_too_large"
    link.close()


def test_a_body_that_does_not_arrive_is_not_waited_for(world):
    person = world.add_person("R1")
    with socket.create_connection(("127.0.0.1", world.port)) as link:
        lines = (
            f"POST {CHAT} HTTP/1.1",
            "host: x",
            f"authorization: Bearer {person.key}",
            "content-length: 9",
        )
        link.sendall("\r\n".join([*lines, "", "{"]).encode())
        assert link.recv(100).startswith(b"HTTP/1.1 408 ")


def test_the_models_are_the_providers_that_are_admitted(world):
    person = world.add_person()
    with world.client(person) as client:
        assert [model.id for model in client.models.list()] == ["echo"]
        assert client.models.retrieve("echo").owned_by == "toprope"
        world.publish_installation(tools={"gpt-*": "R6"})
        world.wait_until(lambda: list(client.models.list()) == [])
        with pytest.raises(openai.NotFoundError, match="not admitted"):
            client.models.retrieve("echo")


@pytest.mark.django_db
def test_it_needs_no_more_rights_than_to_read_two_tables_and_to_append(run_gateway, database_url):
    with psycopg.connect(database_url) as owner:
        owner.execute("GRANT SELECT ON gateway_access, gateway_installation TO toprope_app")
    lesser_url = make_conninfo(database_url, user="toprope_app")
    with run_gateway(database_url=lesser_url) as lesser, closing(lesser.as_owner(database_url)) as world:
        world.publish_installation()
        person = world.add_person("R1")
        world.chat(person)
        assert world.completed(person)["outcome"] == "completed"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            lesser.add_person("R1")


def test_health_needs_no_key(world):
    assert world.request("GET", "/v1/health")[::2] == (200, {"status": "ok", "database": True, "open": 0})


@pytest.mark.django_db
def test_too_many_calls_at_once_are_turned_away(run_gateway):
    with run_gateway(open_limit=0) as small:
        small.publish_installation()
        status, headers, document = small.post(small.add_person("R1"), b"{}")
        assert (status, document["error"]["code"]) == (503, "too_many_calls")
        assert headers["x-should-retry"] == "true"


@pytest.mark.django_db
def test_without_a_provider_it_says_so(run_gateway):
    with run_gateway(provider_url="") as alone:
        alone.publish_installation()
        person = alone.add_person("R1")
        status, headers, document = alone.post(person, b'{"model":"echo","messages":[]}')
        assert (status, document["error"]["code"]) == (503, "provider_missing")
        assert headers["x-should-retry"] == "false"
        assert alone.completed(person)["outcome"] == "provider_error"
