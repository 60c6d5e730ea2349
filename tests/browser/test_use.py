"""Pages as people use them: by keyboard alone, without scripts, impatiently."""

import re

import pytest
from playwright.sync_api import expect

from toprope.kit.clock import now
from toprope.learning import api as learning
from toprope.people import api as people

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

TEXT = "It sends one mail where it sent two. The assistant wrote it; I read it and ran the tests once."


def tab_to(page, selector, limit=80):
    """Press Tab until an element that fits has the focus; it must show that it has."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            break
    else:
        raise AssertionError(f"Tab never reaches {selector}")
    shown = page.evaluate(
        """() => {
            const rings = [document.activeElement, document.activeElement.closest("label")].filter(Boolean);
            return rings.some(each => getComputedStyle(each).outlineStyle !== "none");
        }"""
    )
    assert shown, f"{selector} does not show that it has the focus"


def answered(world, attempt):
    return sum(each.answer is not None for each in learning.get_attempt(world.cleo.uuid, attempt).questions)


def test_a_sitting_by_keyboard_alone(world, open_page):
    page = open_page("cleo")
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    tab_to(page, ".panel button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/practice/**")
    attempt = page.url.rstrip("/").rsplit("/", 1)[1]
    total = len(learning.get_attempt(world.cleo.uuid, attempt).questions)
    for number in range(answered(world, attempt) + 1, total + 1):
        tab_to(page, "input[name=choice]")
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
        tab_to(page, "button[type=submit]:not(.quiet)")
        page.keyboard.press("Enter")
        expect(page.locator("#feedback")).to_be_focused()
        assert answered(world, attempt) == number
        assert "answered=" in page.url
        tab_to(page, "#go-on")
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "answered=" not in url)
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"of {total} right")


def test_spotting_a_flaw_by_keyboard(world, open_page):
    attempt = flawed_sitting(world)
    page = open_page("cleo")
    page.goto(f"/practice/{attempt}/")
    questions = learning.get_attempt(world.cleo.uuid, attempt).questions
    item = next(each.item for each in questions if each.answer is None)
    tab_to(page, f"input[name=line][value='{item.flaw_lines[0]}']")
    page.keyboard.press("Space")
    tab_to(page, "input[name=choice]")
    page.keyboard.press("Space")
    page.locator(f"input[name=choice][value='{item.answer}']").check()
    page.keyboard.press("Enter")
    expect(page.locator("#feedback")).to_contain_text("You also marked where the flaw is.")
    flawed = page.locator(".line.flawed .line-number").all_inner_texts()
    assert [int(number) for number in flawed] == list(item.flaw_lines)
    expect(page.locator(".line.flawed").first).to_contain_text("Flawed, and you marked it")


def flawed_sitting(world):
    """A sitting of Cleo's whose first open question asks for lines."""
    for competency in ("SEC-02", "VER-02", "QLT-01", "VER-01", "SEC-04"):
        for level in (1, 2):
            try:
                attempt = learning.start_step(world.cleo.uuid, f"sitting:{competency}:{level}", now())
            except Exception as refusal:  # noqa: BLE001 - the pack may ask nothing of this kind
                assert type(refusal).__name__ == "Refused"  # noqa: PT017 - any other is a fault
                continue
            for question in learning.get_attempt(world.cleo.uuid, attempt).questions:
                if question.item.flaw_lines:
                    return _lead_with(world, attempt, question.item)
    raise AssertionError("the pack has no sitting with a flaw to spot")


def _lead_with(world, attempt, wanted):
    for question in learning.get_attempt(world.cleo.uuid, attempt).questions:
        if question.item == wanted:
            return attempt
        answer = question.item.answer
        learning.answer_item(
            world.cleo.uuid, attempt, question.item.key, choice=answer, lines=(), seconds=1, now=now()
        )
    raise AssertionError("unreachable")


