"""What authors get wrong in practicals: each mistake is named with file, line and cure."""

import pytest

from toprope.competency.api import parse_document
from toprope.content.practical_check import check_practical
from toprope.content.practicals import parse_practical

REDACTION = """\
schema: toprope.practical/1
key: small-drill
kind: redaction
evidence_kind: sandbox_session
competency: SEC-01
level: 1
title: A drill
minutes: 5
pass_mark: 0.95
intro: Mark what must not be sent.
variants:
  - documents:
      - title: Log
        text: |
          password=⟦secret:hunter2|A password.⟧
          at ⟦decoy:127.0.0.1|The machine itself.⟧ by
          ⟦personal:Mira Olsen|A name.⟧
"""
HUNT = """\
schema: toprope.practical/1
key: small-hunt
kind: flaw_hunt
evidence_kind: flaw_hunt
competency: FND-01
level: 1
title: A hunt
minutes: 5
pass_mark: 0.6
intro: Click the wrong line.
variants:
  - samples:
      - id: a
        title: First
        request: Add.
        lang: python
        code: |
          def add(a, b):
              c = a - b
              d = c

              return d
        flaw_lines: [2]
        explanation: Minus.
        verify: {anything: 1}
      - id: b
        title: Second
        request: Add.
        lang: python
        code: a + b
        flaw_lines: []
        explanation: Sound.
"""
EXPLAIN = """\
schema: toprope.practical/1
key: small-back
kind: explain_back
evidence_kind: explain_back
competency: GOV-01
level: 1
title: Explain
minutes: 5
pass_mark: 0.6
intro: Write.
variants:
  - ticket: Add.
    lang: python
    code: a + b
    summary: All tested.
    record: [You ran nothing.]
    question: Who answers for it?
    anchors:
      0: Nothing.
      1: Little.
      2: Some.
      3: All.
      4: More.
    guidance: [Be fair.]
"""


def check(text):
    document, problems = parse_document("practicals/x.yaml", text.encode())
    assert problems == []
    return check_practical(
        document,
        competencies=("FND-01", "SEC-01", "GOV-01"),
        evidence_kinds=("sandbox_session", "flaw_hunt", "explain_back"),
    )


@pytest.mark.parametrize("text", [REDACTION, HUNT, EXPLAIN])
def test_a_sound_practical_has_no_problems_and_can_be_read(text):
    assert check(text) == []
    document, _ = parse_document("x", text.encode())
    assert parse_practical(document.value, "x@1").version == "x@1"


