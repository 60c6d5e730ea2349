"""What a level asks for, requirement by requirement. Pure.

Where a competency's evidence list and the level's general validation block both speak, the list decides
(framework.yaml, level_rules).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from toprope.competency.logic import Competency, EvidenceRule, Framework, Validation
from toprope.progression.logic.held import LevelHeld
from toprope.progression.logic.history import ITEMS, History, Piece
from toprope.progression.logic.pools import Catalogue, is_measurable, pool_size
from toprope.progression.logic.requirement import Checklist, Requirement, Status

NOT_RECORDABLE = "This version of Toprope cannot record this yet, so the level stays closed."


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
            met_at=pieces[-1].timestamp if pieces and status is Status.DONE else None,
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


def check_level(case: LevelCase) -> Checklist:
    """What the level asks for, and how far it is met."""
    level, competency = case.level, case.competency
    rules = competency.at(level).evidence
    requirements = [
        _prerequisite(case, each.competency, each.level)
        for each in competency.prerequisites
        if level >= each.before
    ]
    requirements.extend(_items(case, rule) if rule.kind == ITEMS else _pieces(case, rule) for rule in rules)
    validation = case.validation
    if validation.tasks_minimum and all(rule.kind == ITEMS for rule in rules):
        requirements.append(_performance_task(case))
    if validation.spread_days > 1:
        requirements.append(_spread(case))
    if validation.how in ("practical_exam", "panel"):
        name = case.framework.levels[level - 1].name
        requirements.append(
            case.requirement(validation.how, f"{name} is decided by people", Status.MISSING, NOT_RECORDABLE)
        )
    return Checklist(f"{competency.key}:{level}", tuple(requirements))


def _prerequisite(case: LevelCase, key: str, level: int) -> Requirement:
    name = case.framework.competencies[key].name
    awards = [award for (competency, at), award in case.held.items() if competency == key and at >= level]
    first = min(awards, key=lambda award: award.awarded_at, default=None)
    return Requirement(
        kind="prerequisite",
        title=f"{key} {name}, level {level}",
        status=Status.DONE if first else Status.MISSING,
        detail="Held." if first else "Comes first: this competency builds on it.",
        evidence=first.evidence if first else (),
        competency=key,
        level=level,
        met_at=first.awarded_at if first else None,
    )


def _items(case: LevelCase, rule: EvidenceRule) -> Requirement:
    """Auto-scored items: a sitting passed after the last critical miss.

    Where the pool is large enough the estimate decides; elsewhere the share right does, provisionally.
    """
    key, level, bootstrap = case.competency.key, case.level, case.framework.bootstrap
    title = f"Questions on {case.competency.name}"
    sittings = case.history.of(ITEMS, key, level)
    passed = passed_sittings(case.framework, rule, case.validation, sittings)
    if passed:
        full = next((piece for piece in passed if not _is_thin(case.framework, rule, piece)), None)
        counted = [passed[0]] if full in (None, passed[0]) else [passed[0], full]
        requirement = case.requirement(ITEMS, title, Status.DONE, _describe(counted[-1]), *counted)
        return requirement.but(provisional=full is None, met_at=passed[0].timestamp)
    pool = pool_size(case.catalogue.pools, key, level, bootstrap.minimum_items)
    detail = f"Asks for {rule.minimum} questions, {rule.pass_mark:.0%} right, no critical miss."
    if pool < bootstrap.minimum_items:
        detail += " The pack holds too few questions on this yet."
        return case.requirement(ITEMS, title, Status.MISSING, detail)
    if is_measurable(pool, rule.minimum):
        detail = (
            f"At least {rule.minimum} questions, until it is clear whether you are at this level;"
            " no critical miss."
        )
    elif pool < rule.minimum:
        detail += f" The pack holds {pool} so far: {pool} are asked, and the award is provisional."
    return case.to_do(ITEMS, title, detail, f"sitting:{key}:{level}", sittings[-1] if sittings else None)


def passed_sittings(
    framework: Framework, rule: EvidenceRule, validation: Validation, sittings: Sequence[Piece]
) -> list[Piece]:
    """The passed sittings after the last critical miss, oldest first: a miss blocks until it is retaken."""
    passed: list[Piece] = []
    for piece in sittings:
        if piece.critical_misses > validation.critical_misses:
            passed = []
        elif is_passed(framework, rule, piece):
            passed.append(piece)
    return passed


def is_passed(framework: Framework, rule: EvidenceRule, piece: Piece) -> bool:
    """Whether a sitting meets the rule: by the estimate where the pool is large enough, else by its share."""
    if is_measurable(piece.pool, rule.minimum) and piece.measured is not None:
        return piece.measured.lasts_until is not None
    # A sitting is whole when it drew what the rule asks for, or all there was (the bootstrap rule).
    whole = piece.drawn >= min(rule.minimum, max(piece.pool, framework.bootstrap.minimum_items))
    return whole and piece.score >= rule.pass_mark


def _is_thin(framework: Framework, rule: EvidenceRule, piece: Piece) -> bool:
    """Whether what this sitting says is provisional: few items to draw from, or no estimate behind it."""
    sure = piece.measured is not None and piece.measured.lasts_until is not None
    return not sure or piece.pool < framework.bootstrap.pool_factor * rule.minimum


def _describe(piece: Piece) -> str:
    right = f"{round(piece.score * piece.drawn)} of {piece.drawn} right."
    if piece.measured is not None and piece.measured.lasts_until is not None:
        right += f" {piece.measured.certainty:.0%} certain; {piece.measured.threshold:.0%} asked."
    if piece.measured is None or piece.measured.lasts_until is None:
        right += f" Provisional: the pool holds {piece.pool} questions so far."
    return right


def _pieces(case: LevelCase, rule: EvidenceRule) -> Requirement:
    """A number of pieces of one kind, each at the pass mark or better."""
    key, level = case.competency.key, case.level
    title = f"{case.framework.evidence_kinds.get(rule.kind, rule.kind)}: {case.competency.name}"
    pieces = case.history.of(rule.kind, key, level)
    good = [piece for piece in pieces if piece.score >= rule.pass_mark]
    mark = f"at {rule.pass_mark:.0%} or better" if rule.pass_mark else ""
    if len(good) >= rule.minimum:
        counted = good[: rule.minimum]
        scores = ", ".join(f"{piece.score:.0%}" for piece in counted)
        detail = f"{scores}; {rule.pass_mark:.0%} asked." if mark else "Recorded."
        return case.requirement(rule.kind, title, Status.DONE, detail, *counted)
    pending = [each for each in case.history.waiting if each.kind == rule.kind and each.competency == key]
    if pending:
        return case.requirement(
            rule.kind, title, Status.WAITING, "Handed in; waits for a mentor's rating.", *pending
        )
    detail = f"Asks for {rule.minimum} {mark}".rstrip() + "."
    practical = case.catalogue.practicals.get((key, level, rule.kind), "")
    if not practical:
        return case.requirement(rule.kind, title, Status.MISSING, f"{detail} {NOT_RECORDABLE}", *good)
    return case.to_do(rule.kind, title, detail, f"practical:{practical}", pieces[-1] if pieces else None)


def _performance_task(case: LevelCase) -> Requirement:
    """Where a competency's own list names items only, the validation block still asks for a task."""
    minimum, pass_mark = case.validation.tasks_minimum, case.validation.items_pass
    tasks = sorted(
        (
            piece
            for kind in case.framework.evidence_kinds
            if kind != ITEMS
            for piece in case.history.of(kind, case.competency.key, case.level)
            if piece.score >= pass_mark
        ),
        key=lambda piece: piece.timestamp,
    )[:minimum]
    title = f"A practical task on {case.competency.name}"
    if len(tasks) == minimum:
        return case.requirement("performance_task", title, Status.DONE, "Done.", *tasks)
    detail = f"Asks for {minimum} that is not multiple choice. {NOT_RECORDABLE}"
    return case.requirement("performance_task", title, Status.MISSING, detail, *tasks)


def _spread(case: LevelCase) -> Requirement:
    """Evidence from more than one day: from the first to the last day, both counted."""
    days = case.validation.spread_days
    pieces = sorted(
        (
            piece
            for piece in case.history.pieces
            if piece.competency == case.competency.key and piece.level >= case.level
        ),
        key=lambda piece: piece.timestamp,
    )
    title = f"Evidence over {days} days"
    if not pieces:
        return case.requirement("spread", title, Status.MISSING, "Nothing recorded yet.")
    first = pieces[0].timestamp.date()
    span = (pieces[-1].timestamp.date() - first).days + 1
    reached = next((each for each in pieces if (each.timestamp.date() - first).days + 1 >= days), None)
    detail = f"Your evidence spans {span} {'day' if span == 1 else 'days'}."
    if reached is None:
        return case.requirement("spread", title, Status.MISSING, detail)
    return case.requirement("spread", title, Status.DONE, detail, reached)
