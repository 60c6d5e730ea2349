"""The rules of authorization as properties: suspension wins, nothing is granted without its evidence."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.frameworks import builtin_framework

from toprope.authorization.logic import (
    GrantState,
    assess_standing,
    derive_grants,
    ladder_order,
    publish_access,
)
from toprope.authorization.logic.decisions import add_working_days, fold_decisions
from toprope.evidence.statement import TOPROPE, Object, ObjectType, Result, Statement, Verb
from toprope.policy.access import GrantState as PublishedState
from toprope.progression.logic import Catalogue, History, Piece, Situation, UseDay, award_levels

FRAMEWORK = builtin_framework()
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
PERSON, MENTOR = UUID(int=1), UUID(int=2)
KINDS = {"FND-01": "flaw_hunt", "SEC-01": "sandbox_session", "GOV-01": "explain_back"}


def piece(number: int, kind: str, **fields) -> Piece:
    values = {
        "statement": UUID(int=100 + number),
        "kind": kind,
        "key": "redaction-drill" if kind == "sandbox_session" else kind,
        "version": "1.0.0",
        "competency": "",
        "level": 1,
        "rung": "",
        "framework": FRAMEWORK.reference,
        "score": 1.0,
        "timestamp": START + timedelta(minutes=number),
        "authority": TOPROPE,
        "asked": 8,
        "drawn": 2,
        "pool": 2,
    }
    return Piece(**{**values, **fields})


def whole_climb() -> list[Piece]:
    """Everything that R1 asks for, a minute apart."""
    pieces = [piece(0, "policy_accepted", level=0)]
    for number, (key, kind) in enumerate(KINDS.items()):
        pieces += [
            piece(1 + 2 * number, "auto_items", competency=key),
            piece(2 + 2 * number, kind, competency=key),
        ]
    return [*pieces, piece(9, "mixed_items", rung="R1", level=0, asked=10, drawn=7, pool=7)]


def situation(
    pieces: list[Piece], now: datetime = START + timedelta(hours=1), policy: str = "1.0.0", uses=None
) -> Situation:
    history = History(tuple(pieces))
    levels = award_levels({FRAMEWORK.reference: FRAMEWORK}, history)
    held = {(each.competency, each.level): each for each in levels}
    return Situation(FRAMEWORK, history, held, Catalogue({}, {}, {}), policy, now, uses or {})


def decision(number: int, verb: Verb, rung: str = "R1") -> Statement:
    return Statement(
        UUID(int=500 + number),
        PERSON,
        verb,
        Object(ObjectType.RUNG, rung),
        START + timedelta(hours=number),
        authority=str(MENTOR),
        result=Result(response="A look."),
    )


def grants(pieces=None, decisions=(), uses=None):
    found = derive_grants(situation(whole_climb() if pieces is None else pieces, uses=uses), decisions)
    return {fact.rung: fact for fact in found}


def test_a_whole_climb_opens_r0_and_r1_dated_by_the_last_piece():
    facts = grants()
    assert facts.keys() == {"R0", "R1"}
    assert facts["R1"].issued_at == START + timedelta(minutes=9)
    assert facts["R1"].provisional


@given(st.integers(0, 7))
def test_no_grant_without_every_requirement(left_out):
    pieces = whole_climb()
    del pieces[left_out]
    assert "R1" not in grants(pieces)


@given(st.lists(st.sampled_from([Verb.WAS_SUSPENDED, Verb.WAS_REINSTATED]), max_size=6))
def test_the_last_decision_stands_and_a_suspension_always_wins(verbs):
    decisions = [decision(number, verb) for number, verb in enumerate(verbs)]
    fact = grants(decisions=decisions)["R1"]
    suspended = bool(verbs) and verbs[-1] is Verb.WAS_SUSPENDED
    assert (fact.state(START + timedelta(hours=1)) is GrantState.SUSPENDED) == suspended
    assert (fact.state(START + timedelta(days=9_999)) is GrantState.SUSPENDED) == suspended


@given(st.sampled_from(["R0", "R1"]), st.integers(0, 3_000))
def test_what_is_suspended_is_never_published_as_active(rung, days):
    now = START + timedelta(days=days)
    case = situation(whole_climb(), now)
    facts = derive_grants(case, [decision(1, Verb.WAS_SUSPENDED, rung)])
    access = publish_access(assess_standing(PERSON, case, facts, {MENTOR: "Ben"}), "Amara", now)
    states = {grant.rung: grant for grant in access.grants}
    assert states["R1"].state is PublishedState.SUSPENDED
    assert states["R1"].decided_by == "Ben"
    if rung == "R0":
        assert states["R0"].state is PublishedState.SUSPENDED


@given(st.integers(0, 2_000))
def test_time_only_ever_closes(days):
    early, late = START + timedelta(days=days), START + timedelta(days=days + 1)
    fact = grants()["R1"]
    if fact.state(early) is not GrantState.OPEN:
        assert fact.state(late) is not GrantState.OPEN


def test_a_grant_ends_with_the_first_level_that_lapses_and_drops_when_it_is_not_used():
    provisional_days = FRAMEWORK.bootstrap.provisional_days
    assert grants()["R1"].expires_at <= START + timedelta(days=provisional_days, hours=1)
    solid = [replace(each, drawn=8, pool=24) if each.kind == "auto_items" else each for each in whole_climb()]
    unused = grants(solid)["R0"]
    assert unused.expires_at is None
    assert unused.unused_at == unused.issued_at + timedelta(days=FRAMEWORK.rungs["R0"].unused_days)
    used = grants(solid, uses={"R0": (UseDay(date(2026, 6, 1), 3),)})["R0"]
    assert used.unused_at > unused.unused_at
    assert used.focused_uses == FRAMEWORK.focused_uses - 3


def test_a_new_policy_version_closes_until_it_is_accepted_and_does_not_unissue():
    case = situation(whole_climb(), policy="2.0.0")
    facts = derive_grants(case, [])
    assert {fact.rung for fact in facts} == {"R0", "R1"}
    standing = assess_standing(PERSON, case, facts, {})
    assert standing.rung("R0").state == GrantState.EXPIRED
    published = publish_access(standing, "Amara", case.now).grants[0]
    assert published.expires_at <= case.now.timestamp()


def test_the_ladder_is_ordered_by_what_builds_on_what():
    placed: set[str] = set()
    for rung in ladder_order(FRAMEWORK):
        assert placed.issuperset(rung.after)
        placed.add(rung.key)
    circle = {key: replace(rung, after=("R9",)) for key, rung in FRAMEWORK.rungs.items()}
    with pytest.raises(ValueError, match="circle"):
        ladder_order(replace(FRAMEWORK, rungs=circle))


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [("2026-01-05", 5, "2026-01-12"), ("2026-01-09", 1, "2026-01-12"), ("2026-01-10", 1, "2026-01-12")],
)
def test_working_days_leave_weekends_out(start, days, end):
    assert add_working_days(datetime.fromisoformat(start), days) == datetime.fromisoformat(end)


def test_a_suspension_keeps_who_why_and_until_when():
    suspension = fold_decisions([decision(0, Verb.WAS_SUSPENDED)], FRAMEWORK.rungs["R1"], START).suspension
    assert (suspension.by, suspension.reason, suspension.through) == (MENTOR, "A look.", "R1")
    assert suspension.until == START + timedelta(days=7)
