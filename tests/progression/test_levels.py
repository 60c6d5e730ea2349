"""Levels 1 to 4 in full: tasks, notes, assessments, artefacts, coaching, agreement, spread, currency."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ladder import FRAMEWORK, MENTORS, PERSON, START, note, rating, statement

from toprope.evidence.statement import Object, ObjectType, Verb
from toprope.progression.logic import LevelHeld, award_levels, read_history
from toprope.progression.logic.rubrics import agreement
from toprope.progression.logic.said import Rating

ONE, TWO = MENTORS[:2]
numbers = count(1_000, 10)


def at(days, minutes=0):
    return START + timedelta(days=days, minutes=minutes)


def task(kind, competency, level, days, *, score=1.0, **detail):
    context = {"competency": competency, "level": level, "kind": kind}
    practical = Object(ObjectType.PRACTICAL, kind)
    return statement(
        next(numbers), Verb.COMPLETED, practical, at(days), score=score, detail=detail, context=context
    )


def sitting(competency, level, days, **detail):
    told = {"asked": 10, "drawn": 10, "pool": 100, **detail}
    context = {"competency": competency, "level": level, "kind": "auto_items"}
    subject = Object(ObjectType.SITTING, f"sitting:{competency}:{level}")
    return statement(
        next(numbers), Verb.COMPLETED, subject, at(days), score=1.0, detail=told, context=context
    )


def seen(competency, level, days, by, supervision="S4"):
    return note(next(numbers), "R4", by, at(days), supervision=supervision, competencies={competency: level})


def exam(rubric, level, competency, days, *raters, score=3, errors=()):
    attempt = UUID(int=next(numbers))
    return [
        rating(
            next(numbers),
            rubric,
            level,
            competency,
            by,
            at(days, minutes),
            score=score,
            errors=errors,
            attempt=attempt,
        )
        for minutes, by in enumerate(raters)
    ]


def used(competency, level, days, team, name="guide"):
    return statement(
        next(numbers),
        Verb.CREATED,
        Object(ObjectType.ARTEFACT, name),
        at(days),
        by=ONE,
        response=name,
        detail={"team": team},
        context={"competency": competency, "level": level},
    )


def coached(competency, days, who):
    subject = Object(ObjectType.PERSON, str(who))
    return statement(
        next(numbers),
        Verb.COACHED,
        subject,
        at(days),
        by=ONE,
        response="",
        context={"competency": competency},
    )


BARE = replace(
    FRAMEWORK,
    competencies={key: replace(each, prerequisites=()) for key, each in FRAMEWORK.competencies.items()},
)
"""The framework in which nothing builds on anything, to look at each level's own rules alone."""


def awards(statements) -> dict[tuple[str, int], LevelHeld]:
    levels = award_levels({BARE.reference: BARE}, read_history(statements))
    return {(each.competency, each.level): each for each in levels}


def ver_02_at(level):
    """Everything that VER-02 asks for, up to `level`, and VER-01 before it, each statement by itself."""
    ver_01 = [
        sitting("VER-01", 2, 0),
        task("explain_back", "VER-01", 2, 1),
        task("explain_back", "VER-01", 2, 2),
        task("flaw_hunt", "VER-01", 2, 8),
        seen("VER-01", 2, 3, ONE),
    ]
    if level == 1:
        return [*ver_01, sitting("VER-02", 1, 0), *(task("flaw_hunt", "VER-02", 1, day) for day in (1, 2))]
    if level == 2:
        hunts = [task("flaw_hunt", "VER-02", 2, day) for day in (1, 2, 8)]
        return [*ver_01, *hunts, *exam("RB-1", 2, "VER-02", 5, ONE), seen("VER-02", 2, 6, ONE, "S3")]
    hunts = [task("flaw_hunt", "VER-02", 3, day) for day in (1, 40)]
    checks = [task("live_check", "VER-02", 3, day) for day in range(10, 18)]
    watched = [seen("VER-02", 3, day, by) for day, by in ((5, ONE), (15, TWO), (25, ONE))]
    return [*ver_01, *hunts, *checks, *watched, *exam("RB-1", 3, "VER-02", 20, ONE, TWO)]


