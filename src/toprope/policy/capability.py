"""What a call does, told from the request itself and never from what the client says of itself. Pure.

The rules are data, tried from the strongest to the weakest; the first that fits decides. A request that shows
anything unknown counts as the stronger thing.
"""

from collections.abc import Callable
from dataclasses import dataclass

CHAT_COMPLETIONS = "chat.completions"

PLAIN_ROLES = frozenset({"system", "developer", "user", "assistant"})
"""Roles of a conversation without tools."""

REACHING_WORDS = ("tool", "function", "mcp", "plugin", "connector", "search", "agent")
"""A field whose name holds one of these lets the model reach for something beyond the conversation."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a request looks like: its protocol, the fields that hold something, the same of its messages."""

    protocol: str
    fields: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    message_fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Classified:
    """The capability a request uses ("" where it cannot be told), and what gave it away, for people."""

    capability: str
    because: str


@dataclass(frozen=True, slots=True)
class _Rule:
    protocol: str
    capability: str
    because: str
    signs: Callable[[Shape], frozenset[str]]


def _reaching(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in names if any(word in name.lower() for word in REACHING_WORDS))


RULES = (
    _Rule(
        CHAT_COMPLETIONS,
        "agent_pr",
        "the request offers tools ({})",
        lambda shape: _reaching(shape.fields),
    ),
    _Rule(
        CHAT_COMPLETIONS,
        "agent_pr",
        "the conversation carries tool calls ({})",
        lambda shape: _reaching(shape.message_fields),
    ),
    _Rule(
        CHAT_COMPLETIONS,
        "agent_pr",
        "the conversation has messages that are not plain talk (role {})",
        lambda shape: shape.roles - PLAIN_ROLES,
    ),
    _Rule(
        CHAT_COMPLETIONS,
        "chat",
        "",
        lambda shape: frozenset({shape.protocol}),
    ),
)
"""Tools mean the strongest rung that this gateway knows how to tell, for now: a tool may do anything."""


def classify(shape: Shape) -> Classified:
    """The capability that a request of this shape uses."""
    for rule in RULES:
        if rule.protocol == shape.protocol and (signs := rule.signs(shape)):
            return Classified(rule.capability, rule.because.format(", ".join(sorted(signs))))
    return Classified("", "")
