"""The `toprope` command: it explains itself, starts quickly, and has a plain word for what goes wrong."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tests.config.test_database import PASSWORD
from tests.installation import TOPROPE, free_port

import toprope
from toprope.config.cli import main


def list_commands(command, path=()):
    yield path, command
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from list_commands(each, (*path, name))


ALL = list(list_commands(main))
LEAVES = [(path, command) for path, command in ALL if not isinstance(command, click.Group)]
NEEDS_NONE = {("serve",), ("echo-provider",), ("framework", "check"), ("bench", "prediction")}


def run(*arguments, **environment):
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("TOPROPE_", "DATABASE_"))}
    return subprocess.run(
        [TOPROPE, *arguments],
        env=clean | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("path", [path for path, _ in ALL], ids=" ".join)
def test_every_command_explains_itself(path):
    outcome = CliRunner().invoke(main, [*path, "--help"])
    assert outcome.exit_code == 0
    assert outcome.output.startswith(f"Usage: {' '.join(('main', *path))}")
    assert CliRunner().invoke(main, [*path, "-h"]).output == outcome.output


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[" ".join(path) for path, _ in LEAVES])
def test_every_command_has_an_example_and_every_option_a_help(path, command):
    text = CliRunner().invoke(main, [*path, "--help"]).output
    assert f"toprope {' '.join(path)}" in text.partition("Example")[2]
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_help_tells_the_exit_codes():
    assert "Exit codes:" in CliRunner().invoke(main, ["--help"]).output


def test_help_does_without_django_and_the_database():
    code = (
        "import sys; sys.argv = ['toprope', '--help']; from toprope.config.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage:" in outcome.stdout
    for heavy in ("django", "psycopg", "numpy", "asyncio", "yaml"):
        assert f"'{heavy}'" not in outcome.stderr


@pytest.mark.parametrize("path", [path for path, _ in LEAVES if path not in NEEDS_NONE], ids=" ".join)
def test_without_an_installation_a_command_says_so_and_makes_none(path, tmp_path):
    arguments = {
        "create": ["--email", "a@b.example", "--name", "A", "--role", "x"] if path[0] == "person" else ["a"],
        "set-password": ["a"],
        "close": ["a"],
        "revoke": ["a", "b"],
        "load": [str(tmp_path)],
        "angoff": ["2", __file__],
        "bookmark": ["2", __file__],
    }.get(path[-1], [])
    outcome = run(*path, *arguments, TOPROPE_HOME=str(tmp_path / "nothing"))
    assert outcome.returncode == 3
    place = tmp_path / "nothing"
    told = f"Error: No installation found in {place}; run `toprope serve` here, or set TOPROPE_HOME.\n"
    assert outcome.stderr == told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["migrate"], ["serve"], ["audit", "verify"]], ids=" ".join)
@pytest.mark.parametrize(
    "url",
    [
        f"mysql://u:{PASSWORD}@db/x",
        f"postgresql://u:{PASSWORD}@127.0.0.1:{free_port()}/x",
        f"postgresql://u:{PASSWORD}@127.0.0.1:port/x",
    ],
    ids=["scheme", "unreachable", "unreadable"],
)
def test_a_wrong_database_url_is_one_clear_line(command, url, tmp_path):
    port = ["--port", str(free_port())] if command == ["serve"] else []
    outcome = run(*command, *port, DATABASE_URL=url, TOPROPE_HOME=str(tmp_path / "home"))
    assert outcome.returncode == 3
    lines = [line for line in outcome.stderr.splitlines() if not line.startswith(("Toprope ", "toprope: "))]
    assert len(lines) == 1
    assert lines[0].startswith("Error: DATABASE_URL")
    assert PASSWORD not in outcome.stdout + outcome.stderr


def test_serving_beyond_this_machine_needs_an_address_to_be_known_by(tmp_path):
    outcome = run("serve", "--host", "0.0.0.0", TOPROPE_HOME=str(tmp_path / "home"))  # noqa: S104 - refused
    assert outcome.returncode == 3
    assert "set TOPROPE_BASE_URL" in outcome.stderr


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TOPROPE_BASE_URL", "toprope.example", "must begin with http:// or https://"),
        ("TOPROPE_PROVIDER_URL", "provider", "TOPROPE_PROVIDER_URL is 'provider'"),
        ("TOPROPE_BODY_LIMIT", "much", "TOPROPE_BODY_LIMIT is 'much'"),
        ("TOPROPE_DATABASE_POOL", "many", "TOPROPE_DATABASE_POOL is 'many'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name, value, told, tmp_path):
    outcome = run(
        "serve", "--port", str(free_port()), **{name: value, "TOPROPE_HOME": str(tmp_path / "home")}
    )
    assert outcome.returncode == 3
    assert told in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_good_pack_is_told_from_a_bad_one(tmp_path):
    (tmp_path / "framework.yaml").write_text("key: [broken\n")
    outcome = run("framework", "check", str(tmp_path))
    assert outcome.returncode == 1
    assert "framework.yaml:" in outcome.stdout
    assert "cannot be loaded" in outcome.stderr
    builtin = Path(toprope.__file__).parent / "content/packs/toprope-default"
    outcome = run("framework", "check", str(builtin))
    assert outcome.returncode == 0, outcome.stdout
    assert "No errors" in outcome.stderr
