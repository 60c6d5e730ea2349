"""Reads of the measurement stage."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.db.models import Max

from toprope.competency.api import current_framework, get_framework
from toprope.content.api import Item, list_item_texts
from toprope.evidence.api import list_statements
from toprope.evidence.statement import Statement
from toprope.measurement.logic import (
    FOLLOWED,
    MODEL,
    Ability,
    AbilityStep,
    Basis,
    Followed,
    Judgement,
    Known,
    Made,
    Parameters,
    Pool,
    Question,
    RetentionResult,
    RungDecisions,
    choose,
    follow,
    judge,
    list_steps,
    planned_cuts,
    population_of,
    rank_pool,
    read_abilities,
    rehearse,
    rule_asking,
    severities_of,
    start_following,
    summarise_rungs,
    unpack_followed,
)
from toprope.measurement.models import (
    CalibratedItem,
    CalibratedRater,
    Calibration,
    FittedRetention,
    LevelDecision,
    PersonAbility,
    Standard,
)


@dataclass(frozen=True, slots=True)
class CalibrationView:
    """A calibration as its page shows it."""

    calibration: Calibration
    items: list[CalibratedItem]
    raters: list[CalibratedRater]
    retention: tuple[RetentionResult, ...]


def current_basis() -> Basis:
    """What estimates rest on now."""
    framework = current_framework()
    number = Calibration.objects.aggregate(last=Max("number"))["last"] or 0
    standard = Standard.objects.aggregate(last=Max("number"))["last"] or 0
    return _basis(framework.reference, framework.digest, number, standard)


def planned_basis() -> Basis:
    """The basis in force, but with each competency fading as its currency class says."""
    return replace(current_basis(), population=population_of(current_framework()))


@lru_cache(maxsize=8)
def _basis(reference: str, digest: str, number: int, standard: int) -> Basis:
    """What was loaded or adopted never changes."""
    calibration = Calibration.objects.filter(number=number).first()
    raters = CalibratedRater.objects.filter(calibration=number)
    spread = calibration.severity_spread if calibration else None
    return Basis(
        key=f"{reference} {digest[:16]} calibration {number} standard {standard} model {MODEL}",
        population=population_of(get_framework(reference)).with_stability(_fitted_stability(number)),
        known=_known_items(number),
        severities=severities_of(
            {each.rater: (each.severity, each.standard_error) for each in raters}, spread
        ),
        rule=rule_asking(calibration.certainty if calibration else None),
        cuts=_cuts(standard),
    )


def _cuts(standard: int) -> dict[int, float]:
    rows = Standard.objects.filter(number__lte=standard).order_by("number")
    return planned_cuts() | dict(rows.values_list("level", "cut"))


def get_cuts() -> Mapping[int, float]:
    """Where each level begins, in logits."""
    return current_basis().cuts


def _fitted_stability(number: int) -> dict[str, float]:
    rows = FittedRetention.objects.filter(calibration=number)
    return dict(rows.values_list("competency", "stability"))


def _known_items(number: int) -> dict[tuple[str, str], Known]:
    rows = CalibratedItem.objects.filter(calibration=number)
    by_text = {(row.key, row.digest): row for row in rows}
    if not by_text:
        return {}
    return {
        (key, version): _known(by_text[key, digest])
        for (key, version), (digest, _) in list_item_texts().items()
        if (key, digest) in by_text
    }


def _known(row: CalibratedItem) -> Known:
    if row.discrimination is None or row.difficulty is None:
        return Known(None, row.exposed)
    covariance = (row.covariance[0], row.covariance[1], row.covariance[2])
    return Known(Parameters(row.difficulty, row.discrimination, covariance=covariance), row.exposed)


def count_measured() -> int:
    """Of how many persons something is believed."""
    return PersonAbility.objects.count()


def list_followed(persons: Collection[UUID]) -> dict[UUID, Followed]:
    """What is believed of several persons, in one query.

    What was folded on an earlier basis is given until it is folded anew, unless it is of other competencies.
    """
    competencies = current_basis().population.competencies
    rows = PersonAbility.objects.filter(person__in=persons, state__isnull=False)
    found = {row.person: _unpacked(row) for row in rows}
    return {
        person: followed
        for person, followed in found.items()
        if followed is not None and followed.state.competencies == competencies
    }


def _unpacked(row: PersonAbility) -> Followed | None:
    """What a row holds; None where another version of Toprope wrote it in a form this one does not read."""
    assert row.state is not None  # noqa: S101 - asked for above
    try:
        return unpack_followed(bytes(row.state), row.responses)
    except ValueError:
        return None


def list_abilities(person: UUID, at: datetime) -> dict[str, Ability]:
    """A person's abilities at a time, by competency; those without a score of their own are absent."""
    return list_abilities_of([person], at).get(person, {})


