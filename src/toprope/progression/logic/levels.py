"""When a proficiency level is held: the pack's validation rules, evaluated over a history. Pure.

Where a competency's evidence list and the level's general validation block both speak, the list decides
(framework.yaml, level_rules).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from toprope.competency.api import Competency, EvidenceRule, Framework, Level
from toprope.progression.logic.history import ITEMS, History, Piece
from toprope.progression.logic.requirement import Checklist, Requirement, Status

_NOT_RECORDABLE = "This version of Toprope cannot record this yet, so the level stays closed."


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the person can be offered: practicals by (competency, level, kind), pool sizes by (competency, level)."""

    practicals: Mapping[tuple[str, int, str], str]
    pools: Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class LevelHeld:
    """A level that was awarded, and how long it stays current.

    `refresh_by` asks for fresh evidence; from `lapses_at` on (after the grace) the level no longer counts.
    """

    competency: str
    level: int
    awarded_at: datetime
    renewed_at: datetime
    provisional: bool
    framework: str
    refresh_by: datetime
    lapses_at: datetime
    evidence: tuple[UUID, ...]

    def current(self, now: datetime) -> bool:
        """Whether the level counts at `now`."""
        return now < self.lapses_at


def levels_to_draw_from(
    pools: Mapping[tuple[str, int], int], competency: str, level: int, minimum: int
) -> tuple[int, ...]:
    """Which levels' items make up the pool of a sitting (the bootstrap rule).

    The level itself; while that holds fewer than `minimum` items, the nearest level above joins (harder items
    are the stricter stand-in), then the nearest below.
    """
    order = (level, *range(level + 1, 5), *range(level - 1, 0, -1))
    chosen: list[int] = []
    total = 0
    for at in order:
        size = pools.get((competency, at), 0)
        if total >= minimum or (not size and at != level):
            continue
        chosen.append(at)
        total += size
    return tuple(chosen)


def pool_size(pools: Mapping[tuple[str, int], int], competency: str, level: int, minimum: int) -> int:
    """How many items a sitting on `competency` at `level` can draw from."""
    return sum(
        pools.get((competency, at), 0) for at in levels_to_draw_from(pools, competency, level, minimum)
    )


def award_levels(
    frameworks: Mapping[str, Framework], history: History, catalogue: Catalogue
) -> list[LevelHeld]:
    """Every level the history earns, each under the pack version it was earned on; the earliest award stands.

    `frameworks` maps references ("toprope-default@1.0.0") to the versions that the history names.
    """
    held: dict[tuple[str, int], LevelHeld] = {}
    for reference in history.references():
        framework, seen = frameworks[reference], history.up_to_framework(reference)
        # A prerequisite may be awarded later in the same pass, so go on until nothing is added.
        while new := _newly_held(framework, seen, held, catalogue):
            held.update(new)
    return sorted(held.values(), key=lambda each: (each.competency, each.level))


def _newly_held(
    framework: Framework, history: History, held: Mapping[tuple[str, int], LevelHeld], catalogue: Catalogue
) -> dict[tuple[str, int], LevelHeld]:
    touched = {
        (piece.competency, piece.level)
        for piece in history.pieces
        if piece.competency in framework.competencies
    }
    new = {}
    for key, level in sorted(touched):
        if (key, level) in held:
            continue
        checklist = check_level(framework, key, level, history, held, catalogue, now=None)
        if checklist.met_at is not None:
            new[key, level] = _award(framework, key, level, checklist, history)
    return new


def _award(framework: Framework, key: str, level: int, checklist: Checklist, history: History) -> LevelHeld:
    currency = framework.currency[framework.competencies[key].currency]
    awarded_at = checklist.met_at
    assert awarded_at is not None  # noqa: S101 - the caller asked for it
    renewals = [
        piece.timestamp
        for kind in currency.renew_with
        for piece in history.of(kind, key, level)
        if piece.timestamp > awarded_at and _passes_any_rule(framework.competencies[key], level, piece)
    ]
    renewed_at = max(renewals, default=awarded_at)
    refresh_by = renewed_at + timedelta(days=currency.refresh_days)
    lapses_at = refresh_by + timedelta(days=currency.grace_days)
    if checklist.provisional:
        lapses_at = min(lapses_at, renewed_at + timedelta(days=framework.bootstrap.provisional_days))
    return LevelHeld(
        competency=key,
        level=level,
        awarded_at=awarded_at,
        renewed_at=renewed_at,
        provisional=checklist.provisional,
        framework=framework.reference,
        refresh_by=min(refresh_by, lapses_at),
        lapses_at=lapses_at,
        evidence=checklist.evidence,
    )