GRO_04 = [
    sitting("GRO-04", 1, 0),
    sitting("FND-02", 1, 0),
    used("GRO-04", 4, 1, "search"),
    used("GRO-04", 4, 50, "ledger"),
    *(seen("GRO-04", 4, day, by) for day, by in ((5, ONE), (60, TWO), (95, ONE))),
    *exam(
        "RB-6",
        4,
        "GRO-04",
        80,
        ONE,
        TWO,
        score={"match": 4, "reasoning": 4, "effect": 3, "risk": 3, "transfer": 4},
    ),
    coached("GRO-04", 70, UUID(int=50)),
    coached("GRO-04", 75, UUID(int=51)),
]


def holds(statements, competency, level):
    return (competency, level) in awards(statements)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_level_is_held_on_everything_it_asks_for(level):
    assert holds(ver_02_at(level), "VER-02", level)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_and_on_nothing_less(level):
    whole = ver_02_at(level)
    for number, each in enumerate(whole):
        if each.context.competency == "VER-01" or "VER-01" in str(each.result):
            continue
        assert not holds([*whole[:number], *whole[number + 1 :]], "VER-02", level), each


def test_level_4_takes_two_teams_coached_people_two_raters_who_agree_and_three_months():
    assert holds(GRO_04, "GRO-04", 4)
    own = [each for each in GRO_04 if each.verb is not Verb.COMPLETED]
    for number, each in enumerate(own):
        assert not holds([*own[:number], *own[number + 1 :]], "GRO-04", 4), each


def test_raters_who_do_not_agree_hold_level_4_back():
    others = [each for each in GRO_04 if each.verb is not Verb.WAS_RATED]
    first = {"match": 4, "reasoning": 3, "effect": 4, "risk": 3, "transfer": 4}
    second = {"match": 3, "reasoning": 4, "effect": 3, "risk": 4, "transfer": 4}
    attempt = UUID(int=9_000)
    apart = [
        rating(9_001, "RB-6", 4, "GRO-04", ONE, at(80), score=first, attempt=attempt),
        rating(9_002, "RB-6", 4, "GRO-04", TWO, at(80, 1), score=second, attempt=attempt),
    ]
    assert not holds([*others, *apart], "GRO-04", 4)


def test_the_portfolio_rubric_speaks_of_the_competency_it_was_held_on_only():
    moved = [
        each
        if each.verb is not Verb.WAS_RATED
        else rating(
            each.id.int, "RB-6", 4, "GRO-03", each.authority, each.timestamp, score=4, attempt=UUID(int=1)
        )
        for each in GRO_04
    ]
    assert not holds(moved, "GRO-04", 4)


def test_notes_of_oneself_and_ratings_of_oneself_are_passed_over():
    for whole, level in ((ver_02_at(2), 2), (ver_02_at(3), 3)):
        people = [
            replace(each, authority=str(PERSON)) if each.verb in (Verb.WAS_OBSERVED, Verb.WAS_RATED) else each
            for each in whole
        ]
        assert not holds(people, "VER-02", level)


@pytest.mark.parametrize(("level", "wanted"), [(1, True), (2, True), (3, False)])
def test_a_note_that_wants_s3_is_enough_up_to_level_2(level, wanted):
    from toprope.progression.logic import LevelCase, Status
    from toprope.progression.logic.level_people import notes

    history = read_history([seen("VER-02", 3, 1, ONE, "S3")])
    case = LevelCase(FRAMEWORK, FRAMEWORK.competencies["VER-02"], level, history, {}, None)
    assert (notes(case, 1, 1).status is Status.DONE) == wanted


def test_a_critical_error_blocks_the_level_until_the_practical_is_retaken():
    whole = ver_02_at(2)
    missed = exam("RB-1", 2, "VER-02", 10, ONE, score=4, errors=["Approves with a critical defect"])
    again = exam("RB-1", 2, "VER-02", 14, TWO)
    assert not holds([*whole, *missed], "VER-02", 2)
    assert holds([*whole, *missed, *again], "VER-02", 2)


def test_a_critical_miss_in_a_task_blocks_until_it_is_retaken():
    whole = ver_02_at(1)
    miss = task("flaw_hunt", "VER-02", 1, 3, critical_misses=1)
    assert not holds([*whole, miss], "VER-02", 1)
    assert holds([*whole, miss, *(task("flaw_hunt", "VER-02", 1, day) for day in (4, 5))], "VER-02", 1)


