"""How an answer is scored, and where a flaw is said to stand."""

import difflib
import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.content.api import Item, Option, builtin_pack, score_answer
from toprope.content.logic import find_flaw_lines, locates, parse_item
from toprope.content.pack import read_pack

ITEM = Item(
    key="itm-x",
    version="pack@1.0.0",
    kind="flaw",
    competency="SEC-01",
    level=1,
    stem="What is wrong?",
    code="one\ntwo\nthree\nfour\n",
    lang="python",
    options=(
        Option("a", "This", ""),
        Option("b", "That", "Thinks that."),
        Option("c", "Both", "Thinks both."),
    ),
    answer="a",
    critical=True,
    rationale="Because.",
    flaw_lines=(2,),
)


@functools.cache
def builtin_items():
    documents, problems = read_pack(builtin_pack()).parse()
    assert problems == []
    return {
        entry["id"]: parse_item(entry, "pack@1.0.0")
        for path, document in documents.items()
        if path.startswith("items/")
        for entry in document.value["items"]
    }


def test_right_choice_succeeds():
    scored = score_answer(ITEM, "a", {2})
    assert (scored.score, scored.success, scored.critical_miss) == (1.0, True, False)
    assert scored.misconception == ""
    assert scored.located is True


def test_wrong_choice_names_its_misconception_and_misses_what_is_critical():
    scored = score_answer(ITEM, "b", {2})
    assert (scored.score, scored.success, scored.critical_miss) == (0.0, False, True)
    assert scored.misconception == "Thinks that."


def test_no_choice_is_no_success_and_no_misconception():
    scored = score_answer(ITEM, "", ())
    assert (scored.success, scored.misconception) == (False, "")
    assert scored.located is False


def test_lines_do_not_change_the_score():
    assert score_answer(ITEM, "a", ()).score == score_answer(ITEM, "a", {1}).score == 1.0


def test_unknown_choice_and_line_are_refused_by_name():
    with pytest.raises(ValueError, match=r"itm-x has no option 'z'; its options are a, b, c"):
        score_answer(ITEM, "z", ())
    with pytest.raises(ValueError, match=r"itm-x has 4 lines of code; line 5 is none"):
        score_answer(ITEM, "a", {5})


@given(st.sets(st.integers(1, 30)), st.sets(st.integers(1, 30), min_size=1))
def test_sweeping_over_the_code_locates_nothing(marked, flawed):
    found = locates(marked, flawed)
    assert found == (bool(marked & flawed) and len(marked) <= len(flawed) + 2)
    assert not locates(marked - flawed, flawed)
    assert locates(flawed, flawed)


def test_every_item_of_the_pack_is_read_and_its_key_scores():
    items = builtin_items()
    assert len(items) == 84
    for item in items.values():
        if item.kind == "fix":
            continue
        assert score_answer(item, item.answer, item.flaw_lines).success
        for option in item.options:
            scored = score_answer(item, option.id)
            assert scored.success == (option.id == item.answer)
            assert bool(scored.misconception) != scored.success


FLAW_LINES = {
    "itm-agt03-3": (2,),  # rm -rf "$BUILD_DIR"/*
    "itm-qlt01-2": (),  # the test is written anew
    "itm-sec02-1": (2,),  # the query in an f-string
    "itm-sec02-3": (),  # three of four lines are another way to make a token
    "itm-sec02-4": (2,),  # the log line in an f-string; the added import is no flaw of line 1
    "itm-sec02-5": (2,),  # startswith
    "itm-sec04-2": (),  # no sound version is given
    "itm-ver01-1": (1,),  # tags=[]
    "itm-ver01-3": (),  # another algorithm
    "itm-ver01-4": (2, 3),  # NOT IN
    "itm-ver02-1": (4, 5),  # except Exception: return True
    "itm-ver02-2": (3, 5),  # the cache, and the call that reads the customer
    "itm-ver02-4": (1, 4),  # the key belongs before the loop, and into the call
    "itm-ver02-6": (2, 4),  # forEach(async ...
    "itm-ver04-1": (),  # no sound version is given
}
"""Looked at one by one. Whoever changes a flaw item looks again, and writes here where its flaw stands."""


def test_flaw_lines_of_the_pack_are_where_people_see_them():
    derived = {key: item.flaw_lines for key, item in builtin_items().items() if item.kind == "flaw"}
    assert derived == FLAW_LINES


LINES = st.lists(st.sampled_from(["a", "b", "  c", "d", "", "   "]), max_size=8)


@given(LINES, LINES)
def test_flaw_lines_are_written_lines_and_at_most_half(old, new):
    lines = find_flaw_lines("\n".join(old), "\n".join(new))
    written = [number for number, line in enumerate("\n".join(old).splitlines(), 1) if line.strip()]
    assert set(lines) <= set(written)
    assert 2 * len(lines) <= len(written)
    assert list(lines) == sorted(set(lines))


@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=8, unique=True), st.data())
def test_changed_line_is_found(old, data):
    place = data.draw(st.integers(0, len(old) - 1))
    new = [*old[:place], "changed", *old[place + 1 :]]
    assert find_flaw_lines("\n".join(old), "\n".join(new)) == (place + 1,)
    assert difflib.unified_diff(old, new)
