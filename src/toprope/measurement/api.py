"""The measurement stage: from statements to estimates of ability."""

from toprope.measurement.actions import rebuild, refresh_person
from toprope.measurement.logic import Ability, AbilityStep, level_cut
from toprope.measurement.models import AbilityEstimate, MeasuredUpTo
from toprope.measurement.queries import explain_ability, list_abilities, list_abilities_of

DERIVED_MODELS = (AbilityEstimate, MeasuredUpTo)
"""What `rebuild` drops and rebuilds."""

__all__ = [
    "DERIVED_MODELS",
    "Ability",
    "AbilityStep",
    "explain_ability",
    "level_cut",
    "list_abilities",
    "list_abilities_of",
    "rebuild",
    "refresh_person",
]
