"""What must never happen to a grant, whatever was shown, decided, and however much time goes by."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ladder import (
    FRAMEWORK,
    MENTORS,
    PERSON,
    START,
    Ingredient,
    decision,
    situation,
    statement,
    whole_climb,
)

from toprope.authorization.logic import (
    MAX_HOURS,
    GrantState,
    assess_standing,
    derive_grants,
    fold_emergencies,
    next_change,
    next_down,
    next_up,
    publish_access,
    supervision_in,
)
from toprope.evidence.statement import Object, ObjectType, Verb
from toprope.policy.access import GrantState as PublishedState
from toprope.progression.logic import UseDay

CLIMB = whole_climb()
fewer = settings(max_examples=40)  # each example derives ten rungs, some of them several times
TOP = START + timedelta(hours=10)  # every rung is granted by then
RUNGS = list(FRAMEWORK.rungs)
STATEMENTS = sum(len(each.statements) for each in CLIMB)


def facts(ingredients=CLIMB, decisions=(), now=TOP, **fields):
    return {fact.rung: fact for fact in derive_grants(situation(ingredients, now, **fields), decisions)}


def standing(ingredients=CLIMB, decisions=(), now=TOP):
    case = situation(ingredients, now)
    grants = derive_grants(case, decisions)
    emergencies = fold_emergencies(decisions, FRAMEWORK)
    names = dict.fromkeys(MENTORS, "Ben")
    return assess_standing(PERSON, case, grants, names, emergencies)


def published(now, **fields):
    access = publish_access(standing(now=now, **fields), "Amara", now)
    return {grant.rung: grant for grant in access.grants}


verbs = st.sampled_from(
    [
        (Verb.WAS_SUSPENDED, {}),
        (Verb.WAS_REINSTATED, {}),
        (Verb.WAS_CONFIRMED, {}),
        *((Verb.WAS_MOVED_UP, {"to": f"S{number}"}) for number in range(2, 6)),
        *(
            (Verb.WAS_STEPPED_DOWN, {"to": to, "way_back": "x", "review_on": "2026-03-01"})
            for to in ("", "S1", "S2", "S3")
        ),
        (Verb.WAS_LET_IN, {"hours": 3, "paired_with": str(MENTORS[4])}),
    ]
)


ANYBODY = st.sampled_from(MENTORS)


@st.composite
def decisions(draw, by=ANYBODY, max_size=8):
    """Any decisions, in the order in which they were recorded."""
    made = draw(st.lists(st.tuples(verbs, st.sampled_from(RUNGS), by), max_size=max_size))
    return [
        decision(500_000 + number, verb, rung, who, TOP + timedelta(minutes=number), **detail)
        for number, ((verb, detail), rung, who) in enumerate(made)
    ]


def test_a_whole_climb_is_granted_rung_by_rung():
    assert list(facts()) == RUNGS
    assert {key: fact.supervision for key, fact in facts().items()} == {
        key: rung.entry_supervision for key, rung in FRAMEWORK.rungs.items()
    }


@fewer
@given(st.integers(0, STATEMENTS - 1), st.integers(0, 3_000))
def test_voided_is_as_never_recorded_and_no_rung_outlives_what_it_stands_on(number, days):
    """Whatever is taken out: what is still granted stands on statements that are still there."""
    every = [one for each in CLIMB for one in each.statements]
    gone = every[number].id
    left = [replace(each, statements=[one for one in each.statements if one.id != gone]) for each in CLIMB]
    found = facts(left, now=TOP + timedelta(days=days))
    assert found.keys() <= set(RUNGS)
    for fact in found.values():
        assert gone not in fact.evidence
        assert all(below in found for below in FRAMEWORK.rungs[fact.rung].after)


@fewer
@given(decisions(), st.sampled_from(RUNGS), st.integers(0, 3_000))
def test_a_suspension_always_wins_over_everything_and_over_what_builds_on_it(made, rung, days):
    last = decision(600_000, Verb.WAS_SUSPENDED, rung, MENTORS[0], TOP + timedelta(days=1))
    now = TOP + timedelta(days=1 + days)
    found = published(now, decisions=[*made, last])
    on_top = [key for key in RUNGS if key == rung or rung in _below(key)]
    for key in on_top:
        assert found[key].state is PublishedState.SUSPENDED


@fewer
@given(decisions(), st.sampled_from(RUNGS))
def test_who_is_stepped_down_from_a_rung_is_not_let_through_there(made, rung):
    detail = {"to": "", "way_back": "x", "review_on": "2026-03-01"}
    last = decision(600_000, Verb.WAS_STEPPED_DOWN, rung, MENTORS[0], TOP + timedelta(days=1), **detail)
    found = published(TOP + timedelta(days=1), decisions=[*made, last])
    for key in RUNGS:
        if key == rung or rung in _below(key):
            assert found[key].state is not PublishedState.ACTIVE


@fewer
@given(decisions(by=st.just(PERSON)))
def test_nobody_decides_on_themselves(made):
    assert facts(decisions=made) == facts()
    assert not fold_emergencies(made, FRAMEWORK)


def test_what_a_person_approves_of_themselves_opens_nothing():
    """Replace who vouches by the person: people's words fall away, what was scored stays."""
    swapped = [
        replace(
            each,
            statements=[
                replace(one, authority=str(PERSON)) if one.authority != "toprope" else one
                for one in each.statements
            ],
        )
        for each in CLIMB
    ]
    assert facts(swapped).keys() <= {"R0", "R1", "R2", "R3", "R5"}


