"""Which levels a history earns, under which pack version, and until when they hold. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from toprope.competency.logic import Competency, Framework
from toprope.progression.logic.held import LevelHeld
from toprope.progression.logic.history import ITEMS, History, Piece
from toprope.progression.logic.level_rules import LevelCase, check_level, is_passed
from toprope.progression.logic.pools import Catalogue
from toprope.progression.logic.requirement import Checklist

_NOTHING_OFFERED = Catalogue({}, {}, {})
"""Awards depend on what was shown, never on what the pack could offer today."""


def award_levels(frameworks: Mapping[str, Framework], history: History) -> list[LevelHeld]:
    """Every level the history earns, each under the pack version it was earned on; the earliest award stands.

    `frameworks` maps references ("toprope-default@1.0.0") to the versions that the history names.
    """
    held: dict[tuple[str, int], LevelHeld] = {}
    for reference in history.references():
        framework, seen = frameworks[reference], history.up_to_framework(reference)
        # A prerequisite may be awarded later in the same pass, so go on until nothing is added.
        while new := _newly_held(framework, seen, held):
            held.update(new)
    return sorted(held.values(), key=lambda each: (each.competency, each.level))


def _newly_held(
    framework: Framework, history: History, held: Mapping[tuple[str, int], LevelHeld]
) -> dict[tuple[str, int], LevelHeld]:
    shown = {(each.competency, each.level) for each in history.pieces}
    new = {}
    for key, level in sorted(shown - held.keys()):
        competency = framework.competencies.get(key)
        if competency is None or level not in {each.level for each in framework.levels}:
            continue
        checklist = check_level(LevelCase(framework, competency, level, history, held, _NOTHING_OFFERED))
        if checklist.met_at is not None:
            new[key, level] = _award(framework, competency, level, checklist, history)
    return new


def _award(
    framework: Framework,
    competency: Competency,
    level: int,
    checklist: Checklist,
    history: History,
) -> LevelHeld:
    awarded_at = checklist.met_at
    assert awarded_at is not None  # noqa: S101 - only whole checklists are awarded
    currency = framework.currency[competency.currency]
    refresh, grace = timedelta(days=currency.refresh_days), timedelta(days=currency.grace_days)
    renewals = [
        piece
        for kind in currency.renew_with
        for piece in history.of(kind, competency.key, level)
        if piece.timestamp > awarded_at and _meets_a_rule(framework, competency, level, piece)
    ]
    renewed_at = max((piece.timestamp for piece in renewals), default=awarded_at)
    sittings = [
        each for each in history.pieces if each.kind == ITEMS and each.statement in checklist.evidence
    ]
    first = awarded_at + refresh + grace
    ends = [max((_end(piece, first) for piece in sittings), default=first)]
    ends.extend(_end(piece, piece.timestamp + refresh + grace) for piece in renewals)
    lapses_at = max(ends)
    if checklist.provisional:
        lapses_at = min(lapses_at, renewed_at + timedelta(days=framework.bootstrap.provisional_days))
    return LevelHeld(
        competency=competency.key,
        level=level,
        awarded_at=awarded_at,
        renewed_at=renewed_at,
        provisional=checklist.provisional,
        framework=framework.reference,
        refresh_by=max(awarded_at, lapses_at - grace),
        lapses_at=lapses_at,
        evidence=checklist.evidence,
    )


def _end(piece: Piece, latest: datetime) -> datetime:
    """Until when a piece vouches for a level: as its currency class says, or its estimate if that is less."""
    if piece.measured is None or piece.measured.lasts_until is None:
        return latest
    return min(latest, piece.measured.lasts_until)


def _meets_a_rule(framework: Framework, competency: Competency, level: int, piece: Piece) -> bool:
    if piece.critical_misses:
        return False
    rules = [rule for rule in competency.at(level).evidence if rule.kind == piece.kind]
    if piece.kind == ITEMS:
        return any(is_passed(framework, rule, piece) for rule in rules)
    return any(piece.score >= rule.pass_mark for rule in rules)
