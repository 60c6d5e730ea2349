import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import json_values, texts

from toprope.audit.logic import (
    GENESIS,
    MAX_PROBLEMS,
    EntryError,
    Receipt,
    Row,
    Sighting,
    chain_hash,
    check_chain,
    read_detail,
    write_payload,
)

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def make_chain(length: int, what: str = "first") -> list[Row]:
    """A sound record; `what` makes its payloads differ from another one's."""
    rows, previous = [], GENESIS
    for seq in range(1, length + 1):
        at = NOW + timedelta(seconds=seq)
        payload = write_payload("test.done", f"actor {seq}", what, {"n": seq}, at)
        previous = chain_hash(previous, seq, payload)
        rows.append(Row(seq, previous, payload, at, "test.done", f"actor {seq}", what))
    return rows


def named(rows: list[Row], sightings: tuple[Sighting, ...] = ()) -> set[int]:
    """The numbers that the check names."""
    return {problem.seq for problem in check_chain(rows, sightings).problems}


def test_the_hash_is_what_the_decision_says():
    expected = hashlib.sha256(bytes(32) + (1).to_bytes(8, "big") + '{"a":"ü"}'.encode()).digest()
    assert chain_hash(GENESIS, 1, '{"a":"ü"}') == expected


def test_an_empty_record_is_sound():
    report = check_chain([])
    assert (report.entries, report.head, report.problems) == (0, None, ())


@given(st.integers(1, 30), st.data())
def test_a_sound_record_and_its_witnesses_agree(length, data):
    rows = make_chain(length)
    seen = data.draw(st.lists(st.sampled_from(rows)))
    report = check_chain(rows, [Sighting("w", row.seq, row.hash) for row in seen])
    assert report.problems == ()
    assert report.entries == length
    assert report.head == Receipt(length, rows[-1].hash)


@given(st.integers(1, 30), st.data())
def test_any_change_of_a_payload_is_found_and_named(length, data):
    rows = make_chain(length)
    at = data.draw(st.integers(0, length - 1))
    payload = data.draw(texts.filter(lambda text: text != rows[at].payload))
    rows[at] = rows[at]._replace(payload=payload)
    assert rows[at].seq in named(rows)


@given(st.integers(1, 30), st.data())
def test_any_change_of_a_single_character_is_found_and_named(length, data):
    rows = make_chain(length)
    at = data.draw(st.integers(0, length - 1))
    payload = rows[at].payload
    place = data.draw(st.integers(0, len(payload) - 1))
    letter = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda c: c != payload[place]))
    rows[at] = rows[at]._replace(payload=payload[:place] + letter + payload[place + 1 :])
    assert rows[at].seq in named(rows)


@given(st.integers(1, 30), st.data())
def test_any_change_of_a_hash_is_found_and_named(length, data):
    rows = make_chain(length)
    at = data.draw(st.integers(0, length - 1))
    other = data.draw(st.binary(max_size=40).filter(lambda hash_: hash_ != rows[at].hash))
    rows[at] = rows[at]._replace(hash=other)
    assert rows[at].seq in named(rows)


@given(st.integers(1, 30), st.sampled_from(["at", "tag", "actor", "subject"]), st.booleans(), st.data())
def test_any_change_of_a_column_is_found_and_named(length, column, emptied, data):
    rows = make_chain(length)
    at = data.draw(st.integers(0, length - 1))
    other = None if emptied else NOW if column == "at" else "other"
    rows[at] = rows[at]._replace(**{column: other})
    [problem] = check_chain(rows).problems
    assert problem.seq == rows[at].seq
    assert f"column {column} was changed" in problem.what


@given(st.integers(2, 30), st.data())
def test_any_removal_before_the_end_is_found_and_named(length, data):
    rows = make_chain(length)
    first = data.draw(st.integers(0, length - 2))
    last = data.draw(st.integers(first, length - 2))
    del rows[first : last + 1]
    [problem] = check_chain(rows).problems
    assert problem.seq == first + 1
    assert "missing" in problem.what


