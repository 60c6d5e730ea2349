"""Texts with inline marks: the cut into tokens, and that the cut gives nothing away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.content.marks import CLASSES, DECOY, read_marked

TEXTS = st.text(alphabet="ab1 .:/@=-#\"'(),€\n", max_size=120)


def tokens(source):
    return [token.text for line in read_marked(source).lines for token in line.tokens]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password=hunter2", ["password", "hunter2"]),
        (
            "postgres://app:hunter2@db.internal/orders",
            ["postgres", "app", "hunter2", "db.internal", "orders"],
        ),
        ("redis://:hunter2@127.0.0.1:6379", ["redis", "hunter2", "127.0.0.1", "6379"]),
        ('{"email": "mira.olsen@post.test", "n": 3}', ["email", "mira.olsen@post.test", "n", "3"]),
        ("2026-11-03T09:14:22.118Z at 09:14", ["2026-11-03T09:14:22.118Z", "at", "09:14"]),
        ("we pay €1,840,000.", ["we", "pay", "€1,840,000"]),
        ("f(a,b) v7.4.1-rc2. Done!", ["f", "a", "b", "v7.4.1-rc2", "Done!"]),
        ("--- => | #", []),
    ],
)
def test_words_are_cut_so_that_a_value_can_be_marked_without_its_name(text, expected):
    assert tokens(text) == expected


def test_a_mark_keeps_its_class_its_note_and_its_place():
    marked = read_marked("to ⟦personal:Mira Olsen|A name.⟧ at\n  ⟦decoy:127.0.0.1⟧:80", first_index=7)

    name, address = marked.marks
    assert (name.kind, name.text, name.note, name.line, name.tokens) == (
        "personal",
        "Mira Olsen",
        "A name.",
        1,
        (8, 9),
    )
    assert (address.kind, address.text, address.note, address.line, address.tokens) == (
        "decoy",
        "127.0.0.1",
        "",
        2,
        (11,),
    )
    assert marked.text == "to Mira Olsen at\n  127.0.0.1:80"
    assert [line.before for line in marked.lines] == ["", "  "]


def test_a_mark_leaves_out_a_word_that_touches_it():
    (mark,) = read_marked("⟦personal:ann@post.test|Mail.⟧#7").marks

    assert mark.tokens == (0,)


def test_a_mark_may_run_over_several_lines():
    marked = read_marked("⟦secret:-----BEGIN KEY-----\nabc\n-----END KEY-----|A key.⟧")

    assert marked.faults == ()
    assert marked.marks[0].tokens == (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("a\n⟦secret:b", 2, "never closed"),
        ("a\nb⟧", 2, "never opened"),
        ("⟦secret:a\n⟦secret:b⟧", 2, "opens inside the mark that opens in line 1"),
        ("⟦scret:a⟧", 1, "'scret' is no class"),
        ("⟦a⟧", 1, "'a' is no class"),
        ("\n⟦secret:|why⟧", 2, "holds no word"),
        ("⟦secret:--|why⟧", 1, "holds no word"),
        ("⟦secret:a|b|c⟧", 1, "'|' twice"),
        ("⟦secret:a|b\nc⟧", 1, "runs over the end of its line"),
        ("hun⟦secret:ter2⟧", 1, "cuts the word 'hunter2'"),
    ],
)
def test_a_fault_names_its_line_and_a_cure(source, line, message):
    (fault,) = [fault for fault in read_marked(source).faults if message in fault.message]

    assert fault.line == line
    assert fault.cure


@given(TEXTS)
def test_the_tokens_put_together_are_the_text(source):
    marked = read_marked(source)

    joined = ["".join([line.before, *(t.text + t.after for t in line.tokens)]) for line in marked.lines]
    assert "\n".join(joined) == marked.text == source.rstrip()
    indexes = [token.index for line in marked.lines for token in line.tokens]
    assert indexes == list(range(len(indexes)))


@given(st.data(), TEXTS)
def test_marks_do_not_change_the_cut(data, source):
    plain = read_marked(source)
    words = [token for line in plain.lines for token in line.tokens]
    if not words:
        return
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, min(first + 3, len(words) - 1)))
    kind = data.draw(st.sampled_from((*CLASSES, DECOY)))
    pieces = []
    for line in plain.lines:
        pieces.append(line.before)
        for token in line.tokens:
            opening = f"⟦{kind}:" if token.index == first else ""
            closing = "|why⟧" if token.index == last else ""
            pieces.append(f"{opening}{token.text}{closing}{token.after}")
        pieces.append("\n")

    marked = read_marked("".join(pieces))

    assert marked.faults == ()
    assert marked.lines == plain.lines
    assert [mark.tokens for mark in marked.marks] == [tuple(range(first, last + 1))]


@given(st.text(alphabet="⟦⟧:|ab \n@/", max_size=60))
def test_no_text_of_an_author_breaks_the_reading(source):
    marked = read_marked(source)

    assert all(1 <= fault.line <= source.count("\n") + 1 and fault.cure for fault in marked.faults)
    assert all(mark.tokens for mark in marked.marks)
    if "⟦" in source or "⟧" in source:
        assert marked.marks or marked.faults