def _passes_any_rule(competency: Competency, level: int, piece: Piece) -> bool:
    return any(
        rule.kind == piece.kind and piece.score >= rule.pass_mark and not piece.critical_misses
        for rule in competency.at(level).evidence
    )


def check_level(
    framework: Framework,
    key: str,
    level: int,
    history: History,
    held: Mapping[tuple[str, int], LevelHeld],
    catalogue: Catalogue,
    now: datetime | None,
) -> Checklist:
    """What level `level` of competency `key` asks for, and how far it is met.

    `now` only decides whether a retry may start; None leaves that open (awards do not depend on it).
    """
    competency, general = framework.competencies[key], framework.levels[level - 1]
    rules = competency.at(level).evidence
    requirements = [
        _prerequisite(framework, each.competency, each.level, held)
        for each in competency.prerequisites
        if level >= each.before
    ]
    retry = timedelta(hours=general.validation.retry_after_hours)
    for rule in rules:
        if rule.kind == ITEMS:
            requirements.append(_items(framework, competency, level, rule, history, catalogue, retry, now))
        else:
            requirements.append(_pieces(framework, competency, level, rule, history, catalogue, retry, now))
    requirements.extend(_general(framework, general, competency, level, rules, history))
    return Checklist(f"{key}:{level}", tuple(requirements))


def _prerequisite(
    framework: Framework, key: str, level: int, held: Mapping[tuple[str, int], LevelHeld]
) -> Requirement:
    name = framework.competencies[key].name
    awards = [award for (competency, at), award in held.items() if competency == key and at >= level]
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


def _items(
    framework: Framework,
    competency: Competency,
    level: int,
    rule: EvidenceRule,
    history: History,
    catalogue: Catalogue,
    retry: timedelta,
    now: datetime | None,
) -> Requirement:
    """Auto-scored items: one sitting, passed after the last critical miss."""
    allowed = framework.levels[level - 1].validation.critical_misses
    passed: Piece | None = None
    last: Piece | None = None
    for piece in history.of(ITEMS, competency.key, level):
        last = piece
        if piece.critical_misses > allowed:
            passed = None  # a critical miss blocks until the sitting is retaken
        elif passed is None and piece.score >= rule.pass_mark and _enough_items(framework, rule, piece):
            passed = piece
    pool = pool_size(catalogue.pools, competency.key, level, framework.bootstrap.minimum_items)
    title = f"Questions on {competency.name}"
    asked = f"{rule.minimum} questions, {rule.pass_mark:.0%} right, no critical miss"
    if passed:
        provisional = passed.pool < framework.bootstrap.pool_factor * rule.minimum
        detail = f"{round(passed.score * passed.drawn)} of {passed.drawn} right."
        if provisional:
            detail += f" Provisional: the pool holds {passed.pool} questions so far."
        return Requirement(
            ITEMS,
            title,
            Status.DONE,
            detail,
            (passed.statement,),
            competency.key,
            level,
            met_at=passed.timestamp,
            provisional=provisional,
        )
    if pool < framework.bootstrap.minimum_items:
        detail = f"Asks for {asked}; the pack holds too few questions on this yet."
        return Requirement(ITEMS, title, Status.MISSING, detail, (), competency.key, level)
    detail = f"Asks for {asked}."
    if pool < rule.minimum:
        detail += (
            f" The pack holds {pool} on this level so far, so {pool} are asked and the award is provisional."
        )
    step = f"sitting:{competency.key}:{level}"
    return _to_do(ITEMS, title, detail, competency.key, level, step, last, retry, now)


def _enough_items(framework: Framework, rule: EvidenceRule, piece: Piece) -> bool:
    """A sitting is whole when it drew what the rule asks for, or all there was (the bootstrap rule)."""
    if piece.drawn >= rule.minimum:
        return True
    return piece.drawn >= max(framework.bootstrap.minimum_items, min(piece.pool, rule.minimum))


