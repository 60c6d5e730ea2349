"""One person's case for one level, and how its requirements are written. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from toprope.competency.logic import Competency, Framework, Validation
from toprope.progression.logic.held import LevelHeld
from toprope.progression.logic.history import History, Piece
from toprope.progression.logic.pools import Catalogue
from toprope.progression.logic.requirement import Requirement, Status


@dataclass(frozen=True, slots=True)
class LevelCase:
    """One person's case for one level. `now` only decides whether a retry may start; awards ignore it."""

    framework: Framework
    competency: Competency
    level: int
    history: History
    held: Mapping[tuple[str, int], LevelHeld]
    catalogue: Catalogue
    now: datetime | None = None

    @property
    def validation(self) -> Validation:
        return self.framework.levels[self.level - 1].validation

    def title(self, kind: str) -> str:
        """The evidence kind's name and the competency's."""
        return f"{self.framework.evidence_kinds.get(kind, kind)}: {self.competency.name}"

    def requirement(self, kind: str, title: str, status: Status, detail: str, *pieces: Piece) -> Requirement:
        """A requirement on this level that `pieces` bear on; met when the last of them was recorded."""
        return Requirement(
            kind=kind,
            title=title,
            status=status,
            detail=detail,
            evidence=tuple(piece.statement for piece in pieces),
            competency=self.competency.key,
            level=self.level,
            met_at=max(piece.timestamp for piece in pieces) if pieces and status is Status.DONE else None,
        )

    def to_do(self, kind: str, title: str, detail: str, step: str, last: Piece | None) -> Requirement:
        """A requirement the person can start on, once the waiting time after a failed try is over."""
        not_before = None
        if last is not None:
            not_before = last.timestamp + timedelta(hours=self.validation.retry_after_hours)
            detail = f"{detail} {describe_try(last)}"
        waits = not_before is not None and self.now is not None and self.now < not_before
        return Requirement(
            kind=kind,
            title=title,
            status=Status.WAITING if waits else Status.MISSING,
            detail=detail,
            evidence=(last.statement,) if last else (),
            competency=self.competency.key,
            level=self.level,
            step=step,
            not_before=not_before,
        )


def describe_try(last: Piece) -> str:
    """How the last try went, in a few words."""
    return f"Last time: {last.score:.0%}" + (", with a critical miss." if last.critical_misses else ".")
