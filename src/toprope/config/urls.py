"""Every address of the installation."""

from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path

from toprope.web.rest import api


def show_health(_request: HttpRequest) -> HttpResponse:
    """Whether this process can do its work: it answers, and its database does."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError:
        return HttpResponse("database unreachable\n", content_type="text/plain", status=503)
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", show_health, name="health"),
    path("api/", api.urls),
    path("", include("toprope.web.urls")),
]

handler400 = "toprope.web.errors.bad_request"
handler403 = "toprope.web.errors.forbidden"
handler404 = "toprope.web.errors.not_found"
handler500 = "toprope.web.errors.server_error"
