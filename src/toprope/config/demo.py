"""The demo organisation: Brightwater, three departments, forty people, and what they did in the last weeks.

All of it goes through the stages' own doors, with times in the past. Nobody is real; nothing here pretends
to come from a model. Everything is drawn from one seed, so that every demo looks the same.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from toprope.authorization import api as authorization
from toprope.content import api as content
from toprope.learning import api as learning
from toprope.people import api as people

ORGANISATION = "Brightwater"
DOMAIN = "brightwater.example"
PASSWORD = "climb-with-care"  # noqa: S105 - of three made-up persons, in demos only
WITH_PASSWORD = ("amara-lindqvist", "ben-okafor", "gita-sharma")
_SEED = 20
_EXPLANATION = (
    "The change does what the ticket asks, in one place, and leaves the rest alone. The assistant wrote "
    "it after my request; I read it line by line and changed one name. I ran the tests of this module; I "
    "did not check it under load, and I did not make the check that the summary claims. I answer for it."
)


@dataclass(frozen=True, slots=True)
class Team:
    """A team of the demo: its mentor first, then the others, as (name, role)."""

    key: str
    name: str
    department: str
    members: tuple[tuple[str, str], ...]


DEPARTMENTS = {
    "payments": "Payments",
    "platform": "Platform",
    "insights": "Customer insights",
}

TEAMS = (
    Team(
        "ledger",
        "Ledger",
        "payments",
        (
            ("Ben Okafor", "senior_engineer"),
            ("Amara Lindqvist", "junior_engineer"),
            ("Tomas Herrera", "software_engineer"),
            ("Yuki Tanabe", "software_engineer"),
            ("Priya Raman", "qa_engineer"),
            ("Jonas Weber", "tech_lead"),
            ("Ella Brandt", "engineering_manager"),
        ),
    ),
    Team(
        "checkout",
        "Checkout",
        "payments",
        (
            ("Leila Haddad", "tech_lead"),
            ("Sam Whitaker", "junior_engineer"),
            ("Mei Chen", "software_engineer"),
            ("Oskar Nilsen", "software_engineer"),
            ("Fatima Zahra", "qa_engineer"),
            ("Diego Fuentes", "senior_engineer"),
            ("Ines Rocha", "product_analyst"),
        ),
    ),
    Team(
        "runtime",
        "Runtime",
        "platform",
        (
            ("Kofi Mensah", "senior_engineer"),
            ("Hanna Virtanen", "sre_platform_engineer"),
            ("Arjun Patel", "sre_platform_engineer"),
            ("Lucie Moreau", "software_engineer"),
            ("Piotr Zielinski", "junior_engineer"),
            ("Nadia Petrova", "engineering_manager"),
        ),
    ),
    Team(
        "security",
        "Security",
        "platform",
        (
            ("Ruth Adeyemi", "security_engineer"),
            ("Marco Bianchi", "security_engineer"),
            ("Sofie Jensen", "security_engineer"),
            ("Gita Sharma", "tech_lead"),
            ("Owen Price", "software_engineer"),
            ("Chloe Martin", "sre_platform_engineer"),
        ),
    ),
    Team(
        "models",
        "Models",
        "insights",
        (
            ("Elif Demir", "senior_engineer"),
            ("Ravi Nair", "data_ml_engineer"),
            ("Anna Kowalska", "data_ml_engineer"),
            ("Viktor Horvath", "data_ml_engineer"),
            ("Zanele Dube", "junior_engineer"),
            ("Theo Laurent", "software_engineer"),
            ("Ingrid Solberg", "engineering_manager"),
        ),
    ),
    Team(
        "reporting",
        "Reporting",
        "insights",
        (
            ("Caleb Stone", "tech_lead"),
            ("Mina Park", "product_analyst"),
            ("Hugo Almeida", "product_analyst"),
            ("Sara Lindholm", "software_engineer"),
            ("Kwame Boateng", "junior_engineer"),
            ("Nora Fitzgerald", "qa_engineer"),
            ("Ali Rezaei", "data_ml_engineer"),
        ),
    ),
)

GOVERNANCE, OPERATOR = "gita-sharma", "hanna-virtanen"

PROGRESS = {
    # how many of their next steps each has taken, and how often they answer right
    "ben-okafor": (30, 1.0),
    "leila-haddad": (30, 1.0),
    "kofi-mensah": (30, 1.0),
    "ruth-adeyemi": (30, 1.0),
    "elif-demir": (30, 0.95),
    "tomas-herrera": (8, 1.0),
    "yuki-tanabe": (6, 0.9),
    "priya-raman": (5, 0.8),
    "mei-chen": (30, 1.0),
    "sam-whitaker": (4, 0.6),
    "fatima-zahra": (3, 0.9),
    "arjun-patel": (7, 1.0),
    "lucie-moreau": (2, 0.5),
    "marco-bianchi": (9, 1.0),
    "sofie-jensen": (4, 1.0),
    "ravi-nair": (5, 0.7),
    "anna-kowalska": (3, 0.9),
    "mina-park": (1, 1.0),
    "sara-lindholm": (6, 0.85),
    "caleb-stone": (30, 0.95),
    "gita-sharma": (2, 1.0),
}


def create_demo(now: datetime, progress: Callable[[int, int], None]) -> None:
    """Set up the demo organisation and its history; `progress` is told how many persons of how many are done.

    Raises `people.PeopleError` where there is an organisation already.
    """
    chance = random.Random(_SEED)  # noqa: S311 - a story, not a secret
    people.create_organisation(ORGANISATION, demo=True, now=now)
    authorization.admit_tool("echo", "R4", by=None, now=now)
    everybody = _create_people(now)
    mentors = {team.key: everybody[_key(team.members[0][0])] for team in TEAMS}
    for done, (key, (steps, share_right)) in enumerate(PROGRESS.items(), start=1):
        person = everybody[key]
        mentor = mentors[person.team.key]
        rater = mentor if mentor != person else everybody[GOVERNANCE]
        start = now - timedelta(days=chance.randint(5, 40), minutes=chance.randint(0, 500))
        _live(person, steps, share_right, between=(start, now), rater=rater, chance=chance)
        progress(done, len(PROGRESS))


def _create_people(now: datetime) -> dict[str, people.Person]:
    found: dict[str, people.Person] = {}
    departments = {key: people.create_department(key, name, now=now) for key, name in DEPARTMENTS.items()}
    for plan in TEAMS:
        team = people.create_team(plan.key, plan.name, department=departments[plan.department], now=now)
        for name, role in plan.members:
            key = _key(name)
            found[key] = people.create_person(
                key, email=f"{key}@{DOMAIN}", name=name, role=role, team=team, demo=True, now=now
            )
            if role == "engineering_manager":
                people.give_duty(found[key], people.DutyKind.MANAGER, team=team, now=now)
        people.give_duty(found[_key(plan.members[0][0])], people.DutyKind.MENTOR, team=team, now=now)
    for key in WITH_PASSWORD:
        people.set_password(found[key], PASSWORD, now=now)
    people.give_duty(found[GOVERNANCE], people.DutyKind.GOVERNANCE, now=now)
    people.give_duty(found[OPERATOR], people.DutyKind.OPERATOR, now=now)
    return found


def _key(name: str) -> str:
    return name.lower().replace(" ", "-")


def _live(
    person: people.Person,
    steps: int,
    share_right: float,
    *,
    between: tuple[datetime, datetime],
    rater: people.Person,
    chance: random.Random,
) -> None:
    """Let a person take so many next steps, one after the other, until the way or the time ends."""
    moment, end = between
    for _ in range(steps):
        standing = authorization.get_standing(person.uuid, moment)
        step = learning.get_next_step(standing, moment)
        if step is None or moment >= end:
            return
        if not step.step:
            if step.not_before is None:
                return
            moment = step.not_before + timedelta(minutes=chance.randint(5, 200))
            continue
        take_step(person, step.step, moment, share_right=share_right, chance=chance, rater=rater)
        moment += timedelta(minutes=chance.randint(6, 90))


def take_step(
    person: people.Person,
    step: str,
    now: datetime,
    *,
    share_right: float,
    chance: random.Random,
    rater: people.Person | None,
) -> None:
    """Take one step of a checklist as a person would who gets this share of things right.

    Work that a person has to rate is rated by `rater`, and waits where that is None.
    """
    if step == "policy":
        learning.accept_policy(person.uuid, content.current_policy().version, now)
        return
    attempt = learning.get_attempt(person.uuid, learning.start_step(person.uuid, step, now))
    if attempt.kind is learning.AttemptKind.SITTING:
        _sit(person, attempt, now, share_right, chance)
        return
    response = _respond(attempt, share_right, chance)
    learning.submit_practical(person.uuid, attempt.id, response, now)
    if attempt.kind is learning.AttemptKind.EXPLAIN_BACK and rater is not None:
        score = 3 if chance.random() < share_right else 2
        learning.rate_submission(attempt.id, by=rater, score=score, note="", now=now + timedelta(minutes=5))


def _sit(
    person: people.Person,
    attempt: learning.Attempt,
    now: datetime,
    share_right: float,
    chance: random.Random,
) -> None:
    for number, question in enumerate(attempt.questions):
        item = question.item
        wrong = [option.id for option in item.options if option.id != item.answer]
        choice = item.answer if chance.random() < share_right else chance.choice(wrong)
        learning.answer_item(
            person.uuid,
            attempt.id,
            item.key,
            choice=choice,
            lines=item.flaw_lines,
            seconds=chance.randint(15, 90),
            now=now + timedelta(seconds=40 * number),
        )


def _respond(attempt: learning.Attempt, share_right: float, chance: random.Random) -> object:
    """A response to a practical: everything found, but for the share that is missed."""
    shown = attempt.shown
    if isinstance(shown, content.RedactionVariant):
        found = [span for span in shown.spans if chance.random() < share_right]
        return [token for span in found for token in span.tokens]
    if isinstance(shown, content.FlawHuntVariant):
        return {
            sample.id: list(sample.flaw_lines) if chance.random() < share_right else []
            for sample in shown.samples
        }
    return _EXPLANATION
