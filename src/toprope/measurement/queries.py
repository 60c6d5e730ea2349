"""Reads of the measurement stage."""

from collections.abc import Collection
from uuid import UUID

from toprope.evidence.api import list_statements
from toprope.evidence.statement import Verb
from toprope.measurement.logic import Ability, AbilityStep, explain_answers
from toprope.measurement.models import AbilityEstimate


def list_abilities(person: UUID) -> dict[str, Ability]:
    """A person's abilities by competency; competencies without an answer are absent."""
    return list_abilities_of([person]).get(person, {})


def list_abilities_of(persons: Collection[UUID]) -> dict[UUID, dict[str, Ability]]:
    """The abilities of several persons, in one query."""
    found: dict[UUID, dict[str, Ability]] = {}
    rows = AbilityEstimate.objects.filter(person__in=persons).order_by("person", "competency")
    for row in rows:
        found.setdefault(row.person, {})[row.competency] = Ability(
            row.competency, row.value, row.standard_error, row.responses
        )
    return found


def explain_ability(person: UUID, competency: str) -> list[AbilityStep]:
    """Every answer behind an estimate, and how each moved it."""
    answers = [recorded.statement for recorded in list_statements(actor=person, verbs={Verb.ANSWERED})]
    return explain_answers(competency, answers)
