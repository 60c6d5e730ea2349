"""What a result page shows of a finished attempt: what was right, what was missed, and why. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toprope.content.api import FlawHuntVariant, RedactionVariant
from toprope.learning.api import Attempt, AttemptKind


@dataclass(frozen=True, slots=True)
class Word:
    """A token of a document, after the drill. `state` is found, missed, needless or plain."""

    text: str
    after: str
    state: str


@dataclass(frozen=True, slots=True)
class Page:
    """A document after the drill: its lines as the text before the first word, and the words."""

    title: str
    lines: tuple[tuple[str, tuple[Word, ...]], ...]


def explain(told: Attempt) -> dict[str, Any]:
    """Everything that the result template of this kind of attempt needs."""
    context = {"attempt": told, "practical": told.practical, "outcome": told.outcome}
    return context | _EXPLAIN[told.kind](told)


def _sitting(told: Attempt) -> dict[str, Any]:
    rows = [
        (number, each, bool(each.answer and each.answer.feedback.success))
        for number, each in enumerate(told.questions, 1)
    ]
    misses = sum(1 for _, each, right in rows if each.item.critical and not right)
    # Where the share right decides, what the estimate says would only confuse.
    measured = told.outcome.detail.get("measured") if told.outcome and told.plan.limit else None
    right = sum(right for _, _, right in rows)
    return {"rows": rows, "right": right, "critical_misses": misses, "measured": measured}


def _redaction(told: Attempt) -> dict[str, Any]:
    variant = told.shown
    if not isinstance(variant, RedactionVariant):
        raise TypeError("a redaction drill shows documents")
    marked = set(told.response or ())
    sensitive = {index for span in variant.spans for index in span.tokens}

    def state(index: int) -> str:
        if index in sensitive:
            return "found" if index in marked else "missed"
        return "needless" if index in marked else "plain"

    pages = [
        Page(
            document.title,
            tuple(
                (
                    line.before,
                    tuple(Word(token.text, token.after, state(token.index)) for token in line.tokens),
                )
                for line in document.lines
            ),
        )
        for document in variant.documents
    ]
    return {"pages": pages}


def _flaw_hunt(told: Attempt) -> dict[str, Any]:
    variant = told.shown
    if not isinstance(variant, FlawHuntVariant):
        raise TypeError("a flaw hunt shows samples")
    verdicts = {each["id"]: each for each in (told.outcome.detail["samples"] if told.outcome else ())}
    rows = [
        {
            "sample": sample,
            "verdict": verdicts.get(sample.id, {}),
            "lines": [
                {
                    "number": number,
                    "text": text,
                    "marked": number in verdicts.get(sample.id, {}).get("flagged", ()),
                    "flawed": number in sample.flaw_lines,
                }
                for number, text in enumerate(sample.lines, 1)
            ],
        }
        for sample in variant.samples
    ]
    return {"rows": rows}


def _explain_back(told: Attempt) -> dict[str, Any]:
    return {"variant": told.shown, "text": told.response}


_EXPLAIN: dict[AttemptKind, Callable[[Attempt], dict[str, Any]]] = {
    AttemptKind.SITTING: _sitting,
    AttemptKind.REDACTION: _redaction,
    AttemptKind.FLAW_HUNT: _flaw_hunt,
    AttemptKind.EXPLAIN_BACK: _explain_back,
}
