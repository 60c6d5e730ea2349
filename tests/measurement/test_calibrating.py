"""From everybody's answers to calibrated items: the pure part, and adopting it."""

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import numpy as np
import pytest
from distributed import Client, LocalCluster
from tests.factories import make_cast

from toprope.audit import api as audit
from toprope.config.rebuild import rebuild
from toprope.content import api as content
from toprope.evidence import api as evidence
from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
from toprope.measurement import api as measurement
from toprope.measurement.logic import Answers, Parameters, calibrate_competency, calibrate_raters, calibrating
from toprope.measurement.logic.inspecting import inspect_fit
from toprope.measurement.models import CalibratedItem, Calibration, FittedRetention, PersonAbility
from toprope.people import api as people_api

START = datetime(2026, 1, 5, tzinfo=UTC)


def simulate(difficulties, *, persons=600, mean=0.0, seed=1, reversed_at=(), **fields):
    """Answers of persons around `mean` to items of level 2, each to all of them."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(mean, 1.0, persons)
    person, item, right = [], [], []
    for one in range(persons):
        for at, difficulty in enumerate(difficulties):
            gap = ability[one] - difficulty
            chance = 1 / (1 + np.exp(gap if at in reversed_at else -gap))
            person.append(one)
            item.append((f"itm-{at}", "text"))
            right.append(bool(rng.random() < chance))
    keys = [(f"itm-{at}", "text") for at in range(len(difficulties))]
    values = {
        "competency": "SEC-01",
        "person": person,
        "item": item,
        "level": dict.fromkeys(keys, 2),
        "right": right,
        "predicted": [0.5] * len(person),
        "ability": [float(ability[one]) for one in person],
        "choice": ["a" if each else "bc"[one % 2] for one, each in zip(person, right, strict=True)],
        "options": dict.fromkeys(keys, ("a", "b", "c")),
        "key": dict.fromkeys(keys, "a"),
    }
    return Answers(**values | fields)


def found_difficulties(result):
    return [each.parameters.difficulty for each in result.items if each.parameters]


def test_items_are_found_and_the_first_scale_hangs_on_their_levels():
    truth = [-1.5, -0.5, 0.0, 0.5, 1.5]
    result = calibrate_competency(simulate(truth, mean=0.8, persons=3_000), {})
    assert result.said == "converged"
    assert np.array(found_difficulties(result)) == pytest.approx(truth, abs=0.3)  # their mean is level 2's
    assert result.ability_mean == pytest.approx(0.8, abs=0.2)
    assert all(each.parameters.covariance[2] > 0 for each in result.items)


def test_items_known_before_hold_the_scale_for_new_ones_and_a_new_crowd():
    truth = [-1.5, -0.5, 0.0, 0.5, 1.5, 1.0, 2.0]
    exact = {
        (f"itm-{at}", "text"): Parameters(truth[at], 1.0, covariance=(0.001, 0.0, 0.001)) for at in range(5)
    }
    result = calibrate_competency(simulate(truth, mean=1.0, seed=2), exact)
    kept = {each.item: each.parameters for each in result.items}
    assert all(kept[item] == parameters for item, parameters in exact.items())
    assert found_difficulties(result)[5:] == pytest.approx(truth[5:], abs=0.3)
    assert result.ability_mean == pytest.approx(1.0, abs=0.15)


def test_items_known_but_not_settled_are_estimated_again_in_their_place():
    truth = [-1.5, -0.5, 0.0, 0.5, 1.5]
    vague = {
        (f"itm-{at}", "text"): Parameters(each + 1.0, 1.0, covariance=(0.1, 0.0, 0.1))
        for at, each in enumerate(truth)
    }
    result = calibrate_competency(simulate(truth, persons=3_000), vague)
    assert np.array(found_difficulties(result)) == pytest.approx(np.array(truth) + 1.0, abs=0.3)
    assert result.ability_mean == pytest.approx(1.0, abs=0.15)
    assert all(each.parameters.covariance[2] < 0.1 for each in result.items)


def test_two_items_alone_say_nothing_of_their_keys():
    result = calibrate_competency(simulate([0.0, 0.5]), {})
    assert "2 items with 30 answers; 3 are needed" in result.said
    assert not any("key" in note for each in result.items for note in each.notes)


def test_few_answers_leave_the_planned_parameters():
    result = calibrate_competency(simulate([0.0] * 5, persons=29), {})
    assert not found_difficulties(result)
    assert "0 items with 30 answers" in result.said
    assert all("Too few answers: 29 of 30." in each.notes for each in result.items)


def test_a_wrong_key_is_noticed_and_not_calibrated():
    result = calibrate_competency(simulate([-0.5, 0.0, 0.5, 0.2], reversed_at={3}), {})
    odd = result.items[3]
    assert odd.parameters is None
    assert any("look at the key" in note for note in odd.notes)


def test_what_everybody_gets_right_stays_planned_and_is_said():
    answers = simulate([-0.5, 0.0, 0.5, 0.2])
    right = [success or item[0] == "itm-3" for success, item in zip(answers.right, answers.item, strict=True)]
    result = calibrate_competency(replace(answers, right=right), {})
    assert result.items[3].parameters is None
    assert result.items[3].notes[0] == "Nearly everybody gets it right."


def test_an_answer_that_got_about_is_noticed():
    answers = simulate([-0.5, 0.0, 0.5, 1.5])
    right = [success or item[0] == "itm-3" for success, item in zip(answers.right, answers.item, strict=True)]
    predicted = [0.2 if item[0] == "itm-3" else 0.5 for item in answers.item]
    result = calibrate_competency(replace(answers, right=right, predicted=predicted), {})
    assert result.items[3].exposed > 0.9
    assert "got about" in result.items[3].notes[-1]
    assert max(each.exposed for each in result.items[:3]) < 0.5


def test_a_cluster_says_the_same_to_the_last_bit(monkeypatch):
    monkeypatch.setattr(calibrating, "PERSONS_PER_PART", 200)
    answers = simulate([-1.0, 0.0, 1.0])
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
    )
    with cluster, Client(cluster) as client:
        assert calibrate_competency(answers, {}, client) == calibrate_competency(answers, {})


def test_options_that_nobody_takes_or_that_draw_the_able_are_named():
    answers = simulate([-0.5, 0.0, 0.5, 0.2])
    choice = [
        "b" if not right and key[0] == "itm-3" else taken
        for key, right, taken in zip(answers.item, answers.right, answers.choice, strict=True)
    ]
    result = calibrate_competency(replace(answers, choice=choice), {})
    assert "Almost nobody takes option c: it distracts no one." in result.items[3].notes
    assert not any("Almost nobody" in note for each in result.items[:3] for note in each.notes)
    swapped = ["b" if taken == "a" else "a" if taken == "b" else "c" for taken in answers.choice]
    result = calibrate_competency(replace(answers, choice=swapped), {})
    assert "Option b draws those who know more: it may be right too." in result.items[0].notes


def test_noise_is_named_and_order_is_not():
    rng = np.random.default_rng(5)
    ability = rng.normal(0, 1, 1_500)
    right = rng.random(1_500) < 1 / (1 + np.exp(-1.5 * (ability - 0.2)))
    parameters = Parameters(0.2, 1.5, covariance=(0.01, 0.0, 0.01))
    assert inspect_fit(right.tolist(), ability.tolist(), parameters) == []
    noisy = np.where(np.abs(ability) > 1.5, rng.random(1_500) < 0.5, right)
    (note,) = inspect_fit(noisy.tolist(), ability.tolist(), parameters)
    assert "noisier" in note


def test_raters_differ_and_few_ratings_say_nothing():
    rng = np.random.default_rng(3)
    severity = {"ben": 0.8, "dana": 0.0, "eve": -0.8}
    columns = ([], [], [], [])
    for person in range(150):
        ability = rng.normal()
        for rater in rng.choice(list(severity), 2, replace=False):
            score = int(np.clip(round(2 + ability - severity[rater] + rng.normal(0, 0.5)), 0, 4))
            for column, value in zip(columns, (str(person), str(rater), "drill", score), strict=True):
                column.append(value)
    found = calibrate_raters(*columns)
    assert [each.rater for each in sorted(found.raters, key=lambda each: each.severity)] == [
        "eve",
        "dana",
        "ben",
    ]
    assert found.spread > 0.3
    assert calibrate_raters(*(column[:20] for column in columns)) is None


@pytest.fixture
def recorded():
    """Two hundred made-up persons who each answered the questions on FND-01, SEC-01 and GOV-01 once."""
    make_cast(START)
    chance = random.Random(4)
    people = [uuid5(UUID(int=1), str(number)) for number in range(200)]
    evidence.record_statements(list(made_up_answers(people, chance)))
    measurement.rebuild_if_empty()
    return people


def made_up_answers(people, chance) -> Iterator[Statement]:
    items = [
        item for key in ("FND-01", "SEC-01", "GOV-01") for at in (1, 2) for item in content.list_pool(key, at)
    ]
    for person in people:
        ability = chance.gauss(0.5, 1.0)
        for number, item in enumerate(items):
            right = chance.random() < 1 / (1 + math.exp(-(ability - item.level + 2)))
            wrong = next(option for option in item.options if option.id != item.answer)
            yield Statement(
                uuid5(person, item.key),
                person,
                Verb.ANSWERED,
                Object(ObjectType.ITEM, item.key, item.version),
                START + timedelta(minutes=number),
                result=Result(
                    score=float(right),
                    success=right,
                    response={"choice": item.answer if right else wrong.id},
                    detail={"options": len(item.options), "repeat": False},
                ),
                context=Context(competency=item.competency, level=item.level, kind="auto_items"),
            )


@pytest.mark.django_db
def test_adopting_moves_estimates_and_nothing_else(recorded):
    before = measurement.list_abilities(recorded[0], START + timedelta(days=1))
    proposal = measurement.propose_calibration()
    assert measurement.list_abilities(recorded[0], START + timedelta(days=1)) == before  # nothing yet
    assert measurement.adopt_calibration(proposal, START + timedelta(days=1)) == 1
    after = measurement.list_abilities(recorded[0], START + timedelta(days=1))
    assert after.keys() == before.keys()
    assert after != before
    assert CalibratedItem.objects.filter(difficulty__isnull=False).count() >= 3
    entry = next(iter(audit.list_entries(tag="calibration.adopted")))
    assert entry.detail["items"] == CalibratedItem.objects.filter(difficulty__isnull=False).count()


@pytest.mark.django_db
@pytest.mark.usefixtures("recorded")
def test_the_governance_lead_sees_what_came_of_it(client):
    client.force_login(people_api.find_person("gita"))
    assert "Not calibrated yet." in client.get("/measurement/").content.decode()
    measurement.adopt_calibration(measurement.propose_calibration(), START)
    CalibratedItem.objects.filter(key="itm-fnd01-1").update(notes=["Nearly everybody gets it right."])
    FittedRetention.objects.create(
        calibration_id=1, competency="SEC-01", stability=9.0, standard_error=0.2, probes=80
    )
    page = client.get("/measurement/").content.decode()
    assert "Calibration 1 of" in page
    assert "itm-fnd01-1" in page
    assert "115" in page  # days to a half: 9 x 243 / 19


@pytest.mark.django_db
@pytest.mark.usefixtures("recorded")
def test_a_second_calibration_keeps_the_scale_and_a_rebuild_is_identical():
    measurement.adopt_calibration(measurement.propose_calibration(), START)
    first = dict(CalibratedItem.objects.values_list("key", "difficulty"))
    measurement.adopt_calibration(measurement.propose_calibration(), START)
    again = dict(CalibratedItem.objects.filter(calibration=2).values_list("key", "difficulty"))
    assert again == pytest.approx(first, abs=1e-6)
    assert Calibration.objects.count() == 2
    assert rebuild().identical


@pytest.mark.django_db
def test_a_calibration_of_nothing_is_harmless():
    make_cast(START)
    proposal = measurement.propose_calibration()
    assert proposal.responses == 0
    assert measurement.adopt_calibration(proposal, START) == 1


@pytest.mark.django_db
def test_a_certainty_that_audits_taught_is_asked_from_then_on():
    make_cast(START)
    nobody = UUID(int=77)
    asked = {"including": (), "answered": 40, "nothing_left": True, "now": START}
    assert measurement.judge_level(nobody, "SEC-01", 1, **asked).threshold == measurement.RULE.certainty
    Calibration.objects.create(number=1, adopted_at=START, seq=0, persons=0, responses=0, certainty=0.97)
    assert measurement.judge_level(nobody, "SEC-01", 1, **asked).threshold == 0.97


@pytest.mark.django_db
def test_estimates_of_an_earlier_basis_are_shown_until_they_are_folded_anew(recorded):
    before = measurement.list_abilities(recorded[0], START)
    Calibration.objects.create(number=1, adopted_at=START, seq=0, persons=0, responses=0)
    assert measurement.list_abilities(recorded[0], START) == before
    assert measurement.refresh_stale() == len(recorded)
    assert measurement.refresh_stale() == 0
    PersonAbility.objects.filter(person=recorded[0]).update(state=b"of another version")
    assert measurement.list_abilities(recorded[0], START) == {}
