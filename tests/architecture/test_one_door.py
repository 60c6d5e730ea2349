"""Across packages only `.api` is imported; pure packages have no door and are open to all above them."""

import grimp
import pytest

PURE_PACKAGES = {"policy", "stats", "kit"}
PURE_MODULES = {"toprope.evidence.statement", "toprope.content.practicals"}
GATEWAY_MAY = {"policy", "kit"}


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("toprope", exclude_type_checking_imports=True, cache_dir=None)


def find_trespasses(graph):
    """Imports of another package's inside, as (importer, imported)."""
    return {
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if not may_import(importer, imported)
    }


def may_import(importer, imported):
    package, target = importer.split(".")[1:2], imported.split(".")[1:2]
    if package == target or not target or target[0] in PURE_PACKAGES & GATEWAY_MAY:
        return True
    if package == ["gateway"]:
        return imported == "toprope.evidence.statement"
    if package == ["config"] or target[0] in PURE_PACKAGES or imported == "toprope.evidence.statement":
        return True  # config is the composition root, where everything meets
    inside = imported.split(".")[2:]
    if ".logic" in importer and (inside[:1] == ["logic"] or imported in PURE_MODULES):
        return True  # decision 0007: a door brings Django with it, and logic must stay pure
    return inside == ["api"]


def test_nobody_climbs_in_through_a_window(graph):
    assert find_trespasses(graph) == set()


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("toprope.people.actions", "toprope.audit.actions"),
        ("toprope.web.learner", "toprope.progression.queries"),
        ("toprope.learning.logic", "toprope.content.models"),
        ("toprope.learning.queries", "toprope.content.practicals"),
        ("toprope.measurement.queries", "toprope.evidence.models"),
        ("toprope.gateway.app", "toprope.evidence.api"),
        ("toprope.gateway.app", "toprope.stats.items"),
        ("toprope.gateway.app", "toprope.audit.api"),
    ],
)
def test_a_planted_trespass_is_caught(graph, importer, imported):
    assert {importer, imported} <= graph.modules
    if graph.direct_import_exists(importer=importer, imported=imported):
        pytest.fail(f"{importer} imports {imported} already; plant another")
    graph.add_import(importer=importer, imported=imported)
    try:
        assert find_trespasses(graph) == {(importer, imported)}
    finally:
        graph.remove_import(importer=importer, imported=imported)
