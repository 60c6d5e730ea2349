"""The rules of progression as properties: what must never happen, whatever the history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.frameworks import builtin_framework

from toprope.evidence.statement import TOPROPE, Context, Object, ObjectType, Result, Statement, Verb
from toprope.progression.logic import (
    Catalogue,
    History,
    Measured,
    Piece,
    Situation,
    Status,
    award_levels,
    check_level,
    check_rung,
    levels_to_draw_from,
    pool_size,
    read_history,
)

FRAMEWORK = builtin_framework()
REFERENCE = FRAMEWORK.reference
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
CATALOGUE = Catalogue(
    {("FND-01", 1, "flaw_hunt"): "flaw-hunt-fnd-01", ("SEC-01", 1, "sandbox_session"): "redaction-drill"},
    {("FND-01", 1): 1, ("FND-01", 2): 2, ("SEC-01", 1): 1, ("SEC-01", 2): 1, ("GOV-01", 1): 2},
    {},
)


SURE = Measured(0.97, 0.95, START + timedelta(days=900))
UNSURE = Measured(0.8, 0.95, None)


def piece(number: int, kind: str, *, hours: float = 0, competency="SEC-01", level=1, **fields) -> Piece:
    values = {
        "statement": UUID(int=number),
        "kind": kind,
        "key": kind,
        "version": "",
        "competency": competency,
        "level": level,
        "rung": "",
        "framework": REFERENCE,
        "score": 1.0,
        "timestamp": START + timedelta(hours=hours),
        "authority": TOPROPE,
    }
    return Piece(**{**values, **fields})


def sitting(number: int, *, score=1.0, misses=0, drawn=2, pool=2, **fields) -> Piece:
    return piece(
        number, "auto_items", score=score, critical_misses=misses, asked=8, drawn=drawn, pool=pool, **fields
    )


def held_levels(*pieces: Piece) -> dict[tuple[str, int], object]:
    awards = award_levels({REFERENCE: FRAMEWORK}, History(tuple(pieces)))
    return {(held.competency, held.level): held for held in awards}


def checklist(*pieces: Piece, now: datetime = START):
    situation = Situation(FRAMEWORK, History(tuple(pieces)), {}, CATALOGUE, "1.0.0", now)
    return check_level(situation.case("SEC-01", 1))


pieces = st.lists(
    st.builds(
        lambda number, kind, hours, score, misses, level: piece(
            number,
            kind,
            hours=hours,
            score=score,
            critical_misses=misses if kind == "auto_items" else 0,
            asked=8,
            drawn=2,
            pool=2,
            level=level,
        ),
        number=st.integers(1, 10**6),
        kind=st.sampled_from(["auto_items", "sandbox_session", "flaw_hunt", "explain_back"]),
        hours=st.integers(0, 2000),
        score=st.sampled_from([0.0, 0.5, 0.84, 0.9, 0.96, 1.0]),
        misses=st.sampled_from([0, 0, 0, 1]),
        level=st.integers(1, 3),
    ),
    max_size=12,
    unique_by=lambda each: each.statement,
).map(lambda found: sorted(found, key=lambda each: each.timestamp))


def test_level_1_of_sec_01_asks_for_questions_and_a_drill():
    assert held_levels(sitting(1), piece(2, "sandbox_session", hours=1)).keys() == {("SEC-01", 1)}
    assert not held_levels(sitting(1))
    assert not held_levels(piece(2, "sandbox_session"))


def test_a_small_pool_makes_the_award_provisional_and_a_full_one_does_not():
    drill = piece(9, "sandbox_session", hours=1)
    assert held_levels(sitting(1), drill)["SEC-01", 1].provisional
    assert not held_levels(sitting(1, drawn=8, pool=24, measured=SURE), drill)["SEC-01", 1].provisional
    assert held_levels(sitting(1, drawn=8, pool=23, measured=SURE), drill)["SEC-01", 1].provisional


def test_a_large_pool_lets_the_estimate_decide_and_not_the_share_right():
    drill = piece(9, "sandbox_session", hours=1)
    assert held_levels(sitting(1, score=0.6, drawn=20, pool=40, measured=SURE), drill)
    assert not held_levels(sitting(1, score=1.0, drawn=8, pool=40, measured=UNSURE), drill)
    assert held_levels(sitting(1, score=1.0, drawn=8, pool=15, measured=UNSURE), drill)[
        "SEC-01", 1
    ].provisional
    without_estimate = held_levels(sitting(1, drawn=8, pool=40), drill)
    assert without_estimate["SEC-01", 1].provisional  # recorded before there was one


def test_a_full_sitting_after_a_provisional_one_makes_the_award_full_from_its_first_day():
    drill = piece(9, "sandbox_session", hours=1)
    held = held_levels(sitting(1), drill, sitting(3, drawn=8, pool=24, measured=SURE, hours=50))["SEC-01", 1]
    assert not held.provisional
    assert held.awarded_at == START + timedelta(hours=1)


def test_an_award_lasts_no_longer_than_its_estimate_vouches_for_it():
    drill = piece(9, "sandbox_session", hours=1)
    soon = Measured(0.97, 0.95, START + timedelta(days=30))
    held = held_levels(sitting(1, drawn=8, pool=24, measured=soon), drill)["SEC-01", 1]
    assert held.lapses_at == START + timedelta(days=30)
    again = sitting(3, drawn=8, pool=24, measured=SURE, hours=24)
    renewed = held_levels(sitting(1, drawn=8, pool=24, measured=soon), drill, again)["SEC-01", 1]
    assert renewed.lapses_at > held.lapses_at


def test_a_sitting_that_left_items_of_the_pool_out_does_not_count():
    drill = piece(9, "sandbox_session", hours=1)
    assert not held_levels(sitting(1, drawn=2, pool=6), drill)
    assert not held_levels(sitting(1, drawn=1, pool=1), drill)  # at least two, says the bootstrap rule


def test_a_critical_miss_blocks_until_the_sitting_is_retaken():
    drill = piece(9, "sandbox_session", hours=1)
    missed = sitting(2, score=0.9, misses=1, hours=2)
    assert not held_levels(missed, drill)
    assert not held_levels(sitting(1), drill, missed)
    assert held_levels(sitting(1), drill, missed, sitting(3, hours=40))


def test_a_critical_miss_at_a_higher_level_leaves_the_lower_one_alone():
    drill = piece(9, "sandbox_session", hours=1)
    higher = sitting(2, score=0.9, misses=1, hours=2, level=2)
    assert ("SEC-01", 1) in held_levels(sitting(1), drill, higher)


def test_a_failed_sitting_waits_for_its_retry_time():
    failed = sitting(1, score=0.5)
    waiting = next(each for each in checklist(failed, now=START + timedelta(hours=23)).requirements)
    assert waiting.status is Status.WAITING
    assert waiting.not_before == START + timedelta(hours=24)
    again = next(each for each in checklist(failed, now=START + timedelta(hours=24)).requirements)
    assert again.status is Status.MISSING
    assert again.step == "sitting:SEC-01:1"


@given(pieces, st.integers(0, 11))
def test_more_good_evidence_never_lowers_a_level(history, at):
    before = held_levels(*history)
    when = history[at % len(history)].timestamp if history else START
    better = sorted(
        [*history, replace(sitting(999_999, drawn=8, pool=24), timestamp=when)],
        key=lambda each: each.timestamp,
    )
    assert before.keys() <= held_levels(*better).keys()


@given(pieces)
def test_a_level_is_never_held_without_every_requirement(history):
    for (key, level), held in held_levels(*history).items():
        situation = Situation(FRAMEWORK, History(tuple(history)), {}, CATALOGUE, "1.0.0", START)
        assert check_level(situation.case(key, level)).done
        assert held.evidence


@given(pieces)
def test_an_award_lists_evidence_that_was_recorded_by_then(history):
    recorded = {each.statement: each.timestamp for each in history}
    for held in held_levels(*history).values():
        assert all(recorded[one] <= held.awarded_at for one in held.evidence)


@given(pieces)
def test_time_only_ever_ages(history):
    for held in held_levels(*history).values():
        assert held.awarded_at <= held.refresh_by <= held.lapses_at
        assert held.current(held.awarded_at)
        assert not held.current(held.lapses_at)
        assert not held.current(held.lapses_at + timedelta(days=10_000))


@given(pieces)
def test_levels_3_and_4_are_never_awarded_automatically(history):
    assert all(level < 3 for _, level in held_levels(*history))


def test_a_new_pack_version_does_not_take_a_level_away():
    stricter = replace(FRAMEWORK, version="2.0.0", competencies={})
    earned = [sitting(1), piece(2, "sandbox_session", hours=1)]
    later = piece(3, "flaw_hunt", hours=5, framework=stricter.reference)
    awards = award_levels({REFERENCE: FRAMEWORK, stricter.reference: stricter}, History((*earned, later)))
    assert [(each.competency, each.level, each.framework) for each in awards] == [("SEC-01", 1, REFERENCE)]


def test_rungs_with_validations_that_cannot_be_recorded_stay_closed():
    situation = Situation(FRAMEWORK, History(), {}, CATALOGUE, "1.0.0", START)
    opened = dict.fromkeys(FRAMEWORK.rungs, START)
    for key in ("R4", "R6", "R7", "R8", "R9"):
        assert not check_rung(situation, FRAMEWORK.rungs[key], opened).done


def test_an_expired_level_is_shown_as_expired_and_can_be_renewed():
    awards = held_levels(sitting(1), piece(2, "sandbox_session", hours=1))
    late = awards["SEC-01", 1].lapses_at
    situation = Situation(FRAMEWORK, History(), awards, CATALOGUE, "1.0.0", late)
    level = next(
        each
        for each in check_rung(situation, FRAMEWORK.rungs["R1"], {}).requirements
        if each.competency == "SEC-01"
    )
    assert level.status is Status.EXPIRED
    assert level.step == "sitting:SEC-01:1"


def test_a_new_policy_version_has_to_be_accepted():
    accepted = piece(1, "policy_accepted", competency="", level=0, version="1.0.0")
    situation = Situation(FRAMEWORK, History((accepted,)), {}, CATALOGUE, "1.1.0", START)
    (policy,) = check_rung(situation, FRAMEWORK.rungs["R0"], {}).requirements
    assert policy.status is Status.EXPIRED
    assert policy.step == "policy"


@pytest.mark.parametrize(
    ("pools", "levels", "size"),
    [
        ({("X", 1): 5}, (1,), 5),
        ({("X", 1): 1, ("X", 2): 3}, (1, 2), 4),
        ({("X", 2): 1, ("X", 3): 1}, (1, 2, 3), 2),
        ({("X", 1): 1}, (1,), 1),
        ({}, (1,), 0),
    ],
)
def test_a_pool_too_small_borrows_from_the_nearest_level(pools, levels, size):
    assert levels_to_draw_from(pools, "X", 1, 2) == levels
    assert pool_size(pools, "X", 1, 2) == size


def test_work_that_was_rated_no_longer_waits():
    attempt = UUID(int=7)
    context = Context(framework=REFERENCE, competency="GOV-01", level=1, kind="explain_back", sitting=attempt)
    handed_in = Statement(
        UUID(int=1), UUID(int=9), Verb.SUBMITTED, Object(ObjectType.PRACTICAL, "x"), START, context=context
    )
    rated = replace(handed_in, id=UUID(int=2), verb=Verb.WAS_RATED, result=Result(score=0.75))
    assert len(read_history([handed_in]).waiting) == 1
    history = read_history([handed_in, rated])
    assert not history.waiting
    assert [each.score for each in history.pieces] == [0.75]
