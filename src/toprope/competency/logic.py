"""A framework as values: what good looks like, by competency, level, role and rung. Pure.

`parsing.parse_framework` turns the documents of a pack, once they are found sound, into these shapes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Tag(StrEnum):
    """What the audit record says of frameworks."""

    FRAMEWORK_LOADED = "framework.loaded"


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """One line of what a level asks for: `minimum` pieces of a kind, each at `pass_mark` (0..1) or better."""

    kind: str
    minimum: int
    pass_mark: float = 0.0
    rubric: str = ""
    teams: int = 0


@dataclass(frozen=True, slots=True)
class RubricPass:
    """When an assessment by a rubric is passed: weighted mean and floor on the scale 1 to 4."""

    mean: float
    floor: int
    raters: int


@dataclass(frozen=True, slots=True)
class Validation:
    """A level's general rules. Hours and days as the names say; `how` names the procedure.

    `rubric` is None where the level's assessments follow the rubrics' own pass rule; the last four are 0
    where the level does not ask for them.
    """

    how: str
    items_minimum: int
    items_pass: float
    critical_misses: int
    tasks_minimum: int
    task_kinds: int
    observations: int
    observers: int
    spread_days: int
    retry_after_hours: int
    rubric: RubricPass | None = None
    artefacts: int = 0
    artefact_teams: int = 0
    coached: int = 0
    agreement: float = 0.0  # the least weighted kappa between two raters


@dataclass(frozen=True, slots=True)
class Level:
    """A proficiency level (1 Foundation .. 4 Expert). `alias` is for display only."""

    level: int
    id: str
    name: str
    alias: str
    summary: str
    autonomy: str
    milestone: str
    validation: Validation


@dataclass(frozen=True, slots=True)
class CompetencyLevel:
    """What a competency means at one level."""

    level: int
    does: tuple[str, ...]
    evidence: tuple[EvidenceRule, ...]
    targets: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """`competency` is needed at `level` before one's own level `before`."""

    competency: str
    level: int
    before: int


@dataclass(frozen=True, slots=True)
class Competency:
    key: str
    slug: str
    name: str
    domain: str
    definition: str
    currency: str
    prerequisites: tuple[Prerequisite, ...]
    levels: tuple[CompetencyLevel, ...]

    def at(self, level: int) -> CompetencyLevel:
        """The meaning at `level` (1..4)."""
        return self.levels[level - 1]


@dataclass(frozen=True, slots=True)
class Domain:
    key: str
    name: str
    about: str


@dataclass(frozen=True, slots=True)
class CurrencyClass:
    """How long a level stays current without fresh evidence, and how long the grace after that is."""

    key: str
    refresh_days: int
    grace_days: int
    half_life_days: int
    renew_with: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleTarget:
    target: int
    weight: int
    why: str


@dataclass(frozen=True, slots=True)
class Role:
    key: str
    name: str
    summary: str
    targets: Mapping[str, RoleTarget]
    ceiling_rung: str
    milestones: tuple[tuple[int, str], ...]  # (day, rung)
    ceiling_supervision: str = ""  # "S4"
    ceiling_also: str = ""  # a rung beside the ceiling, on another branch of the ladder; "" where none


@dataclass(frozen=True, slots=True)
class Rung:
    """A piece of work that can be entrusted (an entrustable professional activity)."""

    key: str
    name: str
    capability: str
    after: tuple[str, ...]
    specification: str
    limits: Mapping[str, Any]
    risk: Mapping[str, Any]
    competencies: Mapping[str, int]
    validations: tuple[Mapping[str, Any], ...]
    knowledge_experience: str
    decision: str
    entry_supervision: str
    supervision_by_tier: Mapping[str, str]
    guardrails: tuple[str, ...]
    demotion: Mapping[str, Any]
    unused_days: int
    competency_currency: bool
    decision_also: str = ""  # a second authority that has to decide; "" where none
    evidence_sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How awards work while item pools are small."""

    minimum_items: int
    pool_factor: int
    provisional_days: int
    rungs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Framework:
    """One version of a framework, whole."""

    key: str
    version: str
    title: str
    levels: tuple[Level, ...]
    domains: tuple[Domain, ...]
    competencies: Mapping[str, Competency]
    currency: Mapping[str, CurrencyClass]
    roles: Mapping[str, Role]
    rungs: Mapping[str, Rung]
    supervision: Mapping[str, str]  # "S3" -> "Checked: Does it alone; ..."
    bootstrap: Bootstrap
    focused_uses: int
    focused_days: int
    evidence_kinds: Mapping[str, str]  # id -> name
    rubrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    authorities: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    programmes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    default_rubric: str = ""  # where a competency asks for an assessment and names none
    rubric_passes: Mapping[int, RubricPass] = field(default_factory=dict)  # by level
    digest: str = ""  # of the pack it came in; the same digest is the same pack, to the last byte

    @property
    def reference(self) -> str:
        """How statements name this version, such as ``toprope-default@1.0.0``."""
        return f"{self.key}@{self.version}"
