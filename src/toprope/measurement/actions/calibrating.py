"""Calibrating: what everybody's answers tell of the items, and what their ratings tell of the raters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from toprope.audit.api import record_entry
from toprope.content.api import Item, list_item_texts
from toprope.evidence.api import last_seq, stream_by_person
from toprope.evidence.statement import Statement, Verb
from toprope.measurement.actions.following import refresh_stale
from toprope.measurement.logic import (
    FOLLOWED,
    RULE,
    Answers,
    Basis,
    CompetencyResult,
    ItemKey,
    LearntThreshold,
    Parameters,
    Probe,
    RatersResult,
    RetentionResult,
    calibrate_competency,
    calibrate_raters,
    estimate_retention,
    expect_right,
    find_probes,
    learn_certainty,
    read_statement,
)
from toprope.measurement.models import CalibratedItem, CalibratedRater, Calibration, FittedRetention
from toprope.measurement.queries import (
    count_measured,
    current_basis,
    list_decisions,
    list_followed,
    planned_basis,
)
from toprope.measurement.tags import Tag

_PERSONS_AT_ONCE = 500

Progress = Callable[[int, int], None]
"""Told how many are done, and of how many."""


def _untold(done: int, total: int) -> None:
    del done, total


@dataclass(frozen=True, slots=True)
class Proposal:
    """A calibration that was computed and not yet adopted. `seq` is the last statement it could know of."""

    seq: int
    persons: int
    competencies: tuple[CompetencyResult, ...]
    raters: RatersResult | None
    learnt: LearntThreshold
    retention: tuple[RetentionResult, ...]

    @property
    def responses(self) -> int:
        return sum(each.responses for each in self.competencies)


@dataclass(slots=True)
class _Columns:
    """The answers on one competency, one entry each."""

    person: list[int] = field(default_factory=list)
    item: list[ItemKey] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    predicted: list[float] = field(default_factory=list)
    ability: list[float] = field(default_factory=list)
    choice: list[str] = field(default_factory=list)
    seq: list[int] = field(default_factory=list)
    items: dict[ItemKey, Item] = field(default_factory=dict)

    def take(
        self, person: int, item: tuple[str, Item], seq: int, answer: Statement, known: tuple[float, float]
    ) -> None:
        """An answer to an item, with its text's digest; `known` is what `expect_right` says of it."""
        assert answer.result is not None  # noqa: S101 - it was read already
        digest, question = item
        self.person.append(person)
        self.item.append((question.key, digest))
        self.right.append(bool(answer.result.success))
        self.predicted.append(known[0])
        self.ability.append(known[1])
        self.choice.append(answer.result.response["choice"])
        self.seq.append(seq)
        self.items[question.key, digest] = question


@dataclass(slots=True)
class _Ratings:
    person: list[str] = field(default_factory=list)
    rater: list[str] = field(default_factory=list)
    criterion: list[str] = field(default_factory=list)
    score: list[int] = field(default_factory=list)


def propose_calibration(
    progress: Progress = _untold, *, afresh: bool = False, client: Any = None
) -> Proposal:
    """Compute a calibration from every statement, and change nothing. `progress` is told how many persons
    were read, and of how many.

    Settled items are anchors, unless `afresh`. With a `dask.distributed.Client` its cluster
    computes.
    """
    seq, basis, texts = last_seq(), current_basis(), list_item_texts()
    planned = planned_basis()  # fading is estimated around the framework's guess, not the last estimate
    probes: list[Probe] = []
    columns: dict[str, _Columns] = {}
    ratings, persons, total = _Ratings(), 0, count_measured()
    for number, (person, statements) in enumerate(_by_person(basis)):
        persons += 1
        progress(persons, total)
        probes.extend(find_probes(planned, (statement for _, statement, _ in statements)))
        for recorded_seq, statement, expected in statements:
            if statement.verb is Verb.WAS_RATED:
                _take_rating(ratings, basis, person, statement)
            elif statement.verb is Verb.ANSWERED:
                told = statement.object
                text = texts.get((told.key, told.version))
                if text is not None:  # else the question is in no pack any more
                    into = columns.setdefault(statement.context.competency, _Columns())
                    into.take(number, text, recorded_seq, statement, expected)
    known = {} if afresh else _known_by_digest(basis, texts)
    results = tuple(
        calibrate_competency(_answers(key, columns[key]), known, client) for key in sorted(columns)
    )
    raters = calibrate_raters(ratings.person, ratings.rater, ratings.criterion, ratings.score)
    learnt = learn_certainty(list_decisions())
    return Proposal(seq, persons, results, raters, learnt, estimate_retention(planned, probes))


