"""The acceptable-use policy of a pack: what a person accepts before anything opens. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toprope.competency.api import Document, Problem
from toprope.content.fields import Fields

SCHEMA = "toprope.policy/1"

_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_VERSION = re.compile(r"\d{1,5}\.\d{1,5}\.\d{1,5}")
_MAX_WORDS = 1_500  # a policy that nobody reads binds nobody


class PolicyError(ValueError):
    """A policy's document that cannot be read; `check_policy` says more."""


@dataclass(frozen=True, slots=True)
class Section:
    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy. Its own version, not the pack's, is what people accept."""

    key: str
    version: str
    title: str
    sections: tuple[Section, ...]


def parse_policy(document: Mapping[str, Any]) -> Policy:
    """The policy in a pack's document. Raises `PolicyError` where `check_policy` would complain."""
    try:
        return Policy(
            key=document["key"],
            version=document["version"],
            title=document["title"],
            sections=tuple(
                Section(section["heading"], tuple(text.strip() for text in section["paragraphs"]))
                for section in document["sections"]
            ),
        )
    except (AttributeError, KeyError, TypeError) as error:
        message = f"not a policy ({type(error).__name__}: {error}); run `toprope framework check` on its pack"
        raise PolicyError(message) from error


def check_policy(document: Document) -> list[Problem]:
    """All that is wrong with a policy: file, line, and the cure."""
    problems: list[Problem] = []
    fields = Fields(document, problems, required=("schema", "key", "version", "title", "sections"))
    fields.word("schema", (SCHEMA,))
    key, version = fields.text("key", 80), fields.text("version", 20)
    if key is not None and not _KEY.fullmatch(key):
        cure = "Use small letters, digits and single hyphens, such as 'acceptable-use'."
        fields.complain(("key",), f"'{key}' cannot stand as 'key'.", cure)
    if version is not None and not _VERSION.fullmatch(version):
        cure = (
            "Write three numbers, such as '1.0.0', and raise them with every change that people must accept."
        )
        fields.complain(("version",), f"'{version}' is no version.", cure)
    fields.text("title", 120)
    words = 0
    for where in fields.entries("sections", 1, 20):
        section = Fields(document, problems, where, required=("heading", "paragraphs"))
        section.text("heading", 120)
        words += sum(len(text.split()) for text in section.texts("paragraphs", 12, 2_000))
    if words > _MAX_WORDS:
        message = f"The policy has {words:,} words, which is too long to be read."
        fields.complain(("sections",), message, f"Shorten it to {_MAX_WORDS:,}.")
    return problems
