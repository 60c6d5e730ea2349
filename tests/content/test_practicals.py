"""Practicals: parsing and scoring."""

import functools
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.competency.api import parse_document
from toprope.content import practicals
from toprope.content.practicals import (
    MAX_TEXT,
    MIN_TEXT,
    PracticalError,
    ResponseError,
    check_explanation,
    parse_practical,
    score_practical,
)

PACK = Path(practicals.__file__).parent / "packs" / "toprope-default"


@functools.cache
def document(path):
    read, problems = parse_document(path, (PACK / path).read_bytes())
    assert problems == []
    return read.value


def practical(key):
    return parse_practical(document(f"practicals/{key}.yaml"), "toprope-default@1.0.0")


DRILL, HUNT, EXPLAIN = (
    practical(key) for key in ("redaction-drill", "flaw-hunt-fnd-01", "explain-back-gov-01")
)
DRILL_VARIANTS = st.integers(0, len(DRILL.variants) - 1)
HUNT_VARIANTS = st.integers(0, len(HUNT.variants) - 1)


def small_drill(text, pass_mark=0.95):
    base = document("practicals/redaction-drill.yaml")
    variants = [{"documents": [{"title": "Log", "text": text}]}]
    return parse_practical({**base, "pass_mark": pass_mark, "variants": variants}, "x@1")


def sensitive(variant):
    return [index for span in variant.spans for index in span.tokens]


def solution(variant):
    return {sample.id: list(sample.flaw_lines) for sample in variant.samples}


# --- redaction


@given(DRILL_VARIANTS)
def test_marking_just_what_is_sensitive_scores_one(number):
    scored = score_practical(DRILL, number, sensitive(DRILL.variants[number]))

    assert (scored.score, scored.success) == (1.0, True)
    assert scored.detail["missed"] == scored.detail["alarms"] == []


@given(DRILL_VARIANTS)
def test_marking_everything_scores_nothing(number):
    scored = score_practical(DRILL, number, list(range(len(DRILL.variants[number].tokens))))

    assert (scored.score, scored.success, scored.detail["too_much"]) == (0.0, False, True)


@given(DRILL_VARIANTS)
def test_the_drill_forgives_one_slip_and_not_two(number):
    variant = DRILL.variants[number]
    for missing, passes in ((1, True), (2, False)):
        marked = [index for span in variant.spans[missing:] for index in span.tokens]
        assert score_practical(DRILL, number, marked).success is passes


def test_a_tenth_of_false_alarms_is_forgiven_and_not_one_more():
    words = " ".join(f"w{n}" for n in range(100))
    drill = small_drill(f"⟦secret:hunter2|A password.⟧ {words}")

    assert score_practical(drill, 0, list(range(11))).score == 1.0
    assert score_practical(drill, 0, list(range(12))).score == 0.0


@given(DRILL_VARIANTS)
def test_tokens_are_numbered_through_all_documents(number):
    variant = DRILL.variants[number]

    assert [token.index for token in variant.tokens] == list(range(len(variant.tokens)))
    for span in (*variant.spans, *variant.decoys):
        words = [variant.tokens[index].text for index in span.tokens]
        line = variant.documents[span.document - 1].lines[span.line - 1]
        assert variant.tokens[span.tokens[0]] in line.tokens
        assert all(word in span.text for word in words)


def test_a_place_counts_only_when_all_its_words_are_marked():
    drill = small_drill("⟦personal:Mira Olsen|A name.⟧ and ⟦secret:hunter2|A password.⟧")

    scored = score_practical(drill, 0, [0, 3])

    assert scored.score == 0.5
    assert scored.detail["missed"] == [
        {
            "class": "personal",
            "text": "Mira Olsen",
            "reason": "A name.",
            "document": 1,
            "line": 1,
            "tokens": [0, 1],
            "partly": True,
        }
    ]


def test_false_alarms_are_told_with_the_author_s_reason_first():
    harmless = " ".join(f"w{n}" for n in range(30))
    drill = small_drill(
        f"the ⟦secret:hunter2|A password.⟧ ⟦decoy:v1⟧ ⟦decoy:Jane Doe|A placeholder.⟧\n{harmless}"
    )

    scored = score_practical(drill, 0, [0, 1, 2, 4])

    assert scored.score == 1.0
    assert [(a["text"], a["reason"], a["line"], a["tokens"]) for a in scored.detail["alarms"]] == [
        ("Jane Doe", "A placeholder.", 1, [4]),
        ("v1", "", 1, [2]),
        ("the", "", 1, [0]),
    ]
    assert scored.detail["false_alarms"] == 3
    assert scored.detail["false_alarm_share"] == pytest.approx(3 / 34)


