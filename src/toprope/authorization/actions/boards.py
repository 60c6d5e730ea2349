"""What the governance lead records: a panel's decision, a data owner's approval, and emergency grants."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from toprope.audit.api import record_entry
from toprope.authorization.actions.decisions import decide
from toprope.authorization.actions.grants import lock_person, refresh_person
from toprope.authorization.logic import MAX_HOURS, GrantState
from toprope.authorization.models import EmergencyGrant
from toprope.authorization.queries import (
    get_standing,
    list_emergencies,
    other_missing,
    supervisors_of,
)
from toprope.authorization.refusal import Refused
from toprope.authorization.tags import Tag
from toprope.competency.api import Rung, current_framework
from toprope.evidence.api import record_statements
from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.kit.ids import derive_uuid7
from toprope.people.api import DutyKind, Person, duties_of, get_person, manages, may_supervise
from toprope.progression.api import PANEL_MEMBERS, PANEL_SUPERVISORS, Part, parts_of

_TEXT_LIMIT = 500


def record_panel(
    person: UUID, rung: str, members: Sequence[Person], *, by: Person, reason: str, now: datetime
) -> None:
    """Record that a panel decided for a rung, and why.

    Three members, at least two at S5 on the rung, one of another team. While fewer than two people hold S5
    there, the governance lead decides as founding authority, with whoever sat on the panel named.
    """
    _check_governance(by)
    here = _find_rung(rung)
    if Part.PANEL not in _parts(here):
        raise Refused(f"{rung} is not decided by a panel.")
    people = {member.uuid: member for member in members}
    if person in people:
        raise Refused("Nobody sits on the panel that decides on them.")
    with transaction.atomic():
        lock_person(person)
        subject, able = get_person(person), supervisors_of(rung, now) - {person}
        founding = len(able) < PANEL_SUPERVISORS
        others = [each for each in people.values() if each.team_id != subject.team_id]
        if not founding:
            if len(people) < PANEL_MEMBERS:
                raise Refused(f"A panel has {PANEL_MEMBERS} different members; these are {len(people)}.")
            if len(able & people.keys()) < PANEL_SUPERVISORS:
                raise Refused(f"At least {PANEL_SUPERVISORS} members have to hold {rung} at S5.")
            if not others:
                raise Refused("At least one member has to be of another team.")
        _check_complete(person, rung, now)
        detail = {
            "parts": [Part.PANEL.value],
            "founding": founding,
            "members": [
                {
                    "person": str(uuid),
                    "supervises": uuid in able,
                    "other_team": people[uuid] in others,
                }
                for uuid in sorted(people)
            ],
        }
        decide(Verb.WAS_APPROVED, person, rung, by=by, reason=reason, detail=detail, now=now)


def approve_data(
    person: UUID,
    rung: str,
    *,
    owner: Person,
    purpose: str,
    data_set: str,
    hours: int,
    by: Person,
    now: datetime,
) -> None:
    """Record that the owner of a data set approves one purpose for some hours. It closes by itself."""
    _check_governance(by)
    here = _find_rung(rung)
    rule = next((each for each in here.validations if each["type"] == "data_owner_approval"), None)
    if rule is None:
        raise Refused(f"{rung} asks for no data owner's approval.")
    if owner.uuid == person:
        raise Refused("Nobody approves data for themselves.")
    if not owner.is_active:
        raise Refused("The owner of the data has left.")
    purpose, data_set = purpose.strip(), data_set.strip()
    if not purpose or not data_set or max(len(purpose), len(data_set)) > _TEXT_LIMIT:
        raise Refused(f"Name the data and the purpose, in at most {_TEXT_LIMIT} characters each.")
    if not 1 <= hours <= int(rule["hours"]):
        raise Refused(f"Choose 1 to {rule['hours']} hours.")
    with transaction.atomic():
        lock_person(person)
        standing = get_standing(person, now).rung(rung)
        if standing.state in (GrantState.SUSPENDED, GrantState.WITHDRAWN):
            raise Refused(f"{rung} is {standing.state}; decide on that first.")
        running = [each for each in standing.checklist.requirements if each.kind == "data_owner_approval"]
        if any(each.status == "done" for each in running):
            raise Refused("An approval is running; it closes by itself. One purpose at a time.")
        _check_complete(person, rung, now, but=("data_owner_approval",))
        detail = {
            "parts": [Part.DATA_OWNER.value],
            "owner": str(owner.uuid),
            "data_set": data_set,
            "purpose": purpose,
            "hours": hours,
        }
        decide(Verb.WAS_APPROVED, person, rung, by=by, reason=purpose, detail=detail, now=now)


def grant_emergency(
    person: UUID,
    rung: str,
    *,
    hours: int,
    paired_with: Person,
    incident: str,
    by: Person,
    now: datetime,
) -> None:
    """Open one rung for some hours of a declared incident, beside a named person; looked at the next day.

    Raises `Refused` for more than four hours, for a rung whose foundations are not open, where something is
    suspended, and for oneself.
    """
    subject = get_person(person)
    if by.uuid == person:
        raise Refused("Nobody grants themselves anything, least of all in a hurry.")
    if not (by.is_active and (may_supervise(by, subject) or manages(by, subject))):
        raise Refused("An emergency grant is given by a lead on duty: mentor, manager or governance lead.")
    if not 1 <= hours <= MAX_HOURS:
        raise Refused(f"Choose 1 to {MAX_HOURS} hours.")
    if paired_with.uuid == person or not paired_with.is_active:
        raise Refused("Name the other person who sits beside them.")
    here = _find_rung(rung)
    with transaction.atomic():
        lock_person(person)
        standing = get_standing(person, now)
        if standing.rung(rung).state not in ("closed", GrantState.EXPIRED):
            raise Refused(f"{rung} is {standing.rung(rung).state}; an emergency grant changes nothing there.")
        if any(each.running(now) for each in list_emergencies(person)):
            raise Refused("An emergency grant is running; one rung at a time.")
        shut = [key for key in here.after if standing.rung(key).state != GrantState.OPEN]
        if shut:
            raise Refused(f"{rung} builds on {', '.join(shut)}, which is not open.")
        detail = {"hours": hours, "paired_with": str(paired_with.uuid)}
        decide(Verb.WAS_LET_IN, person, rung, by=by, reason=incident, detail=detail, now=now)


def review_emergency(emergency: UUID, *, by: Person, note: str, now: datetime) -> None:
    """Say how an emergency grant went: by the governance lead who neither gave nor used it."""
    _check_governance(by)
    row = EmergencyGrant.objects.filter(statement=emergency).first()
    if row is None:
        raise Refused("There is no such emergency grant.")
    if by.uuid in (row.by, row.person, row.paired_with):
        raise Refused("Somebody who was not part of it looks at an emergency grant.")
    if row.reviewed_at is not None:
        raise Refused("This was looked at already.")
    note = note.strip()
    if not note or len(note) > _TEXT_LIMIT * 4:
        raise Refused(f"Say what you found, in at most {_TEXT_LIMIT * 4:,} characters.")
    statement = Statement(
        id=derive_uuid7(emergency, "reviewed"),
        actor=row.person,
        verb=Verb.WAS_REVIEWED,
        object=Object(ObjectType.STATEMENT, str(emergency)),
        timestamp=now,
        authority=str(by.uuid),
        result=Result(response=note),
        context=Context(framework=current_framework().reference, rung=row.rung),
    )
    with transaction.atomic():
        lock_person(row.person)
        record_statements([statement])
        detail = {"rung": row.rung, "emergency": str(emergency), "note": note}
        record_entry(Tag.EMERGENCY_REVIEWED, actor=by.uuid, subject=str(row.person), detail=detail, now=now)
        refresh_person(row.person, now)


def _check_governance(by: Person) -> None:
    if DutyKind.GOVERNANCE not in duties_of(by):
        raise Refused("Only the governance lead records this.")


def _find_rung(rung: str) -> Rung:
    here = current_framework().rungs.get(rung)
    if here is None:
        raise Refused(f"There is no rung {rung}.")
    return here


def _parts(rung: Rung) -> set[Part]:
    return {part for key in (rung.decision, rung.decision_also) for part in parts_of(key)}


def _check_complete(person: UUID, rung: str, now: datetime, but: Sequence[str] = ()) -> None:
    """Decisions are taken on complete evidence; with `but`, every requirement but these has to be met."""
    standing = get_standing(person, now).rung(rung)
    if standing.grant is not None and not but:
        raise Refused(f"{rung} is granted already.")
    asked = standing.checklist.requirements
    missing = (
        [each for each in asked if each.status != "done" and each.kind not in but]
        if but
        else other_missing(standing.checklist)
    )
    if missing:
        names = ", ".join(each.title for each in missing[:3])
        raise Refused(f"Decide on complete evidence; still missing: {names}.")