def test_everything_that_matters_without_scripts(world, open_page):
    password = "correct horse battery"
    people.set_password(people.get_person(world.cleo.uuid), password, now=now())
    page = open_page(java_script_enabled=False)
    page.goto("/ladder/R1/")
    page.get_by_label("E-mail address").fill(world.cleo.email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    assert page.url.endswith("/ladder/R1/")

    sitting = world.attempts["sitting"]
    page.goto(f"/practice/{sitting}/")
    while page.locator("input[name=choice]").count():
        page.locator("input[name=choice]").first.check()
        page.get_by_role("button", name="Answer").click()
        expect(page.locator("#feedback")).to_be_visible()
        page.locator("#go-on").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("right")

    page.goto(f"/practice/{world.attempts['redaction']}/")
    page.locator("input[name=token]").first.check()
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("sensitive places found")

    page.goto(f"/practice/{world.attempts['flaw_hunt']}/")
    page.locator(".line input").first.check()
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("flaws found")

    page.goto(f"/practice/{world.attempts['explain_back']}/")
    page.locator("textarea").fill(TEXT)
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Handed in")

    page.goto("/keys/")
    page.get_by_label("Name").fill("editor")
    page.get_by_role("button", name="Make a key").click()
    assert re.fullmatch(r"tp_\w{40}", page.locator("#secret").inner_text())
    assert not page.get_by_role("button", name="Copy").first.is_visible()  # it could do nothing
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sign in")


def test_mentors_and_governance_need_no_scripts_either(world, open_page):
    ben = open_page("ben", java_script_enabled=False)
    ben.goto(f"/people/{world.cast.amara.uuid}/")
    ben.get_by_text("Suspend R1", exact=True).first.click()
    ben.locator("#suspend-R1").fill("A look.")
    ben.get_by_role("button", name="Suspend R1").click()
    expect(ben.get_by_role("button", name="Reinstate R1")).to_be_visible()
    ben.goto("/ratings/")
    ben.locator("main .list a").first.click()
    ben.locator("input[name=score][value='3']").check()
    ben.get_by_role("button", name="Record the rating").click()
    expect(ben.get_by_role("status")).to_contain_text("Your rating is recorded")
    gita = open_page("gita", java_script_enabled=False)
    gita.goto("/ceilings/")
    gita.get_by_text("Hold R2 for everybody").click()
    gita.locator("#hold-R2").fill("A leak.")
    gita.get_by_role("button", name="Hold R2", exact=True).click()
    expect(gita.get_by_role("status")).to_contain_text("R2 is on hold")


def test_an_impatient_reader_answers_once_and_comes_back_to_the_feedback(world, open_page):
    page, attempt = open_page("cleo"), world.attempts["sitting"]
    before = answered(world, attempt)
    page.goto(f"/practice/{attempt}/")
    page.locator("input[name=choice]").first.check()
    page.get_by_role("button", name="Answer").dblclick()
    expect(page.locator("#feedback")).to_be_visible()
    assert answered(world, attempt) == before + 1
    told = page.locator("#feedback").inner_text()
    page.reload()
    assert page.locator("#feedback").inner_text() == told
    page.go_back()
    expect(page.locator("#feedback")).to_have_count(0)  # not the old form once more, but what comes next
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_words_are_marked_with_arrows_and_by_dragging_and_marks_survive_a_reload(world, open_page):
    page, path = open_page("cleo"), f"/practice/{world.attempts['redaction']}/"
    page.goto(path)
    tokens = page.locator("[data-tokens]").first.locator("input")
    tab_to(page, "input[name=token]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert [tokens.nth(n).is_checked() for n in range(3)] == [False, True, False]
    page.keyboard.press("ArrowDown")
    row = page.evaluate("document.activeElement.getBoundingClientRect().top")
    assert row > tokens.nth(1).bounding_box()["y"]
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") < row
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.value") == tokens.first.get_attribute("value")

    start, end = tokens.nth(2).bounding_box(), tokens.nth(4).bounding_box()
    page.mouse.move(start["x"] + 4, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(end["x"] + 4, end["y"] + 8, steps=12)
    page.mouse.up()
    marked = [tokens.nth(n).is_checked() for n in range(6)]
    assert marked == [False, True, True, True, True, False]
    tokens.nth(2).click()
    assert not tokens.nth(2).is_checked()
    page.reload()
    assert [tokens.nth(n).is_checked() for n in range(6)] == [False, True, False, True, True, False]
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("sensitive places found")


def test_the_counter_counts_and_a_text_survives_a_reload(world, open_page):
    page, path = open_page("cleo"), f"/practice/{world.attempts['explain_back']}/"
    page.goto(path)
    page.locator("textarea").fill(TEXT)
    expect(page.locator("#text-counter")).to_have_text(f"{len(TEXT)} of 4000 characters.")
    page.reload()
    expect(page.locator("textarea")).to_have_value(TEXT)


def test_a_key_can_be_copied(open_page):
    page = open_page("amara", permissions=["clipboard-read", "clipboard-write"])
    page.goto("/keys/")
    page.get_by_label("Name").fill("editor")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#secret").inner_text()


def test_when_an_answer_cannot_be_taken_the_page_says_so(world, open_page):
    """The session ends in between: what comes back must be shown, not swallowed by the script."""
    page = open_page("cleo")
    page.goto(f"/practice/{world.attempts['sitting']}/")
    page.locator("input[name=choice]").first.check()
    page.context.clear_cookies(name="csrftoken")
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This is not for you")
    expect(page.locator("main")).to_contain_text("gone stale")
