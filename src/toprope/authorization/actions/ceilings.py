"""What limits everybody: the global switch by rung, and which tools and repositories are admitted how far."""

from datetime import datetime

from django.db import transaction

from toprope.audit.api import record_entry
from toprope.authorization.actions.publishing import publish_installation
from toprope.authorization.models import RepositoryCeiling, RungHold, ToolCeiling
from toprope.authorization.refusal import Refused
from toprope.authorization.tags import Tag
from toprope.competency.api import current_framework
from toprope.evidence.statement import TOPROPE
from toprope.people.api import DutyKind, Person, duties_of


def place_hold(rung: str, *, by: Person, reason: str, now: datetime) -> None:
    """Throw the global switch: nobody gets through on `rung` until it is lifted."""
    _check_governance(by)
    _check_rung(rung)
    reason = reason.strip()
    if not reason:
        raise Refused("Write a reason: everybody who is stopped reads it.")
    with transaction.atomic():
        RungHold.objects.update_or_create(
            rung=rung, defaults={"reason": reason[:2000], "decided_by": by.uuid, "decided_at": now}
        )
        publish_installation()
        record_entry(Tag.HOLD_PLACED, actor=by.uuid, subject=rung, detail={"reason": reason[:2000]}, now=now)


def lift_hold(rung: str, *, by: Person, now: datetime) -> None:
    """Lift the global switch from a rung."""
    _check_governance(by)
    with transaction.atomic():
        deleted, _ = RungHold.objects.filter(rung=rung).delete()
        if not deleted:
            raise Refused(f"There is no hold on {rung}.")
        publish_installation()
        record_entry(Tag.HOLD_LIFTED, actor=by.uuid, subject=rung, detail={}, now=now)


def admit_tool(model: str, rung: str, *, by: Person | None, now: datetime) -> None:
    """Admit a model up to a rung; ``*`` at the end of `model` stands for any rest. Empty `rung` withdraws it.

    `by` is None where the installation itself sets up its default.
    """
    _check_governance(by)
    model = model.strip()
    if not model or len(model) > 128 or "*" in model[:-1]:
        raise Refused("Name a model, such as gpt-5 or claude-*; a star may stand at the end only.")
    with transaction.atomic():
        if rung:
            _check_rung(rung)
            ToolCeiling.objects.update_or_create(
                model=model, defaults={"rung": rung, "decided_by": by.uuid if by else None, "decided_at": now}
            )
        else:
            ToolCeiling.objects.filter(model=model).delete()
        publish_installation()
        record_entry(Tag.TOOL_ADMITTED, actor=_who(by), subject=model, detail={"rung": rung}, now=now)


def set_repository(key: str, rung: str, tier: str, *, by: Person | None, now: datetime) -> None:
    """Admit a repository of a tier up to a rung. Empty `rung` withdraws it."""
    _check_governance(by)
    key = key.strip()
    if not key or len(key) > 200:
        raise Refused("Name a repository, such as payments/ledger.")
    with transaction.atomic():
        if rung:
            _check_rung(rung)
            RepositoryCeiling.objects.update_or_create(
                key=key,
                defaults={
                    "rung": rung,
                    "tier": tier,
                    "decided_by": by.uuid if by else None,
                    "decided_at": now,
                },
            )
        else:
            RepositoryCeiling.objects.filter(key=key).delete()
        publish_installation()
        detail = {"rung": rung, "tier": tier}
        record_entry(Tag.REPOSITORY_ADMITTED, actor=_who(by), subject=key, detail=detail, now=now)


def _check_governance(by: Person | None) -> None:
    if by is not None and DutyKind.GOVERNANCE not in duties_of(by):
        raise Refused("Only the governance lead sets limits for everybody.")


def _check_rung(rung: str) -> None:
    rungs = current_framework().rungs
    if rung not in rungs:
        raise Refused(f"There is no rung {rung!r}; the ladder has {', '.join(rungs)}.")


def _who(by: Person | None) -> str:
    return str(by.uuid) if by else TOPROPE
