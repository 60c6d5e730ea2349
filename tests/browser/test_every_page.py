"""Every page, light and dark, narrow and wide: no finding of axe, nothing cut off, nothing from outside."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from tests.web.world import pages

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": False,
}
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
REFLOW = {"width": 320, "height": 640}  # a wide page at four times its size (WCAG 1.4.10)
UNFOLD = "[...document.querySelectorAll('details')].slice(0, 12).forEach(each => each.open = true)"
ERRORS = {"error, nothing here": ("amara", "/nowhere/"), "error, not yours": ("amara", "/record/")}


COLOURS_ONLY = {
    "runOnly": {"type": "rule", "values": ["color-contrast"]},
    "resultTypes": ["violations"],
    "preload": False,
}


def findings(page, rules=RULES):
    """What axe says, as short lines. Its script is put into a page once, however often it is asked."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    violations = page.evaluate("rules => axe.run(document, rules).then(found => found.violations)", rules)
    return [
        f"{violation['id']}: {violation['help']}: "
        + "; ".join(node["html"][:120] for node in violation["nodes"][:3])
        for violation in violations
    ]


def too_wide(page):
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def look(page, path):
    """Everything that is wrong with one page, in each of its editions."""
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    page.goto(path)
    page.evaluate(UNFOLD)
    wrong = []
    for name, size in (("wide", WIDE), ("narrow", NARROW)):
        page.set_viewport_size(size)
        for scheme, rules in (
            ("light", RULES),
            ("dark", COLOURS_ONLY),
        ):  # dark changes colours and nothing else
            page.emulate_media(color_scheme=scheme)
            wrong += [f"{name} {scheme}: {finding}" for finding in findings(page, rules)]
        wrong += [f"{name}: scrolls sideways"] if too_wide(page) else []
    page.set_viewport_size(REFLOW)
    return wrong + (["320 px: scrolls sideways"] if too_wide(page) else [])


def test_every_page(world, site, open_page):
    browsers, wrong, requests, complaints = {}, {}, [], []
    for name, (who, path) in {**pages(world), **ERRORS}.items():
        if who not in browsers:
            browsers[who] = open_page(who, reduced_motion="reduce")
            browsers[who].on("request", lambda request: requests.append(request.url))
            browsers[who].on("console", lambda message: complaints.append((message.type, message.text)))
            browsers[who].on("pageerror", lambda error: complaints.append(("error", str(error))))
        found = look(browsers[who], path)
        if found:
            wrong[name] = found
    assert not wrong, "\n".join(f"{name}: {finding}" for name in wrong for finding in wrong[name])
    assert not [url for url in requests if not url.startswith(site)]
    loud = [text for kind, text in complaints if kind in {"error", "warning"} and "status of 40" not in text]
    assert not loud


def test_a_key_once_made_and_a_verified_record(open_page):
    """Pages that only a form leads to."""
    page = open_page("amara")
    page.goto("/keys/")
    page.get_by_label("Name").fill("editor")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_role("heading", level=1, name="Your new key").wait_for()
    assert not findings(page)
    page.set_viewport_size(NARROW)
    assert not findings(page)
    assert not too_wide(page)

    page = open_page("gita")
    page.goto("/record/")
    page.get_by_role("button", name="Verify the whole record").click()
    page.get_by_role("heading", level=1, name="The record holds").wait_for()
    assert not findings(page)
    page.set_viewport_size(NARROW)
    assert not too_wide(page)


def test_axe_would_say_so(open_page):
    page = open_page("amara")
    page.goto("/")
    page.evaluate("document.querySelector('h1').innerHTML = '<img src=\"/static/web/mark.svg\">'")
    assert any(finding.startswith("image-alt") for finding in findings(page))


def test_the_menu_opens_on_a_narrow_page_by_keyboard(open_page):
    page = open_page("gita", viewport=NARROW)
    page.goto("/")
    assert not page.get_by_role("link", name="Ladder", exact=True).is_visible()
    page.get_by_role("button", name="Menu").press("Enter")
    page.get_by_role("link", name="Ladder", exact=True).wait_for()
    assert not findings(page)
    page.keyboard.press("Escape")
    assert not page.get_by_role("link", name="Ladder", exact=True).is_visible()
    page.get_by_role("button", name="Menu").press("Enter")
    page.get_by_role("link", name="Record").press("Enter")
    page.get_by_role("heading", level=1, name="Audit record").wait_for()


def test_on_paper_everything_is_folded_out_and_the_menu_is_gone(open_page):
    page = open_page("amara")
    page.goto("/")
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation", name="Main").is_visible()
    assert page.get_by_text("The scale is in logits").is_visible()
