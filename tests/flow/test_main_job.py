"""The main job on real input: refused, climb, allowed, suspended, refused; and tampering is found.

Real processes, a real browser, the real `openai` client, the pack's real questions.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from playwright.sync_api import Page, expect
from tests.installation import Installation
from tests.pack_keys import flaw_hunt_marks, items_by_stem, redaction_marks

pytestmark = pytest.mark.browser

PASSWORD = "a quiet rope holds"
QUESTION = [{"role": "user", "content": "What is a monad?"}]
EXPLANATION = (
    "The change does what the ticket asks and nothing else. The assistant wrote it; I read every line and "
    "ran the tests of the module. I did not check it under load. I answer for it, my reviewer for the review."
)


@pytest.fixture
def installation(place: Path) -> Iterator[Installation]:
    made = Installation(place / "home", "--no-demo")
    made.start()
    try:
        yield made
    finally:
        made.stop()


def create(installation: Installation, name: str, *more: str) -> None:
    done = installation.run(
        "person",
        "create",
        "--email",
        f"{name}@acme.example",
        "--name",
        name.title(),
        "--role",
        "junior_engineer",
        *more,
        stdin=f"{PASSWORD}\n",
    )
    assert done.returncode == 0, done.stderr


def sign_in(page: Page, name: str) -> None:
    page.goto("/sign-in/")
    page.get_by_label("E-mail address").fill(f"{name}@acme.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert "/sign-in/" not in page.url


def make_key(page: Page) -> str:
    page.goto("/keys/")
    page.get_by_label("Name").fill("my editor")
    page.get_by_role("button", name="Make a key").click()
    secret = page.locator("#secret").inner_text()
    assert re.fullmatch(r"tp_[0-9A-Za-z]{40}", secret)
    return secret


def do_next_step(page: Page) -> None:
    """Take the one next step that the home page offers, whatever it is."""
    page.goto("/")
    page.locator("section[aria-labelledby=next-title]").get_by_role("button").click()
    page.wait_for_load_state()
    if "/policy/" in page.url:
        page.get_by_role("button", name="I have read it and accept it").click()
    elif page.locator("input[name=token]").count():
        mark(page, redaction_marks(page.locator("fieldset legend").first.inner_text()).boxes)
    elif page.locator("section.sample").count():
        samples = page.locator("section.sample").evaluate_all(
            "all => all.map(e => e.getAttribute('aria-labelledby'))"
        )
        mark(page, flaw_hunt_marks([sample.removeprefix("sample-") for sample in samples]).boxes)
    elif page.locator("textarea[name=text]").count():
        page.locator("textarea[name=text]").fill(EXPLANATION)
        page.get_by_role("button", name="Hand in").click()
    else:
        answer_all(page)
    page.wait_for_load_state()


def mark(page: Page, boxes: tuple[tuple[str, str], ...]) -> None:
    for name, value in boxes:
        page.locator(f"label:has(input[name='{name}'][value='{value}'])").click()
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_text("passed with", exact=False)).to_be_visible()


def answer_all(page: Page) -> None:
    """Answer a sitting's questions one after the other, until the result shows."""
    while page.locator("p#stem").count():
        stem = page.locator("p#stem").inner_text().strip()
        item = items_by_stem()[stem]
        for line in item.flaw_lines:
            page.locator(f"label:has(input[name=line][value='{line}'])").click()
        page.locator(f"input[name=choice][value='{item.answer}']").check()
        page.get_by_role("button", name="Answer", exact=True).click()
        expect(page.get_by_role("heading", name="Right", exact=True)).to_be_visible()
        page.locator("#go-on").click()
        page.wait_for_url(lambda url: "answered=" not in url)
    expect(page.get_by_role("heading", level=1)).to_contain_text("right")


def test_the_main_job(installation: Installation, new_page) -> None:
    create(installation, "gita", "--organisation", "Acme", "--duty", "governance")
    create(installation, "amara")
    create(installation, "ben", "--duty", "mentor")
    governance, amara, ben = (new_page(installation.url) for _ in range(3))
    for page, name in ((governance, "gita"), (amara, "amara"), (ben, "ben")):
        sign_in(page, name)

    governance.goto("/ceilings/")
    governance.get_by_label("Model as clients name it").fill("echo")
    governance.get_by_label("Up to").first.select_option("R4")
    governance.get_by_role("button", name="Admit the tool").click()

    client = openai.OpenAI(base_url=f"{installation.url}/v1", api_key=make_key(amara), max_retries=2)
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="echo", messages=QUESTION)
    assert "R1" in refused.value.message
    assert "/ladder/R1/" in refused.value.message

    climb(amara, ben)
    answer = client.chat.completions.create(model="echo", messages=QUESTION)
    assert "not a model" in answer.choices[0].message.content
    assert "What is a monad?" in answer.choices[0].message.content
    chunks = client.chat.completions.create(model="echo", messages=QUESTION, stream=True)
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert "What is a monad?" in streamed
    assert [model.id for model in client.models.list()] == ["echo"]

    suspend(ben, "Looking into a paste.")
    with pytest.raises(openai.BadRequestError) as stopped:
        client.chat.completions.create(model="echo", messages=QUESTION)
    assert "Looking into a paste" in stopped.value.message
    assert "Ben" in stopped.value.message

    verify_then_tamper(installation)


def climb(amara: Page, ben: Page) -> None:
    """From the foot of the ladder to R1: everything the pack asks, and one rating by the mentor."""
    for _ in range(15):
        amara.goto("/")
        if amara.get_by_role("heading", level=1).inner_text().startswith("R1"):
            return
        if amara.locator("section[aria-labelledby=next-title]").get_by_role("button").count():
            do_next_step(amara)
        else:
            rate(ben)
    raise AssertionError("R1 did not open: " + amara.locator("main").inner_text())


def rate(ben: Page) -> None:
    ben.goto("/ratings/")
    ben.locator("main a[href^='/ratings/']").first.click()
    ben.locator("input[name=score][value='3']").check()
    ben.get_by_label("Note for Amara").fill("Clear and honest.")
    ben.get_by_role("button", name="Record the rating").click()
    ben.wait_for_load_state()


def suspend(ben: Page, reason: str) -> None:
    ben.goto("/people/")
    ben.get_by_role("link", name="Amara").first.click()
    ben.get_by_text("Suspend R1").first.click()
    ben.get_by_label("Reason, which Amara reads").last.fill(reason)
    ben.get_by_role("button", name="Suspend R1").click()
    expect(ben.get_by_role("button", name="Reinstate R1")).to_be_visible()


def verify_then_tamper(installation: Installation) -> None:
    green = installation.run("audit", "verify")
    assert green.returncode == 0, green.stdout + green.stderr
    with installation.connect_as_owner() as database:
        database.execute("SET session_replication_role = replica")
        changed = database.execute(
            "UPDATE audit_entry SET payload = replace(payload, 'Looking into', 'Nothing of') "
            "WHERE tag = 'grant.suspended' RETURNING seq"
        ).fetchall()
    assert len(changed) == 1
    red = installation.run("audit", "verify")
    assert red.returncode == 1
    assert str(changed[0][0]) in red.stdout + red.stderr