def adopt_calibration(proposal: Proposal, now: datetime, progress: Progress = _untold) -> int:
    """Put a calibration in force and fold everybody's estimates anew with it; gives its number.

    Levels and grants already held stay: they rest on what was known when they were earned.
    """
    with transaction.atomic():
        number = (Calibration.objects.aggregate(last=Max("number"))["last"] or 0) + 1
        calibration = Calibration.objects.create(
            number=number,
            adopted_at=now,
            seq=proposal.seq,
            persons=proposal.persons,
            responses=proposal.responses,
            severity_spread=proposal.raters.spread if proposal.raters else None,
            certainty=None if proposal.learnt.threshold == RULE.certainty else proposal.learnt.threshold,
        )
        results = [each for competency in proposal.competencies for each in competency.items]
        CalibratedItem.objects.bulk_create(
            CalibratedItem(
                calibration=calibration,
                key=each.item[0],
                digest=each.item[1],
                competency=each.competency,
                responses=each.responses,
                share_right=each.share_right,
                discrimination=each.parameters.discrimination if each.parameters else None,
                difficulty=each.parameters.difficulty if each.parameters else None,
                covariance=list(each.parameters.covariance) if each.parameters else [],
                exposed=each.exposed,
                notes=list(each.notes),
            )
            for each in results
        )
        CalibratedRater.objects.bulk_create(
            CalibratedRater(
                calibration=calibration,
                rater=each.rater,
                severity=each.severity,
                standard_error=each.standard_error,
                ratings=each.ratings,
            )
            for each in (proposal.raters.raters if proposal.raters else ())
        )
        FittedRetention.objects.bulk_create(
            FittedRetention(
                calibration=calibration,
                competency=each.competency,
                stability=each.stability,
                standard_error=each.standard_error,
                probes=each.probes,
            )
            for each in proposal.retention
        )
        detail = {
            "number": number,
            "up_to_statement": proposal.seq,
            "responses": proposal.responses,
            "items": sum(1 for each in results if each.parameters is not None),
            "raters": len(proposal.raters.raters) if proposal.raters else 0,
            "competencies whose fading is known": len(proposal.retention),
        }
        record_entry(Tag.CALIBRATION_ADOPTED, actor="operator", subject="items", detail=detail, now=now)
    refresh_stale(progress)
    return number


def _by_person(basis: Basis) -> Iterator[tuple[UUID, list[tuple[int, Statement, tuple[float, float]]]]]:
    """What each person showed, with the statements' numbers, and P(right) by what is believed of them now."""
    people = stream_by_person(verbs=FOLLOWED)
    while batch := list(islice(people, _PERSONS_AT_ONCE)):
        followed = list_followed([person for person, _ in batch])
        for person, told in batch:
            yield (
                person,
                [
                    (each.seq, each.statement, expect_right(basis, followed.get(person), each.statement))
                    for each in told
                    if read_statement(each.statement, basis.known)
                ],
            )


def _take_rating(ratings: _Ratings, basis: Basis, person: UUID, statement: Statement) -> None:
    for reading in read_statement(statement, basis.known):
        ratings.person.append(str(person))
        ratings.rater.append(statement.authority)
        ratings.criterion.append(reading.item)
        ratings.score.append(reading.score)


def _answers(competency: str, columns: _Columns) -> Answers:
    """The columns in the order in which they were recorded."""
    order = sorted(range(len(columns.seq)), key=columns.seq.__getitem__)
    return Answers(
        competency=competency,
        person=[columns.person[at] for at in order],
        item=[columns.item[at] for at in order],
        level={key: item.level for key, item in columns.items.items()},
        right=[columns.right[at] for at in order],
        predicted=[columns.predicted[at] for at in order],
        ability=[columns.ability[at] for at in order],
        choice=[columns.choice[at] for at in order],
        options={key: tuple(each.id for each in item.options) for key, item in columns.items.items()},
        key={key: item.answer for key, item in columns.items.items()},
    )


def _known_by_digest(
    basis: Basis, texts: Mapping[tuple[str, str], tuple[str, Item]]
) -> dict[ItemKey, Parameters]:
    """What the calibration in force knows, without the exposure, which is found anew."""
    return {
        (key, texts[key, version][0]): replace(known.parameters, exposed=0.0)
        for (key, version), known in basis.known.items()
        if known.parameters is not None
    }
