"""What each document of a framework looks like. Pure.

What Toprope reads by name is described to the field. What is there for people (rules in prose, explanations)
is described as text, so that a slip of the pen shows there too.
"""

from toprope.competency.parsing import FOLDER
from toprope.competency.shapes import (
    Either,
    Entry,
    Flag,
    Key,
    ListOf,
    MapOf,
    Number,
    Ref,
    Shape,
    Text,
    Whole,
    Word,
    cases,
    schema,
    texts,
)

VERSION = Text(32, r"\d{1,6}\.\d{1,6}\.\d{1,6}", "three numbers such as '1.0.0'")
SHARE = Number(0, 1)
LEVEL = Whole(1, 4)
COUNT = Whole(0, 1_000)
SOME = Whole(1, 1_000)
DAYS = Whole(1, 3_650)
TEXT = Text()
NAME = Text(120)


_VALIDATION = Entry(
    {
        "how": Word(("automatic", "automatic_plus_mentor", "practical_exam", "panel")),
        "items": Entry({"min": COUNT, "pass": SHARE, "critical_misses": COUNT}),
        "performance_tasks": Entry({"min": COUNT, "kinds": COUNT}),
        "observations": Entry({"min": COUNT}, {"supervisors": COUNT}),
        "spread_days": Whole(0, 3_650),
        "retry_after_hours": Whole(0, 87_600),
    },
    {
        "rubric": Entry({"min_mean": Number(1, 4), "min_any_criterion": LEVEL, "raters": SOME}),
        "adopted_artefacts": Entry({"min": SOME, "teams": SOME}),
        "coached_people": Entry({"min": SOME}),
        "rater_agreement_kappa": SHARE,
    },
)

_LEVEL = Entry(
    {
        "level": LEVEL,
        "id": Key("level"),
        "name": NAME,
        "alias": NAME,
        "alias_meaning": TEXT,
        "summary": TEXT,
        "autonomy": TEXT,
        "milestone": TEXT,
        "validation": _VALIDATION,
        "indicative_effort_hours": Whole(0, 10_000),
    }
)

_SUPERVISION = Entry(
    {
        "level": Whole(1, 5),
        "id": Key("supervision level"),
        "name": NAME,
        "means": TEXT,
        "enforcement": Entry(
            {},
            {
                "allowed": Flag(),
                "replay": Flag(),
                "approval": Word(("supervisor_each_action", "self")),
                "review_before_effect": Either(Word(("peer",)), SHARE),
                "sample_after": SHARE,
                "may_sign_off": Flag(),
            },
        ),
    }
)

_EVIDENCE_KIND = Entry(
    {
        "id": Key("evidence kind"),
        "name": NAME,
        "scored_by": Word(("auto", "auto_plus_human", "human", "human_or_ai_with_human_appeal")),
        "shows": TEXT,
        "from_level": LEVEL,
        "to_level": LEVEL,
        "gaming": TEXT,
    }
)

_CURRENCY_CLASS = Entry(
    {
        "id": Key("currency class"),
        "refresh_days": DAYS,
        "grace_days": Whole(0, 3_650),
        "half_life_days": DAYS,
        "why": TEXT,
        "renew_with": ListOf(Ref("evidence kind"), 1),
    }
)

_ENTRUSTMENT = Entry(
    {
        "ad_hoc": TEXT,
        "summative": TEXT,
        "prospective": TEXT,
        "no_average": TEXT,
        "qualities": ListOf(Entry({"id": Key("quality"), "ask": TEXT, "recorded_as": TEXT}), 1),
        "focused_period": Entry(
            {"applies_to": TEXT, "uses": SOME, "days": DAYS, "review_sample": SHARE, "ends_by": TEXT}
        ),
        "ongoing_review": Entry({"every_days": DAYS, "sample": SHARE}),
        "three_ceilings": TEXT,
    }
)

FRAMEWORK = Entry(
    {
        "schema": schema("framework"),
        "id": Key("framework"),
        "version": VERSION,
        "title": NAME,
        "summary": Text(2_000),
        "levels": ListOf(_LEVEL, 4, 4),
        "default_rubric": Ref("rubric"),
        "level_rules": texts(),
        "supervision_scale": ListOf(_SUPERVISION, 5, 5),
        "entrustment": _ENTRUSTMENT,
        "evidence_kinds": ListOf(_EVIDENCE_KIND, 1),
        "currency_classes": ListOf(_CURRENCY_CLASS, 1),
        "currency_rules": texts(),
        "domains": ListOf(Entry({"id": Key("domain"), "name": NAME, "about": TEXT}), 1, 50),
        "bootstrap": Entry(
            {
                "rule": TEXT,
                "provisional_lasts_days": DAYS,
                "may_open_rungs": ListOf(Ref("rung")),
                "pool_target": Whole(1, 100),
                "generation": TEXT,
            },
            {"minimum_items": Whole(1, 100)},
        ),
        "item_rules": texts(),
    },
    {"licence_note": TEXT},
)

