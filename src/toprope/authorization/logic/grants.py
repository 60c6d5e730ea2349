"""Levels and validations become grants; people may suspend and reinstate them. Pure.

A grant is issued once, when everything its rung asks for has been met, and dated by the evidence that
completed it. Whether it lets anything through is then a question of time, use and suspension.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from toprope.competency.logic import Framework, Rung
from toprope.evidence.statement import Statement, Verb
from toprope.progression.logic import LevelHeld, Situation, check_rung

DECISIONS = frozenset({Verb.WAS_SUSPENDED, Verb.WAS_REINSTATED})
SUSPENSION_WORKING_DAYS = 5
"""Within so many working days a suspension needs a decision with reasons (the ladder's demotion rules)."""


class GrantState(StrEnum):
    OPEN = "open"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Suspension:
    """Who stopped it, when, why, and by when it needs a decision. `through` is the rung it was put on."""

    at: datetime
    by: UUID
    reason: str
    until: datetime
    through: str


@dataclass(frozen=True, slots=True)
class Use:
    """How often a rung was used, and on which day last (UTC)."""

    count: int
    last_on: date


@dataclass(frozen=True, slots=True)
class GrantFact:
    """A grant as the statements tell it. What depends on the present moment is asked with `state(now)`."""

    rung: str
    supervision: str
    tiers: tuple[str, ...]
    data: tuple[str, ...]
    framework: str
    provisional: bool
    issued_at: datetime
    expires_at: datetime
    focused_until: datetime
    focused_uses: int
    evidence: tuple[UUID, ...]
    suspension: Suspension | None = None

    def state(self, now: datetime) -> GrantState:
        """Suspension wins over everything; then time."""
        if self.suspension is not None:
            return GrantState.SUSPENDED
        return GrantState.OPEN if now < self.expires_at else GrantState.EXPIRED


def derive_grants(
    situation: Situation, decisions: Iterable[Statement], uses: Mapping[str, Use]
) -> list[GrantFact]:
    """Every grant the person was ever issued, in ladder order, with its present suspension and expiry."""
    suspensions = fold_decisions(decisions)
    earned = _as_earned(situation)
    facts: dict[str, GrantFact] = {}
    for rung in ladder_order(situation.framework):
        if any(key not in facts for key in rung.after):
            continue  # nobody is granted a rung before those it builds on
        opened = {key: fact.issued_at for key, fact in facts.items()}
        checklist = check_rung(earned, rung, opened)
        if checklist.met_at is None:
            continue
        use = uses.get(rung.key)
        facts[rung.key] = GrantFact(
            rung=rung.key,
            supervision=rung.entry_supervision,
            tiers=tuple(rung.limits.get("tiers", ())),
            data=tuple(rung.limits.get("data", ())),
            framework=situation.framework.reference,
            provisional=checklist.provisional,
            issued_at=checklist.met_at,
            expires_at=_expiry(situation, rung, checklist.met_at, use),
            focused_until=checklist.met_at + timedelta(days=situation.framework.focused_days),
            focused_uses=max(0, situation.framework.focused_uses - (use.count if use else 0)),
            evidence=checklist.evidence,
            suspension=_inherited(rung, suspensions, facts),
        )
    return list(facts.values())


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


def fold_decisions(decisions: Iterable[Statement]) -> dict[str, Suspension]:
    """The suspensions that stand after `decisions`, by rung; the last decision on a rung counts."""
    standing: dict[str, Suspension] = {}
    for decision in decisions:
        rung = decision.object.key
        if decision.verb is Verb.WAS_REINSTATED:
            standing.pop(rung, None)
        elif decision.verb is Verb.WAS_SUSPENDED:
            standing[rung] = Suspension(
                at=decision.timestamp,
                by=UUID(decision.authority),
                reason=str(decision.result.response) if decision.result else "",
                until=add_working_days(decision.timestamp, SUSPENSION_WORKING_DAYS),
                through=rung,
            )
    return standing


def add_working_days(start: datetime, days: int) -> datetime:
    """`start` plus so many days, Saturdays and Sundays not counted."""
    moment = start
    while days:
        moment += timedelta(days=1)
        if moment.weekday() < 5:
            days -= 1
    return moment


def _as_earned(situation: Situation) -> Situation:
    """The situation as it was earned: currency and later policy versions do not undo an issue."""
    accepted = [piece.version for piece in situation.history.pieces if piece.kind == "policy_accepted"]
    return replace(
        situation,
        now=datetime.min.replace(tzinfo=UTC),
        policy_version=accepted[0] if accepted else situation.policy_version,
    )


def _expiry(situation: Situation, rung: Rung, issued_at: datetime, use: Use | None) -> datetime:
    """Unused too long, or a required level lapsed: whichever comes first.

    Use counts by whole days, so that the published snapshot does not change with every call. Fresh evidence
    on the rung itself (its mixed set passed again) counts like use.
    """
    renewed = [piece.timestamp for piece in situation.history.pieces if piece.rung == rung.key]
    last = max([issued_at, *renewed])
    if use is not None:
        last = max(last, datetime.combine(use.last_on, time(), UTC))
    ends = [last + timedelta(days=rung.unused_days)]
    if rung.competency_currency:
        ends.extend(_lapse(situation.levels, key, level) for key, level in rung.competencies.items())
    return min(ends)


def _lapse(levels: Mapping[tuple[str, int], LevelHeld], key: str, level: int) -> datetime:
    """When the requirement stops being met: the last lapse among the levels that meet it."""
    return max(
        held.lapses_at for (competency, at), held in levels.items() if competency == key and at >= level
    )


def _inherited(
    rung: Rung, suspensions: Mapping[str, Suspension], facts: Mapping[str, GrantFact]
) -> Suspension | None:
    """A rung is suspended by its own suspension, or by one on a rung it builds on."""
    if rung.key in suspensions:
        return suspensions[rung.key]
    below = (facts[key].suspension for key in rung.after if key in facts)
    return next((suspension for suspension in below if suspension is not None), None)
