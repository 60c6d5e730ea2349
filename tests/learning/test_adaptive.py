"""Sittings whose questions are chosen one by one, from a pool large enough for the estimate to decide."""

import random
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from tests.factories import do_step, make_cast

from toprope.authorization import api as authorization
from toprope.config.rebuild import rebuild
from toprope.content import api as content
from toprope.evidence import api as evidence
from toprope.evidence.statement import Verb
from toprope.learning import api as learning
from toprope.measurement import api as measurement
from toprope.progression import api as progression

pytestmark = pytest.mark.django_db

STEP = "sitting:SEC-01:1"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

ITEM = """
  - id: itm-sec01-x{number}
    type: mcq
    competency: SEC-01
    level: 1
    stem: "Made-up question number {number}: which of these is right?"
    options:
      - {{id: a, text: "{a}", misconception: {a_why}}}
      - {{id: b, text: "{b}", misconception: {b_why}}}
      - {{id: c, text: "{c}", misconception: {c_why}}}
    answer: {answer}
    rationale: It is made up, and so is its key.
    source: [practice]
"""


def made_up_items(count):
    for number in range(count):
        answer = "abc"[number % 3]
        fields = {"number": number, "answer": answer}
        for letter in "abc":
            fields[letter] = f"The {letter} of question {number}, no longer than others."
            fields[f"{letter}_why"] = "null" if letter == answer else f'"Made up: {letter}."'
        yield ITEM.format(**fields)


@pytest.fixture
def cast(tmp_path):
    made = make_cast(NOW)
    pack = tmp_path / "toprope-default"
    shutil.copytree(content.builtin_pack(), pack)
    for path in (pack / "framework.yaml", *pack.glob("*.yaml")):
        path.write_text(path.read_text().replace("\nversion: 1.0.0", "\nversion: 1.1.0", 1))
    with (pack / "items" / "sec.yaml").open("a") as file:
        file.writelines(made_up_items(60))
    assert content.load_pack(pack, NOW).new
    do_step(made.amara, "policy", NOW)
    return made


def sit(person, now, *, share_right, seed=1):
    """Answer until the sitting is over; gives how many questions that were."""
    chance, attempt = random.Random(seed), learning.start_step(person, STEP, now)
    count = 0
    while not (told := learning.get_attempt(person, attempt)).finished:
        question = told.questions[-1]
        assert question.answer is None
        wrong = [option.id for option in question.item.options if option.id != question.item.answer]
        choice = question.item.answer if chance.random() < share_right else wrong[0]
        now += timedelta(seconds=30)
        learning.answer_item(person, attempt, question.item.key, choice=choice, lines=[], seconds=9, now=now)
        count += 1
        assert count <= measurement.RULE.most
    return told, count


def test_who_knows_passes_before_all_is_asked_and_the_award_is_full(cast):
    person = cast.amara.uuid
    told, count = sit(person, NOW, share_right=1.0)
    assert measurement.RULE.fewest <= count < measurement.RULE.most
    assert told.outcome.success
    assert told.outcome.detail["measured"]["certainty"] >= told.outcome.detail["measured"]["threshold"]
    requirement = progression.get_level_checklist(person, "SEC-01", 1, NOW + timedelta(days=1)).requirements[
        0
    ]
    assert requirement.status is progression.Status.DONE
    assert not requirement.provisional


def test_who_does_not_know_is_told_so_without_forty_questions(cast):
    told, count = sit(cast.amara.uuid, NOW, share_right=0.2)
    assert not told.outcome.success
    assert count < measurement.RULE.most
    assert told.outcome.detail["measured"]["lasts_until"] is None


def test_a_second_sitting_asks_new_questions_and_remembers_the_first(cast):
    person = cast.amara.uuid
    first, _ = sit(person, NOW, share_right=0.2)
    before = measurement.list_abilities(person, NOW)["SEC-01"]
    later = NOW + timedelta(days=2)
    second, _ = sit(person, later, share_right=1.0)
    assert not {each.item.key for each in first.questions} & {each.item.key for each in second.questions}
    assert before.value < 0  # no fresh start: what was shown the first time still counts
    after = measurement.list_abilities(person, later)["SEC-01"]
    assert after.responses == len(first.questions) + len(second.questions)


def test_the_sitting_can_be_told_again_from_the_record(cast):
    person = cast.amara.uuid
    told, count = sit(person, NOW, share_right=0.8)
    answers = [each.statement for each in evidence.list_statements(actor=person, verbs={Verb.ANSWERED})]
    named = [each.result.detail["next"] for each in answers[:-1]]
    assert [each["item"] for each in named] == [each.item.key for each in told.questions[1:]]
    assert all(0 < each["propensity"] <= 1 for each in named)
    assert "next" not in answers[-1].result.detail
    assert len(answers) == count
    assert rebuild().identical


def test_the_same_answer_twice_asks_one_next_question(cast):
    person = cast.amara.uuid
    attempt = learning.start_step(person, STEP, NOW)
    item = learning.get_attempt(person, attempt).questions[0].item
    for choice in (item.answer, "a", "b"):
        learning.answer_item(person, attempt, item.key, choice=choice, lines=[], seconds=9, now=NOW)
    assert len(learning.get_attempt(person, attempt).questions) == 2
    with pytest.raises(authorization.Refused, match="does not belong"):
        learning.answer_item(person, attempt, "itm-nowhere", choice="a", lines=[], seconds=9, now=NOW)


def test_the_pages_of_such_a_sitting_say_what_it_is_and_what_came_of_it(cast, client):
    client.force_login(cast.amara)
    attempt = learning.start_step(cast.amara.uuid, STEP, NOW)
    page = client.get(f"/practice/{attempt}/").content.decode()
    assert f"Question 1 of at most {measurement.RULE.most}." in page
    sit(cast.amara.uuid, NOW, share_right=0.1)
    page = client.get(f"/practice/{attempt}/").content.decode()
    assert "Nothing is lost" in page
    assert f"{measurement.RULE.certainty:.0%} is asked" in page
