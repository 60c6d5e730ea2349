"""A small world with something on every page, and the table of all pages over it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from tests.factories import Cast, climb, do_step, make_cast, make_person

from toprope.authorization import api as authorization
from toprope.evidence import api as evidence
from toprope.learning import api as learning
from toprope.people import api as people

EXPLANATION = "It sends one mail where it sent two. The assistant wrote it; I read it and ran the tests once."


@dataclass
class World:
    """`amara` holds R1; `cleo` is in the middle of everything; `otto` and his mentor `mara` are strangers."""

    now: datetime
    cast: Cast
    cleo: people.Person
    otto: people.Person
    mara: people.Person
    key: authorization.NewKey
    statement: UUID
    attempts: dict[str, UUID] = field(default_factory=dict)

    def person(self, name: str) -> people.Person:
        return getattr(self, name, None) or getattr(self.cast, name)


def build_world(now: datetime) -> World:
    cast = make_cast(now)
    after = climb(cast.amara, "R1", now, mentor=cast.ben)
    other = people.create_team("search", "Search", department=cast.team.department, now=now)
    otto, mara = make_person("Otto", other, now), make_person("Mara", other, now)
    people.give_duty(mara, people.DutyKind.MENTOR, team=other, now=now)
    do_step(otto, "policy", now)
    authorization.admit_tool("echo", "R4", by=cast.gita, now=now)
    authorization.set_repository("payments/ledger", "R3", "T2", by=cast.gita, now=now)
    authorization.place_hold("R7", by=cast.gita, reason="Connectors are being looked at.", now=now)
    world = World(
        now=after,
        cast=cast,
        cleo=make_person("Cleo", cast.team, now),
        otto=otto,
        mara=mara,
        key=authorization.issue_key(cast.amara, "laptop", now),
        statement=evidence.list_newest(actor=cast.amara.uuid, limit=1)[0].statement.id,
    )
    _begin_everything(world)
    return world


def _begin_everything(world: World) -> None:
    """Cleo has one attempt of each kind open, one of each finished, and an explanation that waits."""
    person, now = world.cleo.uuid, world.now
    do_step(world.cleo, "policy", now)
    for kind, step in {
        "redaction": "practical:redaction-drill",
        "flaw_hunt": flaw_hunt_step(person, now),
        "explain_back": explain_back_step(person, now),
        "sitting": "sitting:FND-01:1",
    }.items():
        world.attempts[kind] = learning.start_step(person, step, now)
    answer(person, world.attempts["sitting"], now, right=False)
    amara = world.cast.amara.uuid
    for recorded in evidence.list_newest(actor=amara, verbs={evidence_verb("started")}, limit=50):
        attempt = learning.get_attempt(amara, recorded.statement.id)
        world.attempts[f"{attempt.kind}_result"] = attempt.id
    submitter = make_person("Dana", world.cast.team, now)
    do_step(submitter, "policy", now)
    waiting = learning.start_step(submitter.uuid, explain_back_step(submitter.uuid, now), now)
    learning.submit_practical(submitter.uuid, waiting, EXPLANATION, now)
    world.attempts["waiting"] = waiting


def evidence_verb(word: str):
    from toprope.evidence.statement import Verb

    return Verb(word)


def flaw_hunt_step(person: UUID, now: datetime) -> str:
    return _step_of_kind(person, "flaw_hunt", now)


def explain_back_step(person: UUID, now: datetime) -> str:
    return _step_of_kind(person, "explain_back", now)


def _step_of_kind(person: UUID, kind: str, now: datetime) -> str:
    from toprope.content.api import get_practical

    checklist = authorization.get_standing(person, now).rung("R1").checklist
    for requirement in checklist.open_steps():
        head, _, key = requirement.step.partition(":")
        if head == "practical" and get_practical(key).kind == kind:
            return requirement.step
    raise AssertionError(f"nothing of kind {kind} to start")


def answer(person: UUID, attempt: UUID, now: datetime, *, right: bool) -> None:
    """Answer the first open question of a sitting."""
    question = next(each for each in learning.get_attempt(person, attempt).questions if each.answer is None)
    item = question.item
    wrong = next(option.id for option in item.options if option.id != item.answer)
    choice = item.answer if right else wrong
    learning.answer_item(person, attempt, item.key, choice=choice, lines=(), seconds=9, now=now)


@contextmanager
def rolled_back() -> Iterator[None]:
    """Whatever happens in here leaves no trace in the database."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


def pages(world: World) -> dict[str, tuple[str, str]]:
    """Every page that can be looked at: what it is, who sees it, and where."""
    amara, dana = world.cast.amara.uuid, world.attempts["waiting"]
    attempts = {
        f"attempt, {kind}": ("amara" if kind.endswith("_result") else "cleo", f"/practice/{uuid}/")
        for kind, uuid in world.attempts.items()
        if kind != "waiting"
    }
    return {
        "sign-in": ("", "/sign-in/"),
        "personas": ("", "/personas/"),
        "home": ("amara", "/"),
        "home, in the middle": ("cleo", "/"),
        "home, at the start": ("ben", "/"),
        "policy": ("ben", "/policy/"),
        "policy, accepted": ("amara", "/policy/"),
        "ladder": ("amara", "/ladder/"),
        "rung, open": ("amara", "/ladder/R1/"),
        "rung, closed": ("amara", "/ladder/R2/"),
        "rung, on hold": ("amara", "/ladder/R7/"),
        "competencies": ("amara", "/competencies/"),
        "competency": ("amara", "/competencies/SEC-01/"),
        "estimate": ("amara", "/competencies/SEC-01/estimate/"),
        "estimate, none yet": ("ben", "/competencies/SEC-01/estimate/"),
        **attempts,
        "attempt, feedback": ("cleo", f"/practice/{world.attempts['sitting']}/?answered={answered(world)}"),
        "evidence": ("amara", "/evidence/"),
        "evidence, none yet": ("ben", "/evidence/"),
        "statement": ("amara", f"/evidence/{world.statement}/"),
        "keys": ("amara", "/keys/"),
        "people": ("ben", "/people/"),
        "person": ("ben", f"/people/{amara}/"),
        "person, in the middle": ("ben", f"/people/{world.cleo.uuid}/"),
        "evidence of a person": ("ben", f"/people/{amara}/evidence/"),
        "ratings": ("ben", "/ratings/"),
        "ratings, none": ("mara", "/ratings/"),
        "rating": ("ben", f"/ratings/{dana}/"),
        "note": ("ben", f"/people/{amara}/note/"),
        "practical, to choose": ("ben", f"/people/{amara}/assess/"),
        "practical": ("ben", f"/people/{amara}/assess/?rubric=RB-2&level=3&competency=AGT-01"),
        "ceilings": ("gita", "/ceilings/"),
        "boards": ("gita", "/boards/"),
        "measurement": ("gita", "/measurement/"),
        "record": ("gita", "/record/"),
    }


def answered(world: World) -> int:
    """The number of the question in the open sitting that has an answer."""
    told = learning.get_attempt(world.cleo.uuid, world.attempts["sitting"])
    return next(number for number, each in enumerate(told.questions, 1) if each.answer)
