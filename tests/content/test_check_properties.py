"""However a pack is broken, checking it ends in problems, and a pack without problems can be read."""

import copy
import functools

from hypothesis import given, settings
from hypothesis import strategies as st

from toprope.competency.api import Document, framework_shape, parse_framework
from toprope.content.api import builtin_pack
from toprope.content.check import check_between, check_shapes
from toprope.content.logic import parse_item, parse_lesson
from toprope.content.pack import read_pack
from toprope.content.policies import parse_policy
from toprope.content.practicals import parse_practical

PACK = read_pack(builtin_pack())
REMOVED = "removed"
LONG = "a long text"
VALUES = st.sampled_from(
    [
        REMOVED,
        None,
        True,
        0,
        1,
        -1,
        3,
        5,
        0.5,
        10**30,
        "",
        " ",
        "x",
        "FND-01",
        "R1",
        "S4",
        "auto_items",
        "1.0.0",
        LONG,
        [],
        {},
        [[]],
        [{}],
        ["FND-01"],
        {"x": 1},
        {"FND-01": 1},
    ]
)


@functools.cache
def sound_documents():
    documents, problems = PACK.parse()
    assert problems == []
    return documents


class Broken:
    """The built-in pack with one to three places removed or overwritten, shown by what was done to it."""

    def __init__(self, documents, done):
        self.documents, self.done = documents, done

    def __repr__(self):
        return f"Broken({self.done})"


@st.composite
def broken_packs(draw):
    documents = dict(sound_documents())
    done = []
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(sorted(documents)))
        value = copy.deepcopy(documents[path].value)
        holder, where = value, []
        while isinstance(holder, dict | list) and holder:
            step = draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
            where.append(step)
            if draw(st.integers(0, 3)) == 0 or not isinstance(holder[step], dict | list) or not holder[step]:
                break
            holder = holder[step]
        if not where:
            continue
        new = draw(VALUES)
        if new is REMOVED:
            del holder[where[-1]]
        else:
            holder[where[-1]] = "x" * 70_000 if new is LONG else new
        documents[path] = Document(path, value, documents[path].lines)
        done.append((path, where, new))
    return Broken(documents, done)


@settings(max_examples=60, deadline=None)
@given(broken_packs())
def test_pack_without_errors_can_be_read_and_one_with_errors_says_where(broken):
    documents = broken.documents
    problems = check_shapes(documents, unread=frozenset())
    if not any(problem.severity == "error" for problem in problems):
        problems += check_between(documents, PACK)
    for problem in problems:
        assert problem.path.rstrip("/")
        assert problem.line >= 1
        assert problem.message
        assert problem.cure
        assert len(str(problem)) < 2_000
    if not any(problem.severity == "error" for problem in problems):
        read_everything(documents)


def read_everything(documents):
    """What loading does with a pack. Keys must fit their columns."""
    framework = parse_framework({p: d.value for p, d in documents.items() if framework_shape(p)})
    assert len(framework.key) <= 64
    assert len(framework.version) <= 32
    for path, document in documents.items():
        for body in document.value["items"] if path.startswith("items/") else ():
            item = parse_item(body, framework.reference)
            assert len(item.key) <= 80
            assert item.competency in framework.competencies
            assert item.kind == "fix" or item.option(item.answer)
    for body in documents["lessons.yaml"].value["lessons"]:
        assert parse_lesson(body, framework.reference).competency in framework.competencies
    for path, document in documents.items():
        if path.startswith("practicals/"):
            practical = parse_practical(document.value, framework.reference)
            assert len(practical.key) <= 80
            assert len(practical.kind) <= 16
    assert len(parse_policy(documents["policy.yaml"].value).version) <= 32
