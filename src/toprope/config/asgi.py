"""One address for everything: `/v1` is the gateway, `/static` files, the rest are pages and the REST API."""

import os
from typing import TYPE_CHECKING, Any

from django.core.asgi import get_asgi_application
from servestatic import ServeStaticASGI

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "toprope.config.settings")
pages = get_asgi_application()

from django.conf import settings  # noqa: E402 - Django is set up by the line above

from toprope.gateway import app  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]


gateway = app.application()


def _is_hashed(path: str, _url: str) -> bool:
    """Whether a file's name carries the digest of its content, so that it may be kept for ever."""
    parts = path.rsplit("/", 1)[-1].split(".")
    return len(parts) > 2 and len(parts[-2]) == 12 and all(sign in "0123456789abcdef" for sign in parts[-2])


files = ServeStaticASGI(
    pages,
    root=settings.STATIC_ROOT if settings.STATIC_ROOT.exists() else None,
    prefix=settings.STATIC_URL,
    max_age=60,
    allow_all_origins=False,
    immutable_file_test=_is_hashed,
    add_headers_function=lambda headers, _path, _url: headers.add_header("X-Content-Type-Options", "nosniff"),
)


async def application(scope: "Message", receive: "Receive", send: "Send") -> None:
    """Hand each request to whom it belongs. Only the gateway has something to start and to stop."""
    path = scope.get("path", "")
    if scope["type"] == "lifespan" or path == "/v1" or path.startswith("/v1/"):
        await gateway(scope, receive, send)
    else:
        await files(scope, receive, send)