@given(st.data(), DRILL_VARIANTS)
def test_any_marking_gets_a_score_and_more_right_marks_never_lower_it(data, number):
    variant = DRILL.variants[number]
    marked = data.draw(st.lists(st.integers(0, len(variant.tokens) - 1), unique=True))
    more = data.draw(st.sets(st.sampled_from(sensitive(variant))))

    before = score_practical(DRILL, number, marked)
    after = score_practical(DRILL, number, sorted({*marked, *more}))

    assert 0.0 <= before.score <= after.score <= 1.0
    assert before.success is (before.score >= DRILL.pass_mark)


@given(st.data(), DRILL_VARIANTS)
def test_detail_says_what_was_missed_and_no_more_than_that(data, number):
    variant = DRILL.variants[number]
    marked = set(data.draw(st.lists(st.sampled_from(sensitive(variant)), unique=True)))

    detail = score_practical(DRILL, number, sorted(marked)).detail

    assert [tuple(missed["tokens"]) for missed in detail["missed"]] == [
        span.tokens for span in variant.spans if not marked.issuperset(span.tokens)
    ]
    assert detail["found"] + len(detail["missed"]) == detail["spans"] == len(variant.spans)
    assert all(missed["reason"] for missed in detail["missed"])


# --- flaw hunt


@given(HUNT_VARIANTS)
def test_finding_all_flaws_scores_one(number):
    scored = score_practical(HUNT, number, solution(HUNT.variants[number]))

    assert (scored.score, scored.success) == (1.0, True)


@given(HUNT_VARIANTS)
def test_calling_everything_sound_or_everything_flawed_does_not_pass(number):
    variant = HUNT.variants[number]
    flag_all = {sample.id: list(range(1, len(sample.lines) + 1)) for sample in variant.samples}
    flag_right_and_more = {**solution(variant), **{s.id: [1] for s in variant.samples if s.sound}}

    for response in ({}, {sample.id: [] for sample in variant.samples}, flag_all):
        assert score_practical(HUNT, number, response).score == 0.0
    assert not score_practical(HUNT, number, flag_right_and_more).success


@given(st.data(), HUNT_VARIANTS)
def test_each_false_alarm_takes_one_found_flaw_away(data, number):
    variant = HUNT.variants[number]
    flawed = [sample for sample in variant.samples if not sample.sound]
    sound = [sample for sample in variant.samples if sample.sound]
    found = data.draw(st.lists(st.sampled_from(flawed), unique=True))
    alarms = data.draw(st.lists(st.sampled_from(sound), unique=True))

    response = {sample.id: [sample.flaw_lines[0]] for sample in found} | {sample.id: [1] for sample in alarms}
    scored = score_practical(HUNT, number, response)

    assert scored.score == pytest.approx(max(0, len(found) - len(alarms)) / len(flawed))
    assert (scored.detail["hits"], scored.detail["false_alarms"]) == (len(found), len(alarms))


@pytest.mark.parametrize(
    ("flagged", "outcome"),
    [
        ([], "missed"),
        ([4], "hit"),
        ([4, 5, 6], "hit"),
        ([3, 4, 5, 6], "too_many"),
        ([5], "false_alarm"),
        ([1, 2, 3], "false_alarm"),
    ],
)
def test_the_right_line_must_be_among_few_others(flagged, outcome):
    samples = HUNT.variants[1].samples
    (settings,) = [sample for sample in samples if sample.id == "save-settings"]
    assert settings.flaw_lines == (4,)

    detail = score_practical(HUNT, 1, {"save-settings": flagged}).detail

    (told,) = [sample for sample in detail["samples"] if sample["id"] == "save-settings"]
    assert told == {
        "id": "save-settings",
        "outcome": outcome,
        "flagged": flagged,
        "flaw_lines": [4],
        "explanation": settings.explanation,
    }


@given(st.data(), HUNT_VARIANTS)
def test_any_flags_get_a_score_and_more_right_lines_never_lower_it(data, number):
    variant = HUNT.variants[number]
    flagged = {
        sample.id: data.draw(st.lists(st.integers(1, len(sample.lines)), unique=True))
        for sample in variant.samples
    }
    added = data.draw(st.sampled_from([sample for sample in variant.samples if not sample.sound]))
    line = data.draw(st.sampled_from(added.flaw_lines))

    before = score_practical(HUNT, number, flagged)
    after = score_practical(HUNT, number, {**flagged, added.id: sorted({*flagged[added.id], line})})

    assert 0.0 <= before.score <= after.score <= 1.0


# --- explain-back