_EVIDENCE_RULE = Entry(
    {"kind": Ref("evidence kind"), "min": SOME},
    {"pass": SHARE, "rubric": Ref("rubric"), "teams": SOME},
)

_TARGET = Entry(
    {"metric": Ref("metric")},
    {
        "min": Number(0, 1_000_000),
        "max": Number(0, 1_000_000),
        "trend": Word(("up", "down", "flat_or_up", "flat_or_down")),
    },
)

_COMPETENCY = Entry(
    {
        "id": Key("competency"),
        "slug": Key("slug"),
        "name": NAME,
        "definition": TEXT,
        "prerequisites": ListOf(Entry({"id": Ref("competency"), "level": LEVEL, "before": LEVEL})),
        "currency": Ref("currency class"),
        "levels": ListOf(
            Entry(
                {
                    "level": LEVEL,
                    "does": texts(1),
                    "evidence": ListOf(_EVIDENCE_RULE, 1, 20),
                    "targets": ListOf(_TARGET, 1, 20),
                }
            ),
            4,
            4,
        ),
    }
)

COMPETENCIES = Entry(
    {
        "schema": schema("competencies"),
        "domain": Ref("domain"),
        "competencies": ListOf(_COMPETENCY, 1, 100),
    }
)

_REQUIREMENT = cases(
    "type",
    {},
    policy_accepted=Entry({}),
    automatic=Entry({"all_levels_current": Flag(), "mixed_items": SOME, "pass": SHARE}),
    scenario=Entry({"id": TEXT, "pass": SHARE}),
    flaw_hunt=Entry({"flaws": SOME, "pass": SHARE}),
    practical_exam=Entry({"rubric": Ref("rubric"), "level": LEVEL}),
    mentor_signoff=Entry({"notes": SOME, "supervisors": SOME}),
    panel_interview=Entry({"minutes": SOME}),
    data_owner_approval=Entry({"per_purpose": Flag(), "hours": SOME}),
    recency=Entry({"rung": Ref("rung"), "uses": SOME, "days": DAYS}),
)
REQUIREMENT_TYPES = tuple(_REQUIREMENT.cases)

_RUNG = Entry(
    {
        "id": Key("rung"),
        "name": NAME,
        "capability": Key("capability"),
        "after": ListOf(Ref("rung")),
        "specification": TEXT,
        "limits": Entry(
            {
                "context": NAME,
                "write": NAME,
                "network": NAME,
                "commands": NAME,
                "data": ListOf(Ref("data class"), 1),
                "tiers": ListOf(Ref("repository tier"), 1),
            }
        ),
        "risk": Entry(
            {"level": Word(("minimal", "low", "moderate", "high", "very_high")), "if_it_fails": TEXT}
        ),
        "requires": Entry(
            {"competencies": MapOf(Ref("competency"), LEVEL), "validation": ListOf(_REQUIREMENT, 1, 20)}
        ),
        "knowledge_experience": TEXT,
        "evidence_sources": ListOf(Ref("evidence kind"), 1),
        "decision": Ref("decision authority"),
        "supervision": Entry(
            {
                "entry": Ref("supervision level"),
                "by_tier": MapOf(Ref("repository tier"), Ref("supervision level")),
                "expected": MapOf(Ref("supervision level"), NAME),
            }
        ),
        "guardrails": texts(1),
        "demotion": Entry({"suspend": texts(1), "step_down": texts()}),
        "expiry": Entry({"unused_days": DAYS}, {"competency_currency": Flag()}),
    },
    {"decision_also": Ref("decision authority")},
)

LADDER = Entry(
    {
        "schema": schema("ladder"),
        "id": Key("ladder"),
        "version": VERSION,
        "about": Text(2_000),
        "repository_tiers": ListOf(
            Entry({"id": Key("repository tier"), "name": NAME, "examples": TEXT, "effect_of_error": NAME}), 1
        ),
        "data_classes": ListOf(Key("data class"), 1),
        "validation_types": Entry(dict.fromkeys(REQUIREMENT_TYPES, TEXT)),
        "ceilings": Entry({"person": TEXT, "tool": TEXT, "repository": TEXT, "global_switch": TEXT}),
        "decision_authorities": ListOf(Entry({"id": Key("decision authority"), "means": TEXT}), 1),
        "rungs": ListOf(_RUNG, 1, 100),
        "demotion_rules": texts(),
        "lapse_rules": texts(),
        "emergency_rule": TEXT,
        "new_joiner_rule": TEXT,
    }
)

_ROLE = Entry(
    {
        "id": Key("role"),
        "name": NAME,
        "summary": TEXT,
        "milestones": ListOf(Entry({"day": Whole(0, 3_650), "rung": Ref("rung")})),
        "ceiling": Entry(
            {"rung": Ref("rung"), "supervision": Ref("supervision level")}, {"also": Ref("rung")}
        ),
        "competencies": MapOf(
            Ref("competency"), Entry({"target": Whole(0, 4), "weight": Whole(0, 5), "why": TEXT})
        ),
    }
)

