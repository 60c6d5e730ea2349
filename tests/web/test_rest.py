import json

import pytest
from django.test import Client

from toprope.authorization import api as authorization
from toprope.evidence import api as evidence
from toprope.kit.clock import now
from toprope.learning import api as learning

pytestmark = pytest.mark.django_db

ROUTES = [
    # method, path, body, expected status for nobody, amara, otto, mara, ben
    ("get", "/api/me", None, (401, 200, 200, 200, 200)),
    ("get", "/api/me/checklist/{rung}", None, (401, 200, 200, 200, 200)),
    ("get", "/api/me/levels", None, (401, 200, 200, 200, 200)),
    ("get", "/api/me/abilities", None, (401, 200, 200, 200, 200)),
    ("get", "/api/me/evidence", None, (401, 200, 200, 200, 200)),
    ("get", "/api/ladder", None, (401, 200, 200, 200, 200)),
    ("get", "/api/competencies", None, (401, 200, 200, 200, 200)),
    ("post", "/api/me/attempts", {"step": "nothing"}, (401, 409, 409, 409, 409)),
    ("post", "/api/me/attempts/{attempt}/answers", {"item": "x", "choice": "a"}, (401, 409, 409, 409, 409)),
    ("post", "/api/people/{uuid}/grants/{rung}/suspend", {"reason": "x"}, (401, 404, 404, 404, 204)),
    ("post", "/api/people/{uuid}/grants/{rung}/reinstate", {"reason": "x"}, (401, 404, 404, 404, 409)),
]


def fill(path, world):
    return path.format(rung="R1", attempt=world.attempts["sitting"], uuid=world.cast.amara.uuid)


def send(client, method, path, body=None, **headers):
    return getattr(client, method)(path, json.dumps(body), content_type="application/json", **headers)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: " ".join(route[:2]))
def test_who_gets_what(world, enter, route):
    method, path, body, statuses = route
    from tests.web.world import rolled_back

    seen = []
    for reader in ("", "amara", "otto", "mara", "ben"):
        with rolled_back():
            client = enter(reader)
            filled = fill(path, world)
            response = client.get(filled) if method == "get" else send(client, method, filled, body)
        seen.append(response.status_code)
        if response.status_code >= 400:
            problem = response.json()
            assert response.headers["Content-Type"] == "application/problem+json"
            assert problem["status"] == response.status_code
            assert problem["detail"]
            assert problem["cure"]
    assert tuple(seen) == statuses


def test_a_gateway_key_reads_and_does_not_write(world):
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {world.key.secret}"}
    me = Client().get("/api/me", **bearer).json()
    assert me["person"]["key"] == "amara"
    assert me["rung"] == {
        "key": "R1",
        "name": "Chat without code context",
        "capability": "chat",
        "state": "open",
    }
    for method, path, body, _ in ROUTES:
        if method == "post":
            assert send(Client(), method, fill(path, world), body, **bearer).status_code == 401
    authorization.revoke_key(world.cast.amara, world.key.key.uuid, now())
    assert Client().get("/api/me", **bearer).status_code == 401


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("token", ["", "tp_wrong", "x" * 10_000, "Bearer", "\x00"])
def test_a_wrong_key_opens_nothing(token):
    assert Client().get("/api/me", HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 401


def test_writing_with_a_session_asks_for_its_token(enter):
    client = enter("cleo", enforce_csrf_checks=True)
    response = send(client, "post", "/api/me/attempts", {"step": "sitting:SEC-01:1"})
    assert response.status_code == 403
    assert "X-CSRFToken" in response.json()["cure"]
    client.get("/")
    token = client.cookies["csrftoken"].value
    assert (
        send(
            client, "post", "/api/me/attempts", {"step": "sitting:SEC-01:1"}, HTTP_X_CSRFTOKEN=token
        ).status_code
        == 201
    )


def test_answering_through_the_api(world, enter):
    client = enter("cleo")
    started = send(client, "post", "/api/me/attempts", {"step": "sitting:SEC-01:1"})
    assert started.status_code == 201
    attempt = started.json()
    items = {
        each.item.key: each.item for each in learning.get_attempt(world.cleo.uuid, attempt["id"]).questions
    }
    for item in items.values():
        assert item.rationale not in started.content.decode()
    question = attempt["questions"][0]
    item = items[question["item"]]
    body = {"item": item.key, "choice": item.answer, "lines": [], "seconds": 3}
    feedback = send(client, "post", f"/api/me/attempts/{attempt['id']}/answers", body).json()
    assert feedback["success"]
    assert feedback["rationale"] == item.rationale
    wrong = next(option.id for option in item.options if option.id != item.answer)
    again = send(
        client, "post", f"/api/me/attempts/{attempt['id']}/answers", {**body, "choice": wrong}
    ).json()
    assert again == feedback


def test_evidence_is_paged_without_gaps_or_repeats(world, enter):
    client, seen, before = enter("amara"), [], ""
    while True:
        page = client.get(f"/api/me/evidence?limit=7{before}").json()
        seen += [each["seq"] for each in page["items"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    every = [each.seq for each in evidence.list_statements(actor=world.cast.amara.uuid)]
    assert seen == every[::-1]
    assert len(seen) > 7


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/api/me/evidence?limit=0", "limit"),
        ("/api/me/evidence?limit=201", "limit"),
        ("/api/me/evidence?before=x", "before"),
    ],
)
def test_a_malformed_question_is_told_where_it_is_wrong(enter, path, where):
    response = enter("amara").get(path)
    assert response.status_code == 422
    assert where in response.json()["faults"][0]["where"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"step": 1}', b'{"step": "' + b"x" * 300 + b'"}', b"\xff"])
def test_a_malformed_body_is_a_problem_with_a_cure(enter, body):
    response = enter("amara").post("/api/me/attempts", body, content_type="application/json")
    assert response.status_code in {400, 422}
    assert response.json()["cure"]


def test_an_unknown_rung_names_those_there_are(enter):
    response = enter("amara").get("/api/me/checklist/R99")
    assert response.status_code == 404
    assert "R0, R1" in response.json()["detail"]


def test_the_description_is_served_and_needs_nothing_from_outside(client):
    description = client.get("/api/openapi.json").json()
    assert description["info"]["title"] == "Toprope"
    assert client.get("/api/docs").status_code == 404


def test_levels_and_abilities_lead_to_statements(enter):
    client = enter("amara")
    levels = client.get("/api/me/levels").json()
    assert {each["competency"] for each in levels} == {"FND-01", "SEC-01", "GOV-01"}
    for each in levels:
        assert each["evidence"]
        assert each["current"]
    for each in client.get("/api/me/abilities").json():
        assert each["low"] < each["value"] < each["high"]
    checklist = client.get("/api/me/checklist/R1").json()
    assert checklist["done"]
    assert checklist["grant"]["provisional"]
