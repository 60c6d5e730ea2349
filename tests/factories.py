"""People and climbs for tests: everything goes through the stages' own doors."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from toprope.authorization import api as authorization
from toprope.content import api as content
from toprope.learning import api as learning
from toprope.people import api as people

RIGHT_TEXT = (
    "The assistant wrote the change; I read every line of it and ran the tests that it names. "
    "Not checked: behaviour under load. I answer for it."
)


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


def perfect_response(attempt: learning.Attempt) -> object:
    """The response that scores full marks on a practical."""
    shown = attempt.shown
    if isinstance(shown, content.RedactionVariant):
        return [token for span in shown.spans for token in span.tokens]
    if isinstance(shown, content.FlawHuntVariant):
        return {sample.id: list(sample.flaw_lines) for sample in shown.samples}
    return RIGHT_TEXT


def do_step(person: people.Person, step: str, now: datetime, *, mentor: people.Person | None = None) -> None:
    """Do one step of a checklist, well."""
    if step == "policy":
        learning.accept_policy(person.uuid, content.current_policy().version, now)
        return
    attempt = learning.start_step(person.uuid, step, now)
    told = learning.get_attempt(person.uuid, attempt)
    if told.kind is learning.AttemptKind.SITTING:
        sit(person.uuid, attempt, now)
        return
    learning.submit_practical(person.uuid, attempt, perfect_response(told), now)
    if told.kind is learning.AttemptKind.EXPLAIN_BACK and mentor is not None:
        learning.rate_submission(attempt, by=mentor, score=3, note="Clear.", now=now)


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
