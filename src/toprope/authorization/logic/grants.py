"""Levels, validations and decisions become grants. Pure.

A grant is issued once, at the first moment at which everything its rung asks for was met together. Whether it
lets anything through then is a question of time, use and decisions: suspension wins over everything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from toprope.authorization.logic.decisions import RungDecisions, StepDown, Suspension, fold_decisions
from toprope.authorization.logic.idleness import find_unused, uses_since
from toprope.competency.logic import Framework, Rung
from toprope.evidence.statement import Statement
from toprope.progression.logic import Checklist, Situation, check_rung, last_end

UNUSED_SUPERVISION = "S2"
"""A grant that was not used for too long drops to this (the ladder's lapse rules)."""


class GrantState(StrEnum):
    OPEN = "open"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class GrantFact:
    """A grant as the statements tell it. What depends on the present moment is asked with `now`.

    `supervision` is as decided; from `unused_at` on it is no more than S2. `expires_at` is when it closes by
    itself, None where nothing it rests on runs out. `confirmed_at` ended the focused period.
    """

    rung: str
    supervision: str
    tiers: tuple[str, ...]
    data: tuple[str, ...]
    framework: str
    provisional: bool
    issued_at: datetime
    expires_at: datetime | None
    unused_at: datetime
    focused_until: datetime
    focused_uses: int
    evidence: tuple[UUID, ...]
    confirmed_at: datetime | None = None
    suspension: Suspension | None = None
    step_down: StepDown | None = None

    def state(self, now: datetime) -> GrantState:
        """Suspension wins over everything; then being stepped down from the rung; then time."""
        if self.suspension is not None:
            return GrantState.SUSPENDED
        if self.step_down is not None and self.step_down.withdraws:
            return GrantState.WITHDRAWN
        return GrantState.OPEN if self.expires_at is None or now < self.expires_at else GrantState.EXPIRED

    def supervision_at(self, now: datetime) -> str:
        """The supervision level at `now`: S2 at most where the grant has not been used for too long."""
        return min(self.supervision, UNUSED_SUPERVISION) if self.unused(now) else self.supervision

    def unused(self, now: datetime) -> bool:
        """Whether it has not been used for so long that it takes a paired use and a check to come back."""
        return now >= self.unused_at

    def focused(self) -> bool:
        """Whether every result is still looked at; only a decision ends that."""
        return self.confirmed_at is None

    def next_change(self, now: datetime) -> datetime | None:
        """When time alone will change it next; None where it will not."""
        ahead = [at for at in (self.unused_at, self.expires_at) if at is not None and at > now]
        return min(ahead, default=None)


def derive_grants(situation: Situation, decisions: Iterable[Statement]) -> list[GrantFact]:
    """Every grant the person was ever issued, in ladder order, as the decisions left it.

    Depends on what is on record only: asked at another moment, the answer is the same.
    """
    decisions = list(decisions)
    facts: dict[str, GrantFact] = {}
    for rung in ladder_order(situation.framework):
        if any(key not in facts for key in rung.after):
            continue  # nobody is granted a rung before those it builds on
        opened = {key: fact.issued_at for key, fact in facts.items()}
        checklist = check_rung(situation, rung, opened)
        issued_at = checklist.first_met
        if issued_at is None:
            continue
        then = check_rung(situation.as_of(issued_at), rung, opened)
        if then.done:
            folded = fold_decisions(decisions, rung, issued_at)
            expires_at = _expiry(checklist)
            fact = _fact(
                situation, rung, then, folded, issued_at=issued_at, expires_at=expires_at, below=facts
            )
            facts[rung.key] = fact
    return list(facts.values())


def _fact(
    situation: Situation,
    rung: Rung,
    then: Checklist,
    folded: RungDecisions,
    *,
    issued_at: datetime,
    expires_at: datetime | None,
    below: Mapping[str, GrantFact],
) -> GrantFact:
    """A grant: issued on what stood `then`, moved by what was decided since."""
    framework = situation.framework
    used = uses_since(situation.uses.get(rung.key, ()), issued_at)
    return GrantFact(
        rung=rung.key,
        supervision=folded.supervision,
        tiers=tuple(rung.limits.get("tiers", ())),
        data=tuple(rung.limits.get("data", ())),
        framework=framework.reference,
        provisional=then.provisional,
        issued_at=issued_at,
        expires_at=expires_at,
        unused_at=find_unused(situation, rung, issued_at),
        focused_until=issued_at + timedelta(days=framework.focused_days),
        focused_uses=max(0, framework.focused_uses - used),
        evidence=(*then.evidence, *folded.statements),
        confirmed_at=folded.confirmed_at,
        suspension=_inherited(folded.suspension, (below[key].suspension for key in rung.after)),
        step_down=_step_down(folded.step_down, (below[key].step_down for key in rung.after)),
    )


def ladder_order(framework: Framework) -> list[Rung]:
    """The rungs such that each comes after those it builds on; the pack's order otherwise."""
    placed: dict[str, Rung] = {}
    waiting = list(framework.rungs.values())
    while waiting:
        ready = [rung for rung in waiting if all(key in placed for key in rung.after)]
        if not ready:
            raise ValueError("the ladder has a circle among " + ", ".join(rung.key for rung in waiting))
        placed.update({rung.key: rung for rung in ready})
        waiting = [rung for rung in waiting if rung.key not in placed]
    return list(placed.values())


def _expiry(checklist: Checklist) -> datetime | None:
    """When the first of the requirements that have to last stops being met; None where none will."""
    ends = [last_end(each.met) for each in checklist.requirements if each.lasting and each.met]
    return min((end for end in ends if end is not None), default=None)


def _inherited(own: Suspension | None, below: Iterable[Suspension | None]) -> Suspension | None:
    """A rung is suspended by its own suspension, or by one on a rung it builds on."""
    return own or next((suspension for suspension in below if suspension is not None), None)


def _step_down(own: StepDown | None, below: Iterable[StepDown | None]) -> StepDown | None:
    """A rung goes with one it builds on; its own withdrawal is told first, a mere step last."""
    if own is not None and own.withdraws:
        return own
    return next((step for step in below if step is not None and step.withdraws), own)
