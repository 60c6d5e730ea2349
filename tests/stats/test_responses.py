"""Responses: what comes in is what lies there, and what cannot be is named with its place."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toprope.stats.responses import Responses, make_responses, table_responses

cells = st.dictionaries(
    st.tuples(st.integers(0, 6), st.integers(0, 4)), st.integers(0, 127), min_size=1, max_size=25
)


def as_dict(responses: Responses) -> dict[tuple[int, int], int]:
    person = np.repeat(np.arange(responses.persons), np.diff(responses.indptr))
    keys = zip(person.tolist(), responses.item.tolist(), strict=True)
    return dict(zip(keys, responses.score.tolist(), strict=True))


@settings(deadline=None)
@given(cells, st.randoms())
def test_columns_in_any_order_come_out_as_they_went_in(given_cells, random):
    rows = [(*key, score) for key, score in given_cells.items()]
    random.shuffle(rows)
    person, item, score = zip(*rows, strict=True)
    responses = make_responses(person, item, score, persons=8, items=5)
    assert as_dict(responses) == given_cells
    assert (responses.persons, responses.items, len(responses)) == (8, 5, len(rows))


@settings(deadline=None)
@given(cells)
def test_a_table_says_the_same_as_its_columns(given_cells):
    table = np.full((7, 5), np.nan)
    for (person, item), score in given_cells.items():
        table[person, item] = score
    assert as_dict(table_responses(table)) == given_cells


@settings(deadline=None)
@given(cells, st.integers(1, 9))
def test_chunks_are_the_whole(given_cells, size):
    person, item = zip(*given_cells, strict=True)
    whole = make_responses(person, item, list(given_cells.values()), persons=7, items=5)
    seen, start = {}, 0
    for chunk in whole.chunks(size):
        seen |= {(start + p, i): s for (p, i), s in as_dict(chunk).items()}
        assert chunk.persons <= size
        assert chunk.items == 5
        start += chunk.persons
    assert seen == given_cells
    assert start == 7


def test_counts_follow_from_the_highest_numbers():
    responses = make_responses([2], [3], [True])
    assert (responses.persons, responses.items) == (3, 4)
    assert responses.indptr.tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("person", "item", "score", "complaint"),
    [
        ([0, 1], [0, 0], [1.0, np.nan], "row 1: score is nan, not a whole number"),
        ([0, 1], [0, 0], [0.5, 1], "row 0: score is 0.5, not a whole number"),
        ([0, 1], [0, 0], [1, np.inf], "row 1: score is inf"),
        ([0, 1], [0, 0], [1, -1], "row 1: score is -1; 0..127 is possible"),
        ([0, 1], [0, 0], [1, 128], "row 1: score is 128; 0..127 is possible"),
        ([0, -1], [0, 0], [1, 1], "row 1: person is -1; 0..1 is possible"),
        ([0, 2], [0, 0], [1, 1], "row 1: person is 2; 0..1 is possible"),
        ([0, 1], [0, 3], [1, 1], "row 1: item is 3; 0..2 is possible"),
        ([1, 0, 1], [2, 2, 2], [1, 0, 0], "rows 0 and 2: person 1 answered item 2 twice"),
        ([], [], [], "there are no responses"),
        ([0, 1], [0], [1, 1], "columns of unequal length: 2, 1 and 2 rows"),
        ([0, 1], [0, 1], ["a", "b"], "score must be numbers"),
        ([[0]], [0], [1], "person must be one column"),
    ],
)
def test_bad_columns_are_named(person, item, score, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        make_responses(person, item, score, persons=2, items=3)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ([[1, 0], [0.5, 1]], "person 1, item 0: the score is 0.5"),
        ([[1, -1]], "person 0, item 1: the score is -1.0"),
        ([[1, np.inf]], "person 0, item 1: the score is inf"),
        ([[np.nan, np.nan]], "there are no responses"),
        ([1, 2], "this has the shape (2,)"),
        (np.empty((0, 3)), "this has the shape (0, 3)"),
    ],
)
def test_bad_tables_are_named(table, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        table_responses(table)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"item": np.array([0, 0], np.int32)}, "response 1 (item 0): the items of a person must rise"),
        ({"item": np.array([0, 5], np.int32)}, "response 1 (item 5): the item lies outside"),
        ({"score": np.array([0, -1], np.int8)}, "response 1 (item 1): the score is negative"),
        ({"score": np.array([0], np.int8)}, "2 items for 1 scores"),
        ({"indptr": np.array([0, 1], np.int64)}, "indptr must go from 0 to the number of responses, 2"),
        ({"indptr": np.array([0, 3, 2], np.int64)}, "indptr must never fall"),
        ({"item": np.array([0, 1])}, "item must be one column of int32"),
        ({"items": 0}, "items is 0"),
    ],
)
def test_made_by_hand_they_are_checked_too(change, complaint):
    sound = {
        "indptr": np.array([0, 2], np.int64),
        "item": np.array([0, 1], np.int32),
        "score": np.array([0, 1], np.int8),
        "items": 2,
    }
    Responses(**sound)
    with pytest.raises(ValueError, match=re.escape(complaint)):
        Responses(**(sound | change))


def test_a_chunk_has_a_person():
    with pytest.raises(ValueError, match="at least one person"):
        next(table_responses([[1.0]]).chunks(0))
