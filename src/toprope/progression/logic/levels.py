"""Which levels a history earns, under which pack version, and until when they hold. Pure."""

from collections.abc import Mapping
from datetime import timedelta

from toprope.competency.logic import Competency, Framework
from toprope.progression.logic.held import LevelHeld
from toprope.progression.logic.history import History, Piece
from toprope.progression.logic.level_rules import LevelCase, check_level
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
    renewals = [
        piece.timestamp
        for kind in currency.renew_with
        for piece in history.of(kind, competency.key, level)
        if piece.timestamp > awarded_at and _meets_a_rule(competency, level, piece)
    ]
    renewed_at = max(renewals, default=awarded_at)
    refresh_by = renewed_at + timedelta(days=currency.refresh_days)
    lapses_at = refresh_by + timedelta(days=currency.grace_days)
    if checklist.provisional:
        lapses_at = min(lapses_at, renewed_at + timedelta(days=framework.bootstrap.provisional_days))
    return LevelHeld(
        competency=competency.key,
        level=level,
        awarded_at=awarded_at,
        renewed_at=renewed_at,
        provisional=checklist.provisional,
        framework=framework.reference,
        refresh_by=min(refresh_by, lapses_at),
        lapses_at=lapses_at,
        evidence=checklist.evidence,
    )


def _meets_a_rule(competency: Competency, level: int, piece: Piece) -> bool:
    return any(
        rule.kind == piece.kind and piece.score >= rule.pass_mark and not piece.critical_misses
        for rule in competency.at(level).evidence
    )
