import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.people import logic
from toprope.people.logic import Charge

charges = st.builds(
    Charge,
    st.sampled_from(["mentor", "manager", "governance", "operator"]),
    st.one_of(st.none(), st.integers(1, 4)),
)


@given(st.integers(1, 4), st.booleans(), st.lists(charges, max_size=4), st.integers(1, 4), st.integers(1, 4))
def test_only_an_active_mentor_of_the_team_or_governance_may_supervise(by, active, held, person, team):
    may = logic.may_supervise(by=by, by_active=active, charges=held, person=person, team=team)
    grounds = [
        charge
        for charge in held
        if charge.kind == "governance" or (charge.kind == "mentor" and charge.team in {None, team})
    ]
    assert may == (active and by != person and bool(grounds))


@given(st.lists(charges, max_size=4), st.integers(1, 4), st.integers(1, 4))
def test_nobody_supervises_themselves_whatever_they_carry(held, person, team):
    assert not logic.may_supervise(by=person, by_active=True, charges=held, person=person, team=team)


@pytest.mark.parametrize(
    ("account", "address", "wait"), [(0, 0, False), (9, 49, False), (10, 0, True), (0, 50, True)]
)
def test_tries_are_bounded_by_account_and_by_address(account, address, wait):
    assert logic.too_many_tries(account, address) is wait


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "has 5 characters"),
        ("x" * 257, "has 257 characters"),
        ("Amara@Example.org", "others cannot guess"),
        ("amara.okafor", "others cannot guess"),
        ("Amara Okafor", "others cannot guess"),
    ],
)
def test_weak_passwords_are_named_with_a_cure(password, says):
    email = "amara@example.org" if "@" in password else "amara.okafor@example.org"
    assert says in logic.password_problem(password, email=email, name="Amara Okafor")


def test_a_fair_password_passes():
    assert not logic.password_problem("a fair password", email="a@example.org", name="Amara")
