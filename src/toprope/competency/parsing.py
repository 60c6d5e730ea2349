"""From a pack's documents to a `Framework`. Pure; expects documents in which no problem was found."""

from collections.abc import Iterable, Mapping
from typing import Any

from toprope.competency.logic import (
    Bootstrap,
    Competency,
    CompetencyLevel,
    CurrencyClass,
    Domain,
    EvidenceRule,
    Framework,
    Level,
    Prerequisite,
    Role,
    RoleTarget,
    RubricPass,
    Rung,
    Validation,
)

FOLDER = "competencies/"


def parse_framework(documents: Mapping[str, Any]) -> Framework:
    """The framework in these documents, which are named by their paths in the pack."""
    main, ladder = documents["framework.yaml"], documents["ladder.yaml"]
    rubrics, programs = documents["rubrics.yaml"], documents["programs.yaml"]
    domains = tuple(Domain(d["id"], d["name"], d["about"]) for d in main["domains"])
    focused = main["entrustment"]["focused_period"]
    bootstrap = main["bootstrap"]
    return Framework(
        key=main["id"],
        version=main["version"],
        title=main["title"],
        levels=tuple(_level(entry) for entry in main["levels"]),
        domains=domains,
        competencies=_competencies(documents, domains),
        currency={entry["id"]: _currency_class(entry) for entry in main["currency_classes"]},
        roles={entry["id"]: _role(entry) for entry in documents["roles.yaml"]["roles"]},
        rungs={entry["id"]: _rung(entry) for entry in ladder["rungs"]},
        supervision={s["id"]: f"{s['name']}: {s['means']}" for s in main["supervision_scale"]},
        bootstrap=Bootstrap(
            minimum_items=bootstrap.get("minimum_items", 2),
            pool_factor=bootstrap["pool_target"],
            provisional_days=bootstrap["provisional_lasts_days"],
            rungs=tuple(bootstrap["may_open_rungs"]),
        ),
        focused_uses=focused["uses"],
        focused_days=focused["days"],
        evidence_kinds={entry["id"]: entry["name"] for entry in main["evidence_kinds"]},
        rubrics=_by_id(rubrics["assessments"]),
        authorities={entry["id"]: entry["means"] for entry in ladder["decision_authorities"]},
        metrics=_by_id(documents["metrics.yaml"]["metrics"]),
        programmes=_by_id(programs["programs"]),
        sources=_by_id(documents["sources.yaml"]["sources"]),
        default_rubric=main["default_rubric"],
        rubric_passes={
            int(level.removeprefix("level_")): RubricPass(
                rule["weighted_mean"], rule["floor"], rule["raters"]
            )
            for level, rule in rubrics["scoring"]["pass"].items()
        },
    )


def _by_id(entries: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {entry["id"]: entry for entry in entries}


def _level(entry: Mapping[str, Any]) -> Level:
    rules = entry["validation"]
    return Level(
        level=entry["level"],
        id=entry["id"],
        name=entry["name"],
        alias=entry["alias"],
        summary=entry["summary"],
        autonomy=entry["autonomy"],
        milestone=entry["milestone"],
        validation=Validation(
            how=rules["how"],
            items_minimum=rules["items"]["min"],
            items_pass=float(rules["items"]["pass"]),
            critical_misses=rules["items"]["critical_misses"],
            tasks_minimum=rules["performance_tasks"]["min"],
            task_kinds=rules["performance_tasks"]["kinds"],
            observations=rules["observations"]["min"],
            observers=rules["observations"].get("supervisors", 0),
            spread_days=rules["spread_days"],
            retry_after_hours=rules["retry_after_hours"],
            rubric=_rubric_pass(rules.get("rubric")),
            artefacts=rules.get("adopted_artefacts", {}).get("min", 0),
            artefact_teams=rules.get("adopted_artefacts", {}).get("teams", 0),
            coached=rules.get("coached_people", {}).get("min", 0),
            agreement=rules.get("rater_agreement_kappa", 0.0),
        ),
    )


def _rubric_pass(rule: Mapping[str, Any] | None) -> RubricPass | None:
    return RubricPass(rule["min_mean"], rule["min_any_criterion"], rule["raters"]) if rule else None


def _competencies(documents: Mapping[str, Any], domains: Iterable[Domain]) -> dict[str, Competency]:
    """All competencies: domains in the framework's order, within a domain in the file's."""
    files = [document for path, document in documents.items() if path.startswith(FOLDER)]
    order = [domain.key for domain in domains]
    files.sort(key=lambda document: order.index(document["domain"]))
    return {
        entry["id"]: _competency(entry, document["domain"])
        for document in files
        for entry in document["competencies"]
    }


def _competency(entry: Mapping[str, Any], domain: str) -> Competency:
    return Competency(
        key=entry["id"],
        slug=entry["slug"],
        name=entry["name"],
        domain=domain,
        definition=entry["definition"],
        currency=entry["currency"],
        prerequisites=tuple(Prerequisite(p["id"], p["level"], p["before"]) for p in entry["prerequisites"]),
        levels=tuple(
            CompetencyLevel(
                level=level["level"],
                does=tuple(level["does"]),
                evidence=tuple(
                    EvidenceRule(
                        kind=rule["kind"],
                        minimum=rule["min"],
                        pass_mark=float(rule.get("pass", 0)),
                        rubric=rule.get("rubric", ""),
                        teams=rule.get("teams", 0),
                    )
                    for rule in level["evidence"]
                ),
                targets=tuple(level["targets"]),
            )
            for level in entry["levels"]
        ),
    )


def _currency_class(entry: Mapping[str, Any]) -> CurrencyClass:
    return CurrencyClass(
        key=entry["id"],
        refresh_days=entry["refresh_days"],
        grace_days=entry["grace_days"],
        half_life_days=entry["half_life_days"],
        renew_with=tuple(entry["renew_with"]),
    )


def _role(entry: Mapping[str, Any]) -> Role:
    return Role(
        key=entry["id"],
        name=entry["name"],
        summary=entry["summary"],
        targets={
            key: RoleTarget(target["target"], target["weight"], target["why"])
            for key, target in entry["competencies"].items()
        },
        ceiling_rung=entry["ceiling"]["rung"],
        milestones=tuple((milestone["day"], milestone["rung"]) for milestone in entry["milestones"]),
        ceiling_supervision=entry["ceiling"]["supervision"],
        ceiling_also=entry["ceiling"].get("also", ""),
    )


def _rung(entry: Mapping[str, Any]) -> Rung:
    return Rung(
        key=entry["id"],
        name=entry["name"],
        capability=entry["capability"],
        after=tuple(entry["after"]),
        specification=entry["specification"],
        limits=entry["limits"],
        risk=entry["risk"],
        competencies=entry["requires"]["competencies"],
        validations=tuple(entry["requires"]["validation"]),
        knowledge_experience=entry["knowledge_experience"],
        decision=entry["decision"],
        entry_supervision=entry["supervision"]["entry"],
        supervision_by_tier=entry["supervision"]["by_tier"],
        guardrails=tuple(entry["guardrails"]),
        demotion=entry["demotion"],
        unused_days=entry["expiry"]["unused_days"],
        competency_currency=entry["expiry"].get("competency_currency", False),
        decision_also=entry.get("decision_also", ""),
        evidence_sources=tuple(entry["evidence_sources"]),
    )
