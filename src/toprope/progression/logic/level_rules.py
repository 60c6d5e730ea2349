"""What a level asks for, requirement by requirement. Pure.

Where a competency's evidence list and the level's general validation block both speak, the list decides
(framework.yaml, level_rules).
"""

from collections.abc import Sequence

from toprope.competency.logic import EvidenceRule, Framework
from toprope.progression.logic.history import ARTEFACT, ITEMS, NOTE, RUBRIC, Piece
from toprope.progression.logic.level_case import LevelCase
from toprope.progression.logic.level_people import agreed, artefacts, assessments, coached, judged, notes
from toprope.progression.logic.pools import is_measurable, pool_size
from toprope.progression.logic.requirement import Checklist, Requirement, Status

NOT_RECORDABLE = "This version of Toprope cannot record this yet, so the level stays closed."
NOT_ITEMS_FROM = 2
"""From this level on, some evidence is not multiple choice (framework.yaml, level_rules)."""

RATED_FROM = 3
"""From this level on, some evidence is rated by a person (as above)."""


def check_level(case: LevelCase) -> Checklist:
    """What the level asks for, and how far it is met."""
    level, competency, validation = case.level, case.competency, case.validation
    rules = competency.at(level).evidence
    kinds = {rule.kind for rule in rules}
    requirements = [
        _prerequisite(case, each.competency, each.level)
        for each in competency.prerequisites
        if level >= each.before
    ]
    requirements.extend(_evidence(case, rule) for rule in rules)
    if kinds <= {ITEMS, NOTE} and (validation.tasks_minimum or level >= NOT_ITEMS_FROM):
        requirements.append(_performance_tasks(case))
    if validation.observations and NOTE not in kinds:
        requirements.append(notes(case, validation.observations, validation.observers))
    asked = next((rule for rule in rules if rule.kind == RUBRIC), EvidenceRule(RUBRIC, 1))
    if RUBRIC not in kinds and (validation.rubric or level >= RATED_FROM):
        requirements.append(assessments(case, asked))
    if validation.agreement:
        requirements.append(agreed(case, asked))
    if validation.artefacts and ARTEFACT not in kinds:
        requirements.append(artefacts(case, validation.artefacts, validation.artefact_teams))
    if validation.coached:
        requirements.append(coached(case))
    if validation.spread_days > 1:
        requirements.append(_spread(case))
    return Checklist(f"{competency.key}:{level}", tuple(requirements))


def _evidence(case: LevelCase, rule: EvidenceRule) -> Requirement:
    """One line of the competency's evidence list; what it leaves open, the validation block says."""
    validation = case.validation
    if rule.kind == ITEMS:
        return _items(case, rule)
    if rule.kind == NOTE:
        return notes(case, rule.minimum, min(rule.minimum, max(1, validation.observers)))
    if rule.kind == RUBRIC:
        return assessments(case, rule)
    if rule.kind == ARTEFACT:
        return artefacts(case, rule.minimum, max(1, rule.teams))
    return _pieces(case, rule)


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
    passed = _passed_sittings(case, rule, sittings)
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


def _passed_sittings(case: LevelCase, rule: EvidenceRule, sittings: Sequence[Piece]) -> list[Piece]:
    """The passed sittings, oldest first. A critical miss on this very level blocks it until it is retaken."""
    passed: list[Piece] = []
    for piece in sittings:
        missed = piece.critical_misses > case.validation.critical_misses
        if missed and piece.level == case.level:
            passed = []
        elif not missed and is_passed(case.framework, rule, piece):
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
        certainty = min(piece.measured.certainty, 0.99)  # never a claim to be sure
        right += f" At least {certainty:.0%} certain; {piece.measured.threshold:.0%} asked."
    if piece.measured is None or piece.measured.lasts_until is None:
        right += f" Provisional: the pool holds {piece.pool} questions so far."
    return right


def _pieces(case: LevelCase, rule: EvidenceRule) -> Requirement:
    """A number of pieces of one kind, each at the pass mark or better."""
    key, level = case.competency.key, case.level
    title = case.title(rule.kind)
    pieces = case.history.of(rule.kind, key, level)
    good = [piece for piece in since_last_miss(pieces) if piece.score >= rule.pass_mark]
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


def _performance_tasks(case: LevelCase) -> Requirement:
    """Where a competency's own list names no task, the validation block still asks for some."""
    validation = case.validation
    minimum, kinds = max(1, validation.tasks_minimum), max(1, validation.task_kinds)
    tasks = sorted(
        (
            piece
            for kind in case.framework.evidence_kinds
            if kind not in (ITEMS, NOTE)
            for piece in since_last_miss(case.history.of(kind, case.competency.key, case.level))
            if piece.score >= validation.items_pass
        ),
        key=lambda piece: piece.timestamp,
    )
    title = f"A practical task on {case.competency.name}"
    for number in range(minimum, len(tasks) + 1):
        if len({each.kind for each in tasks[:number]}) >= kinds:
            return case.requirement("performance_task", title, Status.DONE, "Done.", *tasks[:number])
    detail = f"Asks for {minimum} that {'is' if minimum == 1 else 'are'} not multiple choice"
    detail += f", of {kinds} kinds. {NOT_RECORDABLE}" if kinds > 1 else f". {NOT_RECORDABLE}"
    return case.requirement("performance_task", title, Status.MISSING, detail, *tasks)


def since_last_miss(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces after the last critical miss: it blocks until it is retaken."""
    last = max((number for number, piece in enumerate(pieces) if piece.critical_misses), default=-1)
    return list(pieces[last + 1 :])


def _bearing(case: LevelCase) -> list[Piece]:
    """All pieces on this competency at this level or above, oldest first; assessments by the first rating."""
    pieces = [
        piece
        for piece in case.history.pieces
        if piece.competency == case.competency.key and piece.level >= case.level
    ]
    pieces += [
        Piece(
            statement=each.ratings[0].statement,
            kind=RUBRIC,
            key=each.rubric,
            version="",
            competency=case.competency.key,
            level=each.level,
            rung="",
            framework=each.framework,
            score=1.0,
            timestamp=each.ratings[0].timestamp,
            authority=each.ratings[0].by,
        )
        for each, _ in judged(case, "")
    ]
    return sorted(pieces, key=lambda piece: piece.timestamp)


def _spread(case: LevelCase) -> Requirement:
    """Evidence from more than one day: from the first to the last day, both counted."""
    days = case.validation.spread_days
    pieces = _bearing(case)
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
