"""Rating what was handed in, and rebuilding the list of what waits."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from toprope.audit.api import record_entry
from toprope.authorization.api import Refused, refresh_person
from toprope.content.api import score_practical
from toprope.evidence.api import StatementConflict, record_statements, stream_statements
from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.kit.ids import derive_uuid7
from toprope.learning.actions.assessing import rebuild_assessments
from toprope.learning.models import Submission
from toprope.learning.queries import get_attempt, get_submission
from toprope.learning.tags import Tag
from toprope.people.api import Person

_NOTE_LIMIT = 2_000
_BATCH = 2_000


def rate_submission(attempt: UUID, *, by: Person, score: int, note: str, now: datetime) -> None:
    """Rate an explanation from 0 to 4 by its anchors. The first rating stands.

    Raises `Refused` where `by` may not, where it is rated already, or for a score outside the scale.
    """
    view = get_submission(by, attempt)
    if view.rated:
        raise Refused("This has been rated already; the first rating stands.")
    if not 0 <= score <= 4:
        raise Refused("Choose a score from 0 to 4; the anchors say what each means.")
    note = note.strip()
    if len(note) > _NOTE_LIMIT:
        raise Refused(f"The note has {len(note):,} characters; at most {_NOTE_LIMIT:,} are kept.")
    person = view.person.uuid
    told = get_attempt(person, attempt)
    scored = score_practical(view.practical, told.variant, score)
    statement = Statement(
        id=derive_uuid7(attempt, "rated"),
        actor=person,
        verb=Verb.WAS_RATED,
        object=Object(ObjectType.PRACTICAL, view.practical.key, view.practical.version),
        timestamp=now,
        authority=str(by.uuid),
        result=Result(
            score=scored.score, success=scored.success, response=score, detail={"note": note, **scored.detail}
        ),
        context=Context(
            framework=told.framework,
            competency=view.practical.competency,
            level=view.practical.level,
            kind=view.practical.evidence_kind,
            sitting=attempt,
        ),
    )
    with transaction.atomic():
        Submission.objects.select_for_update().get(attempt=attempt)
        try:
            record_statements([statement])
        except StatementConflict:
            raise Refused("This has been rated already; the first rating stands.") from None
        Submission.objects.filter(attempt=attempt).update(rated_at=now)
        detail = {"attempt": str(attempt), "score": score}
        record_entry(Tag.SUBMISSION_RATED, actor=by.uuid, subject=str(person), detail=detail, now=now)
    refresh_person(person, now)


def rebuild(progress: Callable[[int], None]) -> None:
    """Drop the lists of what is to be rated and read them again from the statements."""
    with transaction.atomic():
        rebuild_assessments(progress)
        Submission.objects.all().delete()
        found: dict[UUID, Submission] = {}
        for recorded in stream_statements(verbs={Verb.SUBMITTED, Verb.WAS_RATED}):
            progress(1)
            statement = recorded.statement
            attempt = statement.context.sitting
            if attempt is None:
                continue
            if statement.verb is Verb.SUBMITTED:
                found[attempt] = Submission(
                    attempt=attempt,
                    person=statement.actor,
                    practical=statement.object.key,
                    submitted_at=statement.timestamp,
                )
            elif attempt in found:
                found[attempt].rated_at = statement.timestamp
        Submission.objects.bulk_create(found.values(), batch_size=_BATCH)
