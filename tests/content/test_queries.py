"""Reading content: by version, in few queries."""

import shutil

import pytest

from toprope.content.api import (
    ContentMissingError,
    builtin_pack,
    current_policy,
    get_item,
    get_items,
    get_practical,
    list_lessons,
    list_pool,
    list_practicals,
    load_builtin_pack,
    load_pack,
    pool_sizes,
)
from toprope.kit import clock

pytestmark = pytest.mark.django_db

FIRST, SECOND = "toprope-default@1.0.0", "toprope-default@1.1.0"


@pytest.fixture
def loaded():
    return load_builtin_pack(clock.now())


@pytest.fixture
def both(loaded, tmp_path):  # noqa: ARG001 - it goes first
    """The built-in pack, and after it a version 1.1.0 in which an item reads differently and one is gone."""
    pack = shutil.copytree(builtin_pack(), tmp_path / "pack")
    main, items = pack / "framework.yaml", pack / "items" / "fnd.yaml"
    main.write_text(main.read_text().replace("version: 1.0.0", "version: 1.1.0", 1))
    text = items.read_text().replace(
        "stem: You send the same request", "stem: Twice you send the same request"
    )
    start, end = text.index("  - id: itm-fnd03-4"), len(text)
    items.write_text(text[:start] + text[end:])
    load_pack(pack, clock.now())


@pytest.mark.usefixtures("loaded")
def test_pool_holds_what_can_be_played_at_exactly_this_level():
    pool = list_pool("SEC-02", 2)
    assert [item.key for item in pool] == ["itm-sec02-3", "itm-sec02-4"]  # itm-sec02-2 is a fix
    assert {item.kind for item in pool} == {"flaw"}
    assert {item.version for item in pool} == {FIRST}
    assert list_pool("SEC-02", 4) == []
    assert list_pool("NONE-01", 1) == []


@pytest.mark.usefixtures("loaded")
def test_pool_sizes_are_those_of_the_pools():
    sizes = pool_sizes()
    assert sum(sizes.values()) == 77
    assert all(len(list_pool(competency, level)) == size for (competency, level), size in sizes.items())


@pytest.mark.usefixtures("loaded")
def test_item_knows_its_flaw_and_whether_it_is_critical():
    item = get_item("itm-sec02-1")
    assert item.flaw_lines == (2,)
    assert item.critical
    assert not get_item("itm-fnd01-1").critical
    assert [option.id for option in item.options] == ["a", "b", "c"]
    assert item.option(item.answer).misconception == ""


@pytest.mark.usefixtures("both")
def test_items_keep_the_version_they_were_answered_in():
    assert get_item("itm-fnd01-1").version == SECOND
    assert get_item("itm-fnd01-1").stem.startswith("Twice you send")
    assert get_item("itm-fnd01-1", FIRST).stem.startswith("You send")
    assert get_item("itm-fnd03-4", FIRST).version == FIRST
    with pytest.raises(ContentMissingError, match="no item 'itm-fnd03-4' in the pack in force"):
        get_item("itm-fnd03-4")
    assert list_pool("FND-03", 4) == []


@pytest.mark.usefixtures("loaded")
def test_what_is_not_there_is_left_out_or_named():
    assert set(get_items(["itm-fnd01-1", "itm-none"])) == {"itm-fnd01-1"}
    for key, version in (("itm-fnd01-1", "other@1.0.0"), ("itm-fnd01-1", "nonsense"), ("practical", None)):
        with pytest.raises(ContentMissingError, match="There is no"):
            get_practical(key, version)
        assert get_items([key], version or SECOND) == {}


@pytest.mark.usefixtures("both")
def test_reading_costs_one_query_however_much_is_read(django_assert_num_queries):
    everything = [f"itm-fnd0{n}-{m}" for n in (1, 2, 3) for m in (1, 2, 3)]
    for keys in (everything[:1], everything):
        with django_assert_num_queries(1):
            assert len(get_items(keys)) == len(keys)
    for read in (
        lambda: list_pool("VER-02", 2),
        lambda: list_pool("NONE-01", 1),
        lambda: list_lessons("FND-01"),
        list_practicals,
        current_policy,
        pool_sizes,
        lambda: get_practical("redaction-drill", FIRST),
    ):
        with django_assert_num_queries(1):
            read()


@pytest.mark.usefixtures("loaded")
def test_practicals_can_be_narrowed():
    assert [practical.key for practical in list_practicals()] == [
        "explain-back-gov-01",
        "flaw-hunt-fnd-01",
        "redaction-drill",
    ]
    assert [practical.key for practical in list_practicals(competency="SEC-01", level=1)] == [
        "redaction-drill"
    ]
    assert list_practicals(competency="SEC-01", level=2) == []
    assert get_practical("redaction-drill").version == FIRST


@pytest.mark.usefixtures("loaded")
def test_lessons_are_read_with_their_steps():
    (lesson,) = list_lessons("FND-01")
    assert (lesson.key, lesson.version, lesson.level) == ("les-fnd-01", FIRST, 1)
    assert sum(step.minutes for step in lesson.outline) == lesson.minutes
    assert lesson.check_items == ("itm-fnd01-1", "itm-fnd01-2")


def test_before_a_pack_is_loaded_the_cure_is_named():
    with pytest.raises(ContentMissingError, match="toprope framework load"):
        current_policy()
    assert list_pool("FND-01", 1) == []
