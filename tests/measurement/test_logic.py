"""Folding answers into abilities."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.measurement.logic import PRIOR, counts, explain_answers, fold_answers, level_cut

START = datetime(2026, 1, 5, tzinfo=UTC)


def answer(
    number: int, *, right: bool = True, competency: str = "SEC-01", level: int = 1, **detail
) -> Statement:
    return Statement(
        UUID(int=number + 1),
        UUID(int=9),
        Verb.ANSWERED,
        Object(ObjectType.ITEM, f"itm-{number}"),
        START + timedelta(minutes=number),
        result=Result(score=float(right), success=right, detail={"options": 3, "repeat": False, **detail}),
        context=Context(competency=competency, level=level, kind="auto_items"),
    )


answers = st.lists(
    st.builds(
        answer,
        st.integers(0, 10_000),
        right=st.booleans(),
        competency=st.sampled_from(["SEC-01", "FND-01"]),
        level=st.integers(0, 5),
        options=st.sampled_from([0, 1, 3, 4, "many"]),
        repeat=st.booleans(),
    ),
    max_size=20,
)


@given(answers, st.integers(0, 20))
def test_folding_in_two_parts_is_folding_at_once_to_the_last_bit(given_answers, at):
    at = min(at, len(given_answers))
    halves = fold_answers(fold_answers({}, given_answers[:at]), given_answers[at:])
    assert halves == fold_answers({}, given_answers)


@given(answers)
def test_the_explanation_ends_where_the_estimate_stands(given_answers):
    for key, ability in fold_answers({}, given_answers).items():
        steps = explain_answers(key, given_answers)
        assert steps[0].before == PRIOR
        assert steps[-1].after == ability.belief
        assert len(steps) == ability.responses


def test_competencies_are_kept_apart():
    folded = fold_answers({}, [answer(1), answer(2, competency="FND-01", right=False)])
    assert folded["SEC-01"].value > 0 > folded["FND-01"].value


def test_what_says_nothing_is_passed_over():
    assert counts(answer(1))
    assert not counts(answer(1, repeat=True))
    assert not counts(replace(answer(1), verb=Verb.COMPLETED))
    assert not counts(replace(answer(1), result=None))
    assert not counts(replace(answer(1), context=Context()))


def test_cuts_rise_with_the_level():
    cuts = [level_cut(level) for level in (1, 2, 3, 4)]
    assert cuts == sorted(cuts)
    assert len(set(cuts)) == 4
