"""What an author of a practical got wrong: file, line, and the cure. Pure."""

import re
from collections.abc import Collection, Iterator

from toprope.competency.api import Document, Problem, Where
from toprope.content.fields import Fields
from toprope.content.marks import DECOY, Mark, MarkedText, read_marked
from toprope.content.practicals import MAX_WRONG_LINES, TOP_RATING, PracticalKind

SCHEMA = "toprope.practical/1"

_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LANG = re.compile(r"[a-z0-9+#-]{1,20}")
_MAX_VARIANTS = 20
_MAX_DOCUMENTS = 8
_MAX_SAMPLES = 20
_MAX_SPANS = 40  # of a variant: what was missed must fit into one statement
_MAX_TEXT = 6_000
_MAX_LINES = 60
_MAX_WIDTH = 160
_MAX_NOTE = 240
_FIELDS = (
    "schema",
    "key",
    "kind",
    "evidence_kind",
    "competency",
    "level",
    "title",
    "minutes",
    "pass_mark",
    "intro",
    "variants",
)


def check_practical(
    document: Document, *, competencies: Collection[str], evidence_kinds: Collection[str]
) -> list[Problem]:
    """All that is wrong with a practical, given the competencies and evidence kinds its pack knows."""
    problems: list[Problem] = []
    fields = Fields(document, problems, required=_FIELDS)
    if not fields.values:
        return problems
    fields.word("schema", (SCHEMA,))
    _check_pattern(
        fields, "key", _KEY, "Use small letters, digits and single hyphens, such as 'redaction-drill'."
    )
    kind = fields.word("kind", [kind.value for kind in PracticalKind])
    fields.word("evidence_kind", evidence_kinds)
    fields.word("competency", competencies)
    fields.whole("level", 1, 4)
    fields.text("title", 120)
    fields.whole("minutes", 1, 240)
    pass_mark = _check_pass_mark(fields)
    fields.text("intro", 3_000)
    for where in fields.entries("variants", 1, _MAX_VARIANTS):
        if kind == PracticalKind.REDACTION:
            _check_redaction(document, problems, where)
        elif kind == PracticalKind.FLAW_HUNT:
            _check_flaw_hunt(document, problems, where, pass_mark)
        elif kind == PracticalKind.EXPLAIN_BACK:
            _check_explain_back(document, problems, where)
    return problems


def _check_pattern(fields: Fields, name: str, pattern: re.Pattern[str], cure: str) -> str | None:
    text = fields.text(name, 80)
    if text is not None and not pattern.fullmatch(text):
        fields.complain((name,), f"'{text}' cannot stand as '{name}'.", cure)
    return text


def _check_pass_mark(fields: Fields) -> float:
    value = fields.values.get("pass_mark", 1.0)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1:
        fields.complain(
            ("pass_mark",),
            f"The pass mark is {str(value)[:40]!r}.",
            "Write a share above 0 and up to 1, such as 0.6.",
        )
        return 1.0
    return float(value)


def _text_line(document: Document, where: Where, line: int) -> int:
    """Where in the file line `line` of this text stands. A text of several lines is a YAML block (``|``)."""
    value = document.value
    for step in where:
        value = value[step]
    return document.line(*where) + (line if "\n" in value else 0)


def _check_code(fields: Fields, name: str, limit: int = _MAX_LINES) -> list[str]:
    """Lines of a text that is shown as it is; complains where they are too many or too long to read."""
    text = fields.text(name, _MAX_TEXT)
    lines = text.rstrip().split("\n") if text else []
    where = (*fields.where, name)
    if len(lines) > limit:
        message = f"'{name}' has {len(lines)} lines, which is too long."
        fields.complain((name,), message, f"Keep it to {limit}.")
    for number, line in enumerate(lines, start=1):
        if len(line) > _MAX_WIDTH:
            message = f"The line has {len(line)} characters, which is too long."
            place = _text_line(fields.document, where, number)
            cure = f"Break it before character {_MAX_WIDTH}."
            fields.problems.append(Problem(fields.document.path, place, message, cure))
    return lines


def _check_redaction(document: Document, problems: list[Problem], where: Where) -> None:
    fields = Fields(document, problems, where, required=("documents",))
    texts: list[tuple[Where, MarkedText]] = []
    for place in fields.entries("documents", 1, _MAX_DOCUMENTS):
        inner = Fields(document, problems, place, required=("title", "text"))
        inner.text("title", 120)
        source = inner.text("text", _MAX_TEXT)
        if source is not None:
            texts.append(((*place, "text"), read_marked(source)))
    for place, text in texts:
        problems.extend(_text_problems(document, place, text))
    marks = [(place, mark) for place, text in texts for mark in text.marks]
    spans = [(place, mark) for place, mark in marks if mark.kind != DECOY]
    if texts and not spans:
        fields.complain((), "Nothing sensitive is marked.", "Mark it with ⟦secret:...|why⟧.")
    if texts and len(spans) == len(marks):
        cure = "Add what looks sensitive and is not, and mark it with ⟦decoy:...|why not⟧."
        fields.complain((), "The variant has no decoys, so that marking by looks would pass.", cure)
    if len(spans) > _MAX_SPANS:
        fields.complain((), f"The variant has {len(spans)} sensitive places.", f"Keep it to {_MAX_SPANS}.")
    for place, mark in spans:
        for other, text in texts:
            problems.extend(_unmarked_again(document, other, text, mark, place))


