"""What other packages may use of frameworks."""

from toprope.competency.actions import FrameworkChangedError, Loaded, load_framework
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
    Rung,
    Tag,
    Validation,
)
from toprope.competency.parsing import is_framework_file, parse_framework
from toprope.competency.problems import Document, Problem, parse_document, suggest
from toprope.competency.queries import (
    FrameworkMissingError,
    current_framework,
    find_framework,
    get_framework,
    reference_in_force,
)

__all__ = [
    "Bootstrap",
    "Competency",
    "CompetencyLevel",
    "CurrencyClass",
    "Document",
    "Domain",
    "EvidenceRule",
    "Framework",
    "FrameworkChangedError",
    "FrameworkMissingError",
    "Level",
    "Loaded",
    "Prerequisite",
    "Problem",
    "Role",
    "RoleTarget",
    "Rung",
    "Tag",
    "Validation",
    "current_framework",
    "find_framework",
    "get_framework",
    "is_framework_file",
    "load_framework",
    "parse_document",
    "parse_framework",
    "reference_in_force",
    "suggest",
]