def test_someone_with_experience_tests_out_and_the_levels_below_are_shown_by_it():
    """FND-01 at level 2 without ever sitting for level 1: the same kinds of evidence, at a higher level."""
    direct = [
        sitting("FND-01", 2, 0),
        task("flaw_hunt", "FND-01", 2, 1),
        task("flaw_hunt", "FND-01", 2, 8),
        seen("FND-01", 2, 2, ONE),
    ]
    found = {level for key, level in awards(direct) if key == "FND-01"}
    assert found == {1, 2}
    assert not awards(direct[2:])  # a declaration, or half of it, shortens nothing


good = st.sampled_from(
    [
        lambda day: sitting("VER-02", 3, day),
        lambda day: task("flaw_hunt", "VER-02", 3, day),
        lambda day: task("live_check", "VER-02", 3, day),
        lambda day: seen("VER-02", 3, day, ONE),
        lambda day: seen("VER-02", 3, day, TWO),
        lambda day: sitting("VER-01", 2, day),
        lambda day: task("explain_back", "VER-01", 2, day),
        lambda day: task("flaw_hunt", "VER-01", 2, day),
        lambda day: seen("VER-01", 2, day, TWO),
    ]
)
parts = st.lists(st.sampled_from(range(60)), max_size=40, unique=True)


@given(parts, st.lists(st.tuples(good, st.integers(0, 100)), max_size=4), st.sampled_from([1, 2, 3]))
def test_more_good_evidence_never_lowers_a_level(kept, more, level):
    whole = ver_02_at(level)
    some = [each for number, each in enumerate(whole) if number in kept]
    before = awards(some)
    after = awards([*some, *(make(day) for make, day in more)])
    assert before.keys() <= after.keys()
    for key, held in before.items():
        assert after[key].awarded_at <= held.awarded_at
        assert held.provisional or not after[key].provisional


@given(st.randoms(use_true_random=False), st.sampled_from([1, 2, 3]))
def test_the_order_in_which_statements_arrive_does_not_matter(chance, level):
    whole = ver_02_at(level)
    shuffled = sorted(whole, key=lambda _: chance.random())
    assert awards(shuffled) == awards(whole)


@given(st.sampled_from([1, 2, 3]), st.integers(0, 3_000), st.integers(1, 500))
def test_time_only_ages_and_never_erases(level, days, more):
    for held in awards(ver_02_at(level)).values():
        early, late = at(days), at(days + more)
        assert held.effective(late) <= held.effective(early)
        assert held.effective(late) >= (0 if held.provisional else held.level - 1)
        assert held.periods_at(held.level)[0].start == held.awarded_at


def test_use_renews_a_level_and_a_lapse_in_between_is_remembered():
    whole = ver_02_at(2)
    held = awards(whole)["VER-02", 2]
    lasts = held.lapses_at - held.renewed_at
    soon = seen("VER-02", 2, (held.renewed_at - START + lasts / 2).days, TWO)
    assert awards([*whole, soon])["VER-02", 2].lapses_at > held.lapses_at
    assert not awards([*whole, soon])["VER-02", 2].gaps
    late = seen("VER-02", 2, (held.lapses_at - START).days + 50, TWO)
    (gap,) = awards([*whole, late])["VER-02", 2].gaps
    assert (gap.start, gap.end) == (held.lapses_at, late.timestamp)


scores = st.integers(1, 4)


@given(st.lists(st.tuples(scores, scores), min_size=1, max_size=8))
def test_kappa_is_bounded_symmetric_and_one_for_equal_raters(pairs):
    def told(index):
        by_criterion = {str(number): pair[index] for number, pair in enumerate(pairs)}
        return Rating(UUID(int=1), str(index), by_criterion, 0, 0, START)

    kappa = agreement([told(0), told(1)])
    assert -1.0 <= kappa <= 1.0
    assert kappa == agreement([told(1), told(0)])
    assert agreement([told(0), told(0)]) == 1.0


def test_kappa_is_the_textbooks():
    """By hand: (1,1),(2,3),(3,3),(4,4): disagreement 1/4 observed, 2.625 expected by chance."""
    first, second = {"a": 1, "b": 2, "c": 3, "d": 4}, {"a": 1, "b": 3, "c": 3, "d": 4}
    raters = [Rating(UUID(int=1), str(each), told, 0, 0, START) for each, told in enumerate((first, second))]
    expected = sum((one - two) ** 2 for one in first.values() for two in second.values()) / 16
    assert agreement(raters) == pytest.approx(1 - 0.25 / expected)
    with pytest.raises(ValueError, match="between two raters"):
        agreement(raters[:1])
