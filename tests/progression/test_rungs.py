"""Every validation type of the ladder, and that a rung opens on all of them together and on nothing less."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ladder import (
    FRAMEWORK,
    MENTORS,
    PERSON,
    START,
    Ingredient,
    all_levels,
    decision,
    held,
    note,
    rating,
    situation,
    statement,
    whole_climb,
)

from toprope.competency.formats import REQUIREMENT_TYPES
from toprope.evidence.statement import Object, ObjectType, Verb
from toprope.progression.logic import Part, RungCase, Status, UseDay, check_rung, parts_given
from toprope.progression.logic.authorities import AUTHORITIES
from toprope.progression.logic.validations import VALIDATIONS, check_validation

OPENED = dict.fromkeys(FRAMEWORK.rungs, START)
CLIMB = whole_climb()


def requirement(kind, rung, ingredients=(), now=START + timedelta(hours=10), **fields):
    """The requirement of this kind in the checklist of a rung that was not granted yet."""
    opened = {key: at for key, at in OPENED.items() if key != rung}
    checklist = check_rung(situation(ingredients, now, **fields), FRAMEWORK.rungs[rung], opened)
    return next(each for each in checklist.requirements if each.kind == kind)


def of(rung, what):
    return [each for each in CLIMB if (each.rung, each.what) == (rung, what)]


def test_every_type_and_authority_of_the_ladder_is_known():
    assert set(VALIDATIONS) == set(REQUIREMENT_TYPES)
    assert set(AUTHORITIES) == set(FRAMEWORK.authorities)


def test_a_type_or_an_authority_that_is_not_known_keeps_the_rung_closed():
    from dataclasses import replace

    case = RungCase(situation(CLIMB), FRAMEWORK.rungs["R1"])
    assert check_validation(case, {"type": "palmistry"}).status is Status.MISSING
    strange = replace(FRAMEWORK.rungs["R1"], decision="oracle")
    checklist = check_rung(situation(CLIMB), strange, OPENED)
    assert checklist.first_met is None
    assert not checklist.done


@pytest.mark.parametrize("rung", FRAMEWORK.rungs)
def test_a_whole_climb_opens_every_rung(rung):
    opened = {key: START for key in FRAMEWORK.rungs if key != rung}
    checklist = check_rung(situation(CLIMB), FRAMEWORK.rungs[rung], opened)
    missing = [(each.title, each.detail) for each in checklist.requirements if each.status is not Status.DONE]
    assert not missing
    assert checklist.first_met is not None
    assert checklist.evidence


@given(st.sampled_from([number for number, each in enumerate(CLIMB)]))
def test_no_rung_opens_without_every_one_of_its_ingredients(left_out):
    rung = CLIMB[left_out].rung
    ingredients = [each for number, each in enumerate(CLIMB) if number != left_out]
    if CLIMB[left_out].what == "recency":  # others ask for the same uses
        ingredients = [Ingredient(each.rung, each.what, each.statements) for each in ingredients]
    if CLIMB[left_out].what in ("automatic", "practical_exam"):  # what is shown for a rung above counts too
        ingredients = [each for each in ingredients if each.what != CLIMB[left_out].what]
    opened = {key: START for key in FRAMEWORK.rungs if key != rung}
    checklist = check_rung(situation(ingredients), FRAMEWORK.rungs[rung], opened)
    assert checklist.first_met is None
    assert not checklist.done


@given(st.sampled_from([key for key, rung in FRAMEWORK.rungs.items() if rung.competencies]), st.data())
def test_no_rung_opens_without_every_one_of_its_levels(rung, data):
    lacking = data.draw(st.sampled_from(sorted(FRAMEWORK.rungs[rung].competencies)))
    asked = FRAMEWORK.rungs[rung].competencies[lacking]
    levels = all_levels()
    del levels[lacking, 4]
    if asked > 1:
        levels[lacking, asked - 1] = held(lacking, asked - 1)
    checklist = check_rung(situation(CLIMB, levels=levels), FRAMEWORK.rungs[rung], OPENED)
    assert checklist.first_met is None


@pytest.mark.parametrize("rung", ["R6", "R9"])
def test_provisional_levels_open_only_the_rungs_that_the_pack_names(rung):
    levels = all_levels(provisional=True)
    assert check_rung(situation(CLIMB, levels=levels), FRAMEWORK.rungs[rung], OPENED).first_met is None
    assert check_rung(situation(CLIMB, levels=levels), FRAMEWORK.rungs["R4"], OPENED).first_met is not None


def test_a_lapsed_level_counts_as_the_one_below():
    lapsed = all_levels(lapses_at=START)
    assert requirement("level", "R6", levels=lapsed).status is Status.DONE  # level 4 lapsed is level 3
    twos = {(key, 2): held(key, 2, lapses_at=START) for key in FRAMEWORK.competencies}
    assert requirement("level", "R6", levels=twos).status is Status.EXPIRED
    assert requirement("level", "R5", levels=twos).status is Status.DONE


def test_a_level_that_was_lapsed_when_everything_else_was_met_opens_later():
    from toprope.progression.logic import Period

    gap = Period(START - timedelta(hours=12), START + timedelta(hours=9))
    ones = {(key, 1): held(key, 1, gaps=(gap,)) for key in FRAMEWORK.competencies}
    checklist = check_rung(situation(CLIMB, levels=ones), FRAMEWORK.rungs["R1"], {"R0": START})
    assert checklist.first_met == gap.end


def exam(*ratings, now=START + timedelta(hours=10)):
    return requirement("practical_exam", "R8", [Ingredient("R8", "exam", list(ratings))], now)


def rb4(number, by, at=0, **fields):
    attempt = fields.pop("attempt", UUID(int=700))
    return rating(number, "RB-4", 3, "GOV-03", by, START + timedelta(minutes=at), attempt=attempt, **fields)


def test_one_rater_of_two_waits_and_the_same_one_twice_is_one():
    assert exam(rb4(1, MENTORS[0])).status is Status.WAITING
    assert exam(rb4(1, MENTORS[0]), rb4(2, MENTORS[0], 1)).status is Status.WAITING
    assert exam(rb4(1, MENTORS[0]), rb4(2, MENTORS[1], 1)).status is Status.DONE


def test_nobody_rates_themselves():
    assert exam(rb4(1, MENTORS[0]), rb4(2, PERSON, 1)).status is Status.WAITING


@pytest.mark.parametrize("low", ["contain", "evidence", "improve"])
def test_one_criterion_below_the_floor_fails_whatever_the_mean(low):
    scores = {each["id"]: 4 for each in FRAMEWORK.rubrics["RB-4"]["criteria"]}
    below = {**scores, low: 1}
    found = exam(rb4(1, MENTORS[0], score=below), rb4(2, MENTORS[1], 1, score={**below, low: 2}))
    assert found.status is Status.MISSING


def test_raters_two_steps_apart_need_a_third():
    scores = {each["id"]: 3 for each in FRAMEWORK.rubrics["RB-4"]["criteria"]}
    two = [
        rb4(1, MENTORS[0], score={**scores, "contain": 4}),
        rb4(2, MENTORS[1], 1, score={**scores, "contain": 2}),
    ]
    assert exam(*two).status is Status.WAITING
    assert exam(*two, rb4(3, MENTORS[2], 2)).status is Status.DONE


def test_a_critical_error_fails_and_blocks_until_the_exam_is_retaken():
    passed = [rb4(1, MENTORS[0]), rb4(2, MENTORS[1], 1)]
    missed = [
        rb4(3, MENTORS[0], 10, attempt=UUID(int=710), errors=["Deletes evidence"], score=4),
        rb4(4, MENTORS[1], 11, attempt=UUID(int=710), score=4),
    ]
    again = [rb4(5, MENTORS[0], 20, attempt=UUID(int=720)), rb4(6, MENTORS[1], 21, attempt=UUID(int=720))]
    assert exam(*passed, *missed).status is Status.MISSING
    assert exam(*passed, *missed, *again).status is Status.DONE


def test_a_second_criterion_not_observed_makes_an_attempt_incomplete():
    scores = {each["id"]: 4 for each in FRAMEWORK.rubrics["RB-4"]["criteria"]}
    one, two = {**scores, "improve": None}, {**scores, "improve": None, "cause": None}
    assert exam(rb4(1, MENTORS[0], score=one), rb4(2, MENTORS[1], 1)).status is Status.DONE
    assert exam(rb4(1, MENTORS[0], score=two), rb4(2, MENTORS[1], 1)).status is Status.MISSING


def notes(*said):
    made = [
        note(each, "R6", by, START + timedelta(minutes=each), supervision=s)
        for each, (by, s) in enumerate(said, 1)
    ]
    return requirement("mentor_signoff", "R6", [Ingredient("R6", "notes", made)])


def test_notes_come_from_enough_supervisors_and_want_no_more_than_the_rung_begins_with():
    one, two = MENTORS[:2]
    assert notes((one, "S2"), (one, "S3"), (two, "S2")).status is Status.DONE
    assert notes((one, "S4"), (one, "S4"), (one, "S4")).status is Status.WAITING
    assert notes((one, "S4"), (one, "S4"), (two, "S1")).status is Status.WAITING
    assert notes((one, "S4"), (two, "S4"), (PERSON, "S5")).status is Status.WAITING


def decided(rung, *made):
    opened = {key: START for key in FRAMEWORK.rungs if key != rung}
    case = situation([Ingredient(rung, "decisions", list(made))])
    checklist = check_rung(case, FRAMEWORK.rungs[rung], opened)
    return next(each for each in checklist.requirements if each.kind == "decision")


def approve(number, by, *parts, rung="R7", **detail):
    at = START + timedelta(minutes=number)
    return decision(number, Verb.WAS_APPROVED, rung, by, at, parts=list(parts), **detail)


def test_a_mentor_and_a_security_engineer_are_two_people():
    one, two = MENTORS[:2]
    assert decided("R7", approve(1, one, "mentor")).status is Status.WAITING
    assert decided("R7", approve(1, one, "mentor", "security")).status is Status.WAITING
    assert decided("R7", approve(1, one, "mentor"), approve(2, one, "security")).status is Status.WAITING
    assert decided("R7", approve(1, one, "mentor"), approve(2, two, "security")).status is Status.DONE
    founding = decided("R7", approve(1, one, "mentor", "security", founding=True))
    assert founding.status is Status.DONE
    assert "founding authority" in founding.detail


def test_the_line_manager_alone_and_the_person_do_not_decide():
    assert (
        decided("R6", approve(1, MENTORS[0], "mentor", rung="R6", line_manager=True)).status is Status.WAITING
    )
    assert decided("R6", approve(1, PERSON, "mentor", rung="R6")).status is Status.WAITING


def test_who_declines_takes_back_what_was_decided_before_and_it_can_be_decided_anew():
    one, two = MENTORS[:2]
    yes, no = (
        approve(1, one, "mentor", rung="R6"),
        decision(2, Verb.WAS_DECLINED, "R6", two, START + timedelta(minutes=2)),
    )
    assert decided("R6", yes, no).status is Status.WAITING
    assert decided("R6", yes, no, approve(3, one, "mentor", rung="R6")).status is Status.DONE
    case = RungCase(situation([Ingredient("R6", "x", [yes, no])]), FRAMEWORK.rungs["R6"])
    assert not parts_given(case)
    case = RungCase(situation([Ingredient("R6", "x", [yes])]), FRAMEWORK.rungs["R6"])
    assert parts_given(case) == {Part.MENTOR: str(one)}


members = st.lists(
    st.tuples(st.sampled_from([PERSON, *MENTORS[:4]]), st.booleans(), st.booleans()), max_size=5
)


@given(members)
def test_a_panel_has_three_members_two_at_s5_and_one_of_another_team(sat):
    told = [{"person": str(who), "supervises": s5, "other_team": other} for who, s5, other in sat]
    found = decided("R8", approve(1, MENTORS[5], "panel", rung="R8", members=told))
    people = {who: (s5, other) for who, s5, other in sat if who != PERSON}
    enough = (
        len(people) >= 3
        and sum(s5 for s5, _ in people.values()) >= 2
        and any(other for _, other in people.values())
    )
    assert (found.status is Status.DONE) == enough


@given(st.integers(0, 20), st.integers(0, 40))
def test_a_data_owners_approval_opens_at_once_and_closes_by_itself(hours, asked):
    made = decision(
        1, Verb.WAS_APPROVED, "R9", MENTORS[0], START, parts=["data_owner"], purpose="x", hours=asked
    )
    found = requirement(
        "data_owner_approval", "R9", [Ingredient("R9", "x", [made])], START + timedelta(hours=hours)
    )
    assert (found.status is Status.DONE) == (hours < min(asked, 8))
    assert found.lasting


@given(st.lists(st.integers(0, 200), max_size=25), st.integers(0, 400))
def test_recency_counts_the_uses_within_its_days(days, now):
    moments = sorted(START + timedelta(days=day, minutes=number) for number, day in enumerate(days))
    uses = Ingredient(
        "R4",
        "recency",
        uses={
            "R3": tuple(
                UseDay(at.date(), 1, "", (at,), (UUID(int=number),)) for number, at in enumerate(moments, 1)
            )
        },
    )
    at = START + timedelta(days=now)
    found = requirement("recency", "R4", [uses], at)
    recent = [each for each in moments if each <= at < each + timedelta(days=60)]
    assert (found.status is Status.DONE) == (len(recent) >= 10)


def test_use_in_a_sandbox_counts_only_where_the_rung_takes_sandbox_evidence():
    def uses(rung, condition):
        times = tuple(START + timedelta(minutes=each) for each in range(15))
        day = UseDay(START.date(), 15, condition, times, tuple(UUID(int=1 + each) for each in range(15)))
        return Ingredient("x", "recency", uses={rung: (day,)})

    assert requirement("recency", "R4", [uses("R3", "sandbox")]).status is Status.MISSING
    assert requirement("recency", "R4", [uses("R3", "")]).status is Status.DONE
    assert requirement("recency", "R7", [uses("R6", "sandbox")]).status is Status.DONE


def hunt(number, flaws, score):
    context = {"competency": "FND-01", "level": 1, "kind": "flaw_hunt"}
    at = START + timedelta(minutes=number)
    practical = Object(ObjectType.PRACTICAL, "a-hunt")
    return statement(
        number, Verb.COMPLETED, practical, at, score=score, detail={"flawed": flaws}, context=context
    )


def test_flaw_hunts_count_in_a_row_and_not_the_best_of_many():
    def found(*hunts):
        return requirement("flaw_hunt", "R2", [Ingredient("R2", "hunts", list(hunts))]).status

    assert found(hunt(1, 5, 0.6), hunt(2, 5, 0.6)) is Status.DONE
    assert found(hunt(1, 5, 1.0)) is Status.MISSING  # five faults are not ten
    assert found(hunt(1, 5, 1.0), hunt(2, 5, 0.0), hunt(3, 5, 0.0), hunt(4, 5, 1.0)) is Status.MISSING


def test_a_mixed_set_for_a_rung_above_counts_for_those_below_and_a_miss_there_does_not():
    assert requirement("mixed_items", "R2", of("R6", "automatic")).status is Status.DONE
    assert requirement("mixed_items", "R6", of("R2", "automatic")).status is Status.MISSING


@given(st.permutations(range(len(CLIMB))))
def test_the_order_in_which_statements_arrive_does_not_matter(order):
    told = check_rung(situation(CLIMB), FRAMEWORK.rungs["R9"], OPENED)
    assert check_rung(situation([CLIMB[each] for each in order]), FRAMEWORK.rungs["R9"], OPENED) == told


@given(st.sampled_from(list(FRAMEWORK.rungs)), st.integers(0, 4_000))
def test_when_something_was_first_met_does_not_depend_on_when_one_asks(rung, days):
    opened = {key: START for key in FRAMEWORK.rungs if key != rung}
    early = check_rung(situation(CLIMB, START), FRAMEWORK.rungs[rung], opened)
    late = check_rung(situation(CLIMB, START + timedelta(days=days)), FRAMEWORK.rungs[rung], opened)
    assert early.first_met == late.first_met is not None
    then = check_rung(situation(CLIMB).as_of(early.first_met), FRAMEWORK.rungs[rung], opened)
    assert then.done