MISTAKES = [
    # all kinds
    (REDACTION, "toprope.practical/1", "toprope.practical/9", 1, "'toprope.practical/9' is not known"),
    (REDACTION, "key: small-drill", "key: Small Drill", 2, "cannot stand as 'key'"),
    (REDACTION, "kind: redaction\n", "kind: redacton\n", 3, "'redacton' is not known"),
    (REDACTION, "sandbox_session", "sandbox", 4, "'sandbox' is not known"),
    (REDACTION, "SEC-01", "SEC-99", 5, "'SEC-99' is not known"),
    (REDACTION, "level: 1", "level: 5", 6, "'level' is '5'"),
    (REDACTION, "level: 1", "level: true", 6, "'level' is 'True'"),
    (REDACTION, "title: A drill", "title: ''", 7, "'title' is empty"),
    (REDACTION, "title: A drill", "title: [a]", 7, "'title' is no text"),
    (REDACTION, "title: A drill", "title: " + "x" * 121, 7, "which is too long"),
    (REDACTION, "minutes: 5\n", "", 1, "The field 'minutes' is missing"),
    (REDACTION, "minutes: 5", "minuts: 5", 8, "There is no field 'minuts'"),
    (REDACTION, "0.95", "0", 9, "The pass mark is '0'"),
    (REDACTION, "0.95", "95", 9, "The pass mark is '95'"),
    (REDACTION, "0.95", "true", 9, "The pass mark is 'True'"),
    (REDACTION, REDACTION[REDACTION.index("variants:") :], "variants: []\n", 11, "'variants' has 0 entries"),
    (REDACTION, REDACTION[REDACTION.index("variants:") :], "variants: 1\n", 11, "'variants' is no list"),
    (REDACTION, REDACTION[REDACTION.index("  - documents") :], "  - 1\n", 12, "A mapping is needed"),
    # redaction
    (
        REDACTION,
        "hunter2|A password.⟧",
        "hunter2|A password.",
        16,
        "opens inside the mark that opens in line 1",
    ),
    (REDACTION, "Olsen|A name.⟧", "Olsen|A name.", 17, "never closed"),
    (REDACTION, "⟦secret:hunter2|A password.", "hunter2", 15, "never opened"),
    (REDACTION, "⟦secret:", "⟦secrets:", 15, "'secrets' is no class"),
    (REDACTION, "⟦personal:Mira Olsen", "Mira Ol⟦personal:sen", 17, "cuts the word 'Olsen'"),
    (REDACTION, "hunter2|A password.", "hunter2", 15, "has no note"),
    (REDACTION, "A password.", "x" * 241, 15, "The note has 241 characters"),
    (REDACTION, "⟦decoy:127.0.0.1|The machine itself.⟧", "127.0.0.1", 12, "has no decoys"),
    (REDACTION, " by\n", " by Mira Olsen\n", 16, "stands here unmarked, and is marked in line 17"),
    (REDACTION, " by\n", " b" + "y" * 160 + "\n", 16, "characters, which is too long"),
    (REDACTION, " by\n", " by\n" + "          x\n" * 60, 75, "The text has 63 lines"),
    (REDACTION, " by\n", " by\n" + "          ⟦secret:k7|A key.⟧\n" * 40, 12, "42 sensitive places"),
    (REDACTION, "- title: Log\n        ", "- ", 13, "The field 'title' is missing"),
    # flaw hunt
    (HUNT, "flaw_lines: [2]", "flaw_lines: []", 12, "All samples are sound"),
    (HUNT, "flaw_lines: []", "flaw_lines: [1]", 12, "No sample is sound"),
    (HUNT, "flaw_lines: [2]", "flaw_lines: [6]", 23, "There is no line '6' in the code, which has 5"),
    (HUNT, "flaw_lines: [2]", "flaw_lines: [0]", 23, "There is no line '0'"),
    (HUNT, "flaw_lines: [2]", "flaw_lines: [two]", 23, "There is no line 'two'"),
    (HUNT, "flaw_lines: [2]", "flaw_lines: [4]", 23, "Line 4 of the code is empty"),
    (HUNT, "flaw_lines: [2]", "flaw_lines: [2, 2]", 23, "Line 2 is named twice"),
    (HUNT, "flaw_lines: [2]", "flaw_lines: [2, 3]", 23, "Flagging every line would count"),
    (HUNT, "flaw_lines: [2]", "flaw_lines: 2", 23, "'flaw_lines' is no list"),
    (HUNT, "id: b", "id: a", 26, "The id 'a' stands also in line 13"),
    (HUNT, "lang: python\n        code: |", "lang: Python 3\n        code: |", 16, "cannot stand as 'lang'"),
    (HUNT, "c = a - b", "c = a - b" + "#" * 160, 19, "The line has"),
    (HUNT, "              d = c\n", "              d = c\n" * 30, 17, "'code' has 34 lines"),
    (HUNT, "explanation: Sound.", "explanation:", 32, "'explanation' is no text"),
    # explain back
    (EXPLAIN, "      3: All.\n", "", 18, "The field '3' is missing"),
    (EXPLAIN, "      4: More.", "      4: More.\n      5: Most.", 24, "There is no field '5'"),
    (EXPLAIN, "      2: Some.", "      2: ''", 21, "'2' is empty"),
    (EXPLAIN, "guidance: [Be fair.]", "guidance: []", 24, "'guidance' has 0 entries"),
    (EXPLAIN, "record: [You ran nothing.]", "record: ['']", 16, "'record' is empty"),
]


@pytest.mark.parametrize(("text", "old", "new", "line", "message"), MISTAKES)
def test_a_mistake_is_named_with_its_line_and_a_cure(text, old, new, line, message):
    assert text.count(old) >= 1

    problems = check(text.replace(old, new, 1))

    found = [problem for problem in problems if message in problem.message]
    assert found, [str(problem) for problem in problems]
    assert (found[0].path, found[0].line) == ("practicals/x.yaml", line)
    assert found[0].cure


def test_a_text_written_on_one_line_has_its_mistakes_there():
    text = REDACTION[: REDACTION.index("text: |")] + "text: '⟦secret:open'\n"

    (fault,) = [problem for problem in check(text) if "never closed" in problem.message]

    assert fault.line == 14


def test_a_decoy_needs_no_note():
    assert check(REDACTION.replace("|The machine itself.", "")) == []


def test_too_few_sound_samples_are_told_by_the_pass_mark():
    flawed = HUNT[HUNT.index("      - id: a") : HUNT.index("      - id: b")]
    more = "".join(flawed.replace("id: a", f"id: a{n}") for n in range(2))
    text = HUNT.replace("  - samples:\n", "  - samples:\n" + more)

    (problem,) = check(text)

    assert "Of 4 samples 1 are sound, so that flagging everything would pass" in problem.message
    assert problem.line == 12


def test_a_document_that_is_no_mapping_is_one_problem():
    (problem,) = check("- 1\n")

    assert (problem.line, problem.message) == (1, "A mapping is needed here.")


def test_a_drill_that_marks_nothing_says_so():
    messages = [p.message for p in check(REDACTION[: REDACTION.index("password")] + "nothing here\n")]

    assert "Nothing sensitive is marked." in messages
