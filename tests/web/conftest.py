"""The world of these tests. Imports wait until a fixture runs: Django is set up after conftests are read."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.web.world import World


@pytest.fixture(scope="module")
def built_world(django_db_setup, django_db_blocker) -> "Iterator[World]":  # noqa: ARG001 - it makes the database
    """Building it takes seconds, so it is built once a module, in a transaction that never ends well."""
    from tests.web.world import build_world, rolled_back

    from toprope.kit.clock import now

    with django_db_blocker.unblock(), rolled_back():
        yield build_world(now())


@pytest.fixture
def world(built_world, db) -> "World":  # noqa: ARG001 - what a test changes is undone by it
    """The world as it was built."""
    return built_world


@pytest.fixture
def enter(world):
    """A browser in which somebody is signed in; without a name, nobody is."""
    from django.test import Client

    def sign_in(name: str = "", **options) -> Client:
        client = Client(**options)
        if name:
            client.force_login(world.person(name))
        return client

    return sign_in
