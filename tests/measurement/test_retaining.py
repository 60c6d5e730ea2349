"""How fast skill fades, from answers that came after a pause."""

import math
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from tests.frameworks import builtin_framework

from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.measurement.logic import Basis, Parameters, estimate_retention, find_probes, population_of
from toprope.measurement.logic.readings import Known

START = datetime(2026, 1, 5, tzinfo=UTC)
EXACT = {("itm", "pack"): Known(Parameters(0.0, 1.0, covariance=(0.0, 0.0, 0.0)))}
BASIS = Basis("a basis", population_of(builtin_framework()), EXACT)


def answer(person: int, day: float, *, right: bool, competency: str = "SEC-01") -> Statement:
    who = UUID(int=person)
    return Statement(
        uuid5(who, f"{day} {competency}"),
        who,
        Verb.ANSWERED,
        Object(ObjectType.ITEM, "itm", "pack"),
        START + timedelta(days=day),
        result=Result(success=right, detail={"options": 0}),
        context=Context(competency=competency, level=2, kind="auto_items"),
    )


def test_only_the_first_answer_after_a_pause_on_its_own_competency_tells():
    told = [
        answer(1, 0, right=True),
        answer(1, 1, right=True),
        answer(1, 20, right=False, competency="FND-01"),
        answer(1, 31, right=False),
        answer(1, 32, right=True),
    ]
    (probe,) = find_probes(BASIS, told)
    assert probe.competency == "SEC-01"
    assert probe.elapsed_days == pytest.approx(30)
    assert probe.success == 0.0
    assert probe.fresh_logit > probe.faded_logit == 0.0
    assert probe.faded_variance == pytest.approx(1.0)
    assert find_probes(BASIS, told[:2]) == []


def simulate(half_life: float, people: int, seed: int = 1):
    """People who show what they can on twenty questions, and are asked three times, months later."""
    chance = random.Random(seed)
    for person in range(people):
        ability = chance.gauss(0, 1)
        days = [number / 100 for number in range(20)] + [120, 240, 360]
        seen = 0.0
        told = []
        for day in days:
            left = 0.5 ** ((day - seen) / half_life) if day >= 1 else 1.0
            right = chance.random() < 1 / (1 + math.exp(-ability * left))
            told.append(answer(person, day, right=right))
        yield told


@pytest.mark.parametrize(("half_life", "slower"), [(30.0, False), (3_000.0, True)])
def test_people_who_forget_fast_or_slowly_move_the_estimate_away_from_its_class(half_life, slower):
    probes = [probe for told in simulate(half_life, 400) for probe in find_probes(BASIS, told)]
    (found,) = estimate_retention(BASIS, probes)
    place = BASIS.population.competencies.index("SEC-01")
    planned = float(BASIS.population.stability[place])
    assert (found.stability > planned) is slower
    assert found.probes == len(probes) == 1_200
    assert 0 < found.standard_error < 0.7


def test_few_answers_after_pauses_leave_it_to_the_class():
    probes = [probe for told in simulate(30.0, 10) for probe in find_probes(BASIS, told)]
    assert estimate_retention(BASIS, probes) == ()
