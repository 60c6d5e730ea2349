"""Hypothesis strategies that several packages' tests share."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import strategies as st

from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.kit.ids import uuid7

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
"""Texts that JSON, UTF-8 and PostgreSQL can all hold."""

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)

moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis wants it so


@st.composite
def statements(draw: st.DrawFn, actor: UUID | None = None) -> Statement:
    """Any statement that may be recorded, but for voiding ones, which need another to void."""
    return Statement(
        id=uuid7(draw(st.integers(0, 2**42))),
        actor=actor or draw(st.uuids()),
        verb=draw(st.sampled_from([verb for verb in Verb if verb is not Verb.VOIDED])),
        object=Object(draw(st.sampled_from(ObjectType)), draw(texts.filter(bool)), draw(texts)),
        timestamp=draw(moments),
        authority=draw(texts.filter(bool)),
        result=draw(
            st.none()
            | st.builds(
                Result,
                score=st.none() | st.floats(0, 1),
                success=st.none() | st.booleans(),
                response=json_values,
                seconds=st.none() | st.floats(0, 1e6),
                detail=st.dictionaries(texts, json_values, max_size=3),
            )
        ),
        context=draw(
            st.builds(
                Context,
                framework=texts,
                competency=texts,
                level=st.integers(0, 4),
                rung=texts,
                kind=texts,
                sitting=st.none() | st.uuids(),
                condition=texts,
            )
        ),
    )
