from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toprope.audit.api import list_entries
from toprope.people import api
from toprope.people.api import DutyKind, PeopleError, Person, SignInError
from toprope.people.models import SignInTry

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
def teams(db):  # noqa: ARG001 - the database is asked for by name, as pytest-django wants it
    department = api.create_department("build", "Build", now=NOW)
    return [api.create_team(f"team-{n}", f"Team {n}", department=department, now=NOW) for n in (1, 2)]


def person(key, team, **facts):
    facts.setdefault("email", f"{key}@example.org")
    return api.create_person(key, name=key.title(), role="software_engineer", team=team, now=NOW, **facts)


def tags():
    return [entry.tag for entry in list_entries()]


def test_every_change_leaves_one_audit_entry(teams):
    api.create_organisation("Example", now=NOW)
    amara = person("amara", teams[0], password=PASSWORD)
    api.set_password(amara, "another fair one", now=NOW)
    api.give_duty(amara, DutyKind.MENTOR, team=teams[0], now=NOW)
    api.give_duty(amara, DutyKind.MENTOR, team=teams[0], now=NOW)
    api.withdraw_duty(amara, DutyKind.MENTOR, team=teams[0], now=NOW)
    api.withdraw_duty(amara, DutyKind.MENTOR, team=teams[0], now=NOW)
    api.deactivate_person(amara, now=NOW)
    assert tags()[::-1] == [
        "department.created",
        "team.created",
        "team.created",
        "organisation.created",
        "person.created",
        "password.set",
        "duty.given",
        "duty.withdrawn",
        "person.deactivated",
    ]


def test_the_audit_record_holds_no_password_and_no_address(teams):
    person("amara", teams[0], password=PASSWORD)
    text = repr(list_entries())
    assert PASSWORD not in text
    assert "@example.org" not in text


@pytest.mark.django_db
def test_an_installation_serves_one_organisation():
    api.create_organisation("Example", now=NOW)
    with pytest.raises(PeopleError, match="one installation serves one"):
        api.create_organisation("Other", now=NOW)


def test_key_and_address_belong_to_one_person(teams):
    person("amara", teams[0])
    with pytest.raises(PeopleError, match="key and e-mail address already"):
        person("amara", teams[0], email="AMARA@example.org")
    with pytest.raises(PeopleError, match="this e-mail address already"):
        person("other", teams[0], email="AMARA@example.org")


def test_the_database_keeps_addresses_in_lower_case(teams):
    with pytest.raises(IntegrityError, match="email_in_lower_case"), transaction.atomic():
        Person.objects.create(key="x", email="X@example.org", name="X", role="r", team=teams[0])


def test_passwords_are_hashed_with_argon2(teams):
    assert person("amara", teams[0], password=PASSWORD).password.startswith("argon2$argon2id$")
    with pytest.raises(PeopleError, match="has 5 characters"):
        person("ben", teams[0], password="short")


def test_look_ups_find_people_with_their_team(teams, django_assert_num_queries):
    amara = person("amara", teams[0])
    with django_assert_num_queries(3):
        found = [api.get_person(amara.uuid), api.find_person("amara"), *api.get_people([amara.uuid]).values()]
        assert [one.team.department.name for one in found if one] == ["Build"] * 3
    assert api.find_person("nobody") is None


@pytest.mark.parametrize("people", [1, 3])
def test_lists_ask_the_same_number_of_queries_for_one_and_three(teams, people, django_assert_num_queries):
    lead = person("lead", teams[1])
    api.give_duty(lead, DutyKind.GOVERNANCE, now=NOW)
    for n in range(people):
        person(f"p{n}", teams[0])
    with django_assert_num_queries(4):
        assert len([one.team.department.name for one in api.list_people()]) == people + 1
        assert len([one.team.department.name for one in api.list_supervised(lead)]) == people


def test_people_are_paged_by_key(teams):
    for n in range(3):
        person(f"p{n}", teams[0])
    first = api.list_people(limit=2)
    assert [one.key for one in first] == ["p0", "p1"]
    assert [one.key for one in api.list_people(after_key=first[-1].key)] == ["p2"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(DutyKind), st.sampled_from([None, 0, 1])), max_size=4
    )
)
def test_the_list_of_supervised_people_and_the_rule_agree(teams, duties):
    with transaction.atomic():
        people = [person(f"p{n}", teams[n % 2]) for n in range(4)]
        for n, kind, team in duties:
            api.give_duty(people[n], kind, team=None if team is None else teams[team], now=NOW)
        for by in people:
            allowed = {one.key for one in people if api.may_supervise(by, one)}
            assert {one.key for one in api.list_supervised(by)} == allowed
            assert by.key not in allowed
            for one in people:
                mentored = by.key in {mentor.key for mentor in api.mentors_of(one)}
                assert not mentored or api.may_supervise(by, one)
        transaction.set_rollback(True)


