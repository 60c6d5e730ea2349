import re
from datetime import timedelta

import pytest
from tests.factories import do_step, make_person

from toprope.authorization import api as authorization
from toprope.kit.clock import now

pytestmark = pytest.mark.django_db


def text_of(response):
    plain = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(plain.split())


def test_home_says_where_i_am_and_what_comes_next(enter):
    text = text_of(enter("amara").get("/"))
    assert "R1 Chat without code context" in text
    assert "What R2 Inline completion needs" in text
    assert "Next for you" in text
    assert "Supervision S4 Sampled" in text


def test_home_at_the_start_leads_to_the_policy_and_from_there_on(world, client):
    person = make_person("Nia", world.cast.team, world.now)
    client.force_login(person)
    assert "No rung is open to you yet" in text_of(client.get("/"))
    assert client.post("/practice/start/", {"step": "policy"}).headers["Location"] == "/policy/"
    policy = client.get("/policy/").content.decode()
    version = re.search(r'name="version" value="([^"]+)"', policy)[1]
    accepted = client.post("/policy/accept/", {"version": version}, follow=True)
    assert f"You accepted version {version} of the policy." in text_of(accepted)
    assert "R0 Tutor in the sandbox" in text_of(accepted)
    assert "Accepted on" in text_of(client.get("/policy/"))
    again = client.post("/policy/accept/", {"version": version}, follow=True)
    assert again.status_code == 200


def test_an_old_version_of_the_policy_is_refused_in_its_own_words(enter):
    response = enter("ben").post("/policy/accept/", {"version": "0.1"}, follow=True)
    assert "read that one and accept it" in text_of(response)


def test_refusals_are_shown_as_they_are(enter):
    response = enter("amara").post("/practice/start/", {"step": "practical:nothing"}, follow=True)
    assert "There is nothing to start here" in text_of(response)


def test_a_suspension_says_who_why_and_until_when(world, enter):
    authorization.suspend_grant(
        world.cast.amara.uuid, "R1", by=world.cast.ben, reason="A log was <pasted>.", now=now()
    )
    for path in ("/", "/ladder/R1/"):
        response = enter("amara").get(path)
        text = text_of(response)
        assert "A log was &lt;pasted&gt;." in text
        assert "Ben" in text
        assert "due by" in text
        assert "To appeal, write to Gita, who did not decide it." in text


def test_who_decided_does_not_hear_the_appeal(world, enter):
    authorization.suspend_grant(world.cast.amara.uuid, "R1", by=world.cast.gita, reason="A look.", now=now())
    text = text_of(enter("amara").get("/ladder/R1/"))
    assert "write to Gita" not in text
    assert "ask your operator for a governance lead who did not decide it" in text


def test_a_hold_is_shown_to_whom_it_stops(world, enter):
    authorization.place_hold("R1", by=world.cast.gita, reason="A leak is being looked at.", now=now())
    for path in ("/", "/ladder/R1/", "/ladder/"):
        assert "On hold" in text_of(enter("amara").get(path))
    assert "A leak is being looked at." in text_of(enter("amara").get("/ladder/R1/"))


def test_mentors_see_on_their_home_page_what_waits(enter):
    assert "1 explanation waits for your rating" in text_of(enter("ben").get("/"))


def test_every_estimate_explains_itself_answer_by_answer(world, enter):
    from toprope.measurement.api import explain_ability

    steps = explain_ability(world.cast.amara.uuid, "SEC-01")
    page = enter("amara").get("/competencies/SEC-01/estimate/").content.decode()
    assert steps
    for step in steps:
        assert f"/evidence/{step.statement}/" in page


def test_every_piece_of_evidence_on_a_checklist_can_be_opened(enter):
    client = enter("amara")
    links = set(re.findall(r'href="(/evidence/[0-9a-f-]{36}/)"', client.get("/ladder/R1/").content.decode()))
    assert len(links) >= 5
    for link in links:
        assert client.get(link).status_code == 200


@pytest.mark.parametrize("path", ["/", "/ladder/", "/ladder/R1/", "/competencies/", "/evidence/", "/keys/"])
def test_a_page_asks_the_same_number_of_queries_however_much_there_is(
    world, enter, path, django_assert_max_num_queries, django_assert_num_queries
):
    client = enter("cleo")
    client.get(path)
    with django_assert_max_num_queries(60) as first:
        client.get(path)
    moment = now() + timedelta(minutes=5)
    for step in ("sitting:SEC-01:1", "sitting:GOV-01:1"):
        do_step(world.cleo, step, moment)
    for label in ("one", "two", "three"):
        authorization.issue_key(world.cleo, label, moment)
    with django_assert_num_queries(len(first)):
        client.get(path)


def test_evidence_is_paged_newest_first(enter):
    client = enter("amara")
    first = client.get("/evidence/").content.decode()
    older = re.search(r'href="(\?before=\d+)"', first)
    assert older
    second = client.get("/evidence/" + older[1]).content.decode()

    def listed(page):
        return re.findall(r"/evidence/([0-9a-f-]{36})/", page)

    assert listed(first)
    assert listed(second)
    assert not set(listed(first)) & set(listed(second))
    assert "Newest" in second


@pytest.mark.parametrize("before", ["", "x", "-1", "9" * 40, "1"])
def test_a_made_up_page_is_no_error(enter, before):
    assert enter("amara").get(f"/evidence/?before={before}").status_code == 200


def test_a_statement_shows_its_fingerprint_place_and_raw_form(world, enter):
    from toprope.evidence.api import get_statement
    from toprope.evidence.statement import digest

    recorded = get_statement(world.statement)
    page = enter("amara").get(f"/evidence/{world.statement}/").content.decode()
    assert digest(recorded.statement) in page
    assert f"number {recorded.seq}" in page
    assert "&quot;verb&quot;" in page
    assert "/practice/" in page
    by_mentor = enter("ben").get(f"/evidence/{world.statement}/").content.decode()
    assert "/practice/" not in by_mentor  # the attempt itself is for its owner only


def test_a_key_is_shown_once_and_one_form_makes_one_key(world, enter):
    client = enter("otto")
    form_id = re.search(r'name="form_id" value="(\w+)"', client.get("/keys/").content.decode())[1]
    made = client.post("/keys/new/", {"label": "editor", "form_id": form_id})
    secret = re.search(r"tp_\w{40}", made.content.decode())[0]
    assert authorization.find_person_by_key(secret) == world.otto
    assert made.headers["Cache-Control"].startswith("max-age=0")
    assert "no-store" in made.headers["Cache-Control"]
    again = client.post("/keys/new/", {"label": "editor", "form_id": form_id}, follow=True)
    assert "made its key already" in text_of(again)
    assert len(authorization.list_keys(world.otto)) == 1
    assert secret not in client.get("/keys/").content.decode()
    revoked = client.post(f"/keys/{authorization.list_keys(world.otto)[0].uuid}/revoke/", follow=True)
    assert "The key is revoked" in text_of(revoked)
    assert authorization.find_person_by_key(secret) is None


def test_a_key_with_an_impossible_name_is_refused(enter):
    response = enter("otto").post("/keys/new/", {"label": "x" * 65, "form_id": "1"}, follow=True)
    assert "at most 64 fit" in text_of(response)
