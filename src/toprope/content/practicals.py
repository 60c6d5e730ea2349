"""Practicals: performance tasks that a learner carries out, and how each is scored. Pure.

Three kinds. *redaction*: mark what must not be sent. *flaw_hunt*: find the faulty lines in answers of an
assistant, and leave the sound ones alone. *explain_back*: account for a change, for a person to rate.

Shapes hold what a learner may see and, apart from it, the key (what is right). Before an attempt is finished,
pages print a variant's `documents`; a sample's `title`, `request`, `lang` and `code`; an explain-back's
`ticket`, `code`, `lang`, `summary`, `record` and `question`. The rest is the key, and for feedback.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from toprope.content.marks import DECOY, Line, MarkedText, Token, read_marked

MIN_TEXT = 40
"""Characters an explanation needs at least; less cannot say what was changed and who answers for it."""

MAX_TEXT = 4_000
"""Characters an explanation may have at most."""

TOP_RATING = 4
"""Explanations are rated 0 to 4."""

MAX_WRONG_LINES = 2
"""More wrong lines than this beside a right one are no finding: nobody would know where to look."""

_DETAILS_SHOWN = 20
_TEXT_SHOWN = 120
_MESSAGE_SHOWN = 300


class PracticalKind(StrEnum):
    REDACTION = "redaction"
    FLAW_HUNT = "flaw_hunt"
    EXPLAIN_BACK = "explain_back"


class PracticalError(ValueError):
    """A practical's document that cannot be read; `check_practical` says more."""


class ResponseError(ValueError):
    """A response that no page of ours sends; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text in which to mark."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a document that belongs together. Key: `kind` is a class of sensitive data, or ``decoy``."""

    kind: str
    text: str
    note: str  # why it must not be sent; for a decoy why it is harmless
    document: int  # counted from 1, and so is `line`
    line: int
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RedactionVariant:
    """Documents to mark in. Key: `spans` must all be marked; `decoys` look like it and must stay."""

    documents: tuple[Document, ...]
    spans: tuple[Span, ...]
    decoys: tuple[Span, ...]

    @property
    def tokens(self) -> tuple[Token, ...]:
        """All tokens in order; a token's index is its place here."""
        return tuple(token for doc in self.documents for line in doc.lines for token in line.tokens)


@dataclass(frozen=True, slots=True)
class Sample:
    """A request to an assistant and its answer. Key: `flaw_lines` (from 1, none if sound), `explanation`."""

    id: str
    title: str
    request: str
    lang: str
    code: str
    flaw_lines: tuple[int, ...]
    explanation: str

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(self.code.split("\n"))

    @property
    def sound(self) -> bool:
        return not self.flaw_lines


@dataclass(frozen=True, slots=True)
class FlawHuntVariant:
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class ExplainBackVariant:
    """A change that the learner is about to submit. Key, for raters: `anchors` by rating, `guidance`."""

    ticket: str
    lang: str
    code: str
    summary: str  # what the assistant says about its change
    record: tuple[str, ...]  # what really happened so far
    question: str
    anchors: Mapping[int, str]
    guidance: tuple[str, ...]


Variant: TypeAlias = RedactionVariant | FlawHuntVariant | ExplainBackVariant


@dataclass(frozen=True, slots=True)
class Practical:
    key: str
    version: str  # the pack it comes from, such as "toprope-default@1.0.0"
    kind: PracticalKind
    evidence_kind: str
    competency: str
    level: int
    title: str
    minutes: int
    intro: str  # paragraphs, divided by an empty line
    pass_mark: float
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class PracticalScore:
    """How a response did. `detail` holds JSON values only, and little enough for a statement."""

    score: float
    success: bool
    detail: dict[str, Any]