@pytest.mark.parametrize(("rating", "passes"), [(0, False), (1, False), (2, False), (3, True), (4, True)])
def test_explanations_pass_from_three_of_four(rating, passes):
    scored = score_practical(EXPLAIN, 0, rating)

    assert (scored.score, scored.success) == (rating / 4, passes)
    assert scored.detail == {"rating": rating, "of": 4, "anchor": EXPLAIN.variants[0].anchors[rating]}


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (None, "as text"),
        (["a"], "as text"),
        ("", f"at least {MIN_TEXT}"),
        (" " * 500, f"at least {MIN_TEXT}"),
        ("x" * (MIN_TEXT - 1), f"these are {MIN_TEXT - 1}"),
        ("x" * (MAX_TEXT + 1), "at most 4,000 characters"),
        ("x" * 50 + "\0", "broken character"),
        ("x" * 50 + "\ud800", "broken character"),
    ],
)
def test_an_explanation_out_of_bounds_is_sent_back_with_a_message(response, message):
    with pytest.raises(ResponseError, match=re.escape(message)):
        check_explanation(response)


@pytest.mark.parametrize("length", [MIN_TEXT, MAX_TEXT])
def test_an_explanation_within_bounds_is_taken_as_written(length):
    assert check_explanation("  " + "ü" * length + "\r\n") == "ü" * length


# --- responses that no page sends

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.sampled_from([DRILL, HUNT, EXPLAIN]), JUNK)
def test_junk_is_scored_or_refused_and_never_breaks_anything(chosen, response):
    try:
        score = score_practical(chosen, 0, response).score
    except ResponseError:
        score = 0.0  # refused; that it says why is shown below

    assert 0.0 <= score <= 1.0


@pytest.mark.parametrize(
    ("chosen", "response"),
    [
        (DRILL, None),
        (DRILL, "0,1"),
        (DRILL, {"0": True}),
        (DRILL, [-1]),
        (DRILL, [len(DRILL.variants[0].tokens)]),
        (DRILL, [True]),
        (DRILL, [1.0]),
        (DRILL, ["1"]),
        (DRILL, [10**30]),
        (DRILL, [0] * 1_000_000),
        (HUNT, None),
        (HUNT, [1]),
        (HUNT, {"nobody": [1]}),
        (HUNT, {1: [1]}),
        (HUNT, {"timed": 4}),
        (HUNT, {"timed": [0]}),
        (HUNT, {"timed": [7]}),
        (HUNT, {"timed": [4] * 1_000_000}),
        (HUNT, {str(n): [] for n in range(100_000)}),
        (EXPLAIN, None),
        (EXPLAIN, True),
        (EXPLAIN, 2.4),
        (EXPLAIN, "3"),
        (EXPLAIN, -1),
        (EXPLAIN, 5),
    ],
)
def test_a_response_that_does_not_fit_is_refused_briefly(chosen, response):
    with pytest.raises(ResponseError) as refused:
        score_practical(chosen, 0, response)

    assert 10 < len(str(refused.value)) < 400


@pytest.mark.parametrize("number", [-1, 99])
def test_a_variant_that_there_is_not_is_refused(number):
    with pytest.raises(ResponseError, match="give 0 to 2"):
        score_practical(DRILL, number, [])


@pytest.mark.parametrize("number", range(3))
def test_the_most_that_a_drill_can_leave_behind_fits_into_a_statement(number):
    everything_else = sorted(
        set(range(len(DRILL.variants[number].tokens))) - set(sensitive(DRILL.variants[number]))
    )

    scored = score_practical(DRILL, number, everything_else)

    assert scored.detail["found"] == 0
    assert len(scored.detail["alarms"]) == 20
    assert len(json.dumps([everything_else, scored.detail])) < 40_000


# --- parsing


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "quiz"},
        {"pass_mark": "high"},
        {"variants": None},
        {"variants": [{"documents": [{"title": "Log", "text": "nothing marked"}]}]},
        {"variants": [{"documents": [{"title": "Log", "text": "⟦secret:open"}]}]},
        {"kind": "flaw_hunt"},
        {"kind": "explain_back"},
    ],
)
def test_a_broken_document_is_refused_with_the_way_to_the_check(change):
    with pytest.raises(PracticalError, match="toprope framework check"):
        parse_practical({**document("practicals/redaction-drill.yaml"), **change}, "x@1")


def test_a_practical_survives_storage_as_json():
    for read in (DRILL, HUNT, EXPLAIN):
        stored = json.loads(json.dumps(document(f"practicals/{read.key}.yaml")))
        assert parse_practical(stored, read.version) == read
