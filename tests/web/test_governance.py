import re

import pytest
from django.db import connection
from tests.web.test_learner import text_of

from toprope.audit import api as audit
from toprope.authorization import api as authorization
from toprope.kit.clock import now

pytestmark = pytest.mark.django_db


def test_the_switch_holds_a_rung_for_everybody_and_lets_go(enter):
    client = enter("gita")
    refused = client.post("/ceilings/hold/", {"rung": "R1", "reason": ""}, follow=True)
    assert "Write a reason" in text_of(refused)
    held = client.post("/ceilings/hold/", {"rung": "R1", "reason": "A leak."}, follow=True)
    assert "R1 is on hold for everybody" in text_of(held)
    assert "“A leak.”" in text_of(held)
    assert {hold.rung for hold in authorization.get_ceilings().holds} == {"R1", "R7"}
    lifted = client.post("/ceilings/lift/", {"rung": "R1"}, follow=True)
    assert "The hold on R1 is lifted" in text_of(lifted)
    again = client.post("/ceilings/lift/", {"rung": "R1"}, follow=True)
    assert "There is no hold on R1" in text_of(again)


def test_tools_and_repositories_are_admitted_changed_and_withdrawn(enter):
    client = enter("gita")
    client.post("/ceilings/tool/", {"model": "gpt-5*", "rung": "R3"})
    client.post("/ceilings/repository/", {"key": "web/shop", "rung": "R2", "tier": "T1"})
    text = text_of(client.get("/ceilings/"))
    assert "gpt-5* R3" in text
    assert "web/shop T1 R2" in text
    client.post("/ceilings/tool/", {"model": "gpt-5*", "rung": ""})
    client.post("/ceilings/repository/", {"key": "web/shop", "rung": "", "tier": "T1"})
    ceilings = authorization.get_ceilings()
    assert "gpt-5*" not in {tool.model for tool in ceilings.tools}
    assert "web/shop" not in {repository.key for repository in ceilings.repositories}


@pytest.mark.parametrize(
    ("path", "form", "says"),
    [
        ("tool", {"model": "", "rung": "R1"}, "Name a model"),
        ("tool", {"model": "x", "rung": "R99"}, "There is no rung"),
        ("repository", {"key": "", "rung": "R1", "tier": "T0"}, "Name a repository"),
        ("repository", {"key": "x", "rung": "R1", "tier": "T9"}, "Choose the tier"),
        ("hold", {"rung": "R99", "reason": "x"}, "There is no rung"),
    ],
)
def test_what_cannot_be_set_is_refused_with_the_reason(enter, path, form, says):
    assert says in text_of(enter("gita").post(f"/ceilings/{path}/", form, follow=True))


def test_the_record_is_paged_and_filtered_by_tag(enter):
    client = enter("gita")
    first = client.get("/record/").content.decode()
    older = re.search(r'href="(\?before=\d+)"', first)[1]

    def numbers(page):
        return [int(number) for number in re.findall(r'<th scope="row" class="number">(\d+)</th>', page)]

    second = client.get(f"/record/{older}").content.decode()
    assert numbers(first)[0] == audit.get_head().seq
    assert numbers(second)[0] == numbers(first)[-1] - 1
    filtered = client.get("/record/?tag=grant.issued")
    assert "grant.issued" in text_of(filtered)
    assert "statement.recorded" not in text_of(filtered)
    assert "Amara" in text_of(filtered)
    assert "No entry with the tag" in text_of(client.get("/record/?tag=<script>"))


@pytest.mark.parametrize("path", ["/record/?tag=key.issued", "/ceilings/"])
def test_lists_ask_the_same_number_of_queries_for_one_and_three(
    world, enter, path, django_assert_max_num_queries, django_assert_num_queries
):
    client = enter("gita")
    with django_assert_max_num_queries(15) as first:
        client.get(path)
    for name in ("one", "two"):
        authorization.issue_key(world.person("otto"), name, now())
        authorization.admit_tool(name, "R1", by=world.cast.gita, now=now())
        authorization.set_repository(name, "R1", "T1", by=world.cast.gita, now=now())
    with django_assert_num_queries(len(first)):
        client.get(path)


def test_verifying_says_that_the_record_holds_and_how_long_it_took(enter):
    text = text_of(enter("gita").post("/record/verify/"))
    assert "The record holds" in text
    assert f"{audit.get_head().seq} entries checked in" in text
    assert audit.get_head().hash.hex() in text


def test_verifying_names_what_was_changed_behind_our_back(enter):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE audit_entry SET payload = replace(payload, 'R1', 'R2') WHERE tag = 'grant.issued'"
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
    text = text_of(enter("gita").post("/record/verify/"))
    assert "The record does not hold" in text
    assert "the entry was changed" in text
