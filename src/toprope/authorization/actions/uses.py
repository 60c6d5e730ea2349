"""Counting uses: one row per person, rung, day and condition, from the statements."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date
from uuid import UUID

from toprope.authorization.logic import SINGLE_USES
from toprope.authorization.models import RungUse
from toprope.evidence.api import Recorded, list_statements
from toprope.evidence.statement import Verb
from toprope.progression.api import UseDay

_Key = tuple[str, date, str]


def count_uses(
    person: UUID, news: Iterable[Recorded], known: Mapping[str, tuple[UseDay, ...]]
) -> dict[str, tuple[UseDay, ...]]:
    """Uses so far and in `news`; counted again from the start where something was voided."""
    news = list(news)
    if any(each.statement.verb is Verb.VOIDED for each in news):
        news, known = list_statements(actor=person, verbs={Verb.USED}), {}
    return add_uses(known, news)


def add_uses(
    known: Mapping[str, tuple[UseDay, ...]], news: Iterable[Recorded]
) -> dict[str, tuple[UseDay, ...]]:
    """The days of use by rung, with those in `news`; each rung's days in order."""
    days: dict[_Key, UseDay] = {
        (rung, use.day, use.condition): use for rung, uses in known.items() for use in uses
    }
    for recorded in news:
        statement = recorded.statement
        if statement.verb is not Verb.USED:
            continue
        day, condition = statement.timestamp.astimezone(UTC).date(), statement.context.condition
        key = (statement.object.key, day, condition)
        use = days.get(key, UseDay(day, 0, condition))
        single = len(use.times) < SINGLE_USES
        days[key] = UseDay(
            day,
            use.count + 1,
            condition,
            (*use.times, statement.timestamp) if single else use.times,
            (*use.statements, statement.id) if single else use.statements,
        )
    found: dict[str, list[UseDay]] = {}
    for (rung, _, _), use in sorted(days.items(), key=lambda each: each[0]):
        found.setdefault(rung, []).append(use)
    return {rung: tuple(uses) for rung, uses in found.items()}


def use_rows(person: UUID, uses: Mapping[str, tuple[UseDay, ...]]) -> list[RungUse]:
    """The rows of a person's uses."""
    return [
        RungUse(
            person=person,
            rung=rung,
            day=use.day,
            condition=use.condition,
            count=use.count,
            times=list(use.times),
            statements=list(use.statements),
        )
        for rung, days in sorted(uses.items())
        for use in days
    ]
