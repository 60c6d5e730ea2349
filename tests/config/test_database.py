"""Every wrong address of a database gets one sentence with its cure, and never shows the password."""

import os

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.servers import be_postgresql, hang_up, listening, refuse, say_http
from tests.installation import free_port

from toprope.config.database import Address, check_database, configured, parse_url
from toprope.config.problem import Problem

PASSWORD = "hunter2-not-to-be-shown"


def problem_of(url):
    with pytest.raises(Problem) as caught:
        check_database(parse_url(url))
    message = caught.value.message
    assert caught.value.exit_code == 3
    assert "\n" not in message
    assert message.startswith("DATABASE_URL")
    assert PASSWORD not in message
    return message


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://u:{p}@db/x", "starts with mysql:"),
        ("sqlite:///x", "Toprope runs on PostgreSQL only; unset DATABASE_URL"),
        ("just a name", "has no scheme"),
        ("{p}", "has no scheme"),
        ("{p}:rest", "has no scheme"),
        ("postgresql://u:{p}@db:port/x", "cannot be read as a URL"),
        ("postgresql://u:{p}@[db/x", "cannot be read as a URL"),
        ("postgresql://u:a/{p}@db/x", "percent-encoded"),
        ("postgresql://u:a#{p}@db/x", "percent-encoded"),
        ("postgresql://u:a?{p}@db/x", "percent-encoded"),
        ("postgresql://u:{p}@db", "names no database"),
        ("postgresql://u:{p}@db/", "names no database"),
        ("postgresql://u:{p}@127.0.0.1:{free}/x", "nothing answers at 127.0.0.1:{free}"),
        ("postgresql://u:{p}@/x?host=/nowhere", "nothing answers at the socket in /nowhere"),
        ("postgresql://u:{p}@no-such-host.invalid/x", "there is no host 'no-such-host.invalid'"),
        ("postgresql://u:{p}@127.0.0.1:{free}/x?sslmod=off", "does not know what it says of sslmod"),
        ("postgresql://u:{p}@127.0.0.1:{free}/x?sslmode=off", "does not know what it says of sslmode"),
    ],
)
def test_an_address_that_leads_nowhere(url, told):
    port = free_port()
    assert told.format(free=port) in problem_of(url.replace("{p}", PASSWORD).replace("{free}", str(port)))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (say_http, "is no PostgreSQL"),
        (hang_up, "is no PostgreSQL"),
        (refuse(b"28P01", b'password authentication failed for user "u"'), "refuses the password of u"),
        (refuse(b"28000", b'no pg_hba.conf entry for host "::1", user "u"'), "does not admit u from here"),
        (refuse(b"28000", b'role "u" does not exist'), "knows no role 'u'"),
        (refuse(b"3D000", b'database "x" does not exist'), "createdb x"),
        (refuse(b"53300", b"sorry, too many clients already"), "sorry, too many clients already"),
        (refuse(b"XX000", b"the password was " + PASSWORD.encode()), "the password was ***"),
        (be_postgresql(b"12.20", b"PostgreSQL 12.20 on x86"), "is PostgreSQL 12; Toprope needs 16 or newer"),
        (be_postgresql(b"18.0", b"RootDB 25.1 (like PostgreSQL)"), "calls itself 'RootDB 25.1"),
    ],
)
def test_a_server_that_will_not_do(answer, told):
    with listening(answer) as port:
        assert told in problem_of(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/x")


def test_the_real_server_says_who_it_is():
    here = parse_url(os.environ["DATABASE_URL"])
    facts = check_database(here)
    assert facts.version.startswith("18")
    assert facts.user == "postgres"


@pytest.mark.parametrize(("field", "told"), [("name", "createdb nowhere"), ("user", "createuser")])
def test_the_real_server_lacks_something(field, told):
    here = parse_url(os.environ["DATABASE_URL"])
    assert told in problem_of(Address(**(vars(here) | {field: "nowhere"})).url)


# What libpq takes in a URL; a NUL ends its strings.
_words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


@given(
    name=_words,
    user=_words,
    password=_words,
    host=st.sampled_from(["db.example", "127.0.0.1", "::1", "/var/run/a b", "/x'\"%"]),
    port=st.sampled_from(["", "5433"]),
    options=st.dictionaries(st.sampled_from(["sslmode", "application_name"]), _words),
)
def test_an_address_survives_being_written_as_a_url(**parts):
    address = Address(**parts)
    read = psycopg.conninfo.conninfo_to_dict(address.url)
    assert read.pop("dbname") == address.name
    assert (read.pop("user"), read.pop("password")) == (address.user, address.password)
    assert (read.pop("host"), str(read.pop("port", ""))) == (address.host, address.port)
    assert read == address.options
    if not address.name.startswith("/"):
        assert parse_url(address.url) == address


@given(password=_words, rest=st.sampled_from(["@h/x", "@h:p/x", "@[h/x", "", "@h", "/x"]))
def test_no_part_of_an_unreadable_address_is_shown(password, rest):
    try:
        parse_url(f"postgresql://u:secret{password}{rest}")
    except Problem as problem:
        message = problem.message
    else:
        message = ""
    assert "secret" not in message


def test_the_password_stays_out_of_what_an_address_looks_like():
    assert PASSWORD not in repr(Address("x", "u", PASSWORD, "h"))
    assert PASSWORD not in Address("x", "u", PASSWORD, "h").place


def test_what_is_configured(monkeypatch):
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("DATABASE_ADMIN_URL", raising=False)
    assert configured() is None
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@h/x")
    both = configured()
    assert both.app is both.owner
    monkeypatch.setenv("DATABASE_ADMIN_URL", "postgresql://owner@h/x")
    both = configured()
    assert (both.app.user, both.owner.user) == ("app", "owner")
    monkeypatch.setenv("DATABASE_ADMIN_URL", "nonsense")
    with pytest.raises(Problem, match=r"^DATABASE_ADMIN_URL must read"):
        configured()
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(Problem, match="DATABASE_URL is not"):
        configured()


def test_a_pool_is_bounded_and_its_queries_too():
    plain = Address("x", "u", PASSWORD, "h", options={"sslmode": "require"}).django(pool_size=0)
    assert plain["OPTIONS"] == {"sslmode": "require"}
    pooled = Address("x", options={"options": "-c work_mem=8MB"}).django(pool_size=7)
    assert pooled["OPTIONS"]["pool"]["max_size"] == 7
    assert pooled["OPTIONS"]["options"].startswith("-c work_mem=8MB -c statement_timeout=")
    assert pooled["CONN_HEALTH_CHECKS"]
