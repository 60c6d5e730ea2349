"""What sittings decided, and how later ones audit them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from tests.frameworks import builtin_framework

from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.measurement.logic import (
    RULE,
    Basis,
    Made,
    find_audits,
    learn_certainty,
    population_of,
    read_decisions,
    summarise_rungs,
)

START = datetime(2026, 1, 5, tzinfo=UTC)
FRAMEWORK = builtin_framework()
BASIS = Basis("a basis", population_of(FRAMEWORK))


def sitting(number: int, right: int, wrong: int, *, certainty=0.95, passed=True, repeat=False):
    """The statements of one sitting on SEC-01 at level 1."""
    at, sitting = START + timedelta(days=number), UUID(int=1000 + number)
    context = Context(competency="SEC-01", level=1, kind="auto_items", sitting=sitting)
    for n in range(right + wrong):
        yield Statement(
            uuid5(sitting, str(n)),
            UUID(int=9),
            Verb.ANSWERED,
            Object(ObjectType.ITEM, f"itm-{number}-{n}"),
            at,
            result=Result(success=n < right, detail={"options": 3, "repeat": repeat}),
            context=context,
        )
    measured = {"certainty": certainty, "threshold": 0.9, "cut": -0.5, "lasts_until": None, "decides": True}
    yield Statement(
        sitting,
        UUID(int=9),
        Verb.COMPLETED,
        Object(ObjectType.SITTING, "sitting:SEC-01:1"),
        at,
        result=Result(score=0.8, success=passed, detail={"measured": measured}),
        context=context,
    )


def made(number: int, *, person=1, certainty=0.95, passed=True, alone=None, **fields):
    values = {"competency": "SEC-01", "level": 1, "by_estimate": True, **fields}
    return Made(
        person=UUID(int=person),
        statement=UUID(int=number),
        at=START + timedelta(days=number),
        certainty=certainty,
        passed=passed,
        alone=alone,
        **values,
    )


def test_each_sitting_is_read_with_what_it_says_by_itself():
    good, bad = read_decisions(BASIS, [*sitting(1, 12, 0), *sitting(20, 0, 12, certainty=0.6, passed=False)])
    assert (good.certainty, good.passed) == (0.95, True)
    assert good.alone > 0.9
    assert bad.alone < 0.2  # though the sitting before it went well
    assert (bad.competency, bad.level, bad.at) == ("SEC-01", 1, START + timedelta(days=20))


def test_a_sitting_of_known_questions_says_nothing_by_itself():
    (told,) = read_decisions(BASIS, sitting(1, 12, 0, repeat=True))
    assert told.alone is None
    assert find_audits([made(1), made(2, alone=None)]) == {}


def test_the_next_sitting_on_the_same_level_audits_the_one_before_it():
    decisions = [
        made(1),
        made(2, alone=0.2),
        made(3, alone=0.9),
        made(4, person=2),
        made(5, level=2, alone=0.1),
        made(6, competency="GOV-01", alone=0.1),
    ]
    assert find_audits(decisions[::-1]) == {UUID(int=1): True, UUID(int=2): False}


def test_a_rung_rests_on_the_levels_it_requires():
    decisions = [
        made(1),
        made(2, alone=0.2),
        made(3, person=2, competency="GOV-01", passed=False, certainty=0.4),
    ]
    rungs = {each.rung: each.summary for each in summarise_rungs(FRAMEWORK, decisions)}
    assert rungs["R1"].decided == 3
    assert rungs["R1"].passed == 2
    assert (rungs["R1"].audited, rungs["R1"].false_passes) == (1, 1)
    assert rungs["R1"].expected_false_passes == pytest.approx(0.05)
    assert "R0" not in rungs  # it asks for no level


def test_what_few_questions_decided_is_counted_and_left_out_of_the_rest():
    decisions = [made(1), made(2, person=2, by_estimate=False, certainty=0.6)]
    (r1, *_) = summarise_rungs(FRAMEWORK, decisions)
    assert (r1.provisional, r1.summary.decided) == (1, 1)
    assert r1.summary.expected_false_passes == pytest.approx(0.05)
    (r1, *_) = summarise_rungs(FRAMEWORK, decisions[1:])
    assert (r1.provisional, r1.summary) == (1, None)


def test_the_certainty_to_ask_is_learnt_from_audits_and_only_from_enough_of_them():
    few = learn_certainty([made(1), made(2, alone=0.9)])
    assert not few.learnt
    assert few.threshold == RULE.certainty
    many = [
        each
        for person in range(2_000)
        for each in (
            made(2 * person, person=person, certainty=0.6 + 0.39 * (person % 40) / 40),
            made(2 * person + 1, person=person, alone=0.9),
        )
    ]
    learnt = learn_certainty(many)
    assert learnt.learnt
    assert learnt.threshold <= RULE.certainty  # nobody was ever found below the cut
    assert learn_certainty([]).threshold == RULE.certainty
