"""Who gets in where: every address, for every kind of reader."""

import pytest
from django.urls import get_resolver, reverse

from toprope.authorization import api as authorization
from toprope.kit.clock import now
from toprope.learning import api as learning
from toprope.web.urls import make_patterns

pytestmark = pytest.mark.django_db

READERS = ("", "cleo", "amara", "otto", "mara", "ben", "gita")
"""Nobody; the owner of the attempts; a colleague (of whom the statement is); a stranger and his mentor; the
mentor of the team; the governance lead."""

TO_SIGN_IN, IN, NOT_YOURS, NOTHING_HERE, MOVED = 302, 200, 403, 404, 302
EVERYBODY = (TO_SIGN_IN, IN, IN, IN, IN, IN, IN)
MENTORS = (TO_SIGN_IN, NOT_YOURS, NOT_YOURS, NOT_YOURS, IN, IN, IN)
GOVERNANCE = (TO_SIGN_IN, NOT_YOURS, NOT_YOURS, NOT_YOURS, NOT_YOURS, NOT_YOURS, IN)
OF_MY_PEOPLE = (TO_SIGN_IN, NOT_YOURS, NOT_YOURS, NOT_YOURS, NOTHING_HERE, IN, IN)
DONE_FOR_MY_PEOPLE = (TO_SIGN_IN, NOT_YOURS, NOT_YOURS, NOT_YOURS, NOTHING_HERE, MOVED, MOVED)
MINE = (TO_SIGN_IN, IN, *[NOTHING_HERE] * 5)
DONE_BY_GOVERNANCE = (*GOVERNANCE[:-1], MOVED)
DONE_BY_EVERYBODY = (TO_SIGN_IN, *[MOVED] * 6)

READ = {
    "home": ((), EVERYBODY),
    "sign-in": ((), (IN, *[MOVED] * 6)),
    "personas": ((), (IN,) * 7),
    "policy": ((), EVERYBODY),
    "ladder": ((), EVERYBODY),
    "rung": (("R1",), EVERYBODY),
    "competencies": ((), EVERYBODY),
    "competency": (("SEC-01",), EVERYBODY),
    "estimate": (("SEC-01",), EVERYBODY),
    "attempt": (("attempt of cleo",), MINE),
    "evidence": ((), EVERYBODY),
    "statement": (
        ("statement of amara",),
        (TO_SIGN_IN, NOTHING_HERE, IN, NOTHING_HERE, NOTHING_HERE, IN, IN),
    ),
    "keys": ((), EVERYBODY),
    "people": ((), MENTORS),
    "person": (("amara",), OF_MY_PEOPLE),
    "person-evidence": (
        ("amara",),
        (TO_SIGN_IN, NOTHING_HERE, NOTHING_HERE, NOTHING_HERE, NOTHING_HERE, IN, IN),
    ),
    "ratings": ((), MENTORS),
    "rating": (("explanation of dana",), OF_MY_PEOPLE),
    "note": (("amara",), OF_MY_PEOPLE),
    "assess": (("amara",), OF_MY_PEOPLE),
    "ceilings": ((), GOVERNANCE),
    "boards": ((), GOVERNANCE),
    "measurement": ((), GOVERNANCE),
    "record": ((), GOVERNANCE),
}

WRITE = {
    "sign-out": ((), {}, (MOVED,) * 7),
    "accept-policy": ((), {"version": "1.0.0"}, DONE_BY_EVERYBODY),
    "start": ((), {"step": "nothing"}, DONE_BY_EVERYBODY),
    "answer": (("attempt of cleo",), {"item": "x", "choice": "a"}, (*MINE[:1], MOVED, *MINE[2:])),
    "hand-in": (("attempt of cleo",), {}, (*MINE[:1], MOVED, *MINE[2:])),
    "new-key": ((), {"label": "x", "form_id": "x"}, EVERYBODY),
    "revoke-key": (("key of amara",), {}, DONE_BY_EVERYBODY),
    "suspend": (("amara", "R1"), {"reason": "x"}, DONE_FOR_MY_PEOPLE),
    "reinstate": (("amara", "R1"), {"reason": "x"}, DONE_FOR_MY_PEOPLE),
    "rating": (("explanation of dana",), {"score": "3"}, DONE_FOR_MY_PEOPLE),
    "decide": (("amara", "R1"), {"what": "confirm", "reason": "x"}, DONE_FOR_MY_PEOPLE),
    "note": (("amara",), {"note": "x"}, DONE_FOR_MY_PEOPLE),
    "assess": (("amara",), {"rubric": "RB-1"}, DONE_FOR_MY_PEOPLE),
    "record-panel": ((), {}, DONE_BY_GOVERNANCE),
    "approve-data": ((), {}, DONE_BY_GOVERNANCE),
    "grant-emergency": ((), {}, DONE_BY_GOVERNANCE),
    "review-emergency": (("statement of amara",), {"note": "x"}, DONE_BY_GOVERNANCE),
    "place-hold": ((), {"rung": "R2", "reason": "x"}, DONE_BY_GOVERNANCE),
    "lift-hold": ((), {"rung": "R7"}, DONE_BY_GOVERNANCE),
    "set-tool": ((), {"model": "x", "rung": "R1"}, DONE_BY_GOVERNANCE),
    "set-repository": ((), {"key": "x", "rung": "R1", "tier": "T0"}, DONE_BY_GOVERNANCE),
    "verify": ((), {}, GOVERNANCE),
}


