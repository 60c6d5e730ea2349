from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.making import make
from tests.strategies import statements

from toprope.evidence.logic import Noted, Row, check_statements
from toprope.evidence.statement import Statement, canonical, digest

some = st.integers(1, 8).map(lambda count: [make(number=number) for number in range(count)])


def write(recorded: list[Statement]) -> tuple[list[Row], list[Noted]]:
    """What the two tables have after these were recorded."""
    rows = [
        Row(
            seq=seq,
            id=s.id,
            actor=s.actor,
            verb=s.verb,
            object_type=s.object.type,
            object_key=s.object.key,
            timestamp=s.timestamp,
            authority=s.authority,
            sitting=s.context.sitting,
            voids=s.context.voids,
            digest=sha256(canonical(s).encode()).digest(),
            body=canonical(s),
        )
        for seq, s in enumerate(recorded, start=1)
    ]
    return rows, [Noted(seq, str(s.id), digest(s)) for seq, s in enumerate(recorded, start=1)]


@given(st.lists(statements(), max_size=3))
def test_what_was_recorded_is_sound(recorded):
    rows, noted = write(recorded)
    assert list(check_statements(rows, noted)) == []


@given(some, statements(), st.data())
def test_any_change_of_any_part_is_found_and_named(recorded, other, data):
    rows, noted = write(recorded)
    [[another], _] = write([other])
    at = data.draw(st.integers(0, len(rows) - 1))
    part = data.draw(
        st.sampled_from(
            [name for name in Row._fields[1:] if getattr(rows[at], name) != getattr(another, name)]
        )
    )
    rows[at] = rows[at]._replace(**{part: getattr(another, part)})
    assert {seq for seq, _ in check_statements(rows, noted)} == {at + 1}


@given(some, statements(), st.data())
def test_a_whole_statement_put_in_the_place_of_another_is_found(recorded, other, data):
    rows, noted = write(recorded)
    [[another], _] = write([other])
    at = data.draw(st.integers(0, len(rows) - 1))
    rows[at] = another._replace(seq=at + 1, id=rows[at].id)
    found = [what for seq, what in check_statements(rows, noted) if seq == at + 1]
    assert any("audit record has another digest" in what for what in found)


@given(some, st.data())
def test_any_removal_is_found_and_named(recorded, data):
    rows, noted = write(recorded)
    gone = data.draw(st.sets(st.sampled_from(rows), min_size=1))
    left = [row for row in rows if row not in gone]
    assert {seq for seq, what in check_statements(left, noted) if "is gone" in what} == {
        row.seq for row in gone
    }


@given(some, st.data())
def test_any_addition_is_found_and_named(recorded, data):
    rows, noted = write(recorded)
    added = data.draw(st.sets(st.sampled_from(noted), min_size=1))
    known = [entry for entry in noted if entry not in added]
    assert {seq for seq, what in check_statements(rows, known) if "was added" in what} == {
        e.seq for e in added
    }
