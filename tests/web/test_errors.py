import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from tests.web.test_pages import Page, check_page

from toprope.web import errors

REQUEST = RequestFactory().get("/somewhere/")


def fail(error):
    def query(*_):
        raise error

    return connection.execute_wrapper(query)


@pytest.mark.parametrize(
    ("response", "status"),
    [
        (lambda: errors.bad_request(REQUEST, Exception()), 400),
        (lambda: errors.forbidden(REQUEST, Exception("")), 403),
        (lambda: errors.forbidden(REQUEST, Exception("For <mentors>.")), 403),
        (lambda: errors.csrf_failed(REQUEST), 403),
        (lambda: errors.not_found(REQUEST, Exception()), 404),
        (lambda: errors.server_error(REQUEST), 500),
    ],
)
def test_error_pages_are_sound_and_ask_the_database_nothing(response, status):
    with fail(AssertionError("asked the database")):
        made = response()
    assert made.status_code == status
    text = made.content.decode()
    assert not check_page(Page(text))
    assert f"Error {status}" in text
    assert "<mentors>" not in text


@pytest.mark.django_db
def test_a_database_that_is_gone_gives_a_page_that_does_not_need_it(enter):
    client = enter("amara", raise_request_exception=False)
    with fail(OperationalError("connection refused")):
        response = client.get("/")
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert "Content-Security-Policy" in response.headers
    text = response.content.decode()
    assert "The database does not answer" in text
    assert "connection refused" not in text
    assert not check_page(Page(text))


@pytest.mark.django_db
def test_the_api_says_the_same_as_a_problem_document(world):
    client = Client(raise_request_exception=False)
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {world.key.secret}"}
    for error, status in ((OperationalError("gone"), 503), (RuntimeError("secret detail"), 500)):
        with fail(error):
            response = client.get("/api/me", **bearer)
        assert response.status_code == status
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["cure"]
        assert "secret detail" not in response.content.decode()


@pytest.mark.django_db
def test_a_fault_of_ours_says_nothing_of_its_inside(enter):
    client = enter("amara", raise_request_exception=False)
    with fail(RuntimeError("secret detail")):
        response = client.get("/")
    assert response.status_code == 500
    assert "secret detail" not in response.content.decode()
    assert "This is our fault" in response.content.decode()
