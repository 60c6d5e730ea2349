"""What a request does is told from the request; whatever is unknown about it counts as the stronger thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.policy.capability import CHAT_COMPLETIONS, PLAIN_ROLES, Shape, classify

PLAIN_FIELDS = frozenset(
    {"model", "messages", "stream", "temperature", "max_tokens", "stream_options", "seed"}
)
PLAIN = Shape(CHAT_COMPLETIONS, PLAIN_FIELDS, PLAIN_ROLES, frozenset({"role", "content", "name"}))


def test_plain_talk_is_chat():
    assert classify(PLAIN).capability == "chat"


@pytest.mark.parametrize(
    ("fields", "roles", "message_fields", "because"),
    [
        ({"tools"}, {"user"}, set(), "the request offers tools (tools)"),
        (
            {"functions", "function_call"},
            {"user"},
            set(),
            "the request offers tools (function_call, functions)",
        ),
        ({"web_search_options"}, {"user"}, set(), "the request offers tools (web_search_options)"),
        ({"mcp_servers"}, {"user"}, set(), "the request offers tools (mcp_servers)"),
        ({"Tools"}, {"user"}, set(), "the request offers tools (Tools)"),
        (set(), {"assistant"}, {"tool_calls"}, "the conversation carries tool calls (tool_calls)"),
        (set(), {"user", "tool"}, set(), "the conversation has messages that are not plain talk (role tool)"),
        (
            set(),
            {"user", "ipython"},
            set(),
            "the conversation has messages that are not plain talk (role ipython)",
        ),
    ],
)
def test_tools_in_any_form_are_agent_work(fields, roles, message_fields, because):
    shape = Shape(CHAT_COMPLETIONS, frozenset(fields), frozenset(roles), frozenset(message_fields))
    classified = classify(shape)
    assert (classified.capability, classified.because) == ("agent_pr", because)


def test_an_unknown_protocol_is_no_capability():
    assert classify(Shape("responses", frozenset({"model"}))).capability == ""


names = st.frozensets(st.text(max_size=12), max_size=4)


@given(names, names, names)
def test_adding_anything_to_agent_work_never_makes_it_chat(fields, roles, message_fields):
    shape = Shape(CHAT_COMPLETIONS, fields | {"tools"}, roles | PLAIN_ROLES, message_fields)
    assert classify(shape).capability == "agent_pr"


@given(names)
def test_only_plain_roles_are_chat(roles):
    expected = "chat" if roles <= PLAIN_ROLES else "agent_pr"
    assert classify(Shape(CHAT_COMPLETIONS, roles=roles)).capability == expected
