"""Which levels a history earns, under which pack version, and until when they hold. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from toprope.competency.logic import Framework
from toprope.progression.logic.currency import find_gaps
from toprope.progression.logic.held import LevelHeld
from toprope.progression.logic.history import ITEMS, NOTE, RUBRIC, History, Piece
from toprope.progression.logic.level_case import LevelCase
from toprope.progression.logic.level_people import WANTED, covered, judged
from toprope.progression.logic.level_rules import check_level, is_passed
from toprope.progression.logic.pools import Catalogue
from toprope.progression.logic.requirement import Checklist
from toprope.progression.logic.rubrics import Verdict

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
        while new := _newly_held(framework, seen, history, held):
            held.update(new)
    return sorted(held.values(), key=lambda each: (each.competency, each.level))


def _newly_held(
    framework: Framework, seen: History, history: History, held: Mapping[tuple[str, int], LevelHeld]
) -> dict[tuple[str, int], LevelHeld]:
    """What the evidence `seen` under this pack version earns; all of `history` may renew it."""
    new = {}
    for key, level in sorted(_shown(framework, seen) - held.keys()):
        case = LevelCase(framework, framework.competencies[key], level, seen, held, _NOTHING_OFFERED)
        checklist = check_level(case)
        if checklist.met_at is not None:
            new[key, level] = _award(replace(case, history=history), checklist)
    return new


def _shown(framework: Framework, history: History) -> set[tuple[str, int]]:
    """The levels that some evidence bears on: its own, and those below, which it shows too."""
    tops: dict[str, int] = {}
    for piece in history.pieces:
        tops[piece.competency] = max(piece.level, tops.get(piece.competency, 0))
    for assessment in history.assessments:
        for key in covered(framework, assessment):
            tops[key] = max(assessment.level, tops.get(key, 0))
    highest = len(framework.levels)
    return {
        (key, level)
        for key, top in tops.items()
        if key in framework.competencies
        for level in range(1, min(top, highest) + 1)
    }


def _award(case: LevelCase, checklist: Checklist) -> LevelHeld:
    framework, competency, level = case.framework, case.competency, case.level
    awarded_at = checklist.met_at
    assert awarded_at is not None  # noqa: S101 - only whole checklists are awarded
    currency = framework.currency[competency.currency]
    refresh, grace = timedelta(days=currency.refresh_days), timedelta(days=currency.grace_days)
    longest = refresh + grace
    if checklist.provisional:
        longest = min(longest, timedelta(days=framework.bootstrap.provisional_days))
    sittings = [
        each for each in case.history.pieces if each.kind == ITEMS and each.statement in checklist.evidence
    ]
    first = max((_end(piece, awarded_at + longest) for piece in sittings), default=awarded_at + longest)
    renewals = [(at, end) for at, end in _renewals(case, longest) if at > awarded_at]
    vouched = [(awarded_at, first), *renewals]
    renewed_at = max((at for at, _ in renewals), default=awarded_at)
    lapses_at = max(awarded_at, *(end for _, end in vouched))
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
        gaps=find_gaps(awarded_at, lapses_at, vouched),
    )


def _end(piece: Piece, latest: datetime) -> datetime:
    """Until when a piece vouches for a level: as its currency class says, or its estimate if less."""
    if piece.measured is None or piece.measured.lasts_until is None:
        return latest
    return min(latest, piece.measured.lasts_until)


def _renewals(case: LevelCase, longest: timedelta) -> list[tuple[datetime, datetime]]:
    """From when until when something renews the level: of a kind that its currency or its own list names."""
    listed = {rule.kind for rule in case.competency.at(case.level).evidence}
    renewing = {*case.framework.currency[case.competency.currency].renew_with, *listed}
    found = [
        (piece.timestamp, _end(piece, piece.timestamp + longest))
        for kind in renewing
        for piece in case.history.of(kind, case.competency.key, case.level)
        if _renews(case, piece)
    ]
    if RUBRIC in renewing:
        outcomes = [outcome for _, outcome in judged(case, "")]
        settled = [each.settled_at for each in outcomes if each.verdict is Verdict.PASSED]
        found += [(at, at + longest) for at in settled if at is not None]
    return found


def _renews(case: LevelCase, piece: Piece) -> bool:
    """Whether a piece of a renewing kind is good enough: by the level's own rule, else its block's mark."""
    if piece.critical_misses:
        return False
    if piece.kind == NOTE:
        return piece.supervision >= WANTED[case.level]
    rules = [rule for rule in case.competency.at(case.level).evidence if rule.kind == piece.kind]
    if piece.kind == ITEMS:
        return any(is_passed(case.framework, rule, piece) for rule in rules)
    if rules:
        return any(piece.score >= rule.pass_mark for rule in rules)
    return 0 < case.validation.items_pass <= piece.score