@fewer
@given(decisions(), st.integers(0, 4_000), st.integers(0, 4_000))
def test_a_grant_does_not_depend_on_when_one_asks(made, one, two):
    early, late = (facts(decisions=made, now=START + timedelta(days=each)) for each in (one, two))
    assert early == late


@fewer
@given(decisions(), st.lists(st.integers(0, 3_000), min_size=2, max_size=6))
def test_time_alone_only_closes(made, days):
    """No grant opens, none gains independence, and no emergency outlives its hours, by waiting."""
    moments = [TOP + timedelta(hours=1, days=day) for day in sorted(days)]
    for early, late in pairwise(moments):
        before, after = published(early, decisions=made), published(late, decisions=made)
        for rung, grant in after.items():
            if _passes(grant, late):
                assert rung in before
                assert _passes(before[rung], early)
                assert grant.supervision <= before[rung].supervision


@fewer
@given(decisions(), st.integers(0, 600_000))
def test_what_is_published_never_lets_through_more_than_what_would_be_published_later(made, minutes):
    """Until the worker comes round, the old snapshot is no more open than the new one."""
    early = TOP + timedelta(hours=1)
    late = early + timedelta(minutes=minutes)
    before, after = published(early, decisions=made), published(late, decisions=made)
    for rung, grant in before.items():
        if _passes(grant, late):
            assert _passes(after[rung], late)
            assert grant.supervision == after[rung].supervision


@fewer
@given(decisions())
def test_the_worker_knows_when_to_come_round_again(made):
    now = TOP + timedelta(hours=1)
    change = next_change(standing(decisions=made, now=now), now)
    assert change is None or change > now


@fewer
@given(decisions(max_size=12))
def test_supervision_moves_one_step_at_a_time_and_never_above_the_caps(made):
    for fact in facts(decisions=made).values():
        rung = FRAMEWORK.rungs[fact.rung]
        ups = sum(each.verb is Verb.WAS_MOVED_UP and each.object.key == fact.rung for each in made)
        assert int(fact.supervision[1]) <= int(rung.entry_supervision[1]) + max(ups, 0) + (
            4 if fact.supervision == "S5" else 0
        )
        for tier, cap in rung.supervision_by_tier.items():
            assert supervision_in(rung, fact.supervision, tier) <= cap
        assert supervision_in(rung, fact.supervision, "T9") == "S1"


@given(st.sampled_from(RUNGS))
def test_the_steps_up_end_at_s5_and_each_step_down_is_one(key):
    rung = FRAMEWORK.rungs[key]
    cap = max(rung.supervision_by_tier.values())
    now, seen = rung.entry_supervision, []
    while now:
        seen.append(now)
        now = next_up(rung, now)
    assert seen[-1] == "S5"
    assert all(each <= cap for each in seen[:-1])
    assert [next_down(each) for each in ("S5", "S4", "S3", "S2", "S1")] == ["S4", "S3", "S2", "S1", "S1"]


