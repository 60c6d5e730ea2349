"""Everything that the requirements of rungs and levels are checked against. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from toprope.competency.logic import Framework, Rung
from toprope.progression.logic.held import LevelHeld
from toprope.progression.logic.history import POLICY, History, Piece
from toprope.progression.logic.level_case import LevelCase, describe_try
from toprope.progression.logic.level_rules import check_level
from toprope.progression.logic.pools import Catalogue
from toprope.progression.logic.requirement import Checklist, Requirement, Status

PAIRED = "paired"
SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True)
class UseDay:
    """The uses of a rung on one day (UTC), under one condition: how many, and the first ones one by one."""

    day: date
    count: int
    condition: str = ""
    times: tuple[datetime, ...] = ()
    statements: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of a person at `now`. `policy_version` is the one in force; `uses` go by rung."""

    framework: Framework
    history: History
    levels: Mapping[tuple[str, int], LevelHeld]
    catalogue: Catalogue
    policy_version: str
    now: datetime
    uses: Mapping[str, tuple[UseDay, ...]] = field(default_factory=dict)
    _checked: dict[tuple[str, int], Checklist] = field(default_factory=dict, compare=False, repr=False)

    def check_level(self, competency: str, level: int) -> Checklist:
        """The checklist of one level; rungs ask for the same ones again and again, so it is kept."""
        if (competency, level) not in self._checked:
            self._checked[competency, level] = check_level(self.case(competency, level))
        return self._checked[competency, level]

    def case(self, competency: str, level: int) -> LevelCase:
        """The case for one level. Raises KeyError for a competency the framework does not have."""
        return LevelCase(
            self.framework,
            self.framework.competencies[competency],
            level,
            self.history,
            self.levels,
            self.catalogue,
            self.now,
        )

    def awards(self, competency: str) -> list[LevelHeld]:
        """The awards on a competency, at any level."""
        return [held for (key, _), held in self.levels.items() if key == competency]

    def as_of(self, moment: datetime) -> "Situation":
        """The same at another moment, under the first policy version that the person accepted.

        Level checklists are kept: at another moment only the times of their retries would differ.
        """
        accepted = [piece.version for piece in self.history.pieces if piece.kind == POLICY]
        version = accepted[0] if accepted else self.policy_version
        return replace(self, now=moment, policy_version=version)


@dataclass(frozen=True, slots=True)
class RungCase:
    """One person's case for one rung, for a validation to check."""

    situation: Situation
    rung: Rung

    @property
    def now(self) -> datetime:
        return self.situation.now

    @property
    def history(self) -> History:
        return self.situation.history

    @property
    def framework(self) -> Framework:
        return self.situation.framework

    def levels_held(self) -> bool:
        """Whether every competency level that the rung asks for was awarded."""
        return all(
            any(held.level >= level for held in self.situation.awards(key))
            for key, level in self.rung.competencies.items()
        )

    def met(self, requirement: Requirement, piece: Piece, detail: str) -> Requirement:
        """The requirement, met by a piece."""
        return requirement.but(
            status=Status.DONE, detail=detail, evidence=(piece.statement,), met_at=piece.timestamp, step=""
        )

    def to_do(self, requirement: Requirement, tries: list[Piece]) -> Requirement:
        """What the person can start, once the waiting time after a failed try is over."""
        if not tries:
            return requirement
        level = max(self.rung.competencies.values(), default=1)
        hours = self.framework.levels[level - 1].validation.retry_after_hours
        not_before = tries[-1].timestamp + timedelta(hours=hours)
        return requirement.but(
            status=Status.WAITING if self.now < not_before else Status.MISSING,
            detail=f"{requirement.detail} {describe_try(tries[-1])}",
            evidence=(tries[-1].statement,),
            not_before=not_before,
        )
