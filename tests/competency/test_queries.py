"""The framework in force: cheap to ask for, and never an old one."""

import json
from functools import cache

import pytest
from django.db import connection

from toprope.competency.api import (
    FrameworkChangedError,
    FrameworkMissingError,
    current_framework,
    find_framework,
    framework_shape,
    get_framework,
    load_framework,
    reference_in_force,
)
from toprope.content.api import builtin_pack
from toprope.content.pack import read_pack
from toprope.kit import clock

pytestmark = pytest.mark.django_db


@cache
def builtin_documents():
    documents, _ = read_pack(builtin_pack()).parse()
    return {path: document.value for path, document in documents.items() if framework_shape(path)}


def load(version="1.0.0", digest="d1", **changes):
    documents = json.loads(json.dumps(builtin_documents()))
    documents["framework.yaml"] |= {"version": version, **changes}
    return load_framework(documents, digest=digest, by="operator", now=clock.now())


def test_without_a_framework_the_cure_is_named():
    assert reference_in_force() == ""
    with pytest.raises(FrameworkMissingError, match="toprope framework load"):
        current_framework()
    with pytest.raises(FrameworkMissingError, match=r"'toprope-default@9\.9\.9' was never loaded"):
        get_framework("toprope-default@9.9.9")


def test_current_framework_costs_one_small_query(django_assert_num_queries):
    load()
    current_framework()
    with django_assert_num_queries(1) as asked:
        current_framework()
    assert "document" not in asked.captured_queries[0]["sql"]


def test_version_that_another_process_loads_is_seen_at_the_next_question():
    """A command loads while a server runs: here its writes arrive by SQL, past this process's cache."""
    load(title="First")
    assert current_framework().title == "First"
    document = json.dumps(builtin_documents()).replace("Toprope default framework", "From elsewhere")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE competency_frameworkversion SET in_force = false")
        cursor.execute(
            "INSERT INTO competency_frameworkversion (key, version, digest, document, loaded_at, in_force)"
            " VALUES ('toprope-default', '2.0.0', 'd2', %s, now(), true)",
            [document],
        )
    assert current_framework().title == "From elsewhere"
    assert reference_in_force() == "toprope-default@2.0.0"


def test_versions_stay_readable_and_one_is_in_force():
    first = load("1.0.0", "d1", title="First")
    second = load("1.1.0", "d2", title="Second")
    assert (first.new, second.new) == (True, True)
    assert current_framework().title == "Second"
    assert get_framework("toprope-default@1.0.0").title == "First"
    assert find_framework("d1") == "toprope-default@1.0.0"
    assert find_framework("unknown") == ""


def test_same_version_is_left_as_it_is_or_refused():
    load(digest="d1", title="First")
    assert not load(digest="d1", title="First").new
    with pytest.raises(FrameworkChangedError, match="bump the version"):
        load(digest="d2", title="Changed")
    assert current_framework().title == "First"


def test_what_is_stored_reads_as_what_was_loaded():
    loaded = load()
    assert current_framework() == loaded.framework
    assert list(current_framework().roles["junior_engineer"].targets) == list(
        loaded.framework.roles["junior_engineer"].targets
    )
