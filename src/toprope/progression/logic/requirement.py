"""The checklist: what is asked, how far it is met, by which evidence, and what to do about the rest. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from toprope.progression.logic.periods import Period, first_common


class Status(StrEnum):
    DONE = "done"
    MISSING = "missing"
    WAITING = "waiting"  # for another person, or for the time of a retry
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a level or a rung asks for.

    `step` names what the person can start to meet it ("" where there is nothing to start), `not_before` when
    they may, `met_at` when it was met, `parts` what it consists of. `periods` says when it was and will be
    met, where that is more than "from `met_at` on"; what is `lasting` has to stay met to keep a grant open.
    """

    kind: str
    title: str
    status: Status
    detail: str
    evidence: tuple[UUID, ...] = ()
    competency: str = ""
    level: int = 0
    step: str = ""
    not_before: datetime | None = None
    met_at: datetime | None = None
    provisional: bool = False
    parts: tuple["Requirement", ...] = ()
    periods: tuple[Period, ...] = ()
    lasting: bool = False

    @property
    def met(self) -> tuple[Period, ...]:
        """When it was and will be met. Depends on what is on record only, never on the present moment."""
        if self.periods or self.met_at is None:
            return self.periods
        return (Period(self.met_at),)

    def but(self, **changes: Any) -> "Requirement":
        """The same requirement with some fields changed."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Checklist:
    """All that a level ("SEC-01:1") or a rung ("R1") asks for."""

    subject: str
    requirements: tuple[Requirement, ...]

    @property
    def done(self) -> bool:
        return bool(self.requirements) and all(each.status is Status.DONE for each in self.requirements)

    @property
    def provisional(self) -> bool:
        """Met, but on thin evidence: small item pools (the pack's bootstrap rule)."""
        return self.done and any(each.provisional for each in self.requirements)

    @property
    def met_at(self) -> datetime | None:
        """When the last requirement was met; None while one is not."""
        times = [each.met_at for each in self.requirements if each.met_at is not None]
        return max(times) if self.done and times else None

    @property
    def first_met(self) -> datetime | None:
        """The first moment at which everything was met together; None where there was none."""
        return first_common([each.met for each in self.requirements])

    @property
    def evidence(self) -> tuple[UUID, ...]:
        """The statements that carry it, each once."""
        return tuple(dict.fromkeys(one for each in self.requirements for one in each.evidence))

    def open_steps(self) -> Iterable[Requirement]:
        """Everything still to be done that the person can start, in order, innermost first."""
        for requirement in self.requirements:
            yield from _open(requirement)


def _open(requirement: Requirement) -> Iterable[Requirement]:
    if requirement.status is Status.DONE:
        return
    for part in requirement.parts:
        yield from _open(part)
    if requirement.step:
        yield requirement
