"""The rungs that people decide on, through the actions: who found them, and how each part is taken."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.factories import make_cast, make_person
from tests.ladder import START, all_levels, whole_climb

from toprope.authorization import api as authorization
from toprope.evidence import api as evidence
from toprope.kit.ids import uuid7
from toprope.people import api as people

pytestmark = pytest.mark.django_db

DECIDED = ("mentor", "security", "panel_interview", "data_owner_approval")


@pytest.fixture
def cast(now, monkeypatch):
    """Amara has shown everything that every rung asks for, but no decision was taken."""
    monkeypatch.setattr(
        "toprope.progression.queries.list_levels",
        lambda _: list(all_levels(lapses_at=now + timedelta(days=99)).values()),
    )
    cast = make_cast(now)
    shift = now - timedelta(hours=12) - START
    statements, ids = [], {}
    for each in whole_climb():
        for one in each.statements if each.what not in DECIDED else ():
            sitting = one.context.sitting
            context = replace(one.context, sitting=sitting and ids.setdefault(sitting, uuid7()))
            moved = one.timestamp + shift
            made = replace(one, id=uuid7(), actor=cast.amara.uuid, timestamp=moved, context=context)
            statements.append(made)
        for rung, days in each.uses.items():
            statements += [use(cast.amara, rung, at + shift) for day in days for at in day.times]
    evidence.record_statements(statements)
    authorization.refresh_person(cast.amara.uuid, now)
    return cast


def use(person, rung, at):
    from toprope.evidence.statement import GATEWAY, Object, ObjectType, Statement, Verb

    return Statement(uuid7(), person.uuid, Verb.USED, Object(ObjectType.RUNG, rung), at, authority=GATEWAY)


def rungs_of(person):
    return [fact.rung for fact in authorization.list_grants(person.uuid)]


def approve(person, rung, by, now):
    authorization.approve_rung(person.uuid, rung, by=by, reason="Seen in two contexts.", now=now)


def test_people_open_the_rungs_above_r5_one_after_the_other(cast, now):
    assert rungs_of(cast.amara) == ["R0", "R1", "R2", "R3", "R4", "R5"]
    with pytest.raises(authorization.Refused, match="while there is none, by the governance lead"):
        approve(cast.amara, "R6", cast.ben, now)
    approve(cast.amara, "R6", cast.gita, now)
    with pytest.raises(authorization.Refused, match="granted already"):
        approve(cast.amara, "R6", cast.gita, now)
    decision = authorization.get_standing(cast.amara.uuid, now).rung("R6").checklist.requirements[-1]
    assert "founding authority" in decision.detail

    approve(cast.amara, "R7", cast.gita, now)  # both parts: nobody is there for either
    assert rungs_of(cast.amara)[-1] == "R7"

    panel = [cast.ben, cast.gita, make_person("Zoe", cast.team, now)]
    with pytest.raises(authorization.Refused, match="panel that decides on them"):
        authorization.record_panel(
            cast.amara.uuid, "R8", [*panel, cast.amara], by=cast.gita, reason="x", now=now
        )
    authorization.record_panel(
        cast.amara.uuid, "R8", panel, by=cast.gita, reason="Talked it through.", now=now
    )
    assert rungs_of(cast.amara)[-1] == "R8"


def test_a_data_owners_approval_opens_r9_and_it_closes_by_itself(cast, now):
    approve(cast.amara, "R6", cast.gita, now)
    approve(cast.amara, "R7", cast.gita, now)

    def data(at, **fields):
        values = {"owner": cast.ben, "purpose": "A migration.", "data_set": "orders", "hours": 2}
        authorization.approve_data(cast.amara.uuid, "R9", by=cast.gita, now=at, **{**values, **fields})

    with pytest.raises(authorization.Refused, match="still missing"):
        data(now)
    approve(cast.amara, "R9", cast.gita, now)
    with pytest.raises(authorization.Refused, match="for themselves"):
        data(now, owner=cast.amara)
    data(now)
    with pytest.raises(authorization.Refused, match="One purpose at a time"):
        data(now)

    def state(at):
        return authorization.get_standing(cast.amara.uuid, at).rung("R9").state

    assert state(now + timedelta(minutes=119)) == "open"
    assert state(now + timedelta(hours=2)) == "expired"
    data(now + timedelta(hours=3))
    assert state(now + timedelta(hours=4)) == "open"
    assert state(now + timedelta(hours=5)) == "expired"


def test_where_people_are_at_s5_they_decide_and_a_panel_takes_its_three(cast, now, monkeypatch):
    dora, zoe = make_person("Dora", cast.team, now), make_person("Zoe", cast.team, now)
    for person in (dora, zoe):
        people.give_duty(person, people.DutyKind.MENTOR, team=cast.team, now=now)
    for module in ("deciding", "standing"):
        monkeypatch.setattr(
            f"toprope.authorization.queries.{module}.supervisors_of", lambda *_: {dora.uuid, zoe.uuid}
        )
    monkeypatch.setattr(
        "toprope.authorization.actions.boards.supervisors_of", lambda *_: {dora.uuid, zoe.uuid}
    )
    monkeypatch.setattr("toprope.authorization.queries.deciding.holders_of_level", lambda *_: {dora.uuid})
    with pytest.raises(authorization.Refused, match="a mentor at S5"):
        approve(cast.amara, "R6", cast.gita, now)
    approve(cast.amara, "R6", dora, now)
    approve(cast.amara, "R7", dora, now)
    assert "R7" not in rungs_of(cast.amara)
    with pytest.raises(authorization.Refused, match="another person decides on the rest"):
        approve(cast.amara, "R7", dora, now)
    decline = {"by": zoe, "reason": "One more drill first.", "now": now + timedelta(seconds=1)}
    authorization.decline_rung(cast.amara.uuid, "R7", **decline)
    again = now + timedelta(seconds=2)
    approve(cast.amara, "R7", zoe, again)
    assert "R7" not in rungs_of(cast.amara)  # what was decided before it was declined no longer counts
    approve(cast.amara, "R7", dora, again)
    assert "R7" in rungs_of(cast.amara)

    def panel(*members):
        authorization.record_panel(cast.amara.uuid, "R8", members, by=cast.gita, reason="x", now=again)

    with pytest.raises(authorization.Refused, match="3 different members"):
        panel(dora, dora, zoe)
    with pytest.raises(authorization.Refused, match="at S5"):
        panel(dora, cast.ben, cast.gita)
    with pytest.raises(authorization.Refused, match="another team"):
        panel(dora, zoe, cast.ben)
    other = people.create_team("search", "Search", department=cast.team.department, now=now)
    panel(dora, zoe, make_person("Otto", other, now))
    assert "R8" in rungs_of(cast.amara)
