"""People and climbs for tests: everything goes through the stages' own doors."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from toprope.authorization import api as authorization
from toprope.config.demo import take_step
from toprope.content import api as content
from toprope.learning import api as learning
from toprope.people import api as people


@dataclass
class Cast:
    """One team: `amara` learns, `ben` is her mentor, `gita` leads governance."""

    amara: people.Person
    ben: people.Person
    gita: people.Person
    team: people.Team


def make_cast(now: datetime) -> Cast:
    """The built-in pack, an organisation, and its three persons."""
    content.load_builtin_pack(now)
    authorization.publish_installation()
    people.create_organisation("Acme", now=now)
    department = people.create_department("engineering", "Engineering", now=now)
    team = people.create_team("payments", "Payments", department=department, now=now)
    cast = Cast(*(make_person(name, team, now) for name in ("Amara", "Ben", "Gita")), team)
    people.give_duty(cast.ben, people.DutyKind.MENTOR, team=team, now=now)
    people.give_duty(cast.gita, people.DutyKind.GOVERNANCE, now=now)
    return cast


def make_person(name: str, team: people.Team, now: datetime) -> people.Person:
    key = name.lower()
    return people.create_person(
        key, email=f"{key}@acme.example", name=name, role="junior_engineer", team=team, now=now
    )


def sit(person: UUID, attempt: UUID, now: datetime, *, right: bool = True) -> None:
    """Answer every question of a sitting, all right or all wrong."""
    for question in learning.get_attempt(person, attempt).questions:
        item = question.item
        wrong = next(option.id for option in item.options if option.id != item.answer)
        choice = item.answer if right else wrong
        learning.answer_item(
            person, attempt, item.key, choice=choice, lines=item.flaw_lines, seconds=20, now=now
        )


def do_step(person: people.Person, step: str, now: datetime, *, mentor: people.Person | None = None) -> None:
    """Do one step of a checklist, all of it right; `mentor` rates what a person has to rate."""
    take_step(person, step, now, share_right=1.0, chance=random.Random(1), rater=mentor)


def climb(person: people.Person, rung: str, now: datetime, *, mentor: people.Person) -> datetime:
    """Take every next step, a minute apart, until `rung` is open. Gives the time it was reached."""
    for _ in range(30):
        standing = authorization.get_standing(person.uuid, now)
        if standing.rung(rung).state == "open":
            return now
        step = learning.get_next_step(standing, now)
        assert step is not None, f"no way to {rung}"
        assert step.step, f"the way to {rung} ends at: {step}"
        do_step(person, step.step, now, mentor=mentor)
        now += timedelta(minutes=1)
    raise AssertionError(f"{rung} did not open in 30 steps")
