"""The record of refusals stays bounded, and loses none."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from toprope.gateway.refusals import WINDOW_SECONDS, Refusals


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 40)), max_size=40))
def test_every_refusal_is_recorded_or_counted_and_new_ones_at_most_once_a_minute(calls):
    refusals = Refusals()
    recorded: list[tuple[str, float]] = []
    counted = 0
    now = 0.0

    def count(number: int) -> None:
        nonlocal counted
        counted += number

    for who, pause in calls:
        now += pause
        if refusals.is_new(who, now, count):
            recorded.append((who, now))
    refusals.flush(float("inf"))
    assert len(recorded) + counted == len(calls)
    for who in "abc":
        times = [at for name, at in recorded if name == who]
        assert all(b - a >= WINDOW_SECONDS for a, b in pairwise(times))


def test_the_count_goes_on_record_when_the_minute_is_over():
    refusals = Refusals()
    counts: list[int] = []
    assert refusals.is_new("a", 0.0, counts.append)
    assert not refusals.is_new("a", 1.0, counts.append)
    assert not refusals.is_new("a", 59.0, counts.append)
    assert counts == []
    refusals.flush(60.0)
    assert counts == [2]
    assert refusals.is_new("a", 61.0, counts.append)


def test_memory_is_bounded_and_what_is_forgotten_is_recorded_first():
    refusals = Refusals()
    counts: list[int] = []
    refusals.is_new("first", 0.0, counts.append)
    refusals.is_new("first", 0.0, counts.append)
    for number in range(10_000):
        refusals.is_new(number, 0.0, counts.append)
    assert counts == [1]
