from datetime import UTC, datetime
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
from tests.frameworks import builtin_framework

from toprope.evidence.api import Recorded
from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.web.words import role_name, tell, voucher

FRAMEWORK = builtin_framework()
AT = datetime(2026, 3, 2, tzinfo=UTC)


def statement(verb, object_type, key, **more):
    voids = uuid4() if verb is Verb.VOIDED else None
    context = more.pop("context", Context(voids=voids))
    return Statement(uuid4(), uuid4(), verb, Object(object_type, key, "1.0.0"), AT, context=context, **more)


@given(
    st.sampled_from(Verb),
    st.sampled_from(ObjectType),
    st.sampled_from(["R1", "SEC-01", "practical:redaction-drill", "itm-sec01-1", "nonsense"]),
    st.sampled_from(["", "SEC-01", "XXX-99"]),
    st.one_of(st.none(), st.builds(Result, st.none() | st.floats(0, 1), st.none() | st.booleans())),
)
def test_every_statement_can_be_told_in_words(verb, object_type, key, competency, result):
    made = statement(verb, object_type, key, result=result, context=Context(competency=competency, level=1))
    line = tell(Recorded(7, made), FRAMEWORK)
    assert line.text[0].isupper()
    assert "_" not in line.text
    assert line.seq == 7


def test_the_words_of_the_commonest():
    context = Context(competency="SEC-01", level=1)

    def text(*args, **more):
        return tell(Recorded(1, statement(*args, **more)), FRAMEWORK).text

    assert text(Verb.ACCEPTED, ObjectType.POLICY, "use") == "Accepted the policy, version 1.0.0"
    assert (
        text(Verb.ANSWERED, ObjectType.ITEM, "i", context=context)
        == "Answered a question on data handling, level 1"
    )
    assert (
        text(Verb.COMPLETED, ObjectType.SITTING, "mixed:R1", context=Context(rung="R1"))
        == "Completed the mixed questions for R1"
    )
    hunt = Context(competency="SEC-01", level=1, kind="flaw_hunt")
    assert (
        text(Verb.COMPLETED, ObjectType.PRACTICAL, "x", context=hunt)
        == "Completed the flaw hunt on data handling, level 1"
    )
    assert (
        text(Verb.COMPLETED, ObjectType.PRACTICAL, "redaction-drill")
        == "Completed the practical “redaction drill”"
    )
    assert (
        text(Verb.WAS_SUSPENDED, ObjectType.RUNG, "R1") == "Was suspended from R1 Chat without code context"
    )


def test_answers_and_results_say_how_they_went():
    right = statement(Verb.ANSWERED, ObjectType.ITEM, "i", result=Result(score=1.0, success=True))
    done = statement(Verb.COMPLETED, ObjectType.SITTING, "s", result=Result(score=0.75))
    assert (tell(Recorded(1, right), FRAMEWORK).outcome, tell(Recorded(1, right), FRAMEWORK).good) == (
        "Right",
        True,
    )
    assert (tell(Recorded(1, done), FRAMEWORK).outcome, tell(Recorded(1, done), FRAMEWORK).good) == (
        "75%",
        None,
    )


def test_who_vouches_is_named():
    ben = uuid4()
    by_ben = statement(Verb.WAS_RATED, ObjectType.PRACTICAL, "x", authority=str(ben))
    assert voucher(by_ben, {ben: "Ben"}) == "Ben"
    assert voucher(by_ben, {}) == "A person who has left"
    assert voucher(statement(Verb.USED, ObjectType.RUNG, "R1", authority="gateway"), {}).startswith(
        "The gateway"
    )
    assert voucher(statement(Verb.COMPLETED, ObjectType.SITTING, "s"), {}).startswith("Toprope")
    assert voucher(statement(Verb.COMPLETED, ObjectType.SITTING, "s", authority="import"), {}) == "import"


def test_unknown_roles_are_shown_as_words():
    assert role_name(FRAMEWORK, "junior_engineer") == "Junior software engineer"
    assert role_name(FRAMEWORK, "chief_of_lamps") == "Chief of lamps"
