"""Loading a pack: once, whole, and never over what was earned on it."""

import shutil
import threading

import pytest
from django.db import DatabaseError, connection, connections, transaction

from toprope.audit.api import list_entries
from toprope.competency.api import current_framework, get_framework
from toprope.content.api import (
    PackRefusedError,
    builtin_pack,
    current_policy,
    get_item,
    load_builtin_pack,
    load_pack,
    pool_sizes,
)
from toprope.kit import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def pack(tmp_path):
    return shutil.copytree(builtin_pack(), tmp_path / "pack")


def edit(pack, path, old, new):
    file = pack / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def entries():
    """What the record says of packs; other tests may have left entries of other kinds."""
    told = list_entries(limit=500)
    return [(each.tag, each.subject) for each in told if each.tag.startswith(("framework.", "pack."))]


def test_builtin_pack_is_loaded_whole():
    loaded = load_pack(builtin_pack(), clock.now())
    framework = current_framework()
    assert loaded.new
    assert loaded.reference == framework.reference == "toprope-default@1.0.0"
    assert len(framework.competencies) == 30
    assert len(framework.roles) == 10
    assert len(framework.rungs) == 10
    assert sum(pool_sizes().values()) == 77
    assert get_framework("toprope-default@1.0.0") is framework


def test_loading_is_on_record():
    load_pack(builtin_pack(), clock.now(), by="operator")
    loaded, framework = list_entries(limit=2)
    assert (loaded.tag, framework.tag) == ("pack.loaded", "framework.loaded")
    assert {loaded.subject, framework.subject} == {"toprope-default@1.0.0"}
    assert {loaded.actor, framework.actor} == {"operator"}
    assert loaded.detail["items"] == 84
    assert loaded.detail["lessons"] == 30
    assert loaded.detail["practicals"] == 3
    assert loaded.detail["digest"] == framework.detail["digest"]


def test_loading_again_changes_nothing_and_costs_one_query(django_assert_num_queries):
    load_pack(builtin_pack(), clock.now())
    before = entries()
    with django_assert_num_queries(1):
        again = load_pack(builtin_pack(), clock.now())
    assert (again.reference, again.new) == ("toprope-default@1.0.0", False)
    assert entries() == before


def test_same_version_with_other_content_is_refused_with_line_and_cure(pack):
    load_pack(builtin_pack(), clock.now())
    edit(pack, "items/fnd.yaml", "You send the same request", "You send one request")
    before = entries()
    with pytest.raises(PackRefusedError, match="bump the version") as refused:
        load_pack(pack, clock.now())
    (problem,) = refused.value.problems
    assert (problem.path, problem.line) == ("framework.yaml", 3)
    assert "toprope-default@1.0.0 is loaded already" in problem.message
    assert entries() == before
    assert get_item("itm-fnd01-1").stem.startswith("You send the same request")


def test_new_version_comes_into_force_and_the_old_stays_readable(pack):
    load_pack(builtin_pack(), clock.now())
    old = current_framework()
    edit(pack, "framework.yaml", "version: 1.0.0", "version: 1.1.0")
    edit(pack, "ladder.yaml", "name: Inline completion", "name: Completion")
    assert load_pack(pack, clock.now()).new
    assert current_framework().reference == "toprope-default@1.1.0"
    assert current_framework().rungs["R2"].name == "Completion"
    assert get_framework("toprope-default@1.0.0") is old
    assert get_framework("toprope-default@1.0.0").rungs["R2"].name == "Inline completion"


def test_version_loaded_before_is_not_put_in_force_again(pack):
    """`make run` loads the built-in pack at every start; that must not undo what an operator loaded since."""
    load_pack(builtin_pack(), clock.now())
    edit(pack, "framework.yaml", "version: 1.0.0", "version: 1.1.0")
    load_pack(pack, clock.now())
    assert not load_builtin_pack(clock.now()).new
    assert current_framework().version == "1.1.0"


def test_organisations_own_pack_is_not_replaced_by_the_builtin_one(pack):
    edit(pack, "framework.yaml", "id: toprope-default", "id: acme")
    load_pack(pack, clock.now())
    loaded = load_builtin_pack(clock.now())
    assert (loaded.reference, loaded.new) == ("acme@1.0.0", False)
    assert current_framework().key == "acme"


def test_pack_with_errors_is_refused_whole(pack):
    edit(pack, "lessons.yaml", "minutes: 30", "minutes: 31")
    edit(pack, "items/fnd.yaml", "    answer: a\n", "    answer: q\n")
    with pytest.raises(PackRefusedError) as refused:
        load_pack(pack, clock.now())
    assert [problem.path for problem in refused.value.problems] == ["items/fnd.yaml", "lessons.yaml"]
    assert "lessons.yaml:10: error: The outline takes 30 minutes, the lesson 31." in str(refused.value)
    assert entries() == []
    assert pool_sizes() == {}


def test_warnings_do_not_keep_a_pack_out(pack):
    (pack / "lesson.yaml").write_text("stray", encoding="utf-8")
    assert load_pack(pack, clock.now()).new


def test_policy_that_was_accepted_keeps_its_words(pack):
    load_pack(builtin_pack(), clock.now())
    edit(pack, "framework.yaml", "version: 1.0.0", "version: 1.1.0")
    edit(pack, "policy.yaml", "Use approved tools only", "Use any tools")
    with pytest.raises(PackRefusedError, match="Give the new text a new version") as refused:
        load_pack(pack, clock.now())
    assert refused.value.problems[0].path == "policy.yaml"
    assert str(pack) in str(refused.value)
    assert current_framework().version == "1.0.0"
    edit(pack, "policy.yaml", "version: 1.0.0", "version: 2.0.0")
    load_pack(pack, clock.now())
    assert current_policy().version == "2.0.0"


def test_policy_that_did_not_change_is_not_accepted_anew(pack):
    load_pack(builtin_pack(), clock.now())
    edit(pack, "framework.yaml", "version: 1.0.0", "version: 1.1.0")
    load_pack(pack, clock.now())
    assert current_policy().version == "1.0.0"


@pytest.mark.parametrize("table", ["competency_frameworkversion", "content_item", "content_lesson"])
@pytest.mark.parametrize("change", ["UPDATE {} SET key = 'other'", "DELETE FROM {}"])
def test_database_refuses_to_change_what_was_loaded(table, change):
    load_pack(builtin_pack(), clock.now())
    refused = pytest.raises(DatabaseError, match="what was loaded stays as it was")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change.format(table))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("empty_record")
def test_two_servers_that_start_together_load_once():
    outcomes = []

    def start():
        try:
            outcomes.append(load_pack(builtin_pack(), clock.now()))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.new for outcome in outcomes) == [False, False, True]
    assert entries() == [
        ("pack.loaded", "toprope-default@1.0.0"),
        ("framework.loaded", "toprope-default@1.0.0"),
    ]
    assert sum(pool_sizes().values()) == 77
