"""The validation types of the ladder: one module each, named as the ladder names the type.

A module holds `check(case, rule)`, which gives a requirement, or None where the rule asks for nothing. To add
a type is to add a module (and a line for its fields in competency/formats.py, which checks packs). A type
without a module cannot be met, so a rung that names it stays closed.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from toprope.progression.logic.requirement import Requirement, Status
from toprope.progression.logic.situation import RungCase

Rule: TypeAlias = Mapping[str, Any]
Check: TypeAlias = Callable[[RungCase, Rule], Requirement | None]

NOT_KNOWN = "This version of Toprope does not know this kind of validation, so the rung stays closed."


def check_validation(case: RungCase, rule: Rule) -> Requirement | None:
    """What one validation of a rung asks, and how far it is met."""
    kind = str(rule["type"])
    check = VALIDATIONS.get(kind)
    if check is None:
        return Requirement(kind, kind.replace("_", " ").capitalize(), Status.MISSING, NOT_KNOWN)
    return check(case, rule)


VALIDATIONS: dict[str, Check] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}").check
    for module in pkgutil.iter_modules(__path__)
}
