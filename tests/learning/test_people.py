"""What people record of others' work: ratings by rubric, notes, adoption, coaching."""

from datetime import timedelta

import pytest
from tests.factories import climb, make_cast, make_person

from toprope.audit import api as audit
from toprope.authorization import api as authorization
from toprope.competency.api import current_framework
from toprope.config.rebuild import rebuild
from toprope.evidence import api as evidence
from toprope.evidence.statement import Verb
from toprope.kit.ids import uuid7
from toprope.learning import api as learning
from toprope.people import api as people
from toprope.progression import api as progression

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(now):
    return make_cast(now)


def rate(person, attempt, by, now, score=3, **fields):
    criteria = [each["id"] for each in current_framework().rubrics["RB-2"]["criteria"]]
    values = {
        "rubric": "RB-2",
        "level": 3,
        "competency": "AGT-01",
        "scores": dict.fromkeys(criteria, score),
        "quotes": dict.fromkeys(criteria, "Stopped the run at the second file."),
        "critical_errors": [],
        "supervision": "S4",
    }
    learning.rate_assessment(person.uuid, attempt, by=by, now=now, **{**values, **fields})


def assessment(person):
    (found,) = progression.get_history(person.uuid).assessments
    return found


def test_two_raters_rate_one_attempt_each_for_themselves(cast, now):
    attempt = uuid7()
    rate(cast.amara, attempt, cast.ben, now)
    assert [each.attempt for each in learning.list_unsettled(cast.gita)] == [attempt]
    assert not learning.list_unsettled(cast.ben)
    rate(cast.amara, attempt, cast.ben, now)  # sent twice: harmless
    with pytest.raises(authorization.Refused, match="first rating stands"):
        rate(cast.amara, attempt, cast.ben, now, score=4)
    rate(cast.amara, attempt, cast.gita, now)
    assert not learning.list_unsettled(cast.gita)
    assert [each.by for each in assessment(cast.amara).ratings] == [str(cast.ben.uuid), str(cast.gita.uuid)]
    assert [each.tag for each in audit.list_entries(limit=99)].count("assessment.rated") == 2
    assert rebuild().identical


def test_a_settled_attempt_takes_no_further_rater_and_a_failed_one_makes_wait(cast, now):
    attempt = uuid7()
    rate(cast.amara, attempt, cast.ben, now, score=1)
    with pytest.raises(authorization.Refused, match="waits for another rater"):
        rate(cast.amara, uuid7(), cast.gita, now)
    rate(cast.amara, attempt, cast.gita, now, score=1)
    zoe = make_person("Zoe", cast.team, now)
    people.give_duty(zoe, people.DutyKind.MENTOR, team=cast.team, now=now)
    with pytest.raises(authorization.Refused, match="settled"):
        rate(cast.amara, attempt, zoe, now, score=4)
    with pytest.raises(authorization.Refused, match="may begin from"):
        rate(cast.amara, uuid7(), cast.ben, now + timedelta(hours=335))
    rate(cast.amara, uuid7(), cast.ben, now + timedelta(hours=336))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rubric": "RB-77"}, "no such practical"),
        ({"level": 1}, "no such practical"),
        ({"competency": "SEC-04"}, "says nothing about SEC-04"),
        ({"scores": {}}, "Score every criterion"),
        ({"score": 5}, "from 1 to 4"),
        ({"score": 0}, "from 1 to 4"),
        ({"quotes": {}}, "Quote one observation"),
        ({"critical_errors": [9]}, "from the rubric's list"),
        ({"supervision": "S9"}, "which supervision"),
    ],
)
def test_what_the_rubric_does_not_know_is_refused_and_leaves_no_trace(cast, now, change, message):
    before = len(audit.list_entries(limit=200))
    with pytest.raises(authorization.Refused, match=message):
        rate(cast.amara, uuid7(), cast.ben, now, **change)
    assert len(audit.list_entries(limit=200)) == before


