"""What the REST API says: its documents, and how they are filled from the stages' values. Pure."""

from datetime import datetime
from uuid import UUID

from ninja import Schema
from pydantic import JsonValue

from toprope.authorization.api import RungStanding, Standing
from toprope.competency.api import Competency, Rung
from toprope.evidence.api import Recorded
from toprope.learning.api import Attempt, Feedback, NextStep
from toprope.measurement.api import Ability
from toprope.people.api import Person
from toprope.progression.api import LevelHeld, Requirement
from toprope.web.words import Line


class PersonOut(Schema):
    uuid: UUID
    key: str
    name: str
    role: str


class StepOut(Schema):
    title: str
    why: str
    step: str
    minutes: int
    not_before: datetime | None


class RungBrief(Schema):
    key: str
    name: str
    capability: str
    state: str


class Me(Schema):
    person: PersonOut
    rung: RungBrief | None
    next_rung: RungBrief | None
    next_step: StepOut | None


class GrantOut(Schema):
    supervision: str
    tiers: list[str]
    data: list[str]
    issued_at: datetime
    expires_at: datetime | None
    unused_at: datetime
    provisional: bool
    suspended_because: str
    suspended_by: str


class RequirementOut(Schema):
    kind: str
    title: str
    status: str
    detail: str
    step: str
    not_before: datetime | None
    evidence: list[UUID]
    parts: list["RequirementOut"]


class RungStatus(Schema):
    rung: RungBrief
    grant: GrantOut | None
    done: bool
    requirements: list[RequirementOut]


class Level(Schema):
    competency: str
    level: int
    awarded_at: datetime
    refresh_by: datetime
    lapses_at: datetime
    current: bool
    provisional: bool
    framework: str
    evidence: list[UUID]


class AbilityOut(Schema):
    competency: str
    value: float
    standard_error: float
    low: float
    high: float
    responses: int


class EvidenceOut(Schema):
    id: UUID
    seq: int
    text: str
    verb: str
    object_type: str
    object_key: str
    timestamp: datetime
    authority: str
    score: float | None
    success: bool | None


class EvidencePage(Schema):
    items: list[EvidenceOut]
    next: int | None


class RungOut(Schema):
    key: str
    name: str
    capability: str
    after: list[str]
    specification: str
    competencies: dict[str, int]
    limits: dict[str, JsonValue]
    unused_days: int


class IndicatorsOut(Schema):
    level: int
    does: list[str]


class CompetencyOut(Schema):
    key: str
    name: str
    domain: str
    definition: str
    levels: list[IndicatorsOut]


class OptionOut(Schema):
    id: str
    text: str


class QuestionOut(Schema):
    """A question as a learner sees it: nothing in here tells the answer."""

    item: str
    stem: str
    code: str
    options: list[OptionOut]
    answered: bool


class AttemptOut(Schema):
    id: UUID
    kind: str
    title: str
    finished: bool
    most_questions: int
    questions: list[QuestionOut]


class FeedbackOut(Schema):
    success: bool
    chosen: str
    right: str
    misconception: str
    rationale: str
    located: bool | None
    flaw_lines: list[int]


def me(person: Person, standing: Standing, step: NextStep | None) -> Me:
    return Me(
        person=PersonOut(uuid=person.uuid, key=person.key, name=person.name, role=person.role),
        rung=_brief(standing.highest) if standing.highest else None,
        next_rung=_brief(standing.next) if standing.next else None,
        next_step=StepOut(
            title=step.title, why=step.why, step=step.step, minutes=step.minutes, not_before=step.not_before
        )
        if step
        else None,
    )


def rung_status(standing: RungStanding) -> RungStatus:
    grant = standing.grant
    return RungStatus(
        rung=_brief(standing),
        grant=GrantOut(
            supervision=standing.supervision,
            tiers=list(grant.tiers),
            data=list(grant.data),
            issued_at=grant.issued_at,
            expires_at=grant.expires_at,
            unused_at=grant.unused_at,
            provisional=grant.provisional,
            suspended_because=grant.suspension.reason if grant.suspension else "",
            suspended_by=standing.suspended_by,
        )
        if grant
        else None,
        done=standing.checklist.done,
        requirements=[_requirement(each) for each in standing.checklist.requirements],
    )


def level(held: LevelHeld, moment: datetime) -> Level:
    return Level(
        competency=held.competency,
        level=held.level,
        awarded_at=held.awarded_at,
        refresh_by=held.refresh_by,
        lapses_at=held.lapses_at,
        current=held.current(moment),
        provisional=held.provisional,
        framework=held.framework,
        evidence=list(held.evidence),
    )


def ability(estimate: Ability) -> AbilityOut:
    low, high = estimate.interval
    return AbilityOut(
        competency=estimate.competency,
        value=estimate.value,
        standard_error=estimate.standard_error,
        low=low,
        high=high,
        responses=estimate.responses,
    )


def evidence(recorded: Recorded, line: Line) -> EvidenceOut:
    statement = recorded.statement
    result = statement.result
    return EvidenceOut(
        id=statement.id,
        seq=recorded.seq,
        text=line.text,
        verb=statement.verb.value,
        object_type=statement.object.type.value,
        object_key=statement.object.key,
        timestamp=statement.timestamp,
        authority=statement.authority,
        score=result.score if result else None,
        success=result.success if result else None,
    )


def rung(each: Rung) -> RungOut:
    return RungOut(
        key=each.key,
        name=each.name,
        capability=each.capability,
        after=list(each.after),
        specification=each.specification,
        competencies=dict(each.competencies),
        limits=dict(each.limits),
        unused_days=each.unused_days,
    )


def competency(each: Competency) -> CompetencyOut:
    return CompetencyOut(
        key=each.key,
        name=each.name,
        domain=each.domain,
        definition=each.definition,
        levels=[IndicatorsOut(level=at.level, does=list(at.does)) for at in each.levels],
    )


def attempt(told: Attempt) -> AttemptOut:
    return AttemptOut(
        id=told.id,
        kind=told.kind.value,
        title=told.title,
        finished=told.finished,
        most_questions=told.plan.limit or len(told.questions),
        questions=[
            QuestionOut(
                item=each.item.key,
                stem=each.item.stem,
                code=each.item.code,
                options=[OptionOut(id=option.id, text=option.text) for option in each.item.options],
                answered=each.answer is not None,
            )
            for each in told.questions
        ],
    )


def feedback(told: Feedback) -> FeedbackOut:
    return FeedbackOut(
        success=told.success,
        chosen=told.chosen,
        right=told.right,
        misconception=told.misconception,
        rationale=told.rationale,
        located=told.located,
        flaw_lines=list(told.flaw_lines),
    )


def _brief(standing: RungStanding) -> RungBrief:
    each = standing.rung
    return RungBrief(key=each.key, name=each.name, capability=each.capability, state=standing.state)


def _requirement(each: Requirement) -> RequirementOut:
    return RequirementOut(
        kind=each.kind,
        title=each.title,
        status=each.status.value,
        detail=each.detail,
        step=each.step,
        not_before=each.not_before,
        evidence=list(each.evidence),
        parts=[_requirement(part) for part in each.parts],
    )
