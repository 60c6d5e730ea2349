"""Django's settings, read from the environment."""

import runpy
from pathlib import Path

import pytest

from toprope.config import settings as module
from toprope.config.home import write_secret
from toprope.config.problem import Problem

PATH = module.__file__


@pytest.fixture
def read(monkeypatch, tmp_path):
    for name in ("TOPROPE_SECRET_KEY", "TOPROPE_DEMO", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TOPROPE_HOME", str(tmp_path))

    def read(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(PATH)

    return read


def test_what_holds_where_nothing_is_set(read, tmp_path):
    settings = read()
    assert settings["HOME"] == tmp_path
    assert settings["SECRET_KEY"] == ""  # and Django refuses to work without one
    assert not settings["DEBUG"]
    assert not settings["DEMO"]
    assert not settings["SESSION_COOKIE_SECURE"]
    assert set(settings["ALLOWED_HOSTS"]) == {"localhost", "127.0.0.1", "[::1]"}


def test_the_secret_is_the_installations_unless_given(read, tmp_path):
    write_secret(tmp_path)
    assert len(read()["SECRET_KEY"]) >= 64
    assert read(TOPROPE_SECRET_KEY="given")["SECRET_KEY"] == "given"


@pytest.mark.parametrize(("value", "demo"), [("1", True), ("", False), ("0", False), ("no", False)])
def test_a_demo_is_one_only_where_it_says_1(read, value, demo):
    assert read(TOPROPE_DEMO=value)["DEMO"] is demo


def test_behind_tls_cookies_travel_over_tls_only(read):
    settings = read(TOPROPE_BASE_URL="https://toprope.example.org", TOPROPE_HOSTS="a.example, b.example")
    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["CSRF_COOKIE_SECURE"]
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://toprope.example.org"]
    assert settings["ALLOWED_HOSTS"] == ["a.example", "b.example", "toprope.example.org"]


def test_the_database_is_the_urls_with_a_pool_where_told(read):
    settings = read(DATABASE_URL="postgresql://u:p%40s@db:5433/x?sslmode=require", TOPROPE_DATABASE_POOL="4")
    database = settings["DATABASES"]["default"]
    assert (database["USER"], database["PASSWORD"], database["HOST"]) == ("u", "p@s", "db")
    assert (database["PORT"], database["NAME"]) == ("5433", "x")
    assert database["OPTIONS"]["sslmode"] == "require"
    assert database["OPTIONS"]["pool"]["max_size"] == 4


def test_an_unreadable_database_is_no_default(read):
    with pytest.raises(Problem, match="DATABASE_URL"):
        read(DATABASE_URL="mysql://db/x")


def test_files_have_hashed_names_once_collected(read, tmp_path):
    plain = read()["STORAGES"]["staticfiles"]["BACKEND"]
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "staticfiles.json").write_text("{}")
    hashed = read()["STORAGES"]["staticfiles"]["BACKEND"]
    assert "Manifest" in hashed
    assert "Manifest" not in plain


def test_every_template_and_every_file_of_ours_is_in_the_package():
    package = Path(PATH).parents[1]
    assert list(package.rglob("*.html"))
    assert list(package.glob("content/packs/*/framework.yaml"))