def test_nobody_rates_or_notes_themselves_and_the_line_manager_does_not_rate(cast, now):
    with pytest.raises(authorization.Refused, match="never oneself"):
        rate(cast.ben, uuid7(), cast.ben, now)
    people.give_duty(cast.ben, people.DutyKind.MANAGER, team=cast.team, now=now)
    with pytest.raises(authorization.Refused, match="line manager"):
        rate(cast.amara, uuid7(), cast.ben, now)
    with pytest.raises(authorization.Refused, match="never oneself"):
        note(cast.gita, cast.gita, now)


def note(person, by, now, **fields):
    values = {
        "rung": "R6",
        "supervision": "S3",
        "tier": "T1",
        "work": "A pull request of an agent, reviewed together.",
        "competencies": {"AGT-01": 2},
        "paired": False,
    }
    learning.record_note(fields.pop("id", uuid7()), person.uuid, by=by, now=now, **{**values, **fields})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rung": "R77"}, "kind of work"),
        ({"tier": "T0"}, "kind of work"),
        ({"supervision": "S0"}, "Choose the supervision"),
        ({"work": " "}, "what the work was"),
        ({"competencies": {"XXX-01": 1}}, "of the framework"),
        ({"competencies": {"AGT-01": 5}}, "level of the work"),
    ],
)
def test_a_note_outside_the_framework_is_refused(cast, now, change, message):
    with pytest.raises(authorization.Refused, match=message):
        note(cast.amara, cast.ben, now, **change)
    assert not evidence.list_statements(actor=cast.amara.uuid)


def test_notes_are_told_apart_by_supervisor_and_count_for_the_rung_they_speak_of(cast, now):
    for by in (cast.ben, cast.ben, cast.gita):
        note(cast.amara, by, now)
    signoff = next(
        each
        for each in authorization.get_standing(cast.amara.uuid, now).rung("R6").checklist.requirements
        if each.kind == "mentor_signoff"
    )
    assert signoff.status == "done"
    assert len(signoff.evidence) == 3
    assert rebuild().identical


def test_what_is_in_use_is_vouched_for_by_those_who_use_it(cast, now):
    search = people.create_team("search", "Search", department=cast.team.department, now=now)
    mara = make_person("Mara", search, now)
    with pytest.raises(authorization.Refused, match="of the team that uses it"):
        learning.record_adoption(
            cast.amara.uuid, "Review guide", competency="AGT-01", level=4, team=search, by=mara, now=now
        )
    people.give_duty(mara, people.DutyKind.MENTOR, team=search, now=now)
    for _ in range(2):
        learning.record_adoption(
            cast.amara.uuid, "Review  guide", competency="AGT-01", level=4, team=search, by=mara, now=now
        )
    (piece,) = progression.get_history(cast.amara.uuid).of("artefact", "AGT-01", 4)
    assert piece.team == "search"
    with pytest.raises(authorization.Refused, match="never oneself"):
        learning.record_adoption(
            mara.uuid, "Mine", competency="AGT-01", level=4, team=search, by=mara, now=now
        )
    assert rebuild().identical


def test_coaching_counts_once_the_person_holds_what_they_were_coached_for(cast, now):
    with pytest.raises(authorization.Refused, match="holds no level"):
        learning.record_coaching(cast.ben.uuid, cast.amara, competency="SEC-01", by=cast.gita, now=now)
    climb(cast.amara, "R1", now - timedelta(hours=1), mentor=cast.ben)
    learning.record_coaching(cast.ben.uuid, cast.amara, competency="SEC-01", by=cast.gita, now=now)
    with pytest.raises(authorization.Refused, match="mentor of the one who coached"):
        learning.record_coaching(cast.ben.uuid, cast.amara, competency="SEC-01", by=cast.ben, now=now)
    assert [each.key for each in progression.get_history(cast.ben.uuid).of("coaching", "SEC-01")] == [
        str(cast.amara.uuid)
    ]
    assert evidence.list_statements(actor=cast.ben.uuid, verbs={Verb.COACHED})
