"""Streams are passed on byte for byte, in whole events, and their end is recognised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.gateway.sse import Events, TooLargeError

texts = st.text("ab\\[]DONE: {}", max_size=12)
breaks = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def streams(draw):
    """Events, and how they came over the wire."""
    brk = draw(breaks)
    parts = [f"data: {text or 'x'}" for text in draw(st.lists(texts, max_size=6))]
    wire = "".join(part.strip() + brk * 2 for part in parts if part.strip() != "data: [DONE]").encode()
    cuts = sorted(draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    return wire, [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)], brk


def feed(events, pieces):
    return [events.feed(piece) for piece in pieces if piece]


@given(streams())
def test_what_goes_in_comes_out_and_only_in_whole_events(stream):
    wire, pieces, brk = stream
    events = Events(10_000)
    out = feed(events, pieces)
    events.finish()
    assert b"".join(out) + events.tail == wire
    assert all(piece.endswith((2 * brk).encode()) for piece in out if piece)


@given(streams(), st.booleans())
def test_the_final_event_waits_with_all_that_follows_it(stream, has_end):
    wire, pieces, brk = stream
    final = f"data: [DONE]{brk * 2 if has_end else ''}".encode()
    for cut in range(len(final)):
        events = Events(10_000)
        out = feed(events, [*pieces, final[:cut], final[cut:]])
        events.finish()
        assert b"".join(out) == wire
        assert events.tail == final


def test_the_end_is_known_before_the_connection_ends():
    events = Events(10_000)
    assert events.feed(b"data: 1\n\ndata: [DONE]\n\n") == b"data: 1\n\n"
    assert events.done


def test_words_that_look_like_the_end_are_not_the_end():
    events = Events(10_000)
    chunk = b'data: {"content":"data: [DONE]\\n\\n"}\n\n'
    assert events.feed(chunk) == chunk
    assert not events.done


@pytest.mark.parametrize("brk", [b"\n", b"\r\n"])
def test_usage_is_read_from_the_chunk_that_has_it(brk):
    events = Events(10_000)
    events.feed(b'data: {"usage":null}' + brk * 2)
    assert events.usage is None
    events.feed(b'data: {"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}' + brk * 2)
    events.feed(b'data: {"choices":["usage"]}' + brk * 2)
    assert events.usage is not None
    assert events.usage.total_tokens == 7


def test_an_event_without_an_end_is_not_kept_for_ever():
    events = Events(100)
    assert events.feed(b"data: 1\n\ndata: " + b"x" * 200) == b"data: 1\n\n"
    with pytest.raises(TooLargeError):
        events.feed(b"x")
    with pytest.raises(TooLargeError):
        events.finish()
