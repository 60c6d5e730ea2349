"""The table of answers: what is read, what is refused, and where it says so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.stats import tables
from toprope.stats.tables import read_answers

HEADER = "person,item,competency,score"


def write(tmp_path, text, name="answers.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_become_numbers_and_persons_stand_together(tmp_path):
    path = write(tmp_path, f"{HEADER}\nb,i1,x,1\na,i2,y,0\nb,i2,y,0.5\na,i1,x,1\n")
    table = read_answers(path)
    assert table.person.tolist() == [0, 0, 1, 1]
    assert table.item.tolist() == [0, 1, 1, 0]
    assert table.competency.tolist() == [0, 1, 1, 0]
    assert table.score.tolist() == [1.0, 0.5, 0.0, 1.0]
    assert table.hours is None


def test_tabs_extra_columns_a_byte_order_mark_and_any_order_of_columns_are_read(tmp_path):
    path = write(tmp_path, "\ufeffscore\tnote\tCompetency\titem\tperson\n1\t?\tx\ti\tp\n\n0\t?\tx\tj\tp\n")
    table = read_answers(path)
    assert table.score.tolist() == [1.0, 0.0]
    assert table.item.tolist() == [0, 1]


def test_timestamps_order_each_person_and_ties_keep_the_order_of_the_rows(tmp_path):
    rows = "p,a,x,1,2026-01-01T02:00:00\np,b,x,0,2026-01-01T01:00:00Z\np,c,x,0,2026-01-01T02:00:00+00:00\n"
    table = read_answers(write(tmp_path, f"{HEADER},timestamp\n{rows}"))
    assert table.item.tolist() == [1, 0, 2]
    assert table.hours.tolist() == [0.0, 1.0, 1.0]


def test_a_row_repeated_at_the_same_moment_is_left_out_and_reported(tmp_path):
    rows = "p,a,x,1,10\np,a,y,1,10\np,a,x,1,20\np,a,z,1,10\n"
    table = read_answers(write(tmp_path, f"{HEADER},timestamp\n{rows}"))
    assert len(table) == 2
    assert table.repeats == (3, 5)
    assert table.repeat_count == 2


def test_rows_multiplied_by_competency_are_suspected(tmp_path):
    table = read_answers(write(tmp_path, f"{HEADER}\np,a,x,1\np,a,y,1\np,b,x,1\np,b,x,1\n"))
    assert table.suspects == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: empty; a header"),
        ("person,item,score\np,a,1\n", "line 1: no column competency; name the columns"),
        (f"{HEADER}\n", "a header and no answers"),
        (f"{HEADER}\np,a,x,1\np,a,x,2\n", "line 3: score is '2'; a number from 0 to 1"),
        (f"{HEADER}\np,a,x,nan\n", "line 2: score is 'nan'"),
        (f"{HEADER}\np,a,x,yes\n", "line 2: score is 'yes'"),
        (f"{HEADER}\np,a,x,\n", "line 2: score is ''"),
        (f"{HEADER}\np,a\n", "line 2: 2 columns; at least 4"),
        (f"{HEADER}\n,a,x,1\n", "line 2: person is empty"),
        (f"{HEADER}\np,{'a' * 501},x,1\n", "line 2: item is too long"),
        (f"{HEADER},timestamp\np,a,x,1,yesterday\n", "line 2: timestamp is 'yesterday'; ISO 8601"),
        (f"{HEADER},timestamp\np,a,x,1,inf\n", "line 2: timestamp is 'inf'"),
        (f'{HEADER}\np,"{"a" * 200_000}",x,1\n', "check its quotes"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_cure(tmp_path, text, told):
    with pytest.raises(ValueError, match=r"answers\.csv") as caught:
        read_answers(write(tmp_path, text))
    assert told in str(caught.value)


def test_a_table_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_bytes(f"{HEADER}\np,Übung,x,1\n".encode("latin-1"))
    with pytest.raises(ValueError, match="not UTF-8"):
        read_answers(path)


def test_a_table_beyond_the_bound_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_ROWS", 2)
    with pytest.raises(ValueError, match="line 4: more than 2 answers"):
        read_answers(write(tmp_path, f"{HEADER}\n" + "p,a,x,1\n" * 3))


LABELS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=4)


@given(
    st.lists(st.tuples(LABELS, LABELS, LABELS, st.sampled_from([0.0, 0.25, 1.0])), min_size=1, max_size=30)
)
def test_every_row_comes_out_once_with_its_person_in_order(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "answers.csv"
    path.write_text("\n".join([HEADER, *(",".join(map(str, row)) for row in rows)]), encoding="utf-8")
    table = read_answers(path)
    people = list(dict.fromkeys(row[0] for row in rows))
    expected = [row for person in people for row in rows if row[0] == person]
    items = list(dict.fromkeys(row[1] for row in rows))
    assert [people[p] for p in table.person] == [row[0] for row in expected]
    assert [items[i] for i in table.item] == [row[1] for row in expected]
    assert np.array_equal(table.score, [row[3] for row in expected])