def test_someone_deactivated_supervises_nobody(teams):
    ben, _ = person("ben", teams[0]), person("amara", teams[0])
    api.give_duty(ben, DutyKind.GOVERNANCE, now=NOW)
    assert [one.key for one in api.list_supervised(ben)] == ["amara"]
    assert [one.key for one in api.governance_leads()] == ["ben"]
    api.deactivate_person(ben, now=NOW)
    assert not api.list_supervised(ben)
    assert not api.governance_leads()


def test_sign_in_takes_the_right_password_and_any_case_of_the_address(teams):
    amara = person("amara", teams[0], password=PASSWORD)
    assert api.sign_in(" Amara@Example.ORG ", PASSWORD, address="::1", now=NOW) == amara
    assert tags()[0] == "person.signed_in"
    assert not SignInTry.objects.exists()


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("amara@example.org", "wrong"),
        ("nobody@example.org", PASSWORD),
        ("gone@example.org", PASSWORD),
        ("none@example.org", ""),
        ("amara@example.org", PASSWORD + "x" * 10_000),
    ],
)
def test_every_failed_sign_in_says_the_same(teams, email, password):
    person("amara", teams[0], password=PASSWORD)
    person("none", teams[0])
    api.deactivate_person(person("gone", teams[0], password=PASSWORD), now=NOW)
    with pytest.raises(SignInError, match="do not match"):
        api.sign_in(email, password, address="::1", now=NOW)


def test_an_unknown_address_costs_a_hash_too(teams, monkeypatch):
    person("amara", teams[0], password=PASSWORD)
    hashed = []
    original = Person.set_password
    monkeypatch.setattr(Person, "set_password", lambda self, raw: (hashed.append(raw), original(self, raw)))
    with pytest.raises(SignInError):
        api.sign_in("nobody@example.org", PASSWORD, address="::1", now=NOW)
    assert hashed == [PASSWORD]


def fail(email, address="::1", now=NOW):
    with pytest.raises(SignInError) as caught:
        api.sign_in(email, "wrong password", address=address, now=now)
    return str(caught.value)


@pytest.mark.usefixtures("cheap_hashes")
def test_ten_failures_lock_an_account_for_a_while(teams):
    amara = person("amara", teams[0], password=PASSWORD)
    for n in range(10):
        assert "do not match" in fail(amara.email, address=f"10.0.0.{n}")
    assert "Wait 15 minutes" in fail(amara.email, address="10.0.1.1")
    assert "Wait 15 minutes" in fail(amara.email, address="10.0.1.1")
    with pytest.raises(SignInError, match="Wait 15 minutes"):
        api.sign_in(amara.email, PASSWORD, address="10.0.1.1", now=NOW)
    assert tags().count("person.locked_out") == 1
    later = NOW + timedelta(minutes=15)
    assert api.sign_in(amara.email, PASSWORD, address="10.0.1.1", now=later) == amara


@pytest.mark.usefixtures("cheap_hashes")
def test_fifty_failures_lock_an_address_for_every_account(teams):
    amara = person("amara", teams[0], password=PASSWORD)
    for n in range(50):
        assert "do not match" in fail(f"nobody{n}@example.org")
    assert "Wait 15 minutes" in fail(amara.email)
    assert "do not match" in fail(amara.email, address="::2")
    assert SignInTry.objects.count() == 51


@pytest.mark.usefixtures("cheap_hashes")
def test_a_success_gives_the_tries_back(teams):
    amara = person("amara", teams[0], password=PASSWORD)
    for _ in range(3):
        for _ in range(9):
            fail(amara.email)
        assert api.sign_in(amara.email, PASSWORD, address="::1", now=NOW) == amara


@pytest.mark.usefixtures("cheap_hashes", "empty_record")
@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_time_count_like_tries_in_turn():
    def one(_):
        try:
            return fail("nobody@example.org")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(one, range(24)))
    assert sum("do not match" in text for text in said) == 10


@pytest.fixture
def cheap_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def test_personas_exist_only_in_a_demo_organisation_and_only_made_up_ones(teams):
    real, made_up = person("amara", teams[0]), person("ben", teams[0], demo=True)
    with pytest.raises(PeopleError, match="demo organisation"):
        api.take_persona(made_up, now=NOW)
    api.create_organisation("Example", demo=True, now=NOW)
    with pytest.raises(PeopleError, match="made-up persons"):
        api.take_persona(real, now=NOW)
    api.take_persona(made_up, now=NOW)
    assert tags()[0] == "person.persona_taken"
    assert [one.key for one in api.list_people(demo=True)] == ["ben"]