def address(world, name, arguments):
    known = {
        "amara": world.cast.amara.uuid,
        "attempt of cleo": world.attempts["sitting"],
        "statement of amara": world.statement,
        "explanation of dana": world.attempts["waiting"],
        "key of amara": world.key.key.uuid,
    }
    return reverse(f"web:{name}", args=[known.get(each, each) for each in arguments])


def test_the_tables_cover_every_route():
    assert {each.name for each in make_patterns(demo=True) if hasattr(each, "name")} == set(READ) | set(WRITE)


@pytest.mark.parametrize("name", READ)
def test_reading(world, enter, name):
    arguments, statuses = READ[name]
    path = address(world, name, arguments)
    seen = {reader: enter(reader).get(path).status_code for reader in READERS}
    assert seen == dict(zip(READERS, statuses, strict=True))


@pytest.mark.parametrize("name", WRITE)
def test_writing(world, enter, name):
    from django.db import transaction
    from tests.web.world import rolled_back

    arguments, form, statuses = WRITE[name]
    path = address(world, name, arguments)
    seen = {}
    for reader in READERS:
        with transaction.atomic(), rolled_back():
            seen[reader] = enter(reader).post(path, form).status_code
    assert seen == dict(zip(READERS, statuses, strict=True))


@pytest.mark.parametrize("name", WRITE)
def test_nothing_is_written_without_a_token_of_our_own_forms(world, enter, name):
    arguments, form, _ = WRITE[name]
    response = enter("gita", enforce_csrf_checks=True).post(address(world, name, arguments), form)
    assert response.status_code == 403
    assert "gone stale" in response.content.decode()


@pytest.mark.parametrize("name", sorted(set(WRITE) - set(READ)))
def test_what_writes_cannot_be_read(world, enter, name):
    arguments, _, _ = WRITE[name]
    assert enter("gita").get(address(world, name, arguments)).status_code == 405


def test_somebody_elses_key_stays(world, enter):
    response = enter("otto").post(reverse("web:revoke-key", args=[world.key.key.uuid]), follow=True)
    assert "no such key among yours" in response.content.decode()
    assert [key.uuid for key in authorization.list_keys(world.cast.amara)] == [world.key.key.uuid]


def test_somebody_elses_attempt_stays_unanswered(world, enter):
    attempt = world.attempts["sitting"]
    before = learning.get_attempt(world.cleo.uuid, attempt)
    item = next(each.item for each in before.questions if each.answer is None)
    enter("amara").post(f"/practice/{attempt}/answer/", {"item": item.key, "choice": item.answer})
    assert learning.get_attempt(world.cleo.uuid, attempt) == before


def test_a_mentor_does_not_supervise_themselves(world, enter):
    ben = world.cast.ben.uuid
    assert enter("ben").get(f"/people/{ben}/").status_code == 404
    assert enter("ben").post(f"/people/{ben}/rungs/R0/suspend/", {"reason": "x"}).status_code == 404


def test_who_has_left_is_out_at_once(world, enter):
    from toprope.people.api import deactivate_person, get_person

    client = enter("amara")
    assert client.get("/").status_code == 200
    deactivate_person(get_person(world.cast.amara.uuid), now=now())
    assert client.get("/").status_code == 302


NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    "path",
    [
        f"/people/{NOBODY}/",
        "/evidence/not-a-uuid/",
        "/ladder/R99/",
        "/competencies/XXX-01/",
        "/competencies/XXX-01/estimate/",
        f"/practice/{NOBODY}/",
        "/nowhere/",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(enter, path):
    response = enter("gita").get(path)
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_links_lead_back_after_signing_in(client):
    response = client.get("/ladder/R1/")
    assert response.headers["Location"] == "/sign-in/?next=/ladder/R1/"


def test_the_persona_switcher_exists_in_a_demo_only():
    assert "personas" in {each.name for each in make_patterns(demo=True) if hasattr(each, "name")}
    assert "personas" not in {each.name for each in make_patterns(demo=False) if hasattr(each, "name")}


def test_every_address_of_the_api_is_known_here():
    """The table in test_rest asks each of them; a new one has to be put there."""
    from tests.web.test_rest import ROUTES

    from toprope.web.rest import api

    operations = {
        (method, path)
        for path, methods in api.get_openapi_schema(path_prefix="/api/")["paths"].items()
        for method in methods
    }
    assert operations == {(method, path) for method, path, *_ in ROUTES}
    assert get_resolver().resolve("/api/me")
