"""What holds for every page there is."""

import re
from html.parser import HTMLParser

import pytest
from django.urls import get_resolver
from tests.web.world import pages

pytestmark = pytest.mark.django_db

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr", "path", "circle", "line"}


class Page(HTMLParser):
    """The little of HTML that these tests ask about."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.stack, self.labelled = [], [], set()
        self.faults, self.title = [], ""
        self.feed(text)
        if self.stack:
            self.faults.append(f"never closed: {self.stack}")

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if len(attributes) != len(attrs):
            self.faults.append(f"<{tag}> names an attribute twice")
        if any(open_tag == "label" for open_tag in self.stack):
            attributes["in-label"] = True
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.stack or self.stack[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.stack[-1:]}")
        else:
            self.stack.pop()

    def handle_data(self, data):
        if self.stack and self.stack[-1] == "title":
            self.title += data

    def all(self, tag, attribute=None):
        found = [attributes for name, attributes in self.tags if name == tag]
        return found if attribute is None else [each[attribute] for each in found if attribute in each]


def check_page(page):
    """Everything that is wrong with the HTML of a page."""
    faults = list(page.faults)
    if page.all("html", "lang") != ["en"]:
        faults.append("no language")
    if len(page.all("h1")) != 1:
        faults.append(f"{len(page.all('h1'))} h1")
    if not page.title.removesuffix(" · Toprope").strip():
        faults.append("no title")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    faults += [f"id {each} twice" for each in set(ids) if ids.count(each) > 1]
    pointed = page.all("label", "for")
    for tag, attributes in page.tags:
        pointed_at = [
            *attributes.get("aria-labelledby", "").split(),
            *attributes.get("aria-describedby", "").split(),
        ]
        faults += [f"<{tag}> points at no #{each}" for each in pointed_at if each not in ids]
        faults += [f"<{tag}> has {name}" for name in attributes if name == "style" or name.startswith("on")]
        if tag in {"input", "select", "textarea"} and attributes.get("type") != "hidden":
            named = "in-label" in attributes or attributes.get("id") in pointed or "aria-label" in attributes
            faults += [] if named else [f"<{tag} name={attributes.get('name')}> without a label"]
        if tag == "script" and "src" not in attributes:
            faults.append("inline script")
        faults += [
            f"{name} leads outside: {attributes[name]}"
            for name in ("href", "src", "action", "hx-post", "formaction", "srcset")
            if name in attributes and not re.match(r"^(/(?!/)|\?|#)", attributes[name])
        ]
    if page.all("style"):
        faults.append("inline style")
    return faults


def look_at_all(world, enter):
    return {name: (path, enter(who).get(path)) for name, (who, path) in pages(world).items()}


def test_every_page_is_sound_html_that_loads_nothing_from_outside(world, enter):
    wrong = {}
    for name, (path, response) in look_at_all(world, enter).items():
        assert response.status_code == 200, (name, path)
        faults = check_page(Page(response.content.decode()))
        if faults:
            wrong[name] = faults
    assert not wrong


def test_the_check_of_pages_can_fail():
    bad = (
        "<html><title> · Toprope</title><h1>a</h1><h1 id=x>b</h1><p id=x style='x'>"
        "<input name=q><a href='https://example.org'>c</a><a href='//example.org'>d</a>"
        "<script>1</script></html>"
    )
    text = "; ".join(check_page(Page(bad)))
    for fault in (
        "no language",
        "2 h1",
        "no title",
        "id x twice",
        "has style",
        "name=q> without a label",
        "https://example.org",
        "leads outside: //example.org",
        "inline script",
        "closes",
    ):
        assert fault in text, fault


def test_every_page_has_the_headers_that_keep_it_to_itself(world, enter):
    for name, (_, response) in look_at_all(world, enter).items():
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy, name
        assert "unsafe" not in policy, name
        assert "frame-ancestors 'none'" in policy, name
        assert response.headers["Referrer-Policy"] == "same-origin", name
        assert "camera=()" in response.headers["Permissions-Policy"], name
        assert response.headers["X-Content-Type-Options"] == "nosniff", name


def test_the_table_of_pages_covers_every_address_that_is_read(world):
    posted = {
        "sign-out",
        "accept-policy",
        "start",
        "answer",
        "hand-in",
        "new-key",
        "revoke-key",
        "suspend",
        "reinstate",
        "place-hold",
        "lift-hold",
        "set-tool",
        "set-repository",
        "verify",
        "decide",
        "record-panel",
        "approve-data",
        "grant-emergency",
        "review-emergency",
    }
    resolver = next(each for each in get_resolver().url_patterns if getattr(each, "app_name", "") == "web")
    routes = {each.name for each in resolver.url_patterns if getattr(each, "name", None)}
    looked_at = {get_resolver().resolve(path.partition("?")[0]).url_name for _, path in pages(world).values()}
    assert looked_at == routes - posted


@pytest.mark.parametrize("kind", ["sitting", "redaction", "flaw_hunt", "explain_back"])
def test_an_open_attempt_gives_no_answer_away(world, enter, kind):
    from toprope.learning.api import get_attempt

    attempt = get_attempt(world.cleo.uuid, world.attempts[kind])
    text = enter("cleo").get(f"/practice/{attempt.id}/").content.decode()
    secrets = []
    for question in attempt.questions:
        if question.answer is None:
            secrets += [question.item.rationale, *(option.misconception for option in question.item.options)]
    shown = attempt.shown if attempt.practical else None
    if kind == "redaction":
        secrets += [span.note for span in (*shown.spans, *shown.decoys)]
    if kind == "flaw_hunt":
        secrets += [sample.explanation for sample in shown.samples]
    if kind == "explain_back":
        secrets += [*shown.anchors.values(), *shown.guidance]
    assert any(secrets)
    plain = " ".join(re.sub(r"&[#\w]+;", " ", text).split())
    for secret in filter(None, secrets):
        words = " ".join(re.sub(r"[^\w\s]", " ", secret).split()[:6])
        assert words not in " ".join(re.sub(r"[^\w\s]", " ", plain).split()), secret
    for mark in ("flawed", "found", "missed", "right", "wrong", "sensitive", "decoy", "critical"):
        assert f'class="{mark}' not in text
        assert f' {mark}"' not in text


@pytest.mark.parametrize("kind", ["sitting", "redaction", "flaw_hunt"])
def test_everything_that_can_be_marked_looks_the_same(world, enter, kind):
    text = enter("cleo").get(f"/practice/{world.attempts[kind]}/").content.decode()
    marks = re.findall(r'<label class="(token|line|option)"(.*?)<input([^>]*)>', text)
    shapes = {(kind, tag + re.sub(r'name="[^"]*"|value="[^"]*"', "", box)) for kind, tag, box in marks}
    assert len(marks) > 1
    assert len(shapes) == len({kind for kind, _ in shapes}), shapes
