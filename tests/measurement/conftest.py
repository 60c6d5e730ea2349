"""What was adopted never changes, so it is kept in the process; here every test's database is rolled back."""

import pytest


@pytest.fixture(autouse=True)
def forget_what_was_adopted():
    yield
    from toprope.measurement import queries  # Django is set up only once tests run

    queries._basis.cache_clear()
    queries._pool.cache_clear()