def _text_problems(document: Document, where: Where, text: MarkedText) -> Iterator[Problem]:
    def problem(line: int, message: str, cure: str) -> Problem:
        return Problem(document.path, _text_line(document, where, line), message, cure)

    for fault in text.faults:
        yield problem(fault.line, fault.message, fault.cure)
    for mark in text.marks:
        if mark.kind != DECOY and not mark.note:
            cure = "Add why it must not be sent, behind a '|' and before the '⟧'."
            yield problem(mark.line, f"The mark around '{mark.text[:40]}' has no note.", cure)
        if len(mark.note) > _MAX_NOTE:
            message = f"The note has {len(mark.note)} characters, which is too long."
            yield problem(mark.line, message, f"Shorten it to {_MAX_NOTE}.")
    lines = text.text.split("\n")
    if len(lines) > _MAX_LINES:
        yield problem(_MAX_LINES + 1, f"The text has {len(lines)} lines.", f"Keep it to {_MAX_LINES}.")
    for number, line in enumerate(lines, start=1):
        if len(line) > _MAX_WIDTH:
            message = f"Without its marks the line has {len(line)} characters, which is too long."
            yield problem(number, message, f"Break it before character {_MAX_WIDTH}.")


def _unmarked_again(
    document: Document, where: Where, text: MarkedText, mark: Mark, first: Where
) -> Iterator[Problem]:
    """Places where the text of a mark stands once more, unmarked: learners would be blamed for marking it."""
    marked = {index for other in text.marks if other.kind != DECOY for index in other.tokens}
    words = [(token, number) for number, line in enumerate(text.lines, start=1) for token in line.tokens]
    sought = [token.text for line in read_marked(mark.text).lines for token in line.tokens]
    for n in range(len(words) - len(sought) + 1):
        place = words[n : n + len(sought)]
        if [token.text for token, _ in place] == sought and marked.isdisjoint(t.index for t, _ in place):
            line = _text_line(document, where, place[0][1])
            other = _text_line(document, first, mark.line)
            message = f"'{mark.text[:40]}' stands here unmarked, and is marked in line {other}."
            yield Problem(document.path, line, message, "Mark it here too, or change one of the two.")


def _check_flaw_hunt(document: Document, problems: list[Problem], where: Where, pass_mark: float) -> None:
    fields = Fields(document, problems, where, required=("samples",))
    first_use: dict[str, int] = {}
    flawed = sound = 0
    for place in fields.entries("samples", 2, _MAX_SAMPLES):
        inner = Fields(
            document,
            problems,
            place,
            required=("id", "title", "request", "lang", "code", "flaw_lines", "explanation"),
            optional=("verify",),
        )
        key = _check_pattern(inner, "id", _KEY, "Use small letters, digits and single hyphens, such as 'a3'.")
        if key in first_use:
            inner.complain(
                ("id",), f"The id '{key}' stands also in line {first_use[key]}.", "Choose another."
            )
        elif key is not None:
            first_use[key] = document.line(*place, "id")
        inner.text("title", 120)
        inner.text("request", 600)
        _check_pattern(inner, "lang", _LANG, "Name the language in small letters, such as 'python'.")
        count = _check_flaw_lines(inner, _check_code(inner, "code", 30))
        inner.text("explanation", 900)
        flawed, sound = flawed + (count > 0), sound + (count == 0)
    if not flawed + sound:
        return
    if not flawed:
        fields.complain((), "All samples are sound, so that there is nothing to find.", "Add flawed ones.")
    elif not sound:
        fields.complain((), "No sample is sound, so that flagging everything would pass.", "Add sound ones.")
    elif (flawed - sound) / flawed >= pass_mark:
        message = f"Of {flawed + sound} samples {sound} are sound, so that flagging everything would pass."
        fields.complain((), message, "Add sound samples, or raise the pass mark.")


def _check_flaw_lines(fields: Fields, code: list[str]) -> int:
    """How many lines are flawed; complains where that cannot be."""
    lines = fields.values.get("flaw_lines", [])
    if not isinstance(lines, list):
        cure = "List the numbers of the flawed lines, such as [3]; write [] for a sound sample."
        fields.complain(("flaw_lines",), "'flaw_lines' is no list.", cure)
        return 0
    for n, line in enumerate(lines):
        where = ("flaw_lines", n)
        if not isinstance(line, int) or isinstance(line, bool) or (code and not 1 <= line <= len(code)):
            message = f"There is no line {str(line)[:40]!r} in the code, which has {len(code)}."
            fields.complain(where, message, f"Count the lines of 'code' from 1 to {len(code)}.")
        elif line in lines[:n]:
            fields.complain(where, f"Line {line} is named twice.", "Name it once.")
        elif code and not code[line - 1].strip():
            fields.complain(where, f"Line {line} of the code is empty.", "Name a line that can be clicked.")
    if code and lines and len([line for line in code if line.strip()]) - len(lines) <= MAX_WRONG_LINES:
        message = "Flagging every line would count as finding the flaw."
        fields.complain(("flaw_lines",), message, "Name fewer lines, or show more code.")
    return len(lines)


def _check_explain_back(document: Document, problems: list[Problem], where: Where) -> None:
    required = ("ticket", "lang", "code", "summary", "record", "question", "anchors", "guidance")
    fields = Fields(document, problems, where, required=required)
    fields.text("ticket", 2_000)
    _check_pattern(fields, "lang", _LANG, "Name the language in small letters, such as 'python'.")
    _check_code(fields, "code")
    fields.text("summary", 2_000)
    fields.texts("record", 10, 400)
    fields.text("question", 1_000)
    ratings = [str(rating) for rating in range(TOP_RATING + 1)]
    if "anchors" in fields.values:
        anchors = Fields(document, problems, (*where, "anchors"), required=ratings)
        for rating in ratings:
            anchors.text(rating, 600)
    fields.texts("guidance", 12, 400)
