import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client

from toprope.kit.clock import now
from toprope.people import api as people

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


@pytest.fixture
def amara(world):
    person = people.get_person(world.cast.amara.uuid)  # the world's own object outlives this test
    people.set_password(person, PASSWORD, now=now())
    return person


def sign_in(client, email, password=PASSWORD, **more):
    return client.post("/sign-in/", {"email": email, "password": password, **more})


def test_signing_in_starts_a_fresh_session(amara):
    client = Client()
    client.get("/sign-in/")
    client.session.save()
    before = client.session.session_key
    response = sign_in(client, amara.email)
    assert response.headers["Location"] == "/"
    assert client.session[SESSION_KEY] == str(amara.pk)
    assert client.session.session_key != before
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize(
    ("goal", "where"),
    [
        ("/ladder/R1/", "/ladder/R1/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("javascript:x", "/"),
    ],
)
def test_one_gets_back_to_where_one_wanted_to_go_but_never_elsewhere(amara, goal, where):
    assert sign_in(Client(), amara.email, next=goal).headers["Location"] == where


@pytest.mark.usefixtures("amara")
@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"email": "amara@acme.example", "password": "wrong"}, "do not match"),
        ({"email": "nobody@acme.example", "password": PASSWORD}, "do not match"),
        ({"email": "no address", "password": "x"}, "Write your e-mail address"),
        ({"email": "amara@acme.example", "password": ""}, "Write your password"),
        ({"email": "a\x00b@acme.example", "password": "x"}, "Write your e-mail address"),
        ({"email": "amara@acme.example", "password": "x" * 600}, "Write your password"),
        ({}, "Write your password"),
    ],
)
def test_a_failed_sign_in_says_what_to_do_and_keeps_the_password_to_itself(form, says):
    client = Client()
    response = client.post("/sign-in/", form)
    text = response.content.decode()
    assert response.status_code == 422
    assert says in text
    assert SESSION_KEY not in client.session
    if len(form.get("password", "")) > 1:
        assert form["password"] not in text


def test_too_many_failures_are_refused_with_a_clear_message(amara, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    client = Client()
    for _ in range(10):
        assert "do not match" in sign_in(client, amara.email, "wrong").content.decode()
    assert "Wait 15 minutes" in sign_in(client, amara.email).content.decode()
    assert SESSION_KEY not in client.session


def test_signing_out_takes_a_post_and_ends_the_session(enter):
    client = enter("amara")
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/", follow=True).status_code == 200
    assert client.get("/").status_code == 302


def test_a_new_password_ends_other_sessions(amara):
    client = Client()
    sign_in(client, amara.email)
    assert client.get("/").status_code == 200
    people.set_password(people.get_person(amara.uuid), "another fair one", now=now())
    assert client.get("/").status_code == 302


def test_the_switcher_changes_to_made_up_persons_only(world):
    made_up = people.create_person(
        "eva",
        email="eva@acme.example",
        name="Eva",
        role="tech_lead",
        team=world.cast.team,
        demo=True,
        now=now(),
    )
    client = Client()
    assert client.post("/personas/", {"person": "eva"}).status_code == 404
    people.get_organisation().__class__.objects.update(demo=True)
    assert client.post("/personas/", {"person": "amara"}).status_code == 404
    assert client.post("/personas/", {"person": "nobody"}).status_code == 404
    assert client.post("/personas/", {"person": "eva"}).headers["Location"] == "/"
    assert client.session[SESSION_KEY] == str(made_up.pk)
