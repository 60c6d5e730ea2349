import re

import pytest
from tests.web.test_learner import text_of
from tests.web.world import EXPLANATION, answer

from toprope.kit.clock import now
from toprope.learning import api as learning

pytestmark = pytest.mark.django_db


@pytest.fixture
def sitting(world):
    return world.attempts["sitting"]


def open_question(world, attempt):
    return next(
        each for each in learning.get_attempt(world.cleo.uuid, attempt).questions if each.answer is None
    )


def post_answer(client, attempt, item, choice, **more):
    return client.post(
        f"/practice/{attempt}/answer/",
        {"item": item.key, "choice": choice, "shown_at": "1", **more},
        follow=True,
    )


def test_a_wrong_answer_is_told_what_is_behind_it(world, enter, sitting):
    item = open_question(world, sitting).item
    wrong = next(option for option in item.options if option.id != item.answer)
    text = text_of(post_answer(enter("cleo"), sitting, item, wrong.id))
    from django.utils.html import escape

    assert "Not right" in text
    assert escape(wrong.misconception) in text
    assert " ".join(escape(item.rationale).split()) in text
    assert "The right answer" in text


def test_a_right_answer_is_told_so_and_leads_on(world, enter, sitting):
    item = open_question(world, sitting).item
    response = post_answer(enter("cleo"), sitting, item, item.answer)
    assert 'class="feedback right"' in response.content.decode()
    assert "The right answer, and yours" in text_of(response)
    assert f'href="/practice/{sitting}/"' in response.content.decode()


def test_the_first_answer_stands_and_sending_it_again_is_harmless(world, enter, sitting):
    client, item = enter("cleo"), open_question(world, sitting).item
    wrong = next(option.id for option in item.options if option.id != item.answer)
    first = post_answer(client, sitting, item, wrong)
    second = post_answer(client, sitting, item, item.answer)
    assert 'class="feedback wrong"' in first.content.decode()
    assert 'class="feedback wrong"' in second.content.decode()


@pytest.mark.parametrize("form", [{}, {"choice": "nonsense"}, {"choice": "", "line": ["x", "-1", "9" * 30]}])
def test_an_answer_that_is_none_is_refused_and_nothing_is_lost(world, enter, sitting, form):
    item = open_question(world, sitting).item
    response = enter("cleo").post(f"/practice/{sitting}/answer/", {"item": item.key, **form}, follow=True)
    assert "Choose one of the answers." in text_of(response)
    assert open_question(world, sitting).item == item


def test_a_sitting_goes_on_where_it_was_left_and_ends_in_a_result(world, enter, sitting):
    client = enter("cleo")
    total = len(learning.get_attempt(world.cleo.uuid, sitting).questions)
    while any(each.answer is None for each in learning.get_attempt(world.cleo.uuid, sitting).questions):
        item = open_question(world, sitting).item
        assert item.stem[:40] in text_of(client.get(f"/practice/{sitting}/")).replace("&#x27;", "'")
        answer(world.cleo.uuid, sitting, now(), right=True)
    text = text_of(client.get(f"/practice/{sitting}/"))
    assert f"{total - 1} of {total} right" in text
    assert client.get(f"/practice/{sitting}/?answered=1").status_code == 200


@pytest.mark.parametrize("answered", ["0", "99", "x", "-1", "9" * 30])
def test_a_made_up_number_shows_the_next_question(enter, sitting, answered):
    response = enter("cleo").get(f"/practice/{sitting}/?answered={answered}")
    assert "Answer" in text_of(response)


def test_lines_are_asked_for_where_the_flaw_is_known(world):
    """Spot-the-flaw: lines to mark before, the flawed ones highlighted after."""
    from dataclasses import replace

    from toprope.content.api import list_pool
    from toprope.learning.api import Question
    from toprope.web.practice import code_lines

    item = next(item for level in (1, 2) for item in list_pool("SEC-02", level) if item.flaw_lines)
    before = code_lines(Question(item, None))
    assert [line["text"] for line in before] == item.code.splitlines()
    assert not any(line["flawed"] or line["marked"] for line in before)
    answered = (
        learning.get_attempt(world.cast.amara.uuid, world.attempts["sitting_result"]).questions[0].answer
    )
    feedback = replace(answered.feedback, flaw_lines=item.flaw_lines)
    after = code_lines(Question(item, replace(answered, lines=(1,), feedback=feedback)))
    assert [line["number"] for line in after if line["flawed"]] == list(item.flaw_lines)
    assert after[0]["marked"]


