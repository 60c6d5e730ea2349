"""Statements in plain words, for people who were there and people who were not. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from toprope.authorization.api import GrantFact, GrantState
from toprope.competency.api import Framework
from toprope.evidence.api import Recorded
from toprope.evidence.statement import GATEWAY, TOPROPE, ObjectType, Statement, Verb


@dataclass(frozen=True, slots=True)
class Line:
    """One statement as a line of a list: what happened, how it went, when."""

    id: UUID
    seq: int
    text: str
    outcome: str  # "" where it has none
    good: bool | None
    at: datetime


def tell(recorded: Recorded, framework: Framework) -> Line:
    """A statement as a line."""
    statement = recorded.statement
    outcome, good = _outcome(statement)
    return Line(
        statement.id, recorded.seq, _sentence(statement, framework), outcome, good, statement.timestamp
    )


def role_name(framework: Framework, key: str) -> str:
    """A job role as the framework names it."""
    role = framework.roles.get(key)
    return role.name if role else key.replace("_", " ").capitalize()


def highest_open(framework: Framework, grants: Iterable[GrantFact], moment: datetime) -> str:
    """The key of the highest rung that is open at `moment`; empty where none is."""
    opened = {grant.rung for grant in grants if grant.state(moment) is GrantState.OPEN}
    return next((key for key in reversed(list(framework.rungs)) if key in opened), "")


def voucher(statement: Statement, names: dict[UUID, str]) -> str:
    """Who vouches for a statement, in words. `names` gives the names of persons by uuid."""
    if statement.authority == TOPROPE:
        return "Toprope: scored by rule or by running it, no person in between"
    if statement.authority == GATEWAY:
        return "The gateway, which saw the call"
    try:
        return names.get(UUID(statement.authority), "A person who has left")
    except ValueError:
        return statement.authority


def _sentence(statement: Statement, framework: Framework) -> str:
    return f"{_ACTS.get(statement.verb, statement.verb.value.capitalize())} {_object(statement, framework)}"


_ACTS = {
    Verb.ACCEPTED: "Accepted",
    Verb.STARTED: "Started",
    Verb.ANSWERED: "Answered",
    Verb.COMPLETED: "Completed",
    Verb.SUBMITTED: "Handed in",
    Verb.WAS_RATED: "Was rated on",
    Verb.WAS_OBSERVED: "Was observed at work on",
    Verb.CREATED: "Made something that is in use:",
    Verb.COACHED: "Brought somebody up:",
    Verb.WAS_APPROVED: "Was approved for",
    Verb.WAS_DECLINED: "Was declined for",
    Verb.WAS_MOVED_UP: "Was moved up on",
    Verb.WAS_STEPPED_DOWN: "Was stepped down on",
    Verb.WAS_CONFIRMED: "Was confirmed on",
    Verb.WAS_LET_IN: "Was let in for an incident on",
    Verb.WAS_REVIEWED: "Was looked at afterwards:",
    Verb.WAS_SUSPENDED: "Was suspended from",
    Verb.WAS_REINSTATED: "Was reinstated on",
    Verb.USED: "Used",
    Verb.VOIDED: "A mistake was taken back:",
}


def _object(statement: Statement, framework: Framework) -> str:
    subject = statement.object
    where = _competency(statement, framework)
    if subject.type is ObjectType.SITTING:
        return _sitting(statement, where)
    if subject.type is ObjectType.PRACTICAL:
        return _practical(statement, framework, where)
    plain = subject.key.replace("_", " ")
    rung, rubric = framework.rungs.get(subject.key), framework.rubrics.get(subject.key)
    return {
        ObjectType.POLICY: f"the policy, version {subject.version}",
        ObjectType.ITEM: f"a question on {where}" if where else f"question {plain}",
        ObjectType.RUNG: f"{rung.key} {rung.name}" if rung else f"rung {plain}",
        ObjectType.RUBRIC: f"the practical “{rubric['name'] if rubric else plain}”",
        ObjectType.ARTEFACT: f"“{plain}”",
        ObjectType.PERSON: f"in {where}" if where else "a colleague",
    }.get(subject.type, f"an earlier statement, {plain}")


def _sitting(statement: Statement, where: str) -> str:
    rung = statement.context.rung
    if rung:
        return f"the mixed questions for {rung}"
    return f"the questions on {where}" if where else f"sitting {statement.object.key}"


def _practical(statement: Statement, framework: Framework, where: str) -> str:
    kind = framework.evidence_kinds.get(statement.context.kind, "practical")
    name = statement.object.key.removeprefix("practical:").replace("-", " ").replace("_", " ")
    return f"the {kind[0].lower()}{kind[1:]} on {where}" if where else f"the {kind.lower()} “{name}”"


def _competency(statement: Statement, framework: Framework) -> str:
    key, level = statement.context.competency, statement.context.level
    if not key:
        return ""
    known = framework.competencies.get(key)
    name = known.name.lower() if known else key
    return f"{name}, level {level}" if level else name


def _outcome(statement: Statement) -> tuple[str, bool | None]:
    result = statement.result
    if result is None:
        return "", None
    if statement.verb is Verb.ANSWERED:
        return ("Right", True) if result.success else ("Not right", False)
    if statement.verb in {Verb.COMPLETED, Verb.WAS_RATED} and result.score is not None:
        return f"{result.score:.0%}", result.success
    return "", None
