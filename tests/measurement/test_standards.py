"""Panels that set where a level begins."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories import make_cast
from tests.frameworks import builtin_framework

from toprope.audit import api as audit
from toprope.config.rebuild import rebuild
from toprope.content.logic import Item, Option
from toprope.measurement import api as measurement
from toprope.measurement.logic import (
    Basis,
    StandardError,
    judge_angoff,
    judge_bookmark,
    order_booklet,
    population_of,
)

START = datetime(2026, 1, 5, tzinfo=UTC)
BASIS = Basis("a basis", population_of(builtin_framework()))
OPTIONS = tuple(Option(letter, letter, "") for letter in "abc")
ITEMS = [
    Item(f"itm-{level}-{n}", "pack", "mcq", "SEC-01", level, "", "", "", OPTIONS, "a", False, "", ())
    for level in (1, 2, 3)
    for n in range(4)
]
PANEL = ("ada", "ben", "cleo")


def angoff(share: float, *, panel=PANEL, level=2, items=ITEMS[4:8]):
    rows = [(panelist, item.key, share) for panelist in panel for item in items]
    return judge_angoff(BASIS, level, ITEMS, rows)


def test_three_in_four_of_a_levels_own_questions_is_where_it_began_anyway():
    result = angoff(0.75)
    assert result.cut == pytest.approx(BASIS.cuts[2], abs=1e-6)
    assert result.standard_error == pytest.approx(0.0, abs=1e-9)
    assert set(result.panelists) == set(PANEL)


@given(st.floats(0.6, 0.8), st.floats(0.005, 0.04))
def test_who_expects_more_sets_a_higher_cut(share, more):
    assert angoff(share + more).cut > angoff(share).cut


def test_a_panel_that_disagrees_says_so_in_its_standard_error():
    rows = [
        (panelist, item.key, share)
        for panelist, share in zip(PANEL, (0.65, 0.75, 0.8), strict=True)
        for item in ITEMS[4:8]
    ]
    result = judge_angoff(BASIS, 2, ITEMS, rows)
    assert result.standard_error > 0.05
    assert result.panelists["ada"] < result.cut < result.panelists["cleo"]


def test_a_booklet_goes_from_easy_to_hard_and_a_bookmark_points_into_it():
    entries = order_booklet(BASIS, ITEMS)
    assert [each.location for each in entries] == sorted(each.location for each in entries)
    assert [each.item.split("-")[1] for each in entries] == ["1"] * 4 + ["2"] * 4 + ["3"] * 4
    result = judge_bookmark(BASIS, 2, ITEMS, [(panelist, 8) for panelist in PANEL])
    assert result.cut == pytest.approx(entries[7].location)


@pytest.mark.parametrize(
    ("judge", "complaint"),
    [
        (lambda: angoff(0.75, panel=PANEL[:2]), "2 panelists; a panel has at least 3"),
        (lambda: angoff(1.2), "a share of people is asked"),
        (lambda: angoff(0.2), "lead to no cut"),
        (lambda: angoff(0.9), "level 3 begins at"),
        (lambda: angoff(0.75, items=ITEMS[4:6] + ITEMS[4:5]), "rates itm-2-0 twice"),
        (lambda: judge_angoff(BASIS, 2, ITEMS, [("ada", "nothing", 0.5)]), "no question 'nothing'"),
        (lambda: judge_bookmark(BASIS, 2, ITEMS, [("ada", 13)]), "the booklet has 1 to 12"),
        (lambda: judge_bookmark(BASIS, 2, ITEMS, [("ada", 8), ("ada", 9)]), "two bookmarks"),
    ],
)
def test_what_is_no_panel_is_named(judge, complaint):
    with pytest.raises(StandardError, match=complaint):
        judge()


@pytest.mark.django_db
def test_a_panels_cut_is_in_force_and_on_record():
    make_cast(START)
    before = measurement.get_cuts()[2]
    entries = measurement.get_booklet()
    place = next(number for number, each in enumerate(entries, 1) if each.location > before + 0.2)
    result = measurement.judge_by_bookmark(2, [(panelist, place) for panelist in PANEL])
    assert measurement.get_cuts()[2] == before  # judging changes nothing
    measurement.adopt_standard(result, START)
    assert measurement.get_cuts()[2] == result.cut > before
    (entry,) = audit.list_entries(tag="standard.adopted")
    assert entry.detail["method"] == "bookmark"
    assert rebuild().identical