def list_abilities_of(persons: Collection[UUID], at: datetime) -> dict[UUID, dict[str, Ability]]:
    """The abilities of several persons at a time, in one query."""
    basis = current_basis()
    return {person: read_abilities(basis, known, at) for person, known in list_followed(persons).items()}


def forecast_ability(person: UUID, competency: str, times: Sequence[datetime]) -> list[Ability]:
    """One ability at each of these times, if nothing new is shown until then; empty without a score of its
    own.
    """
    basis, followed = current_basis(), list_followed([person]).get(person)
    if followed is None:
        return []
    found = (read_abilities(basis, followed, at).get(competency) for at in times)
    return [ability for ability in found if ability is not None]


def explain_ability(person: UUID, competency: str) -> list[AbilityStep]:
    """Every score behind an estimate, and how each moved it."""
    statements = [recorded.statement for recorded in list_statements(actor=person, verbs=FOLLOWED)]
    return list_steps(current_basis(), competency, statements)


def judge_level(
    person: UUID,
    competency: str,
    level: int,
    *,
    including: Sequence[Statement],
    answered: int,
    nothing_left: bool,
    now: datetime,
) -> Judgement:
    """What a sitting on a level has come to, with statements that are about to be recorded."""
    framework = current_framework()
    currency = framework.currency[framework.competencies[competency].currency]
    return judge(
        current_basis(),
        _look_ahead(person, including, now),
        competency,
        level,
        answered=answered,
        nothing_left=nothing_left,
        shortest_days=currency.grace_days,
        longest_days=currency.refresh_days + currency.grace_days,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class _Questions:
    """The questions of one level, told apart by where they come from."""

    basis: str
    competency: str
    level: int
    items: Sequence[Item] = field(compare=False)


@lru_cache(maxsize=64)
def _pool(questions: _Questions) -> Pool:
    """What a pack holds never changes, so its questions are ranked once."""
    return rank_pool(current_basis(), questions.items)


def choose_question(
    person: UUID,
    competency: str,
    level: int,
    pool: Sequence[Item],
    *,
    seen: Collection[str],
    asked: Collection[str] = (),
    including: Sequence[Statement] = (),
    seed: UUID,
    now: datetime,
) -> Question | None:
    """The next question of a sitting, with statements that are about to be recorded; None if all were seen.

    `pool` are all questions of the level, `seen` those that the person knows, `asked` those of this sitting.
    """
    basis = current_basis()
    return choose(
        basis,
        _pool(_Questions(basis.key, competency, level, pool)),
        _look_ahead(person, including, now),
        competency,
        level,
        seen=seen,
        asked=asked,
        seed=seed,
        now=now,
    )


def _look_ahead(person: UUID, including: Sequence[Statement], now: datetime) -> Followed:
    """What will be believed of a person once `including` is on record."""
    basis = current_basis()
    row = PersonAbility.objects.filter(person=person, basis=basis.key).first()
    after = row.seq if row else 0
    known = unpack_followed(bytes(row.state), row.responses) if row and row.state is not None else None
    news = [each.statement for each in list_statements(actor=person, verbs=FOLLOWED, after_seq=after)]
    return follow(basis, known, [*news, *including]) or start_following(basis, now)


def list_decisions() -> list[Made]:
    """What every sitting decided, oldest first."""
    return [
        Made(
            person=row.person,
            statement=row.statement,
            competency=row.competency,
            level=row.level,
            at=row.at,
            certainty=row.certainty,
            passed=row.passed,
            by_estimate=row.by_estimate,
            alone=row.alone,
        )
        for row in LevelDecision.objects.order_by("at", "statement")
    ]


def list_rung_decisions() -> list[RungDecisions]:
    """How the decisions stand that each rung rests on."""
    return summarise_rungs(current_framework(), list_decisions())


def get_calibration() -> CalibrationView | None:
    """The calibration in force, with its items and raters; None before the first."""
    calibration = Calibration.objects.order_by("-number").first()
    if calibration is None:
        return None
    items = CalibratedItem.objects.filter(calibration=calibration).order_by("competency", "key", "digest")
    raters = CalibratedRater.objects.filter(calibration=calibration).order_by("-ratings", "rater")
    fitted = FittedRetention.objects.filter(calibration=calibration).order_by("competency")
    retention = tuple(
        RetentionResult(each.competency, each.stability, each.standard_error, each.probes) for each in fitted
    )
    return CalibrationView(calibration, list(items), list(raters), retention)


def rehearse_sitting() -> None:
    """Compile what a sitting needs, once on a machine, so that nobody waits for it in mid-sitting."""
    rehearse(current_basis())
