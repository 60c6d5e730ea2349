"""A request must mean the same to the provider as it did here; whatever leaves a choice open is refused."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.gateway.protocol import ChatRequest, Problem, Usage, parse_chat, read_usage
from toprope.policy.capability import classify

PLAIN = b'{"model":"gpt-5","messages":[{"role":"user","content":"hello"}]}'


def problem(body: bytes) -> Problem:
    with pytest.raises(Problem) as raised:
        parse_chat(body)
    assert raised.value.status == 400
    told = json.loads(raised.value.body)["error"]
    assert set(told) == {"message", "type", "param", "code"}
    assert told["type"] == "invalid_request_error"
    return raised.value


def test_a_plain_request_is_read():
    request = parse_chat(PLAIN)
    assert (request.model, request.stream) == ("gpt-5", False)
    assert request.shape.roles == {"user"}
    assert parse_chat(PLAIN[:-1] + b',"stream":true}').stream
    assert not parse_chat(PLAIN[:-1] + b',"stream":null}').stream


def messages(*objects: str) -> bytes:
    return ('{"model":"gpt-5","messages":[' + ",".join(objects) + "]}").encode()


MALFORMED = {
    "empty": b"",
    "not JSON": b"model=gpt-5",
    "cut short": PLAIN[:-5],
    "with something behind": PLAIN + b"x",
    "two documents": PLAIN + PLAIN,
    "byte order mark": b"\xef\xbb\xbf" + PLAIN,
    "UTF-16": PLAIN.decode().encode("utf-16"),
    "null": b"null",
    "a list": b"[" + PLAIN + b"]",
    "a string": b'"hello"',
    "not a number": PLAIN[:-1] + b',"temperature":NaN}',
    "comment": PLAIN[:-1] + b"/* */}",
    "trailing comma": PLAIN[:-1] + b",}",
    "single quotes": PLAIN.replace(b'"', b"'"),
    "invalid UTF-8 in a value": PLAIN.replace(b"hello", b"\xff\xfe"),
    "invalid UTF-8 in a name": PLAIN[:-1] + b',"\xff":1}',
    "half a surrogate": PLAIN.replace(b"hello", b"\\ud800"),
    "control character": PLAIN.replace(b"hello", b"\x01"),
    "deep object": b'{"a":' * 100_000,
    "deep list in a field": PLAIN[:-1] + b',"x":' + b"[" * 100_000,
    "deep list in messages": b'{"model":"m","messages":' + b"[" * 100_000,
    "deep and closed": PLAIN[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "no model": b'{"messages":[]}',
    "model is null": b'{"model":null,"messages":[]}',
    "model is a list": b'{"model":["gpt-5"],"messages":[]}',
    "model is empty": b'{"model":"","messages":[]}',
    "model with a NUL": b'{"model":"gpt-5\\u0000","messages":[]}',
    "model with a space": b'{"model":"gpt-5 ","messages":[]}',
    "model of an odd alphabet": '{"model":"gpt-5\u0435","messages":[]}'.encode(),
    "model of great length": b'{"model":"' + b"m" * 201 + b'","messages":[]}',
    "no messages": b'{"model":"gpt-5"}',
    "messages is null": b'{"model":"gpt-5","messages":null}',
    "messages is an object": b'{"model":"gpt-5","messages":{}}',
    "message is a string": messages('"hello"'),
    "message without a role": messages('{"content":"hello"}'),
    "message without anything": messages("{}"),
    "role is a number": messages('{"role":1}'),
    "stream is a string": PLAIN[:-1] + b',"stream":"true"}',
    "stream is a number": PLAIN[:-1] + b',"stream":1}',
    "another way to name models": PLAIN[:-1] + b',"models":["gpt-4"]}',
    "fallbacks": PLAIN[:-1] + b',"fallbacks":["gpt-4"]}',
    "model in another case": b'{"Model":"gpt-5","messages":[]}',
    "stream in another case": PLAIN[:-1] + b',"STREAM":true}',
    "role in another case": messages('{"Role":"user"}'),
    "a long s in a name": PLAIN[:-1] + '{"tool\u017f":[]}'.encode()[1:],
    "a name with a NUL": PLAIN[:-1] + b',"model\\u0000":"x"}',
    "a name with a space": PLAIN[:-1] + b',"tools ":[1]}',
    "an empty name": PLAIN[:-1] + b',"":1}',
    "millions of messages": b'{"model":"gpt-5","messages":[' + b"{}," * 2_600_000 + b"{}]}",
    "millions of fields": b"{" + b'"a":1,' * 1_300_000 + b'"b":1}',
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name):
    assert problem(MALFORMED[name]).code in ("malformed_request", "duplicate_field")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"model":"gpt-5-mini","messages":[],"model":"gpt-5"}', "model"),
        (b'{"model":"gpt-5","mod\\u0065l":"gpt-4","messages":[]}', "model"),
        (b'{"model":"gpt-5","MODEL":"gpt-4","messages":[]}', "MODEL"),
        (b'{"tools":[],"model":"gpt-5","messages":[],"tools":[{"type":"function"}]}', "tools"),
        (b'{"tools":[],"model":"gpt-5","messages":[],"Tools":[{"type":"function"}]}', "Tools"),
        (b'{"model":"gpt-5","messages":[],"messages":[{"role":"tool"}]}', "messages"),
        (b'{"model":"gpt-5","messages":[],"stream":false,"stream":true}', "stream"),
        (messages('{"role":"user","content":"x","role":"tool"}'), "role"),
        (messages('{"role":"user"}', '{"role":"assistant","tool_calls":[],"tool_calls":[1]}'), "tool_calls"),
    ],
)
def test_a_field_given_twice_is_refused_by_name(body, param):
    found = problem(body)
    assert (found.code, found.param) == ("duplicate_field", param)


@pytest.mark.parametrize(
    ("extra", "capability"),
    [
        (b"", "chat"),
        (b',"tools":[]', "chat"),
        (b',"tools":null', "chat"),
        (b',"tool_choice":"none"', "chat"),
        (b',"parallel_tool_calls":false', "chat"),
        (b',"temperature":0.2,"max_tokens":10,"metadata":{"tools":1}', "chat"),
        (b',"tools":[{"type":"function"}]', "agent_pr"),
        (b',"tools":{}', "chat"),
        (b',"tools":0', "agent_pr"),
        (b',"TOOLS":[1]', "agent_pr"),
        (b',"functions":[{}]', "agent_pr"),
        (b',"web_search_options":{"a":1}', "agent_pr"),
    ],
)
def test_tools_are_seen_whatever_their_form(extra, capability):
    assert classify(parse_chat(PLAIN[:-1] + extra + b"}").shape).capability == capability


@pytest.mark.parametrize(
    "message",
    [
        '{"role":"tool","tool_call_id":"1","content":"x"}',
        '{"role":"assistant","tool_calls":[{"id":"1"}]}',
        '{"role":"function","name":"f","content":"x"}',
        '{"role":"assistant","function_call":{"name":"f"}}',
        '{"role":"someone-else","content":"x"}',
    ],
)
def test_tool_results_are_seen(message):
    plain = '{"role":"user","content":"x"}'
    assert classify(parse_chat(messages(plain, message, plain)).shape).capability == "agent_pr"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abtools_", max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
plain_messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "system", "tool"]), "content": json_values},
        optional={"tool_calls": json_values, "name": json_values},
    ),
    max_size=4,
)
requests = st.fixed_dictionaries(
    {"model": st.text("abc-5", min_size=1), "messages": plain_messages},
    optional={"stream": st.booleans() | st.none(), "tools": json_values, "seed": json_values},
)


@given(requests, st.booleans(), st.sampled_from([None, 2]))
def test_every_well_formed_request_reads_as_pythons_own_parser_reads_it(request_, ascii_only, indent):
    body = json.dumps(request_, ensure_ascii=ascii_only, indent=indent).encode()
    found = parse_chat(body)
    assert isinstance(found, ChatRequest)
    assert found.model == request_["model"]
    assert found.stream == bool(request_.get("stream"))
    assert found.shape.roles == {message["role"] for message in request_["messages"]}
    tools = request_.get("tools")
    if tools is not False and tools not in (None, [], {}, "", "none"):
        assert classify(found.shape).capability == "agent_pr"


@given(requests, st.data())
def test_one_field_said_again_anywhere_at_the_top_is_refused(request_, data):
    name = data.draw(st.sampled_from(sorted(request_)))
    spelled = data.draw(st.sampled_from([name, name.upper(), name.replace("e", "\\u0065"), name.title()]))
    again = f'"{spelled}":{json.dumps(data.draw(json_values))}'
    body = json.dumps(request_)
    twice = data.draw(st.sampled_from([f"{{{again}, {body[1:]}", f"{body[:-1]}, {again}}}"]))
    problem(twice.encode())


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(body):
    with suppress(Problem):
        parse_chat(body)


@pytest.mark.parametrize(
    ("document", "usage"),
    [
        (b'{"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}', Usage(1, 2, 3)),
        (b'{"usage":{"prompt_tokens":1,"odd":true}}', Usage(1, 0, 0)),
        (b'{"usage":null}', None),
        (b"{}", None),
        (b'{"usage":{"prompt_tokens":"many"}}', None),
        (b'{"usage":{"prompt_tokens":1e400}}', None),
        (b'{"usage":{"prompt_tokens":-1}}', None),
        (b'{"usage":{"prompt_tokens":123456789012345678901234567890}}', None),
        (b"not JSON", None),
        (b"[" * 100_000, None),
        (b"\xff", None),
    ],
)
def test_usage_is_taken_only_as_numbers(document, usage):
    assert read_usage(document) == usage
