from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from tests.strategies import statements

from toprope.evidence.statement import (
    Context,
    Object,
    ObjectType,
    Result,
    Statement,
    StatementError,
    Verb,
    canonical,
    digest,
    parse,
)

PLAIN = Statement(
    id=UUID("0198f3a0-0000-7000-8000-000000000001"),
    actor=UUID("0198f3a0-0000-7000-8000-000000000002"),
    verb=Verb.ANSWERED,
    object=Object(ObjectType.ITEM, "SEC-01-003", "1.0.0"),
    timestamp=datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
)


@given(statements())
def test_a_canonical_form_is_one_line_that_reads_back_the_same(statement):
    statement.check()
    text = canonical(statement)
    assert "\n" not in text
    assert parse(text) == statement
    assert canonical(parse(text)) == text


def test_the_canonical_form_is_fixed():
    assert canonical(replace(PLAIN, result=Result(score=0.5, response=["b", 2]))) == (
        '{"actor":"0198f3a0-0000-7000-8000-000000000002","authority":"toprope","context":{"competency":"",'
        '"condition":"","framework":"","kind":"","level":0,"rung":"","sitting":null,"voids":null},'
        '"id":"0198f3a0-0000-7000-8000-000000000001",'
        '"object":{"key":"SEC-01-003","type":"item","version":"1.0.0"},'
        '"result":{"detail":{},"response":["b",2],"score":0.5,"seconds":null,"success":null},'
        '"timestamp":"2026-05-04T09:30:00.000000+00:00","verb":"answered"}'
    )


def test_the_same_moment_elsewhere_is_the_same_statement():
    elsewhere = PLAIN.timestamp.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert digest(replace(PLAIN, timestamp=elsewhere)) == digest(PLAIN)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (replace(PLAIN, timestamp=datetime(2026, 5, 4)), "no time zone"),  # noqa: DTZ001
        (replace(PLAIN, object=Object(ObjectType.ITEM, "")), r"object\.key names the thing"),
        (replace(PLAIN, object=Object(ObjectType.ITEM, "x" * 501)), "1 to 500 characters"),
        (replace(PLAIN, authority=""), "authority names who vouches"),
        (replace(PLAIN, authority="x" * 201), "1 to 200 characters"),
        (replace(PLAIN, verb=Verb.VOIDED), r"context\.voids goes with"),
        (replace(PLAIN, context=Context(voids=PLAIN.id)), r"context\.voids goes with"),
        (replace(PLAIN, result=Result(score=1.01)), r"result\.score is 1\.01"),
        (replace(PLAIN, result=Result(score=float("nan"))), r"result\.score is nan"),
        (replace(PLAIN, result=Result(seconds=float("inf"))), "JSON cannot"),
        (replace(PLAIN, result=Result(response={1, 2})), "JSON cannot"),
        (replace(PLAIN, result=Result(response=nested(100_000))), "JSON cannot"),
        (replace(PLAIN, result=Result(response="a\0b")), "character NUL"),
        (replace(PLAIN, result=Result(response="\\\0")), "character NUL"),
        (replace(PLAIN, result=Result(response="\ud800")), "half a character"),
        (replace(PLAIN, result=Result(response="x" * 65_536)), "at most 65,536"),
    ],
)
def test_what_cannot_be_recorded_is_refused_with_the_reason(wrong, message):
    with pytest.raises(StatementError, match=message):
        wrong.check()


def test_a_text_that_only_spells_out_nul_is_taken():
    replace(PLAIN, result=Result(response="\\u0000")).check()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"id":"x"}', canonical(PLAIN).replace("answered", "sang")]
)
def test_other_texts_are_not_statements(text):
    with pytest.raises(StatementError, match="not a statement in canonical form"):
        parse(text)
