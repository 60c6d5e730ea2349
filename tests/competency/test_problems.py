"""Reading YAML with little trust: every file gives values with lines, or a problem with line and cure."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from toprope.competency.problems import (
    MAX_DEPTH,
    MAX_FILE_BYTES,
    Document,
    line_at,
    parse_document,
    repeated,
    suggest,
)


def problem_in(text):
    data = text if isinstance(text, bytes) else text.encode()
    _, problems = parse_document("a.yaml", data)
    (problem,) = problems
    assert problem.path == "a.yaml"
    assert problem.cure
    return problem


def test_document_knows_its_lines():
    text = "a: 1\nb:\n  - x\n  - {c: 2,\n     d: [3,\n 4]}\n"
    document, problems = parse_document("a.yaml", text.encode())
    assert problems == []
    assert document.value == {"a": 1, "b": ["x", {"c": 2, "d": [3, 4]}]}
    assert document.line("a") == 1
    assert document.line("b") == 2
    assert document.line("b", 0) == 3
    assert document.line("b", 1, "c") == 4
    assert document.line("b", 1, "d", 1) == 6
    assert document.at(("b", 1, "d", 1)) == 4


def test_place_that_is_not_there_has_the_line_of_what_is_around_it():
    lines = {(): 1, ("a",): 3, ("a", 0): 4}
    assert line_at(lines, ("a", 0, "missing", 7)) == 4
    assert line_at(lines, ("a", 9)) == 3
    assert line_at(lines, ("z",)) == 1


def test_keys_are_text_as_written_and_dates_stay_text():
    document, _ = parse_document("a.yaml", b"1: a\non: b\nnull: c\n1.50: d\nwhen: 2026-01-02\n")
    assert document.value == {"1": "a", "on": "b", "null": "c", "1.50": "d", "when": "2026-01-02"}


def test_byte_order_mark_is_no_character():
    document, _ = parse_document("a.yaml", "\ufeffa: 1".encode())
    assert document.value == {"a": 1}


@pytest.mark.parametrize(
    ("text", "line", "message", "cure"),
    [
        ("a:\n\tb: 1\n", 2, "Not YAML", "spaces"),
        ("a: b: c\n", 1, "mapping values", "quotes"),
        ("a: [1, 2\nb: 3\n", 2, "Not YAML", "bracket"),
        ('a: 1\nb: "x\nc: 3\n', 2, "end of stream", "quote"),
        ("a: @foo", 1, "Not YAML", "Correct the line"),
        ("x: 1\na: &x [1]\nb: *x\n", 2, "'x' is an anchor or alias", "Write the text out"),
        ("b: *nowhere\n", 1, "'nowhere' is an anchor or alias", "Write the text out"),
        ("a: 1\nb: 2\na: 3\n", 3, "'a' stands twice; first in line 1", "Keep one"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "YAML tag", "Remove the tag"),
        ("a: 1\n---\nb: 2\n", 2, "second YAML document", "one document per file"),
        ("", 1, "empty", "Write the document"),
        ("# only a comment\n", 1, "empty", "Write the document"),
        ("? [a, b]\n: c\n", 1, "stands as a key", "Write text as the key"),
        ("a: .nan\n", 1, "'.nan' is no number", "finite"),
        ("a: -.inf\n", 1, "'-.inf' is no number", "finite"),
        ("a: " + "9" * 5_000, 1, "no number that can be kept", "quotes"),
        ('a: "x\\0y"\n', 1, "NUL", "Remove the escape"),
        ("a: 1\nb: \x07\n", 2, "cannot stand in YAML", "Delete it"),
        ("a: 1\nb: é\n".encode("latin-1"), 2, "Byte 9 of the file is not UTF-8", "UTF-8"),
        ("[" * 100_000, 1, f"More than {MAX_DEPTH} levels", "Flatten"),
        ("- " * 100_000 + "x", 1, f"More than {MAX_DEPTH} levels", "Flatten"),
        ("a: " * 100_000, 1, "Not YAML", "quotes"),
        (b" " * (MAX_FILE_BYTES + 1), 1, "more than 2,000,000 bytes", "Split it"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_unreadable_file_is_told_with_line_and_cure(text, line, message, cure):
    problem = problem_in(text)
    assert problem.line == line
    assert message in problem.message
    assert cure in problem.cure


def test_merge_keys_are_plain_keys():
    document, _ = parse_document("a.yaml", b"<<: {a: 1}\n")
    assert document.value == {"<<": {"a": 1}}


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXT, JSON, min_size=1))
def test_what_yaml_writes_is_read_back(value):
    text = yaml.safe_dump(value)
    document, problems = parse_document("a.yaml", text.encode())
    assert problems == []
    assert document.value == value


@given(st.binary(max_size=200) | st.text("ab:-[]{}&*!#'\"|>%@\n\t ,?1.", max_size=80).map(str.encode))
def test_any_bytes_give_a_document_or_a_problem_in_a_line_that_exists(data):
    document, problems = parse_document("a.yaml", data)
    assert document is not None or problems
    for problem in problems:
        assert 1 <= problem.line <= data.count(b"\n") + data.count(b"\r") + 2
        assert problem.message
        assert problem.cure
    if document is not None:
        assert all(line >= 1 for line in document.lines.values())


def test_suggestion_names_the_nearest_and_all_of_few():
    assert suggest("SEC-1", ["SEC-01", "GOV-01"]) == "Write one of: GOV-01, SEC-01. Did you mean 'SEC-01'?"
    assert suggest("quite other", ["a", "b"]) == "Write one of: a, b."
    many = [f"item-{number}" for number in range(50)]
    assert suggest("item-77", many).startswith(
        "Write one of the 50 there are, such as 'item-0'. Did you mean"
    )
    assert "none to choose from" in suggest("x", [])


def test_repeated_values_are_told_even_in_one_line():
    document = Document("a.yaml", {"l": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}, {(): 1, ("l",): 5})
    (problem,) = repeated(document, [("l", number, "id") for number in range(3)], "letter")
    assert problem.message == "The letter 'a' stands twice; first in line 5."
