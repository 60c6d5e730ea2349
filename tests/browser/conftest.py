"""A real Chromium before the pages, with the world of tests/web behind them.

The server shares the test's database connection, so that it sees the world without committing it, and every
test's changes are rolled back. Imports wait until a fixture runs: Django is set up after conftests are read.
"""

import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

if TYPE_CHECKING:
    from tests.web.world import World

FLAGS = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def built_world(django_db_setup, django_db_blocker) -> "Iterator[World]":  # noqa: ARG001 - it makes the database
    from tests.web.world import build_world, rolled_back

    from toprope.kit.clock import now

    with django_db_blocker.unblock(), rolled_back():
        yield build_world(now())


@pytest.fixture(scope="module")
def chromium(built_world) -> Iterator[Browser]:  # noqa: ARG001 - the world is built before a loop runs
    """One browser a module, not a session: while it runs, Django takes this thread for an async one.

    To such a thread Django gives connections of its own, so it is handed the one that sees the world.
    """
    from django.db import connections
    from tests.browser.install_browser import find_chromium

    connection = connections["default"]
    program = find_chromium()  # before a loop runs: it may ask Playwright
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        connections["default"] = connection
        flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
        browser = playwright.chromium.launch(executable_path=program, args=list(flags))
        yield browser
        browser.close()
        del connections["default"]


@pytest.fixture
def world(built_world, chromium, db) -> "World":  # noqa: ARG001 - what a test changes is undone by it
    return built_world


@pytest.fixture
def site(world) -> Iterator[str]:  # noqa: ARG001 - it is what the server shows
    """The address of a server over the test's own connection."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.servers.basehttp import ThreadedWSGIServer
    from django.core.signals import request_finished, request_started
    from django.db import close_old_connections, connections
    from django.test.testcases import QuietWSGIRequestHandler

    class Server(ThreadedWSGIServer):
        def _close_connections(self) -> None:
            """The connection is the test's, and goes on."""

    connection = connections["default"]
    connection.inc_thread_sharing()
    server = Server(
        ("localhost", 0),
        QuietWSGIRequestHandler,
        allow_reuse_address=False,
        connections_override={"default": connection},
    )
    server.set_app(StaticFilesHandler(WSGIHandler()))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    connection.dec_thread_sharing()


@pytest.fixture
def open_page(world, site, chromium) -> Iterator[Callable[..., Page]]:
    """A page in which somebody of the world is signed in; without a name, nobody is."""
    from django.conf import settings
    from django.test import Client

    contexts = []

    def make(name: str = "", **options) -> Page:
        context = chromium.new_context(base_url=site, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        if name:
            client = Client()
            client.force_login(world.person(name))
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": site}])
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
