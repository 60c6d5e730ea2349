"""The acceptable-use policy: reading, checking, and what the built-in one says."""

from pathlib import Path

import pytest

from toprope.competency.api import parse_document
from toprope.content import policies
from toprope.content.policies import PolicyError, check_policy, parse_policy

POLICY = """\
schema: toprope.policy/1
key: acceptable-use
version: 1.0.0
title: Rules
sections:
  - heading: First
    paragraphs:
      - Be kind.
"""


def read(text):
    document, problems = parse_document("policy.yaml", text.encode())
    assert problems == []
    return document


def test_a_sound_policy_is_read_as_written():
    policy = parse_policy(read(POLICY).value)

    assert check_policy(read(POLICY)) == []
    assert (policy.key, policy.version, policy.title) == ("acceptable-use", "1.0.0", "Rules")
    assert [(section.heading, section.paragraphs) for section in policy.sections] == [
        ("First", ("Be kind.",))
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("toprope.policy/1", "toprope.policy/2", 1, "is not known as 'schema'"),
        ("key: acceptable-use", "key: Acceptable", 2, "cannot stand as 'key'"),
        ("version: 1.0.0", "version: 1.0", 3, "'version' is no text"),
        ("version: 1.0.0", "version: v1", 3, "'v1' is no version"),
        ("title: Rules\n", "", 1, "The field 'title' is missing"),
        ("heading: First", "heading: ''", 6, "'heading' is empty"),
        ("    paragraphs:\n      - Be kind.\n", "    paragraphs: []\n", 7, "'paragraphs' has 0 entries"),
        ("Be kind.", "Be kind. " * 400, 8, "which is too long"),
        ("      - Be kind.\n", f"      - {'be ' * 400}\n" * 5, 5, "too long to be read"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_a_cure(old, new, line, message):
    assert old in POLICY

    found = [p for p in check_policy(read(POLICY.replace(old, new, 1))) if message in p.message]

    assert [(problem.path, problem.line) for problem in found] == [("policy.yaml", line)]
    assert found[0].cure


@pytest.mark.parametrize("broken", [{}, {"key": "a"}, {**read(POLICY).value, "sections": [1]}])
def test_a_broken_document_is_refused_with_the_way_to_the_check(broken):
    with pytest.raises(PolicyError, match="toprope framework check"):
        parse_policy(broken)


def test_the_built_in_policy_is_sound_and_short_and_says_what_people_must_know():
    path = Path(policies.__file__).parent / "packs" / "toprope-default" / "policy.yaml"
    document, problems = parse_document("policy.yaml", path.read_bytes())
    policy = parse_policy(document.value)
    text = " ".join(paragraph for section in policy.sections for paragraph in section.paragraphs)

    assert problems == check_policy(document) == []
    assert policy.version == "1.0.0"
    assert 6 <= len(policy.sections) <= 8
    assert len(text.split()) <= 700
    for word in ("secret", "personal data", "recorded", "appraise", "appeal", "governance lead", "mentor"):
        assert word in text
