"""What supervisors and the governance lead record on their pages."""

import re
from datetime import timedelta

import pytest
from tests.web.test_learner import text_of

from toprope.authorization import api as authorization
from toprope.evidence import api as evidence
from toprope.evidence.statement import Verb
from toprope.kit.clock import now
from toprope.learning import api as learning
from toprope.progression import api as progression

pytestmark = pytest.mark.django_db


def hidden(response, name):
    return re.search(rf'name="{name}" value="([^"]*)"', response.content.decode()).group(1)


def test_a_mentor_writes_a_note_and_sending_it_twice_is_one(world, enter):
    client, amara = enter("ben"), world.cast.amara.uuid
    page = client.get(f"/people/{amara}/note/")
    form = {
        "note": hidden(page, "note"),
        "work": "A regular expression, explained.",
        "rung": "R1",
        "tier": "T1",
        "supervision": "S4",
        "level": "1",
        "competency": ["SEC-01", "FND-01"],
        "paired": "yes",
    }
    for _ in range(2):
        assert "Your note is recorded" in text_of(client.post(f"/people/{amara}/note/", form, follow=True))
    (note,) = progression.get_history(amara).notes
    assert (note.by, note.supervision) == (str(world.cast.ben.uuid), 4)
    assert len(evidence.list_statements(actor=amara, verbs={Verb.USED})) == 1
    refused = client.post(f"/people/{amara}/note/", {**form, "note": "x"}, follow=True)
    assert "Open it again" in text_of(refused)


def rating(rubric, page):
    form = {name: hidden(page, name) for name in ("attempt", "rubric", "level", "competency")}
    for each in rubric["criteria"]:
        form[f"score-{each['id']}"] = "3"
        form[f"quote-{each['id']}"] = "Read the diff before the tests."
    return {**form, "supervision": "S4"}


def test_two_raters_rate_a_practical_and_the_second_finds_it_in_the_queue(world, enter):
    from toprope.competency.api import current_framework

    rubric, amara = current_framework().rubrics["RB-2"], world.cast.amara.uuid
    first = enter("ben")
    page = first.get(f"/people/{amara}/assess/", {"rubric": "RB-2", "level": "3", "competency": "AGT-01"})
    form = rating(rubric, page)
    assert "Score every criterion" in text_of(
        first.post(f"/people/{amara}/assess/", {**form, "score-brief": ""}, follow=True)
    )
    assert "Your rating is recorded" in text_of(first.post(f"/people/{amara}/assess/", form, follow=True))
    second = enter("gita")
    queue = second.get("/ratings/").content.decode()
    link = re.search(r'href="(/people/[^"]*assess/[^"]*)"', queue).group(1).replace("&amp;", "&")
    page = second.get(link)
    assert hidden(page, "attempt") == form["attempt"]
    assert "Your rating is recorded" in text_of(
        second.post(f"/people/{amara}/assess/", rating(rubric, page), follow=True)
    )
    (found,) = progression.get_history(amara).assessments
    assert len(found.ratings) == 2
    assert "another rater" not in text_of(second.get("/ratings/"))
    assert enter("mara").get(link).status_code == 404


def test_a_mentor_steps_a_rung_down_with_evidence_and_a_way_back_and_gives_it_back(world, enter):
    client, amara = enter("ben"), world.cast.amara.uuid
    path = f"/people/{amara}/rungs/R1/decide/"
    form = {
        "what": "step-down",
        "to": "",
        "evidence": str(world.statement),
        "reason": "Two overrides without a reason.",
        "way_back": "Two clean weeks.",
        "review_on": (now() + timedelta(days=14)).date().isoformat(),
    }
    assert "Name the statements" in text_of(client.post(path, {**form, "evidence": []}, follow=True))
    assert "date ahead" in text_of(client.post(path, {**form, "review_on": "soon"}, follow=True))
    assert "Your decision on R1 is recorded" in text_of(client.post(path, form, follow=True))
    told = text_of(enter("amara").get("/ladder/R1/"))
    assert "Two overrides without a reason." in told
    assert "Two clean weeks." in told
    page = text_of(client.get(f"/people/{amara}/"))
    assert "Give R1 back" in page
    client.post(f"/people/{amara}/rungs/R1/reinstate/", {"reason": "Shown."})
    assert authorization.get_standing(amara, now()).rung("R1").state == "open"


@pytest.mark.parametrize("what", ["", "promote", "approve!"])
def test_there_are_no_other_decisions(world, enter, what):
    path = f"/people/{world.cast.amara.uuid}/rungs/R1/decide/"
    assert enter("ben").post(path, {"what": what, "reason": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("approve", "Nobody decides on R1 one by one"),
        ("decline", "Nobody decides on R1 one by one"),
        ("confirm", "more uses, or until"),
        ("move-up", "by the governance lead"),
    ],
)
def test_what_may_not_be_decided_says_why(world, enter, what, message):
    path = f"/people/{world.cast.amara.uuid}/rungs/R1/decide/"
    assert message in text_of(enter("ben").post(path, {"what": what, "to": "S5", "reason": "x"}, follow=True))


def test_the_governance_lead_names_the_first_supervisor(world, enter):
    path = f"/people/{world.cast.amara.uuid}/rungs/R1/decide/"
    form = {"what": "move-up", "to": "S5", "reason": "The first here."}
    enter("gita").post(path, form)
    assert authorization.get_standing(world.cast.amara.uuid, now()).rung("R1").supervision == "S5"


def test_an_emergency_is_opened_and_then_looked_at_by_another(enter):
    client = enter("gita")
    form = {
        "person": "amara",
        "rung": "R2",
        "hours": "2",
        "paired_with": "ben",
        "incident": "Outage 7.",
    }
    assert "1 to 4 hours" in text_of(client.post("/boards/emergency/", {**form, "hours": "9"}, follow=True))
    assert "from the list" in text_of(client.post("/boards/emergency/", {**form, "person": "x"}, follow=True))
    page = text_of(client.post("/boards/emergency/", form, follow=True))
    assert "The emergency grant runs" in page
    assert "Gita opened it" in page
    (waiting,) = authorization.list_unreviewed()
    own = client.post(f"/boards/emergency/{waiting.statement}/review/", {"note": "Fine."}, follow=True)
    assert "was not part of it" in text_of(own)
    assert "Open for an incident until" in text_of(enter("amara").get("/ladder/R2/"))


def test_a_panel_and_a_data_approval_without_evidence_are_refused(world, enter):
    client = enter("gita")
    panel = {"person": "amara", "rung": "R8", "member": ["ben", "mara", "otto"], "reason": "Talked."}
    assert "complete evidence" in text_of(client.post("/boards/panel/", panel, follow=True))
    data = {
        "person": "amara",
        "rung": "R9",
        "owner": "ben",
        "data_set": "orders",
        "purpose": "x",
        "hours": "2",
    }
    assert "complete evidence" in text_of(client.post("/boards/data/", data, follow=True))
    assert "1 to 8 hours" in text_of(client.post("/boards/data/", {**data, "hours": "9"}, follow=True))
    assert not learning.list_unsettled(world.cast.gita)
