"""Keys, ceilings, uses: what the gateway is told, and when."""

from datetime import timedelta

import pytest
from tests.factories import climb, make_cast

from toprope.authorization import api as authorization
from toprope.authorization.actions.keys import KEYS_PER_PERSON
from toprope.authorization.models import PublishedAccess, PublishedInstallation
from toprope.authorization.queries import hash_secret
from toprope.evidence.api import record_statements
from toprope.evidence.statement import GATEWAY, Object, ObjectType, Statement, Verb
from toprope.kit.ids import uuid7
from toprope.policy.access import decode_access, decode_installation

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(now):
    return make_cast(now)


def installation():
    return decode_installation(PublishedInstallation.objects.get().document)


def use(person, rung, now):
    return Statement(uuid7(), person.uuid, Verb.USED, Object(ObjectType.RUNG, rung), now, authority=GATEWAY)


def test_only_the_digest_of_a_key_is_kept(cast, now):
    new = authorization.issue_key(cast.amara, "laptop", now)
    row = PublishedAccess.objects.get(person=cast.amara.uuid)
    assert bytes(row.key_hash) == hash_secret(new.secret)
    assert authorization.find_person_by_key(new.secret) == cast.amara
    assert authorization.find_person_by_key(new.secret + "x") is None
    assert new.secret not in repr(authorization.list_keys(cast.amara))


def test_a_revoked_key_is_withdrawn_at_once(cast, now):
    kept = authorization.issue_key(cast.amara, "kept", now)
    new = authorization.issue_key(cast.amara, "lost", now)
    authorization.revoke_key(cast.amara, new.key.uuid, now)
    authorization.revoke_key(cast.amara, new.key.uuid, now)
    assert [bytes(row.key_hash) for row in PublishedAccess.objects.all()] == [hash_secret(kept.secret)]
    assert authorization.find_person_by_key(new.secret) is None
    with pytest.raises(authorization.Refused, match="no such key"):
        authorization.revoke_key(cast.ben, kept.key.uuid, now)


def test_keys_are_bounded(cast, now):
    for number in range(KEYS_PER_PERSON):
        authorization.issue_key(cast.amara, f"key {number}", now)
    with pytest.raises(authorization.Refused, match="revoke one"):
        authorization.issue_key(cast.amara, "one more", now)
    with pytest.raises(authorization.Refused, match="at most 64"):
        authorization.issue_key(cast.ben, "x" * 65, now)


def test_uses_that_the_gateway_recorded_are_followed(cast, now):
    authorization.issue_key(cast.amara, "laptop", now)
    climb(cast.amara, "R1", now, mentor=cast.ben)
    authorization.follow_statements(now)
    before = {fact.rung: fact for fact in authorization.list_grants(cast.amara.uuid)}["R1"]
    later = now + timedelta(days=3)
    record_statements([use(cast.amara, "R1", later) for _ in range(12)])
    assert authorization.follow_statements(later) == 1
    after = {fact.rung: fact for fact in authorization.list_grants(cast.amara.uuid)}["R1"]
    assert (before.focused_uses, after.focused_uses) == (10, 0)
    access = decode_access(PublishedAccess.objects.get().document)
    assert next(grant for grant in access.grants if grant.rung == "R1").focused  # a decision ends that
    assert authorization.follow_statements(later) == 0


def test_another_use_on_the_same_day_publishes_nothing_new(cast, now):
    authorization.issue_key(cast.amara, "laptop", now)
    climb(cast.amara, "R1", now, mentor=cast.ben)
    record_statements([use(cast.amara, "R1", now) for _ in range(11)])
    authorization.follow_statements(now)
    version = PublishedAccess.objects.get().version
    record_statements([use(cast.amara, "R1", now)])
    authorization.follow_statements(now)
    assert PublishedAccess.objects.get().version == version


def test_a_hold_is_published_with_its_reason_and_lifted(cast, now):
    authorization.place_hold("R1", by=cast.gita, reason="A leak is looked into.", now=now)
    (hold,) = installation().holds
    assert (hold.rung, hold.reason, hold.decided_by) == ("R1", "A leak is looked into.", "Gita")
    authorization.lift_hold("R1", by=cast.gita, now=now)
    assert installation().holds == ()
    with pytest.raises(authorization.Refused, match="no hold"):
        authorization.lift_hold("R1", by=cast.gita, now=now)


def test_only_the_governance_lead_sets_limits(cast, now):
    for action in (
        lambda: authorization.place_hold("R1", by=cast.ben, reason="x", now=now),
        lambda: authorization.lift_hold("R1", by=cast.ben, now=now),
        lambda: authorization.admit_tool("gpt-5", "R1", by=cast.amara, now=now),
        lambda: authorization.set_repository("x/y", "R1", "T1", by=cast.amara, now=now),
    ):
        with pytest.raises(authorization.Refused, match="governance lead"):
            action()
    assert installation().tools == {}


def test_tools_and_repositories_are_admitted_and_withdrawn(cast, now):
    authorization.admit_tool("gpt-5*", "R4", by=cast.gita, now=now)
    authorization.set_repository("payments/ledger", "R1", "T2", by=cast.gita, now=now)
    assert installation().tools == {"gpt-5*": "R4"}
    assert installation().repositories == {"payments/ledger": "R1"}
    authorization.admit_tool("gpt-5*", "", by=cast.gita, now=now)
    authorization.set_repository("payments/ledger", "", "", by=cast.gita, now=now)
    assert installation().tools == {}
    assert installation().repositories == {}
    for model in ("", "*5", "x" * 200):
        with pytest.raises(authorization.Refused, match="Name a model"):
            authorization.admit_tool(model, "R1", by=cast.gita, now=now)
    with pytest.raises(authorization.Refused, match="no rung 'R77'"):
        authorization.admit_tool("gpt-5", "R77", by=cast.gita, now=now)


def test_a_person_who_left_is_let_in_no_more(cast, now):
    new = authorization.issue_key(cast.amara, "laptop", now)
    authorization.close_account(cast.amara, now)
    assert not PublishedAccess.objects.exists()
    assert authorization.find_person_by_key(new.secret) is None
