"""Error pages in the look of all others. They ask nothing of the database, which may be what failed."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

# ruff: noqa: ARG001 - the signatures are Django's


def _page(status: int, message: str = "") -> HttpResponse:
    return HttpResponse(render_to_string(f"web/errors/{status}.html", {"message": message}), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return _page(400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: for other duties than yours; the exception says for whose."""
    return _page(403, str(exception))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form was too old, or not ours."""
    return _page(403, "This form has gone stale. Go back, load the page again, and send it once more.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: nothing here, or nothing for you."""
    return _page(404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 where the database is what does not answer."""
    gone = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    if request.path.startswith("/api/"):
        return _problem(503 if gone else 500)
    response = _page(503 if gone else 500)
    if gone:
        response.headers["Retry-After"] = "10"
    return response


def _problem(status: int) -> JsonResponse:
    titles = {
        500: (
            "Something went wrong in Toprope",
            "Try again; if it goes on, tell your operator when it happened.",
        ),
        503: ("The database does not answer", "Nothing was changed. Try again in a little while."),
    }
    title, cure = titles[status]
    body = {"type": "about:blank", "title": title, "status": status, "detail": cure, "cure": cure}
    return JsonResponse(body, status=status, content_type="application/problem+json")
