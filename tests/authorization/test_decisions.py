"""What people decide on grants: who may, on what, and that it takes effect at once and is on record."""

from datetime import timedelta

import pytest
from tests.factories import climb, make_cast, make_person

from toprope.audit import api as audit
from toprope.authorization import api as authorization
from toprope.authorization.models import Grant
from toprope.config.rebuild import rebuild
from toprope.evidence import api as evidence
from toprope.evidence.statement import GATEWAY, Context, Object, ObjectType, Statement, Verb
from toprope.kit.ids import uuid7
from toprope.learning import api as learning
from toprope.people import api as people

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(now):
    """Amara has held R1 since an hour ago."""
    made = make_cast(now)
    climb(made.amara, "R1", now - timedelta(hours=1), mentor=made.ben)
    return made


@pytest.fixture
def later(now):
    return now + timedelta(days=31)


def grant(person, rung="R1"):
    return next(fact for fact in authorization.list_grants(person.uuid) if fact.rung == rung)


def a_statement(person):
    return evidence.list_newest(actor=person.uuid, limit=1)[0].statement.id


def down(person, to, by, now, **fields):
    values = {
        "reason": "Explain-back below 2 on two changes.",
        "evidence": [a_statement(person)],
        "way_back": "Two explained changes.",
        "review_on": (now + timedelta(days=14)).date(),
    }
    authorization.step_down(person.uuid, "R1", to, by=by, now=now, **{**values, **fields})


def use(person, now, condition="", authority=GATEWAY):
    return Statement(
        uuid7(),
        person.uuid,
        Verb.USED,
        Object(ObjectType.RUNG, "R1"),
        now,
        authority=authority,
        context=Context(rung="R1", condition=condition),
    )


def tags():
    return [entry.tag for entry in audit.list_entries(limit=200)]


def test_a_step_down_takes_one_supervision_level_names_evidence_and_a_way_back(cast, now):
    down(cast.amara, "S3", cast.ben, now)
    fact = grant(cast.amara)
    assert (fact.supervision, fact.state(now)) == ("S3", "open")
    assert fact.step_down.way_back == "Two explained changes."
    assert tags().count("grant.stepped_down") == 1
    assert rebuild().identical


def test_a_step_down_from_the_rung_closes_it_and_what_builds_on_it_until_it_is_given_back(cast, now):
    authorization.issue_key(cast.amara, "laptop", now)
    down(cast.amara, "", cast.ben, now)
    assert authorization.get_standing(cast.amara.uuid, now).rung("R1").state == "withdrawn"
    with pytest.raises(authorization.Refused, match="withdrawn already"):
        down(cast.amara, "", cast.ben, now)
    authorization.reinstate_grant(cast.amara.uuid, "R1", by=cast.ben, reason="Shown.", now=now)
    assert grant(cast.amara).state(now) == "open"
    assert rebuild().identical


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reason": " "}, "Write a reason"),
        ({"way_back": ""}, "leads back"),
        ({"evidence": []}, "Name the statements"),
        ({"evidence": [uuid7()]}, "Name the statements"),
    ],
)
def test_a_step_down_without_its_parts_is_refused(cast, now, change, message):
    with pytest.raises(authorization.Refused, match=message):
        down(cast.amara, "S3", cast.ben, now, **change)
    assert grant(cast.amara).supervision == "S4"


def test_a_step_down_goes_one_step_and_never_by_oneself_or_by_job_signals_alone(cast, now):
    with pytest.raises(authorization.Refused, match="one step down is S3"):
        down(cast.amara, "S2", cast.ben, now)
    with pytest.raises(authorization.Refused, match="never oneself"):
        down(cast.amara, "S3", cast.amara, now)
    with pytest.raises(authorization.Refused, match="date ahead"):
        down(cast.amara, "S3", cast.ben, now, review_on=now.date())
    (signal,) = evidence.record_statements([use(cast.amara, now)])
    with pytest.raises(authorization.Refused, match="move nobody"):
        down(cast.amara, "S3", cast.ben, now, evidence=[signal.statement.id])


