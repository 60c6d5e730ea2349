"""Folding evidence into abilities."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.frameworks import builtin_framework

from toprope.content.logic import Item, Option
from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.measurement.logic import (
    RULE,
    Basis,
    Decision,
    Followed,
    Parameters,
    choose,
    follow,
    follow_many,
    judge,
    list_steps,
    planned_cut,
    population_of,
    rank_pool,
    read_abilities,
    start_following,
    unpack_followed,
)
from toprope.measurement.logic.readings import Known, read_statement

START = datetime(2026, 1, 5, tzinfo=UTC)
BASIS = Basis("a basis", population_of(builtin_framework()))
LATER = START + timedelta(days=30)


def answer(
    number: int, *, right: bool = True, competency: str = "SEC-01", level: int = 1, minutes=None, **detail
) -> Statement:
    return Statement(
        UUID(int=number + 1),
        UUID(int=9),
        Verb.ANSWERED,
        Object(ObjectType.ITEM, f"itm-{number}", "pack@1.0.0"),
        START + timedelta(minutes=number if minutes is None else minutes),
        result=Result(score=float(right), success=right, detail={"options": 3, "repeat": False, **detail}),
        context=Context(competency=competency, level=level, kind="auto_items"),
    )


def rating(number: int, response, *, rater: str = "ben", level: int = 2) -> Statement:
    return Statement(
        UUID(int=number + 1),
        UUID(int=9),
        Verb.WAS_RATED,
        Object(ObjectType.PRACTICAL, "explain-back"),
        START + timedelta(minutes=number),
        authority=rater,
        result=Result(score=0.75, success=True, response=response),
        context=Context(competency="SEC-01", level=level, kind="explain_back"),
    )


def practical(number: int, *, success: bool) -> Statement:
    told = answer(number, right=success)
    return replace(
        told,
        verb=Verb.COMPLETED,
        object=Object(ObjectType.PRACTICAL, "drill"),
        result=Result(score=0.97, success=success, detail={"hits": 3}),
    )


answers = st.lists(
    st.builds(
        answer,
        st.integers(0, 10_000),
        right=st.booleans(),
        competency=st.sampled_from(["SEC-01", "FND-01", "gone since"]),
        level=st.integers(0, 5),
        options=st.sampled_from([0, 1, 3, 4, "many"]),
        repeat=st.booleans(),
    ),
    max_size=20,
)


def abilities(*statements: Statement, at: datetime = LATER):
    followed = follow(BASIS, None, statements)
    return read_abilities(BASIS, followed, at) if followed else {}


@settings(max_examples=30)
@given(answers, st.integers(0, 20))
def test_folding_in_two_parts_is_folding_at_once_to_the_last_bit(given_answers, at):
    at = min(at, len(given_answers))
    halves = follow(BASIS, follow(BASIS, None, given_answers[:at]), given_answers[at:])
    whole = follow(BASIS, None, given_answers)
    assert (halves is None) == (whole is None)
    if halves is not None and whole is not None:
        assert halves.packed() == whole.packed()
        assert halves.responses == whole.responses


@settings(max_examples=20)
@given(st.lists(answers, max_size=4))
def test_persons_do_not_move_each_other(persons):
    together = follow_many(BASIS, [(None, each) for each in persons])
    alone = [follow(BASIS, None, each) for each in persons]
    assert [each and each.packed() for each in together] == [each and each.packed() for each in alone]


@settings(max_examples=20)
@given(answers)
def test_a_state_survives_its_row(given_answers):
    followed = follow(BASIS, None, given_answers)
    if followed is not None:
        assert unpack_followed(followed.packed(), followed.responses).packed() == followed.packed()


def test_the_explanation_ends_where_the_estimate_stands():
    told = [answer(1), answer(2, right=False), answer(3), answer(4, repeat=True)]
    steps = list_steps(BASIS, "SEC-01", told)
    assert len(steps) == 3
    assert (steps[0].before.value, steps[0].before.standard_error) == (0.0, 1.0)
    assert steps[-1].after == abilities(*told, at=told[2].timestamp)["SEC-01"].belief
    assert steps[0].after.value > 0 > steps[1].after.value - steps[1].before.value


def test_related_competencies_move_together_and_a_prerequisite_the_most():
    framework = builtin_framework()
    shown_one = next(each for each in framework.competencies.values() if each.prerequisites)
    needed = {each.competency for each in shown_one.prerequisites}
    moved = follow(BASIS, None, [answer(number, competency=shown_one.key) for number in range(6)])
    assert moved is not None
    gains = dict(zip(moved.state.competencies, moved.state.mean, strict=False))
    assert gains[shown_one.key] > max(gains[key] for key in needed) > min(gains.values()) > 0
    assert set(read_abilities(BASIS, moved, LATER)) == {shown_one.key}  # only what has evidence of its own


def test_what_says_nothing_is_passed_over():
    assert read_statement(answer(1), {})
    assert not read_statement(answer(1, repeat=True), {})
    assert not read_statement(replace(answer(1), verb=Verb.COMPLETED), {})  # a sitting: its answers count
    assert not read_statement(replace(answer(1), result=None), {})
    assert not read_statement(replace(answer(1), context=Context()), {})
    assert not abilities(answer(1, competency="gone since"))
    assert not read_statement(rating(1, 4, rater=str(UUID(int=9))), {})  # of oneself


def test_practicals_and_ratings_count_too():
    assert abilities(practical(1, success=True))["SEC-01"].value > 0
    assert abilities(practical(1, success=False))["SEC-01"].value < 0
    values = [abilities(rating(1, score))["SEC-01"].value for score in range(5)]
    assert values == sorted(values)
    assert values[0] < 0 < values[4]
    assert abilities(rating(1, {"scores": {"evidence": 4, "ranking": 3}}))["SEC-01"].responses == 2


def test_ten_ratings_by_one_mentor_are_less_certain_than_by_ten():
    one = abilities(*(rating(number, 4) for number in range(10)))["SEC-01"]
    ten = abilities(*(rating(number, 4, rater=f"mentor {number}") for number in range(10)))["SEC-01"]
    assert one.standard_error > ten.standard_error
    assert one.value < ten.value


def test_calibrated_parameters_take_the_place_of_planned_ones():
    hard = {("itm-1", "pack@1.0.0"): Known(Parameters(2.5, 1.5, 0.0, covariance=(0.01, 0.0, 0.01)))}
    known = Basis("another", BASIS.population, hard)
    followed = follow(known, None, [answer(1)])
    assert followed is not None
    assert read_abilities(known, followed, LATER)["SEC-01"].value > abilities(answer(1))["SEC-01"].value


def test_a_right_answer_that_may_have_got_about_says_less_and_a_wrong_one_no_less():
    leaked = Basis("another", BASIS.population, {("itm-1", "pack@1.0.0"): Known(None, exposed=0.6)})

    def value(basis, right):
        return read_abilities(basis, follow(basis, None, [answer(1, right=right)]), LATER)["SEC-01"].value

    assert 0 < value(leaked, right=True) < value(BASIS, right=True)
    assert value(leaked, right=False) == pytest.approx(value(BASIS, right=False), rel=0.2)


def test_estimates_age():
    told = [answer(number) for number in range(12)]
    soon, late = (abilities(*told, at=START + timedelta(days=days))["SEC-01"] for days in (1, 200))
    assert soon.value > late.value > 0
    assert late.standard_error > soon.standard_error


def test_cuts_rise_with_the_level():
    cuts = [planned_cut(level) for level in (1, 2, 3, 4)]
    assert cuts == sorted(cuts)
    assert len(set(cuts)) == 4


def verdict(followed: Followed, answered: int, *, nothing_left=False, level=1):
    return judge(
        BASIS,
        followed,
        "SEC-01",
        level,
        answered=answered,
        nothing_left=nothing_left,
        shortest_days=14,
        longest_days=104,
        now=START + timedelta(days=1),
    )


def shown(right: int, wrong: int) -> Followed:
    outcomes = [answer(number, right=number >= wrong) for number in range(right + wrong)]
    followed = follow(BASIS, None, outcomes)
    assert followed is not None
    return followed


def test_a_sitting_goes_on_until_the_matter_is_plain():
    assert verdict(shown(3, 0), 3).decision is Decision.CONTINUE
    assert verdict(shown(60, 0), RULE.most - 1).decision is Decision.PASSED
    assert verdict(shown(0, 60), RULE.most - 1).decision is Decision.NOT_YET
    assert verdict(shown(60, 0), RULE.fewest - 1).decision is Decision.CONTINUE  # a handful is never enough
    assert verdict(shown(20, 20), RULE.most).decision is not Decision.CONTINUE
    assert verdict(shown(3, 0), 3, nothing_left=True).decision is not Decision.CONTINUE


def test_an_award_lasts_as_long_as_the_certainty_does_and_no_longer_than_its_class():
    strong, fair = verdict(shown(30, 0), 30), verdict(shown(12, 2), 14)
    assert strong.lasts_until == START + timedelta(days=105)
    assert fair.lasts_until is None or fair.lasts_until <= strong.lasts_until
    failed = verdict(shown(0, 10), 10)
    assert failed.lasts_until is None
    assert failed.certainty < failed.threshold
    assert failed.told()["lasts_until"] is None


@settings(max_examples=25)
@given(st.integers(0, 15), st.integers(0, 15), st.integers(1, 3))
def test_a_further_right_answer_never_makes_less_certain(right, wrong, level):
    before = shown(right, wrong) if right + wrong else start_following(BASIS, START)
    more = follow(BASIS, before, [answer(100)])
    assert more is not None
    assert verdict(more, 1, level=level).certainty >= verdict(before, 1, level=level).certainty - 1e-9


def item(key: str, level: int, kind="mcq") -> Item:
    options = tuple(Option(letter, letter, "") for letter in "abc")
    return Item(key, "pack@1.0.0", kind, "SEC-01", level, "?", "", "", options, "a", False, "", ())


MANY = [item(f"itm-{level}-{number}", level) for level in (1, 2, 3, 4) for number in range(20)]


def chosen(pool, seed: int, *, seen=(), asked=(), followed=None, basis=BASIS):
    state = followed or shown(4, 2)
    return choose(
        basis,
        rank_pool(basis, pool),
        state,
        "SEC-01",
        2,
        seen=seen,
        asked=asked,
        seed=UUID(int=seed),
        now=LATER,
    )


def test_questions_are_chosen_near_the_cut_and_told_again_by_their_seed():
    drawn = [chosen(MANY, seed) for seed in range(40)]
    assert {int(each.item.split("-")[1]) for each in drawn} <= {1, 2}
    assert len({each.item for each in drawn}) > 10  # a wide draw: nobody learns a few favourites
    assert all(0 < each.propensity < 0.1 for each in drawn)
    assert chosen(MANY[::-1], 3) == drawn[3]


def test_what_was_seen_does_not_come_again_and_nothing_comes_when_all_was():
    left = MANY[7].key
    assert chosen(MANY, 1, seen=[each.key for each in MANY if each.key != left]).item == left
    assert chosen(MANY, 1, seen=[each.key for each in MANY]) is None
    with pytest.raises(ValueError, match="no question"):
        rank_pool(BASIS, [])


def test_kinds_come_in_proportion():
    pool = [item(f"itm-{n}", 2, "flaw" if n % 4 == 0 else "mcq") for n in range(80)]
    kinds = {each.key: each.kind for each in pool}
    asked: list[str] = []
    for seed in range(20):
        asked.append(chosen(pool, seed, asked=asked).item)
    assert 4 <= sum(kinds[key] == "flaw" for key in asked) <= 6


def test_what_has_got_about_comes_only_where_nothing_else_is_left():
    known = {(each.key, "pack@1.0.0"): Known(None, exposed=0.9) for each in MANY[1:]}
    leaked = Basis("another", BASIS.population, known)
    assert chosen(MANY, 1, basis=leaked).item == MANY[0].key
    assert chosen(MANY, 1, basis=leaked, seen=[MANY[0].key]) is not None
