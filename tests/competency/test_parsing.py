"""The built-in framework as values."""

from tests.frameworks import builtin_framework

from toprope.competency.api import EvidenceRule


def test_levels_and_their_general_rules():
    levels = builtin_framework().levels
    assert [(level.level, level.name, level.alias) for level in levels] == [
        (1, "Foundation", "Toprope"),
        (2, "Proficient", "Second"),
        (3, "Advanced", "Lead"),
        (4, "Expert", "Guide"),
    ]
    foundation = levels[0].validation
    assert (foundation.items_minimum, foundation.items_pass, foundation.critical_misses) == (8, 0.75, 0)
    assert (foundation.tasks_minimum, foundation.task_kinds) == (1, 1)
    assert (foundation.spread_days, foundation.retry_after_hours) == (1, 24)
    assert (levels[2].validation.observations, levels[2].validation.observers) == (3, 2)


def test_competencies_come_in_the_order_of_their_domains():
    framework = builtin_framework()
    assert len(framework.competencies) == 30
    domains = [competency.domain for competency in framework.competencies.values()]
    order = [domain.key for domain in framework.domains]
    assert order == ["FND", "CTX", "VER", "QLT", "SEC", "AGT", "GOV", "GRO"]
    assert sorted(domains, key=order.index) == domains
    assert next(iter(framework.competencies)) == "FND-01"


def test_domain_with_a_comma_keeps_its_name():
    names = {domain.key: domain.name for domain in builtin_framework().domains}
    assert names["VER"] == "Reading, review and debugging"


def test_competency_says_what_each_level_needs():
    competency = builtin_framework().competencies["FND-01"]
    assert [level.level for level in competency.levels] == [1, 2, 3, 4]
    assert competency.at(1).evidence == (
        EvidenceRule("auto_items", 8, 0.75),
        EvidenceRule("flaw_hunt", 1, 0.6),
    )
    assert competency.at(4).evidence[0].teams == 2
    assert competency.currency == "fast"


def test_rung_says_what_opens_it():
    rung = builtin_framework().rungs["R1"]
    assert dict(rung.competencies) == {"FND-01": 1, "SEC-01": 1, "GOV-01": 1}
    assert [rule["type"] for rule in rung.validations] == ["automatic", "scenario"]
    assert (rung.after, rung.decision, rung.entry_supervision) == (("R0",), "automatic", "S4")
    assert (rung.unused_days, rung.competency_currency) == (180, True)
    assert builtin_framework().rungs["R0"].competency_currency is False
    assert list(builtin_framework().rungs) == [f"R{number}" for number in range(10)]


def test_role_says_what_it_needs_and_how_far_it_goes():
    role = builtin_framework().roles["junior_engineer"]
    assert len(role.targets) == 30
    assert (role.targets["VER-02"].target, role.targets["VER-02"].weight) == (2, 5)
    assert (role.ceiling_rung, role.ceiling_supervision, role.ceiling_also) == ("R4", "S3", "R5")
    assert role.milestones == ((7, "R1"), (30, "R3"), (60, "R5"), (90, "R4"))
    assert builtin_framework().roles["software_engineer"].ceiling_also == ""


def test_the_rest_is_within_reach():
    framework = builtin_framework()
    assert framework.reference == "toprope-default@1.0.0"
    assert len(framework.rubrics) == 6
    assert set(framework.rubrics["RB-1"]["criteria"][0]["anchors"]) == {"1", "2", "3", "4"}
    assert (len(framework.metrics), len(framework.sources), len(framework.programmes)) == (36, 70, 6)
    assert framework.supervision["S3"].startswith("Checked: Does it alone;")
    assert (framework.focused_uses, framework.focused_days) == (10, 30)
    bootstrap = framework.bootstrap
    assert (bootstrap.minimum_items, bootstrap.pool_factor, bootstrap.provisional_days) == (2, 3, 120)
    assert bootstrap.rungs == ("R1", "R2", "R3", "R4", "R5")
    assert framework.currency["fast"].refresh_days == 90
    assert framework.evidence_kinds["flaw_hunt"] == "Flaw hunt"
    assert "panel" in framework.authorities
