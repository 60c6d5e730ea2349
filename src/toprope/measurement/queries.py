"""Reads of the measurement stage."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from toprope.competency.api import current_framework, get_framework
from toprope.content.api import Item
from toprope.evidence.api import list_statements
from toprope.evidence.statement import Statement
from toprope.measurement.logic import (
    FOLLOWED,
    Ability,
    AbilityStep,
    Basis,
    Followed,
    Judgement,
    Question,
    choose,
    follow,
    judge,
    list_steps,
    population_of,
    read_abilities,
    start_following,
    unpack_followed,
)
from toprope.measurement.models import PersonAbility


def current_basis() -> Basis:
    """What estimates rest on now."""
    framework = current_framework()
    return _basis(framework.reference, framework.digest)


@lru_cache(maxsize=8)
def _basis(reference: str, digest: str) -> Basis:
    return Basis(f"{reference} {digest[:16]}", population_of(get_framework(reference)))


def list_abilities(person: UUID, at: datetime) -> dict[str, Ability]:
    """A person's abilities at a time, by competency; those without a score of their own are absent."""
    return list_abilities_of([person], at).get(person, {})


def list_abilities_of(persons: Collection[UUID], at: datetime) -> dict[UUID, dict[str, Ability]]:
    """The abilities of several persons at a time, in one query."""
    basis = current_basis()
    rows = PersonAbility.objects.filter(person__in=persons, basis=basis.key, state__isnull=False)
    return {
        row.person: read_abilities(basis, unpack_followed(bytes(row.state), row.responses), at)
        for row in rows
        if row.state is not None
    }


def explain_ability(person: UUID, competency: str) -> list[AbilityStep]:
    """Every score behind an estimate, and how each moved it."""
    statements = [recorded.statement for recorded in list_statements(actor=person, verbs=FOLLOWED)]
    return list_steps(current_basis(), competency, statements)


def judge_level(
    person: UUID,
    competency: str,
    level: int,
    *,
    including: Sequence[Statement],
    answered: int,
    nothing_left: bool,
    now: datetime,
) -> Judgement:
    """What a sitting on a level has come to, with statements that are about to be recorded."""
    framework = current_framework()
    currency = framework.currency[framework.competencies[competency].currency]
    return judge(
        current_basis(),
        _look_ahead(person, including, now),
        competency,
        level,
        answered=answered,
        nothing_left=nothing_left,
        shortest_days=currency.grace_days,
        longest_days=currency.refresh_days + currency.grace_days,
        now=now,
    )


def choose_question(
    person: UUID,
    competency: str,
    level: int,
    candidates: Sequence[Item],
    *,
    including: Sequence[Statement] = (),
    seed: UUID,
    now: datetime,
) -> Question:
    """The next question of a sitting, with statements that are about to be recorded."""
    followed = _look_ahead(person, including, now)
    return choose(current_basis(), followed, competency, level, candidates, seed=seed, now=now)


def _look_ahead(person: UUID, including: Sequence[Statement], now: datetime) -> Followed:
    """What will be believed of a person once `including` is on record."""
    basis = current_basis()
    row = PersonAbility.objects.filter(person=person, basis=basis.key).first()
    after = row.seq if row else 0
    known = unpack_followed(bytes(row.state), row.responses) if row and row.state is not None else None
    news = [each.statement for each in list_statements(actor=person, verbs=FOLLOWED, after_seq=after)]
    return follow(basis, known, [*news, *including]) or start_following(basis, now)
