"""What people say of work they saw: entrustment notes, things in use elsewhere, people brought up."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from toprope.audit.api import record_entry
from toprope.authorization.api import Refused, refresh_person
from toprope.competency.api import current_framework
from toprope.evidence.api import StatementConflict, record_statements
from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.kit.ids import derive_uuid7
from toprope.learning.actions.attempts import lock_learner
from toprope.learning.tags import Tag
from toprope.people.api import DutyKind, Person, Team, duties_of, get_person, may_supervise
from toprope.progression.api import PAIRED, list_levels

KIND = "work_note"
_TEXT_LIMIT = 1_000
_NAME_LIMIT = 120
_COMPETENCIES = 12


def record_note(
    note: UUID,
    person: UUID,
    *,
    rung: str,
    supervision: str,
    tier: str,
    work: str,
    competencies: Mapping[str, int],
    paired: bool,
    by: Person,
    now: datetime,
) -> None:
    """Note after a piece of work which supervision `by` would want for the next one like it.

    `competencies` are those that the work showed, each with the level of the work. A note on work done in a
    pair counts as one paired use of the rung too. `note` makes sending it twice harmless. Raises `Refused`
    where `by` does not look after the person, and for what the framework does not know.
    """
    framework = current_framework()
    if not may_supervise(by, get_person(person)):
        raise Refused("Only the person's mentors and the governance lead write notes, never oneself.")
    here = framework.rungs.get(rung)
    if here is None or tier not in here.limits["tiers"]:
        raise Refused("Choose the kind of work, and the tier of the repository it was in.")
    if supervision not in framework.supervision:
        raise Refused("Choose the supervision that you would want for the next such task.")
    work = work.strip()
    if not work or len(work) > _TEXT_LIMIT:
        raise Refused(f"Say what the work was, in at most {_TEXT_LIMIT:,} characters.")
    unknown = [key for key in competencies if key not in framework.competencies]
    if unknown or len(competencies) > _COMPETENCIES:
        raise Refused(f"Name at most {_COMPETENCIES} competencies of the framework.")
    if any(level not in range(1, len(framework.levels) + 1) for level in competencies.values()):
        raise Refused("Choose the level of the work.")
    if note.version != 7:
        raise Refused("Open the page again; this note has no proper number.")
    statement = Statement(
        id=note,
        actor=person,
        verb=Verb.WAS_OBSERVED,
        object=Object(ObjectType.RUNG, rung),
        timestamp=now,
        authority=str(by.uuid),
        result=Result(
            response=work,
            detail={
                "supervision": supervision,
                "tier": tier,
                "competencies": dict(competencies),
                "paired": paired,
            },
        ),
        context=Context(framework=framework.reference, rung=rung, kind=KIND),
    )
    detail = {"rung": rung, "supervision": supervision, "statement": str(note)}
    more = [_paired_use(statement)] if paired else []
    _record([statement, *more], Tag.NOTE_RECORDED, detail, by=by, now=now)


def record_adoption(
    person: UUID, name: str, *, competency: str, level: int, team: Team, by: Person, now: datetime
) -> None:
    """Vouch that a team took something into use that the person made. Vouched for from outside its maker."""
    framework = current_framework()
    if by.uuid == person or not by.is_active:
        raise Refused("Somebody else vouches for that, never oneself.")
    duties = duties_of(by)
    leads = by.team_id == team.pk and duties & {DutyKind.MENTOR, DutyKind.MANAGER}
    if not (leads or DutyKind.GOVERNANCE in duties):
        raise Refused(
            "A mentor or manager of the team that uses it vouches for that, or the governance lead."
        )
    name = " ".join(name.split())
    if not name or len(name) > _NAME_LIMIT:
        raise Refused(f"Name what is in use, in at most {_NAME_LIMIT} characters.")
    if competency not in framework.competencies or level not in range(1, len(framework.levels) + 1):
        raise Refused("Choose the competency that it shows, and the level.")
    statement = Statement(
        id=derive_uuid7(person, f"adopted:{competency}:{level}:{team.key}:{name.casefold()}"),
        actor=person,
        verb=Verb.CREATED,
        object=Object(ObjectType.ARTEFACT, name.casefold()),
        timestamp=now,
        authority=str(by.uuid),
        result=Result(response=name, detail={"team": team.key}),
        context=Context(framework=framework.reference, competency=competency, level=level, kind="artefact"),
    )
    detail = {"artefact": name, "team": team.key, "competency": competency}
    _record([statement], Tag.ADOPTION_RECORDED, detail, by=by, now=now)


def record_coaching(coach: UUID, person: Person, *, competency: str, by: Person, now: datetime) -> None:
    """Vouch that `coach` brought `person` to a competency, which the person holds by now."""
    framework = current_framework()
    if by.uuid == coach or not may_supervise(by, get_person(coach)):
        raise Refused("A mentor of the one who coached vouches for that, or the governance lead.")
    if person.uuid == coach:
        raise Refused("Nobody coaches themselves.")
    if not any(held.competency == competency for held in list_levels(person.uuid)):
        raise Refused(f"{person.name} holds no level of {competency or 'that competency'} yet.")
    statement = Statement(
        id=derive_uuid7(coach, f"coached:{competency}:{person.uuid}"),
        actor=coach,
        verb=Verb.COACHED,
        object=Object(ObjectType.PERSON, str(person.uuid)),
        timestamp=now,
        authority=str(by.uuid),
        context=Context(framework=framework.reference, competency=competency, kind="coaching"),
    )
    detail = {"person": str(person.uuid), "competency": competency}
    _record([statement], Tag.COACHING_RECORDED, detail, by=by, now=now)


def _paired_use(note: Statement) -> Statement:
    """The use of the rung that a note on paired work tells of."""
    return Statement(
        id=derive_uuid7(note.id, "used"),
        actor=note.actor,
        verb=Verb.USED,
        object=note.object,
        timestamp=note.timestamp,
        authority=note.authority,
        context=Context(framework=note.context.framework, rung=note.object.key, condition=PAIRED),
    )


def _record(
    statements: list[Statement], tag: Tag, detail: Mapping[str, object], *, by: Person, now: datetime
) -> None:
    """Record, with one audit entry, unless it is on record already; then let it take effect."""
    person = statements[0].actor
    with transaction.atomic():
        lock_learner(person)
        try:
            new = any(recorded.new for recorded in record_statements(statements))
        except StatementConflict:
            return  # the first stands; sending it again is harmless
        if new:
            record_entry(tag, actor=by.uuid, subject=str(person), detail=dict(detail), now=now)
    refresh_person(person, now)