@given(st.integers(2, 30), st.data())
def test_any_two_entries_that_changed_places_are_found_and_named(length, data):
    rows = make_chain(length)
    one, two = data.draw(st.lists(st.integers(0, length - 1), min_size=2, max_size=2, unique=True))
    rows[one], rows[two] = rows[two]._replace(seq=one + 1), rows[one]._replace(seq=two + 1)
    assert {one + 1, two + 1} <= named(rows)


@given(st.integers(1, 30), st.data())
def test_an_entry_put_in_is_found(length, data):
    rows = make_chain(length)
    at = data.draw(st.integers(0, length - 1))
    assert rows[at].seq in named([*rows[: at + 1], *rows[at:]])


@given(st.integers(1, 30), st.data())
def test_a_tail_cut_off_is_found_by_a_witness(length, data):
    rows = make_chain(length)
    kept = data.draw(st.integers(0, length - 1))
    assert check_chain(rows[:kept]).problems == ()  # the chain alone cannot tell
    [problem] = check_chain(rows[:kept], [Sighting("w", length, rows[-1].hash)]).problems
    assert problem.seq == length
    assert "witness w saw it" in problem.what
    assert f"ends at {kept}" in problem.what


@given(st.integers(1, 30), st.integers(0, 5), st.data())
def test_a_record_computed_anew_is_found_by_a_witness_even_when_it_has_grown_on(length, more, data):
    rows = make_chain(length)
    sightings = [Sighting("w", row.seq, row.hash) for row in rows]
    again = make_chain(length + more, "second")
    keep = data.draw(st.integers(0, length - 1))  # the entries before are left as they were
    previous = rows[keep - 1].hash if keep else GENESIS
    rows[keep:] = again[keep:]
    for at in range(keep, len(rows)):
        previous = chain_hash(previous, at + 1, rows[at].payload)
        rows[at] = rows[at]._replace(hash=previous)
    assert check_chain(rows).problems == ()  # the chain alone cannot tell
    [problem] = check_chain(rows, sightings).problems
    assert problem.seq == keep + 1
    assert "rewritten: witness w" in problem.what


def test_problems_are_told_one_by_one_up_to_a_bound():
    rows = [row._replace(tag="other") for row in make_chain(MAX_PROBLEMS + 7)]
    problems = check_chain(rows).problems
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1].what == "and 7 further problems"


@given(texts.filter(bool), st.uuids() | texts.filter(bool), texts, st.dictionaries(texts, json_values))
def test_a_payload_keeps_its_detail(tag, actor, subject, detail):
    payload = write_payload(tag, actor, subject, detail, NOW)
    assert read_detail(payload) == detail
    row = Row(1, chain_hash(GENESIS, 1, payload), payload, NOW, tag, str(actor), subject)
    assert check_chain([row]).problems == ()


@pytest.mark.parametrize("spoilt", ["", "nonsense", "[]", "{}", '{"detail":1}'])
def test_a_spoilt_payload_has_no_detail(spoilt):
    assert read_detail(spoilt) == {}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"at": datetime(2026, 5, 4)}, "no time zone"),  # noqa: DTZ001
        ({"tag": ""}, "needs a tag and an actor"),
        ({"actor": ""}, "needs a tag and an actor"),
        ({"detail": {"who": UUID(int=1)}}, "detail of test.done holds what JSON cannot"),
        ({"detail": {"share": float("nan")}}, "detail of test.done holds what JSON cannot"),
        ({"detail": {"half": "\udc00"}}, "detail of test.done holds what JSON cannot"),
    ],
)
def test_what_cannot_be_recorded_is_refused_with_the_reason(wrong, message):
    facts = {"tag": "test.done", "actor": "system", "subject": "", "detail": {}, "at": NOW} | wrong
    with pytest.raises(EntryError, match=message):
        write_payload(**facts)