@given(st.integers(0, 100), st.integers(0, 100))
def test_an_emergency_grant_lasts_four_hours_at_most_and_needs_somebody_else(hours, later):
    made = decision(1, Verb.WAS_LET_IN, "R2", MENTORS[0], TOP, hours=hours, paired_with=str(MENTORS[1]))
    (emergency,) = fold_emergencies([made], FRAMEWORK)
    assert emergency.running(TOP + timedelta(hours=later)) == (later < min(hours, MAX_HOURS))
    assert not fold_emergencies([replace(made, authority=str(PERSON))], FRAMEWORK)


def test_an_emergency_opens_its_rung_only_and_at_s2():
    low = [each for each in CLIMB if each.rung in ("R0", "R1")]
    made = decision(1, Verb.WAS_LET_IN, "R2", MENTORS[0], TOP, hours=2, paired_with=str(MENTORS[1]))
    found = published(TOP, ingredients=low, decisions=[made])
    assert found.keys() == {"R0", "R1", "R2"}
    assert found["R2"].supervision == "S2"
    assert found["R2"].expires_at == (TOP + timedelta(hours=2)).timestamp()
    over = published(TOP + timedelta(hours=2), ingredients=low, decisions=[made])
    assert "R2" not in over


def test_a_review_is_by_somebody_who_did_not_grant_it():
    made = decision(1, Verb.WAS_LET_IN, "R2", MENTORS[0], TOP, hours=2, paired_with=str(MENTORS[1]))

    def review(by):
        subject = Object(ObjectType.STATEMENT, str(UUID(int=1)))
        return statement(2, Verb.WAS_REVIEWED, subject, TOP, by=by, response="Fine.")

    (own,) = fold_emergencies([made, review(MENTORS[0])], FRAMEWORK)
    assert own.reviewed_at is None
    (other,) = fold_emergencies([made, review(MENTORS[1])], FRAMEWORK)
    assert other.reviewed_by == MENTORS[1]


days_of_use = st.lists(
    st.tuples(st.integers(0, 900), st.sampled_from(["", "paired", "sandbox"])), max_size=20, unique=True
)


@fewer
@given(days_of_use, st.lists(st.integers(0, 900), max_size=4))
def test_unused_a_grant_drops_and_comes_back_only_by_a_paired_use_and_a_check(days, checks):
    uses = tuple(UseDay(START.date() + timedelta(days=day), 1, condition) for day, condition in sorted(days))
    sets = [
        replace(each.statements[0], id=UUID(int=800_000 + number), timestamp=START + timedelta(days=day))
        for number, day in enumerate(checks)
        for each in CLIMB
        if (each.rung, each.what) == ("R1", "automatic")
    ]
    more = Ingredient("R1", "use", sets, {"R1": uses})
    found = facts([*CLIMB, more], now=TOP)["R1"]
    assert found.unused_at == _by_hand(found.issued_at, uses, [each.timestamp for each in sets])


def _by_hand(issued_at, uses, checks):
    """Day by day: what a careful clerk would do."""
    limit = timedelta(days=FRAMEWORK.rungs["R1"].unused_days)
    last, dropped = issued_at, set()
    events = [(_midnight(use.day), use.condition) for use in uses if use.condition != "sandbox"]
    for moment, what in sorted(events + [(check, "check") for check in checks]):
        if moment - last <= limit:
            last = max(last, moment)
        else:
            dropped.add(what)
            if {"paired", "check"} <= dropped:
                last, dropped = moment, set()
    return last + limit


def _midnight(day: date):
    return START.replace(year=day.year, month=day.month, day=day.day, hour=0)


def _passes(grant, now):
    return (
        grant.state is PublishedState.ACTIVE
        and now.timestamp() < grant.expires_at
        and grant.supervision != "S1"
    )


def _below(key):
    found, waiting = set(), list(FRAMEWORK.rungs[key].after)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += FRAMEWORK.rungs[one].after
    return found


def test_the_states_are_told_apart():
    assert facts()["R1"].state(TOP) is GrantState.OPEN
    assert facts()["R9"].state(TOP + timedelta(days=1)) is GrantState.EXPIRED
