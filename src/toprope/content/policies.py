"""The acceptable-use policy of a pack: what a person accepts before anything opens. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
