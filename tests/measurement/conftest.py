"""What was adopted never changes, so it is kept in the process; here every test's database is rolled back."""

import pytest

from toprope.measurement import queries


@pytest.fixture(autouse=True)
def forget_what_was_adopted():
    yield
    queries._basis.cache_clear()
