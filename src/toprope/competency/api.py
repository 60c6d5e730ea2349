"""What other packages may use of frameworks."""

from toprope.competency import shapes
from toprope.competency.actions import FrameworkChangedError, Loaded, load_framework
from toprope.competency.formats import FRAMEWORK_FILES, framework_shape
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
    Tag,
    Validation,
)
from toprope.competency.parsing import parse_framework
from toprope.competency.problems import (
    MAX_FILE_BYTES,
    Document,
    Problem,
    Where,
    parse_document,
    repeated,
    suggest,
)
from toprope.competency.queries import (
    FrameworkMissingError,
    current_framework,
    find_framework,
    get_framework,
    reference_in_force,
)
from toprope.competency.rules import check_rules

__all__ = [
    "FRAMEWORK_FILES",
    "MAX_FILE_BYTES",
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
    "RubricPass",
    "Rung",
    "Tag",
    "Validation",
    "Where",
    "check_rules",
    "current_framework",
    "find_framework",
    "framework_shape",
    "get_framework",
    "load_framework",
    "parse_document",
    "parse_framework",
    "reference_in_force",
    "repeated",
    "shapes",
    "suggest",
]
