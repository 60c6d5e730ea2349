"""What people decided on a grant, folded in the order in which it was recorded. Pure.

The last decision counts, and a suspension stands until somebody lifts it. Nobody decides on themselves: what
bears one's own name is passed over, whatever the actions let through.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from toprope.competency.logic import Rung
from toprope.evidence.statement import Statement, Verb
from toprope.progression.logic import supervision_number

DECISIONS = frozenset(
    {
        Verb.WAS_SUSPENDED,
        Verb.WAS_REINSTATED,
        Verb.WAS_MOVED_UP,
        Verb.WAS_STEPPED_DOWN,
        Verb.WAS_CONFIRMED,
        Verb.WAS_LET_IN,
        Verb.WAS_REVIEWED,
    }
)
SUSPENSION_WORKING_DAYS = 5
"""Within so many working days a suspension needs a decision with reasons (the ladder's demotion rules)."""


@dataclass(frozen=True, slots=True)
class Suspension:
    """Who stopped it, when, why, and by when it needs a decision. `through` is the rung it was put on."""

    at: datetime
    by: UUID
    reason: str
    until: datetime
    through: str


@dataclass(frozen=True, slots=True)
class StepDown:
    """One supervision level less (`to`), or off the rung (`to` is ""), with a way back and a date."""

    at: datetime
    by: UUID
    reason: str
    to: str
    way_back: str
    review_on: date
    through: str

    @property
    def withdraws(self) -> bool:
        return not self.to


@dataclass(frozen=True, slots=True)
class RungDecisions:
    """What stands on one rung after all decisions; `statements` are those that moved it."""

    supervision: str
    suspension: Suspension | None = None
    step_down: StepDown | None = None
    confirmed_at: datetime | None = None
    statements: tuple[UUID, ...] = ()


def fold_decisions(decisions: Iterable[Statement], rung: Rung, issued_at: datetime) -> RungDecisions:
    """What stands on `rung` after `decisions`, which come in recorded order.

    What takes away stands even where it came before the grant; what gives needs a grant to give it on.
    """
    state = RungDecisions(rung.entry_supervision)
    for decision in decisions:
        if decision.object.key != rung.key or decision.authority == str(decision.actor):
            continue
        fold = _FOLDS.get(decision.verb)
        if fold is not None and (decision.verb in _ANY_TIME or decision.timestamp >= issued_at):
            state = fold(state, rung, decision)
    return state


def _suspend(state: RungDecisions, rung: Rung, decision: Statement) -> RungDecisions:
    return replace(
        state,
        suspension=Suspension(
            at=decision.timestamp,
            by=UUID(decision.authority),
            reason=reason_of(decision),
            until=add_working_days(decision.timestamp, SUSPENSION_WORKING_DAYS),
            through=rung.key,
        ),
    )


def _reinstate(state: RungDecisions, rung: Rung, decision: Statement) -> RungDecisions:
    """Lifts a suspension; where none stands, gives a rung back, under the supervision that it begins with."""
    if state.suspension is not None:
        return replace(state, suspension=None)
    if state.step_down is not None and state.step_down.withdraws:
        return replace(
            state,
            step_down=None,
            supervision=min(state.supervision, rung.entry_supervision),
            statements=(*state.statements, decision.id),
        )
    return state


def _move_up(state: RungDecisions, rung: Rung, decision: Statement) -> RungDecisions:
    to = str(detail_of(decision).get("to", ""))
    if to != next_up(rung, state.supervision):
        return state  # not the next step any more: one before it was taken back
    kept = state.step_down if state.step_down is not None and state.step_down.withdraws else None
    return replace(state, supervision=to, step_down=kept, statements=(*state.statements, decision.id))


def _step_down(state: RungDecisions, rung: Rung, decision: Statement) -> RungDecisions:
    detail = detail_of(decision)
    to = str(detail.get("to", ""))
    step = StepDown(
        at=decision.timestamp,
        by=UUID(decision.authority),
        reason=reason_of(decision),
        to=to,
        way_back=str(detail.get("way_back", "")),
        review_on=date.fromisoformat(detail["review_on"]),
        through=rung.key,
    )
    withdrawn = state.step_down if state.step_down is not None and state.step_down.withdraws else None
    return replace(
        state,
        supervision=min(state.supervision, to) if to else state.supervision,
        step_down=withdrawn or step,
        statements=(*state.statements, decision.id),
    )


def _confirm(state: RungDecisions, rung: Rung, decision: Statement) -> RungDecisions:
    del rung
    return replace(state, confirmed_at=state.confirmed_at or decision.timestamp)


_ANY_TIME = frozenset({Verb.WAS_SUSPENDED, Verb.WAS_REINSTATED, Verb.WAS_STEPPED_DOWN})
_FOLDS = {
    Verb.WAS_SUSPENDED: _suspend,
    Verb.WAS_REINSTATED: _reinstate,
    Verb.WAS_MOVED_UP: _move_up,
    Verb.WAS_STEPPED_DOWN: _step_down,
    Verb.WAS_CONFIRMED: _confirm,
}


def next_up(rung: Rung, supervision: str) -> str:
    """One step more independence, under the highest cap of any tier; at the cap, S5. "" at S5."""
    cap = max(rung.supervision_by_tier.values(), default="S1")
    if supervision >= "S5":
        return ""
    higher = f"S{supervision_number(supervision) + 1}"
    return higher if higher <= cap else "S5"


def next_down(supervision: str) -> str:
    """One step less independence; S1, which only watches, is the last."""
    return f"S{max(1, supervision_number(supervision) - 1)}"


def supervision_in(rung: Rung, supervision: str, tier: str) -> str:
    """The supervision in a repository of this tier: no more independence than the rung's cap for it.

    A tier without a cap is none that the rung is for: one only watches.
    """
    return min(supervision, rung.supervision_by_tier.get(tier, "S1"))


def reason_of(decision: Statement) -> str:
    """The reason that people read."""
    return str(decision.result.response) if decision.result else ""


def detail_of(decision: Statement) -> Mapping[str, Any]:
    return decision.result.detail if decision.result else {}


def add_working_days(start: datetime, days: int) -> datetime:
    """`start` plus so many days, Saturdays and Sundays not counted."""
    moment = start
    while days:
        moment += timedelta(days=1)
        if moment.weekday() < 5:
            days -= 1
    return moment