def test_the_first_to_supervise_is_named_by_the_governance_lead_and_then_by_those_who_do(cast, now):
    """R1 begins at S4, its highest cap; the step above is S5."""
    with pytest.raises(authorization.Refused, match="while there is none, by the governance lead"):
        authorization.move_up(cast.amara.uuid, "R1", "S5", by=cast.ben, reason="Ready.", now=now)
    authorization.move_up(cast.amara.uuid, "R1", "S5", by=cast.gita, reason="The first here.", now=now)
    assert grant(cast.amara).supervision == "S5"
    assert authorization.supervisors_of("R1", now) == {cast.amara.uuid}
    entry = next(each for each in audit.list_entries(limit=50) if each.tag == "grant.moved_up")
    assert entry.detail["founding"]
    with pytest.raises(authorization.Refused, match="no step above"):
        authorization.move_up(cast.amara.uuid, "R1", "S5", by=cast.gita, reason="Again.", now=now)

    zoe = make_person("Zoe", cast.team, now)
    climb(zoe, "R1", now - timedelta(hours=1), mentor=cast.ben)
    with pytest.raises(authorization.Refused, match="a mentor at S5"):
        authorization.move_up(zoe.uuid, "R1", "S5", by=cast.gita, reason="No longer founding.", now=now)
    people.give_duty(cast.amara, people.DutyKind.MENTOR, team=cast.team, now=now)
    authorization.move_up(zoe.uuid, "R1", "S5", by=cast.amara, reason="Seen it.", now=now)
    assert grant(zoe).supervision == "S5"
    assert rebuild().identical


def test_the_line_manager_does_not_decide_alone(cast, now):
    people.give_duty(cast.gita, people.DutyKind.MANAGER, team=cast.team, now=now)
    with pytest.raises(authorization.Refused, match="line manager does not decide alone"):
        authorization.move_up(cast.amara.uuid, "R1", "S5", by=cast.gita, reason="Ready.", now=now)


def test_the_focused_period_ends_by_a_decision_after_its_uses_or_days(cast, now, later):
    with pytest.raises(authorization.Refused, match="10 more uses, or until"):
        authorization.confirm_grant(cast.amara.uuid, "R1", by=cast.ben, reason="Fine.", now=now)
    assert grant(cast.amara).focused()
    authorization.confirm_grant(cast.amara.uuid, "R1", by=cast.ben, reason="Fine.", now=later)
    assert not grant(cast.amara).focused()
    with pytest.raises(authorization.Refused, match="over already"):
        authorization.confirm_grant(cast.amara.uuid, "R1", by=cast.ben, reason="Fine.", now=later)
    assert rebuild().identical


def test_a_voided_decision_takes_its_effect_back(cast, now):
    down(cast.amara, "S3", cast.ben, now)
    decision = evidence.list_newest(actor=cast.amara.uuid, verbs={Verb.WAS_STEPPED_DOWN})[0].statement.id
    evidence.void_statement(decision, by=cast.gita.uuid, reason="Another person was meant.", now=now)
    authorization.refresh_person(cast.amara.uuid, now)
    assert (grant(cast.amara).supervision, grant(cast.amara).step_down) == ("S4", None)
    assert rebuild().identical


def test_unused_a_grant_drops_to_s2_and_comes_back_after_a_paired_use_and_a_check(cast):
    fact = grant(cast.amara)
    assert fact.supervision_at(fact.unused_at - timedelta(seconds=1)) == "S4"
    assert fact.supervision_at(fact.unused_at) == "S2"
    dropped = fact.unused_at + timedelta(days=1)
    evidence.record_statements([use(cast.amara, dropped)])
    authorization.follow_statements(dropped)
    assert grant(cast.amara).supervision_at(dropped) == "S2"  # an ordinary use does not bring it back
    evidence.record_statements([use(cast.amara, dropped, "paired", str(cast.ben.uuid))])
    authorization.follow_statements(dropped)
    assert grant(cast.amara).supervision_at(dropped) == "S2"  # the check is still missing
    steps = [
        each.step
        for each in authorization.get_standing(cast.amara.uuid, dropped).rung("R1").checklist.open_steps()
    ]
    assert "mixed:R1" in steps


def test_a_decision_is_taken_on_complete_evidence_and_by_those_the_rung_names(cast, now):
    with pytest.raises(authorization.Refused, match="its rules do, or a panel"):
        authorization.approve_rung(cast.amara.uuid, "R2", by=cast.gita, reason="x", now=now)
    with pytest.raises(authorization.Refused, match="still missing"):
        authorization.approve_rung(cast.amara.uuid, "R6", by=cast.gita, reason="x", now=now)
    with pytest.raises(authorization.Refused, match="Nobody decides on themselves"):
        authorization.approve_rung(cast.gita.uuid, "R6", by=cast.gita, reason="x", now=now)
    with pytest.raises(authorization.Refused, match="complete evidence"):
        authorization.record_panel(cast.amara.uuid, "R8", [cast.ben], by=cast.gita, reason="x", now=now)
    with pytest.raises(authorization.Refused, match="Only the governance lead"):
        authorization.record_panel(cast.amara.uuid, "R8", [cast.ben], by=cast.ben, reason="x", now=now)
    assert not evidence.list_statements(actor=cast.amara.uuid, verbs={Verb.WAS_APPROVED})


