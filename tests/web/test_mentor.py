import pytest
from tests.factories import do_step, make_person
from tests.web.test_learner import text_of
from tests.web.world import EXPLANATION, explain_back_step

from toprope.authorization import api as authorization
from toprope.kit.clock import now
from toprope.learning import api as learning

pytestmark = pytest.mark.django_db


def submit(person, moment):
    do_step(person, "policy", moment)
    attempt = learning.start_step(person.uuid, explain_back_step(person.uuid, moment), moment)
    learning.submit_practical(person.uuid, attempt, EXPLANATION, moment)


@pytest.mark.parametrize("path", ["/people/", "/ratings/"])
def test_lists_ask_the_same_number_of_queries_for_one_and_three(
    world, enter, path, django_assert_max_num_queries, django_assert_num_queries
):
    from toprope.people import api as people

    lone = people.create_team("lone", "Lone", department=world.cast.team.department, now=world.now)
    people.give_duty(world.mara, people.DutyKind.MENTOR, team=lone, now=world.now)
    people.withdraw_duty(world.mara, people.DutyKind.MENTOR, team=world.mara.team, now=world.now)
    submit(make_person("One", lone, world.now), world.now)
    client = enter("mara")
    with django_assert_max_num_queries(20) as first:
        assert "One" in text_of(client.get(path))
    for name in ("Two", "Three"):
        submit(make_person(name, lone, world.now), world.now)
    with django_assert_num_queries(len(first)):
        assert "Three" in text_of(client.get(path))


def test_the_table_says_rung_state_activity_and_what_waits(world, enter):
    authorization.suspend_grant(world.cast.amara.uuid, "R1", by=world.cast.ben, reason="A look.", now=now())
    text = text_of(enter("ben").get("/people/"))
    assert "Amara Junior software engineer, Payments R0 Suspended R1" in text
    assert "1 to rate from Dana" in text
    assert "Mara" not in text.replace("Amara", "")


def test_a_mentor_suspends_and_reinstates_with_reasons(world, enter):
    client, amara = enter("ben"), world.cast.amara.uuid
    refused = client.post(f"/people/{amara}/rungs/R1/suspend/", {"reason": " "}, follow=True)
    assert "Write a reason" in text_of(refused)
    done = client.post(f"/people/{amara}/rungs/R1/suspend/", {"reason": "A look."}, follow=True)
    assert "R1 is suspended for Amara" in text_of(done)
    assert authorization.get_standing(amara, now()).rung("R1").state == "suspended"
    assert "“A look.”" in text_of(done)
    again = client.post(f"/people/{amara}/rungs/R1/suspend/", {"reason": "A look."}, follow=True)
    assert again.status_code == 200
    back = client.post(f"/people/{amara}/rungs/R1/reinstate/", {"reason": "All well."}, follow=True)
    assert "R1 is open for Amara again" in text_of(back)
    assert authorization.get_standing(amara, now()).rung("R1").state == "open"


def test_a_rung_that_was_never_granted_cannot_be_suspended(world, enter):
    response = enter("ben").post(
        f"/people/{world.cast.amara.uuid}/rungs/R9/suspend/", {"reason": "x"}, follow=True
    )
    assert "There is no grant on R9" in text_of(response)


@pytest.mark.parametrize("score", ["", "5", "-1", "x", "3.5"])
def test_a_rating_outside_the_scale_is_refused(world, enter, score):
    path = f"/ratings/{world.attempts['waiting']}/"
    response = enter("ben").post(path, {"score": score}, follow=True)
    assert "Choose the description that fits" in text_of(response)
    assert "Record the rating" in text_of(response)


def test_the_first_rating_stands(world, enter):
    path = f"/ratings/{world.attempts['waiting']}/"
    enter("ben").post(path, {"score": "3"})
    assert "This is rated already" in text_of(enter("gita").get(path))
    assert "rated already" in text_of(enter("gita").post(path, {"score": "0"}, follow=True))
    assert "Nothing waits for you" in text_of(enter("ben").get("/ratings/"))
