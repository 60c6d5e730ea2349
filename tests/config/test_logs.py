"""Log lines: a traceback for a mistake of ours, one line where the database has gone."""

import logging
from itertools import pairwise

import psycopg
import pytest
from django.db import OperationalError

from toprope.config.logs import Lines


def log(error):
    record = logging.LogRecord("toprope.x", logging.ERROR, "", 0, "it\n  failed", None, None)
    if error:
        record.exc_info = (type(error), error, None)
    return Lines().format(record)


def chain(*errors):
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    return errors[0]


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("gone"),
        chain(OperationalError("gone"), psycopg.OperationalError("gone")),
        chain(RuntimeError("listener"), ValueError("x"), psycopg.OperationalError("gone")),
    ],
)
def test_a_lost_database_is_one_line(error):
    assert log(error).endswith("ERROR toprope.x: it failed (the database is gone)")


@pytest.mark.parametrize("error", [ZeroDivisionError("ours"), psycopg.ProgrammingError("ours")])
def test_a_mistake_of_ours_keeps_its_traceback(error):
    assert "ours" in log(error).splitlines()[-1]


def test_no_error_is_the_message():
    assert log(None).endswith("ERROR toprope.x: it\n  failed")