def test_an_emergency_grant_opens_one_rung_for_some_hours_and_is_looked_at(cast, now):
    authorization.issue_key(cast.amara, "laptop", now)

    def let_in(**fields):
        values = {"hours": 4, "paired_with": cast.ben, "incident": "Outage 7.", "by": cast.gita, "now": now}
        authorization.grant_emergency(cast.amara.uuid, "R2", **{**values, **fields})

    for change, message in (
        ({"hours": 5}, "1 to 4 hours"),
        ({"by": cast.amara}, "Nobody grants themselves"),
        ({"paired_with": cast.amara}, "the other person"),
        ({"incident": " "}, "Write a reason"),
    ):
        with pytest.raises(authorization.Refused, match=message):
            let_in(**change)
    with pytest.raises(authorization.Refused, match="builds on R3"):
        authorization.grant_emergency(
            cast.amara.uuid, "R4", hours=1, paired_with=cast.ben, incident="x", by=cast.gita, now=now
        )
    let_in()
    with pytest.raises(authorization.Refused, match="changes nothing there"):
        let_in()
    standing = authorization.get_standing(cast.amara.uuid, now + timedelta(hours=3)).rung("R2")
    assert (standing.state, standing.supervision, standing.grant) == ("open", "S2", None)
    over = authorization.get_standing(cast.amara.uuid, now + timedelta(hours=4)).rung("R2")
    assert (over.state, over.emergency) == ("closed", None)
    (waiting,) = authorization.list_unreviewed()
    assert waiting.paired_with == cast.ben.uuid
    with pytest.raises(authorization.Refused, match="not part of it"):
        authorization.review_emergency(waiting.statement, by=cast.gita, note="Fine.", now=now)
    people.give_duty(cast.ben, people.DutyKind.GOVERNANCE, now=now)
    with pytest.raises(authorization.Refused, match="not part of it"):
        authorization.review_emergency(waiting.statement, by=cast.ben, note="Fine.", now=now)
    dora = make_person("Dora", cast.team, now)
    people.give_duty(dora, people.DutyKind.GOVERNANCE, now=now)
    authorization.review_emergency(waiting.statement, by=dora, note="Two queries, both read.", now=now)
    assert not authorization.list_unreviewed()
    assert rebuild().identical


def test_a_suspension_ends_an_emergency_grant_and_keeps_the_next_one_shut(cast, now):
    authorization.grant_emergency(
        cast.amara.uuid, "R2", hours=2, paired_with=cast.ben, incident="x", by=cast.gita, now=now
    )
    soon = now + timedelta(minutes=10)
    authorization.suspend_grant(cast.amara.uuid, "R2", by=cast.ben, reason="Stop.", now=soon)
    assert authorization.get_standing(cast.amara.uuid, soon).rung("R2").state == "closed"
    authorization.grant_emergency(
        cast.amara.uuid, "R2", hours=2, paired_with=cast.ben, incident="x", by=cast.gita, now=soon
    )
    assert authorization.get_standing(cast.amara.uuid, soon).rung("R2").state == "closed"
    authorization.reinstate_grant(cast.amara.uuid, "R2", by=cast.ben, reason="Cleared.", now=soon)
    assert rebuild().identical


def test_what_time_changes_is_published_by_the_worker(cast, now):
    from toprope.authorization.models import PublishedAccess

    authorization.issue_key(cast.amara, "laptop", now)
    row = PublishedAccess.objects.get()
    assert row.stale_at == min(
        at
        for fact in authorization.list_grants(cast.amara.uuid)
        for at in (fact.unused_at, fact.expires_at)
        if at
    )
    assert authorization.publish_stale(row.stale_at - timedelta(seconds=1)) == 0
    assert authorization.publish_stale(row.stale_at) == 1


def test_a_grant_that_goes_leaves_an_entry(cast, now):
    drill = next(
        each.statement.id
        for each in evidence.list_statements(actor=cast.amara.uuid, verbs={Verb.COMPLETED})
        if each.statement.object.key == "redaction-drill"
    )
    evidence.void_statement(drill, by=cast.gita.uuid, reason="The drill was broken.", now=now)
    authorization.refresh_person(cast.amara.uuid, now)
    assert not Grant.objects.filter(person=cast.amara.uuid, rung="R1").exists()
    assert "grant.withdrawn" in tags()
    assert rebuild().identical


def test_a_note_on_paired_work_is_a_paired_use(cast, now):
    note = uuid7()
    for _ in range(2):
        learning.record_note(
            note,
            cast.amara.uuid,
            rung="R1",
            supervision="S4",
            tier="T1",
            work="Asked for a regular expression.",
            competencies={"SEC-01": 1},
            paired=True,
            by=cast.ben,
            now=now,
        )
    uses = evidence.list_statements(actor=cast.amara.uuid, verbs={Verb.USED})
    assert [each.statement.context.condition for each in uses] == ["paired"]
    assert grant(cast.amara).focused_uses == 9
    assert rebuild().identical