def parse_practical(document: Mapping[str, Any], version: str) -> Practical:
    """The practical in a pack's document. Raises `PracticalError` where `check_practical` would complain."""
    try:
        kind = PracticalKind(document["kind"])
        return Practical(
            key=document["key"],
            version=version,
            kind=kind,
            evidence_kind=document["evidence_kind"],
            competency=document["competency"],
            level=document["level"],
            title=document["title"],
            minutes=document["minutes"],
            intro=document["intro"].strip(),
            pass_mark=float(document["pass_mark"]),
            variants=tuple(_PARSERS[kind](variant) for variant in document["variants"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = (
            f"not a practical ({type(error).__name__}: {error}); run `toprope framework check` on its pack"
        )
        raise PracticalError(message) from error


def read_documents(sources: list[str]) -> list[MarkedText]:
    """A variant's texts, taken apart, with tokens numbered through all of them."""
    texts: list[MarkedText] = []
    count = 0
    for source in sources:
        texts.append(read_marked(source, count))
        count += sum(len(line.tokens) for line in texts[-1].lines)
    return texts


def _parse_redaction(variant: Mapping[str, Any]) -> RedactionVariant:
    texts = read_documents([document["text"] for document in variant["documents"]])
    documents, marked = [], []
    for number, (document, text) in enumerate(zip(variant["documents"], texts, strict=True), start=1):
        if text.faults:
            raise ValueError(text.faults[0].message)
        documents.append(Document(document["title"], text.lines))
        marked += [Span(m.kind, m.text, m.note, number, m.line, m.tokens) for m in text.marks]
    spans = tuple(span for span in marked if span.kind != DECOY)
    if not spans:
        raise ValueError("nothing sensitive is marked")
    return RedactionVariant(tuple(documents), spans, tuple(span for span in marked if span.kind == DECOY))


def _parse_flaw_hunt(variant: Mapping[str, Any]) -> FlawHuntVariant:
    samples = tuple(
        Sample(
            id=sample["id"],
            title=sample["title"],
            request=sample["request"].strip(),
            lang=sample["lang"],
            code=sample["code"].rstrip("\n"),
            flaw_lines=tuple(sample["flaw_lines"]),
            explanation=sample["explanation"].strip(),
        )
        for sample in variant["samples"]
    )
    if all(sample.sound for sample in samples):
        raise ValueError("no sample has a flaw")
    return FlawHuntVariant(samples)


def _parse_explain_back(variant: Mapping[str, Any]) -> ExplainBackVariant:
    anchors = {int(rating): text.strip() for rating, text in variant["anchors"].items()}
    if sorted(anchors) != list(range(TOP_RATING + 1)):
        raise ValueError(f"anchors are needed for the ratings 0 to {TOP_RATING}")
    return ExplainBackVariant(
        ticket=variant["ticket"].strip(),
        lang=variant["lang"],
        code=variant["code"].rstrip("\n"),
        summary=variant["summary"].strip(),
        record=tuple(text.strip() for text in variant["record"]),
        question=variant["question"].strip(),
        anchors=anchors,
        guidance=tuple(text.strip() for text in variant["guidance"]),
    )


_PARSERS: Mapping[PracticalKind, Callable[[Mapping[str, Any]], Variant]] = {
    PracticalKind.REDACTION: _parse_redaction,
    PracticalKind.FLAW_HUNT: _parse_flaw_hunt,
    PracticalKind.EXPLAIN_BACK: _parse_explain_back,
}


def score_practical(practical: Practical, variant_index: int, response: Any) -> PracticalScore:
    """Score a response. Raises `ResponseError` for one that does not fit the variant.

    Responses: redaction, a list of token indexes; flaw_hunt, lines flagged by sample id (a sample left out or
    with no line is called sound); explain_back, the rating 0 to 4 that a person gave.
    """
    if not 0 <= variant_index < len(practical.variants):
        message = f"variant {variant_index} of {practical.key}: give 0 to {len(practical.variants) - 1}"
        raise ResponseError(message)
    variant = practical.variants[variant_index]
    if isinstance(variant, RedactionVariant):
        score, detail = _score_redaction(variant, response)
    elif isinstance(variant, FlawHuntVariant):
        score, detail = _score_flaw_hunt(variant, response)
    else:
        score, detail = _score_explain_back(variant, response)
    return PracticalScore(score, score >= practical.pass_mark, detail)


def check_explanation(response: Any) -> str:
    """The explanation in a response, trimmed. Raises `ResponseError` with a message for people."""
    if not isinstance(response, str):
        raise ResponseError("Write your explanation as text.")
    text = response.replace("\r\n", "\n").strip()
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ResponseError("The text holds a broken character. Delete it, or type the passage again.")
    if len(text) < MIN_TEXT:
        message = (
            f"Write at least {MIN_TEXT} characters, better three to eight sentences; these are {len(text)}."
        )
        raise ResponseError(message)
    if len(text) > MAX_TEXT:
        message = f"Write at most {MAX_TEXT:,} characters, for a colleague to read; these are {len(text):,}."
        raise ResponseError(message)
    return text


def _score_redaction(variant: RedactionVariant, response: Any) -> tuple[float, dict[str, Any]]:
    tokens = variant.tokens
    marked = _whole_numbers(response, low=0, high=len(tokens) - 1, what="token")
    sensitive = {index for span in variant.spans for index in span.tokens}
    missed = [span for span in variant.spans if not marked.issuperset(span.tokens)]
    alarms = sorted(marked - sensitive)
    harmless = len(tokens) - len(sensitive)
    too_much = len(alarms) * 10 > harmless  # more than a tenth, without rounding
    recall = (len(variant.spans) - len(missed)) / len(variant.spans)
    detail = {
        "spans": len(variant.spans),
        "found": len(variant.spans) - len(missed),
        "recall": recall,
        "false_alarms": len(alarms),
        "false_alarm_share": len(alarms) / harmless if harmless else 0.0,
        "too_much": too_much,
        "missed": [_missed(span, marked) for span in missed],
        "alarms": _alarms(variant, alarms),
    }
    return (0.0 if too_much else recall), detail


def _missed(span: Span, marked: set[int]) -> dict[str, Any]:
    return {
        "class": span.kind,
        "text": span.text[:_TEXT_SHOWN],
        "reason": span.note,
        "document": span.document,
        "line": span.line,
        "tokens": list(span.tokens),
        "partly": not marked.isdisjoint(span.tokens),
    }


def _alarms(variant: RedactionVariant, alarms: list[int]) -> list[dict[str, Any]]:
    """The harmless words that were marked: decoys whole, those with a reason first, and not all of many."""
    decoys = {index: decoy for decoy in variant.decoys for index in decoy.tokens}
    touched = {decoys[index].tokens: decoys[index] for index in alarms if index in decoys}
    shown = [
        {
            "text": decoy.text[:_TEXT_SHOWN],
            "reason": decoy.note,
            "document": decoy.document,
            "line": decoy.line,
            "tokens": [index for index in decoy.tokens if index in alarms],
        }
        for decoy in sorted(touched.values(), key=lambda decoy: not decoy.note)
    ]
    plain = set(alarms).difference(decoys)
    shown += [
        {
            "text": token.text[:_TEXT_SHOWN],
            "reason": "",
            "document": number,
            "line": line_number,
            "tokens": [token.index],
        }
        for number, document in enumerate(variant.documents, start=1)
        for line_number, line in enumerate(document.lines, start=1)
        for token in line.tokens
        if token.index in plain
    ]
    return shown[:_DETAILS_SHOWN]


def _score_flaw_hunt(variant: FlawHuntVariant, response: Any) -> tuple[float, dict[str, Any]]:
    samples = {sample.id: sample for sample in variant.samples}
    if not isinstance(response, Mapping):
        raise ResponseError("give the flagged lines by sample id, such as {'a1': [3], 'a2': []}")
    for key in response:
        if not isinstance(key, str) or key not in samples:
            known = ", ".join(samples)
            raise ResponseError(
                f"there is no sample {str(key)[:40]!r}; the samples are: {known}"[:_MESSAGE_SHOWN]
            )
    judged = []
    for sample in variant.samples:
        high = len(sample.lines)
        flagged = _whole_numbers(
            response.get(sample.id, []), low=1, high=high, what=f"line of sample {sample.id}"
        )
        judged.append((sample, flagged, _judge_sample(sample, flagged)))
    outcomes = [outcome for _, _, outcome in judged]
    hits, alarms = outcomes.count("hit"), outcomes.count("false_alarm")
    flawed = sum(not sample.sound for sample in variant.samples)
    detail = {
        "flawed": flawed,
        "hits": hits,
        "false_alarms": alarms,
        "samples": [
            {
                "id": sample.id,
                "outcome": outcome,
                "flagged": sorted(flagged),
                "flaw_lines": list(sample.flaw_lines),
                "explanation": sample.explanation,
            }
            for sample, flagged, outcome in judged
        ],
    }
    return max(0.0, (hits - alarms) / flawed), detail


def _judge_sample(sample: Sample, flagged: set[int]) -> str:
    """One of hit, too_many (a right line among many wrong ones), false_alarm, missed, left_alone."""
    right = flagged.intersection(sample.flaw_lines)
    if not flagged:
        return "left_alone" if sample.sound else "missed"
    if not right:
        return "false_alarm"
    return "hit" if len(flagged) - len(right) <= MAX_WRONG_LINES else "too_many"


def _score_explain_back(variant: ExplainBackVariant, response: Any) -> tuple[float, dict[str, Any]]:
    if not isinstance(response, int) or isinstance(response, bool) or not 0 <= response <= TOP_RATING:
        raise ResponseError(f"rate the explanation with a whole number from 0 to {TOP_RATING}")
    return response / TOP_RATING, {"rating": response, "of": TOP_RATING, "anchor": variant.anchors[response]}


def _whole_numbers(response: Any, *, low: int, high: int, what: str) -> set[int]:
    if not isinstance(response, list | tuple):
        raise ResponseError(f"give a list of {what} numbers")
    if len(response) > high - low + 1:
        raise ResponseError(f"{len(response):,} {what} numbers are more than there are; give each once")
    for number in response:
        if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
            shown = repr(number)[:40]
            raise ResponseError(
                f"{shown} is not the number of a {what}; give whole numbers from {low} to {high}"
            )
    return set(response)
