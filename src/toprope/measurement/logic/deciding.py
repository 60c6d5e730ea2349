"""What sittings decided, how certain that was, and how it turned out. Pure.

A later sitting on the same level audits an earlier one: it is read on its own, as if nothing were known of
the person, so that the belief that decided does not vouch for itself. Who then is more likely below the cut
than not counts as below. A short sitting cannot be sure, so that among people near the cut some count as
below who are not: the shares err on the strict side.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from toprope.competency.logic import Framework
from toprope.evidence.statement import Statement, Verb
from toprope.measurement.logic.following import Basis, belief_about, follow_many
from toprope.stats import DecisionSummary, LearntThreshold, learn_threshold, summarise_decisions


@dataclass(frozen=True, slots=True)
class Made:
    """What one sitting decided. `certainty` is P(ability >= cut) then; `alone` is that by this sitting only.

    `by_estimate`: the estimate decided; elsewhere the share right did, provisionally, as the pool was small.
    `alone` is None where no question was new to the person.
    """

    person: UUID
    statement: UUID
    competency: str
    level: int
    at: datetime
    certainty: float
    passed: bool
    by_estimate: bool
    alone: float | None


@dataclass(frozen=True, slots=True)
class RungDecisions:
    """How the decisions stand that a rung rests on: those by the estimate, and how many there are besides.

    `summary` is None where the estimate decided none yet.
    """

    rung: str
    name: str
    provisional: int
    summary: DecisionSummary | None


def read_decisions(basis: Basis, statements: Iterable[Statement]) -> list[Made]:
    """What the sittings among these statements decided, each with its answers before its end."""
    answers: dict[UUID | None, list[Statement]] = {}
    ended: list[tuple[Statement, list[Statement]]] = []
    for each in statements:
        if each.verb is Verb.ANSWERED:
            answers.setdefault(each.context.sitting, []).append(each)
        elif each.verb is Verb.COMPLETED and _is_measured(basis, each):
            ended.append((each, answers.pop(each.context.sitting, [])))
    beliefs = follow_many(basis, [(None, told) for _, told in ended])
    made = []
    for (statement, _), followed in zip(ended, beliefs, strict=True):
        context, result = statement.context, statement.result
        assert result is not None  # noqa: S101 - looked at above
        cut = basis.cuts[context.level]
        alone = None  # nothing new was answered: this sitting tells nothing by itself
        if followed is not None:
            belief = belief_about(basis, followed.state, context.competency, statement.timestamp)
            alone = belief.probability_above(cut)
        made.append(
            Made(
                person=statement.actor,
                statement=statement.id,
                competency=context.competency,
                level=context.level,
                at=statement.timestamp,
                certainty=float(result.detail["measured"]["certainty"]),
                passed=bool(result.success),
                by_estimate=bool(result.detail["measured"]["decides"]),
                alone=alone,
            )
        )
    return made


def _is_measured(basis: Basis, completed: Statement) -> bool:
    result, known = completed.result, basis.population.competencies
    return result is not None and "measured" in result.detail and completed.context.competency in known


def find_audits(decisions: Sequence[Made]) -> dict[UUID, bool]:
    """Which decisions a later one audits, and whether the person was found below the cut; by statement."""
    last: dict[tuple[UUID, str, int], Made] = {}
    found: dict[UUID, bool] = {}
    for made in sorted(decisions, key=lambda each: (each.at, each.statement)):
        key = (made.person, made.competency, made.level)
        if key in last and made.alone is not None:
            found[last[key].statement] = made.alone < 0.5
        last[key] = made
    return found


def summarise(decisions: Sequence[Made]) -> DecisionSummary:
    """How these decisions stand, with what audits found."""
    audits = find_audits(decisions)
    return summarise_decisions(
        [each.certainty for each in decisions],
        [each.passed for each in decisions],
        [float(audits[each.statement]) if each.statement in audits else float("nan") for each in decisions],
    )


def summarise_rungs(framework: Framework, decisions: Sequence[Made]) -> list[RungDecisions]:
    """For each rung, the decisions on the levels that it requires; rungs without any are left out."""
    by_level: Mapping[tuple[str, int], list[Made]] = _by_level(decisions)
    found = []
    for rung in framework.rungs.values():
        resting = [made for key in rung.competencies.items() for made in by_level.get(key, ())]
        if resting:
            sure = [made for made in resting if made.by_estimate]
            summary = summarise(sure) if sure else None
            found.append(RungDecisions(rung.key, rung.name, len(resting) - len(sure), summary))
    return found


def _by_level(decisions: Sequence[Made]) -> dict[tuple[str, int], list[Made]]:
    found: dict[tuple[str, int], list[Made]] = {}
    for made in decisions:
        found.setdefault((made.competency, made.level), []).append(made)
    return found


def learn_certainty(decisions: Sequence[Made]) -> LearntThreshold:
    """The certainty to ask, as audits bear it out; each person counts once, with their first audited
    decision.
    """
    audits = find_audits(decisions)
    first: dict[UUID, Made] = {}
    for made in sorted(
        (each for each in decisions if each.by_estimate), key=lambda each: (each.at, each.statement)
    ):
        if made.statement in audits:
            first.setdefault(made.person, made)
    audited = list(first.values())
    return learn_threshold([each.certainty for each in audited], [audits[each.statement] for each in audited])