def test_the_redaction_drill_is_scored_and_shows_what_was_missed(world, enter):
    attempt = world.attempts["redaction"]
    shown = learning.get_attempt(world.cleo.uuid, attempt).shown
    missed, *found = shown.spans
    tokens = [token for span in found for token in span.tokens] + [shown.decoys[0].tokens[0]]
    response = enter("cleo").post(f"/practice/{attempt}/hand-in/", {"token": tokens}, follow=True)
    text = text_of(response)
    assert f"{len(found)} of {len(shown.spans)} sensitive places found" in text
    assert missed.text in text
    page = response.content.decode()
    assert page.count('class="token missed"') == len(missed.tokens) + 1  # and the legend
    assert page.count('class="token needless"') == 2
    again = enter("cleo").post(f"/practice/{attempt}/hand-in/", {"token": []}, follow=True)
    assert f"{len(found)} of" in text_of(again)


def test_marks_that_do_not_exist_are_refused(world, enter):
    attempt = world.attempts["redaction"]
    response = enter("cleo").post(f"/practice/{attempt}/hand-in/", {"token": ["999999"]}, follow=True)
    assert response.status_code == 200
    assert not learning.get_attempt(world.cleo.uuid, attempt).finished


def test_the_flaw_hunt_is_scored_sample_by_sample(world, enter):
    attempt = world.attempts["flaw_hunt"]
    samples = learning.get_attempt(world.cleo.uuid, attempt).shown.samples
    form = {f"line-{sample.id}": list(sample.flaw_lines) for sample in samples if not sample.sound}
    form[f"line-{next(sample.id for sample in samples if sample.sound)}"] = [1]
    text = text_of(enter("cleo").post(f"/practice/{attempt}/hand-in/", form, follow=True))
    flawed = sum(not sample.sound for sample in samples)
    assert f"{flawed} of {flawed} flaws found" in text
    assert "False alarm" in text
    assert "Rightly left alone" in text


def test_an_explanation_too_short_is_refused_and_kept_in_the_form(world, enter):
    attempt = world.attempts["explain_back"]
    response = enter("cleo").post(f"/practice/{attempt}/hand-in/", {"text": "It <works>."})
    assert response.status_code == 422
    assert "Write at least 40 characters" in text_of(response)
    assert "It &lt;works&gt;.</textarea>" in response.content.decode()


def test_an_explanation_waits_for_its_rating_and_then_shows_it(world, enter):
    attempt = world.attempts["explain_back"]
    client = enter("cleo")
    handed_in = client.post(f"/practice/{attempt}/hand-in/", {"text": EXPLANATION}, follow=True)
    assert "waits for a mentor to rate it: Ben." in text_of(handed_in)
    again = client.post(f"/practice/{attempt}/hand-in/", {"text": "x"}, follow=True)
    assert "waits for a mentor" in text_of(again)
    rated = enter("ben").post(
        f"/ratings/{attempt}/", {"score": "3", "note": "Say what the tests cover."}, follow=True
    )
    assert "Your rating is recorded" in text_of(rated)
    text = text_of(client.get(f"/practice/{attempt}/"))
    assert "Rated 3 of 4" in text
    assert "Say what the tests cover." in text


def test_answers_tell_how_long_they_took(world, enter, sitting):
    from toprope.evidence.api import list_newest

    client = enter("cleo")
    page = client.get(f"/practice/{sitting}/").content.decode()
    shown_at = re.search(r'name="shown_at" value="(\d+)"', page)[1]
    item = open_question(world, sitting).item
    post_answer(client, sitting, item, item.answer, shown_at=str(int(shown_at) - 30))
    newest = [each.statement for each in list_newest(actor=world.cleo.uuid, limit=2)]
    assert 30 <= max(each.result.seconds or 0 for each in newest) < 60