ROLES = Entry({"schema": schema("roles"), "about": Text(2_000), "roles": ListOf(_ROLE, 1, 200)})

_PASS = Entry({"weighted_mean": Number(1, 4), "floor": LEVEL, "raters": SOME, "critical_errors": COUNT})

_ASSESSMENT = Entry(
    {
        "id": Key("rubric"),
        "name": NAME,
        "competencies": ListOf(Ref("competency"), 1),
        "levels": ListOf(LEVEL, 1, 4),
        "minutes": SOME,
        "setup": TEXT,
        "fixture": Text(200),
        "auto_measures": ListOf(
            Entry(
                {"metric": Ref("metric")},
                {f"level_{level}": Number(0, 1_000_000) for level in (1, 2, 3, 4)},
            )
        ),
        "minimum_evidence": texts(1),
        "criteria": ListOf(
            Entry(
                {
                    "id": Text(32),
                    "name": NAME,
                    "weight": Whole(1, 100),
                    "anchors": Entry({str(score): TEXT for score in (1, 2, 3, 4)}),
                }
            ),
            1,
            20,
        ),
        "critical_errors": texts(1),
        "rater_guidance": texts(1),
    }
)

RUBRICS = Entry(
    {
        "schema": schema("rubrics"),
        "scale": ListOf(Entry({"score": LEVEL, "name": NAME, "means": TEXT}), 4, 4),
        "scoring": Entry(
            {
                "criterion": TEXT,
                "combine": TEXT,
                "disagreement": TEXT,
                "not_observed": TEXT,
                "pass": Entry({"level_2": _PASS, "level_3": _PASS, "level_4": _PASS}),
                "entrustment_question": TEXT,
            }
        ),
        "rater_rules": texts(),
        "fairness": texts(),
        "assessments": ListOf(_ASSESSMENT, 1, 200),
    }
)

METRICS = Entry(
    {
        "schema": schema("metrics"),
        "dimensions": ListOf(Key("dimension"), 1),
        "metrics": ListOf(
            Entry(
                {
                    "id": Key("metric"),
                    "dimension": Ref("dimension"),
                    "unit": NAME,
                    "better": Word(("higher", "lower", "zero")),
                    "use": Word(("authorise", "coach", "team")),
                    "formula": TEXT,
                    "source": NAME,
                },
                {"guard": TEXT},
            ),
            1,
        ),
    }
)

SOURCES = Entry(
    {
        "schema": schema("sources"),
        "sources": ListOf(
            Entry(
                {
                    "id": Key("source"),
                    "title": Text(300),
                    "url": Text(500),
                    "seen": Word(("primary", "abstract", "secondary", "recalled", "executed")),
                },
                {"note": TEXT},
            ),
            1,
            2_000,
        ),
    }
)

_STEP = Entry(
    {"id": Text(32), "kind": Ref("step kind"), "owner": Ref("owner"), "do": TEXT},
    {"auto": TEXT},
)

_PHASE = Entry(
    {
        "id": Text(32),
        "name": NAME,
        "weeks": ListOf(Whole(-104, 520), 2, 2),
        "metrics": ListOf(Ref("metric")),
        "checklist": ListOf(_STEP, 1),
        "exit_criteria": texts(1),
    }
)

PROGRAMS = Entry(
    {
        "schema": schema("programs"),
        "about": Text(2_000),
        "step_kinds": ListOf(Key("step kind"), 1),
        "owners": ListOf(Key("owner"), 1),
        "programs": ListOf(
            Entry(
                {
                    "id": Key("programme"),
                    "name": NAME,
                    "for": TEXT,
                    "roles": ListOf(Ref("role"), 1),
                    "rungs": ListOf(Ref("rung"), 1),
                    "sources": ListOf(Ref("source")),
                    "phases": ListOf(_PHASE, 1, 50),
                }
            )
        ),
        "failure_modes": ListOf(
            Entry(
                {
                    "id": Key("failure mode"),
                    "name": NAME,
                    "looks_like": TEXT,
                    "signal_metrics": ListOf(Ref("metric"), 1),
                    "response": TEXT,
                    "sources": ListOf(Ref("source")),
                }
            )
        ),
    }
)

_FORMATS: dict[str, Shape] = {
    "framework.yaml": FRAMEWORK,
    "ladder.yaml": LADDER,
    "metrics.yaml": METRICS,
    "programs.yaml": PROGRAMS,
    "roles.yaml": ROLES,
    "rubrics.yaml": RUBRICS,
    "sources.yaml": SOURCES,
}

FRAMEWORK_FILES = tuple(_FORMATS)
"""The files of a framework, beside those in ``competencies/``. Items, lessons and practicals are content."""


def framework_shape(path: str) -> Shape | None:
    """What the document at this path in a pack looks like; None where it is none of a framework's."""
    if path.startswith(FOLDER) and path.endswith(".yaml"):
        return COMPETENCIES
    return _FORMATS.get(path)