def _pieces(
    framework: Framework,
    competency: Competency,
    level: int,
    rule: EvidenceRule,
    history: History,
    catalogue: Catalogue,
    retry: timedelta,
    now: datetime | None,
) -> Requirement:
    """A number of pieces of one kind, each at the pass mark or better."""
    kind = framework.evidence_kinds.get(rule.kind, rule.kind)
    all_pieces = history.of(rule.kind, competency.key, level)
    good = [piece for piece in all_pieces if piece.score >= rule.pass_mark]
    title = f"{kind}: {competency.name}"
    mark = f" at {rule.pass_mark:.0%} or better" if rule.pass_mark else ""
    if len(good) >= rule.minimum:
        counted = good[: rule.minimum]
        return Requirement(
            rule.kind,
            title,
            Status.DONE,
            ", ".join(f"{piece.score:.0%}" for piece in counted)
            + (f", {mark.strip()} asked." if mark else "."),
            tuple(piece.statement for piece in counted),
            competency.key,
            level,
            met_at=counted[-1].timestamp,
        )
    detail = f"Asks for {rule.minimum}{mark}; {len(good)} so far."
    pending = [
        piece for piece in history.waiting if piece.kind == rule.kind and piece.competency == competency.key
    ]
    if pending:
        return Requirement(
            rule.kind,
            title,
            Status.WAITING,
            "Handed in; a mentor rates it.",
            tuple(piece.statement for piece in pending),
            competency.key,
            level,
        )
    practical = catalogue.practicals.get((competency.key, level, rule.kind), "")
    if not practical:
        return Requirement(
            rule.kind, title, Status.MISSING, f"{detail} {_NOT_RECORDABLE}", (), competency.key, level
        )
    step = f"practical:{practical}"
    last = all_pieces[-1] if all_pieces else None
    return _to_do(rule.kind, title, detail, competency.key, level, step, last, retry, now)


def _to_do(
    kind: str,
    title: str,
    detail: str,
    competency: str,
    level: int,
    step: str,
    last: Piece | None,
    retry: timedelta,
    now: datetime | None,
) -> Requirement:
    """A requirement that the person can start on, once the waiting time after a failed try is over."""
    not_before = None
    evidence: tuple[UUID, ...] = ()
    if last is not None:
        not_before = last.timestamp + retry
        evidence = (last.statement,)
        detail = f"{detail} Last time: {last.score:.0%}" + (
            ", with a critical miss." if last.critical_misses else "."
        )
    waits = not_before is not None and now is not None and now < not_before
    return Requirement(
        kind,
        title,
        Status.WAITING if waits else Status.MISSING,
        detail,
        evidence,
        competency,
        level,
        step,
        not_before,
    )


def _general(
    framework: Framework,
    general: Level,
    competency: Competency,
    level: int,
    rules: tuple[EvidenceRule, ...],
    history: History,
) -> list[Requirement]:
    """What the level's validation block asks for beyond the competency's own list."""
    requirements = []
    validation = general.validation
    if not any(rule.kind != ITEMS for rule in rules) and validation.tasks_minimum:
        requirements.append(
            _performance_task(framework, competency, level, validation.tasks_minimum, history)
        )
    if validation.spread_days > 1:
        requirements.append(_spread(competency, level, validation.spread_days, history))
    if validation.how in ("practical_exam", "panel"):
        requirements.append(
            Requirement(
                validation.how,
                f"{general.name} is decided by people",
                Status.MISSING,
                _NOT_RECORDABLE,
                competency=competency.key,
                level=level,
            )
        )
    return requirements


def _performance_task(
    framework: Framework, competency: Competency, level: int, minimum: int, history: History
) -> Requirement:
    tasks = [
        piece
        for kind in framework.evidence_kinds
        if kind != ITEMS
        for piece in history.of(kind, competency.key, level)
        if piece.score >= general_pass(framework, level)
    ]
    done = tasks[:minimum] if len(tasks) >= minimum else []
    return Requirement(
        "performance_task",
        f"A practical task on {competency.name}",
        Status.DONE if done else Status.MISSING,
        "Done." if done else f"Asks for {minimum} task that is not multiple choice. {_NOT_RECORDABLE}",
        tuple(piece.statement for piece in done),
        competency.key,
        level,
        met_at=done[-1].timestamp if done else None,
    )


def general_pass(framework: Framework, level: int) -> float:
    """The pass mark of a level where a task names none of its own."""
    return framework.levels[level - 1].validation.items_pass


def _spread(competency: Competency, level: int, days: int, history: History) -> Requirement:
    """Evidence from more than one day: first and last lie at least `days` calendar days apart, both counted."""
    pieces = [
        piece for piece in history.pieces if piece.competency == competency.key and piece.level >= level
    ]
    dates = sorted({piece.timestamp.date() for piece in pieces})
    span = (dates[-1] - dates[0]).days + 1 if dates else 0
    reached = next((piece for piece in pieces if (piece.timestamp.date() - dates[0]).days + 1 >= days), None)
    return Requirement(
        "spread",
        f"Evidence over {days} days",
        Status.DONE if reached else Status.MISSING,
        f"Your evidence spans {span} days." if span else "Nothing recorded yet.",
        (),
        competency.key,
        level,
        met_at=reached.timestamp if reached else None,
    )
