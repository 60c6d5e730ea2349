"""Every command and every setting is documented, and nothing is documented that is not there."""

import importlib.util
import re
from pathlib import Path

import click

from toprope.config.cli import main

ROOT = Path(__file__).parents[2]
COMMANDS = (ROOT / "docs/reference/commands.md").read_text()
SETTINGS = (ROOT / "docs/reference/settings.md").read_text()
NAME = r"\b(?:TOPROPE|DATABASE)_[A-Z]+(?:_[A-Z]+)*\b"


def list_commands(command, path):
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from list_commands(each, f"{path} {name}")
    else:
        yield path


def test_every_command_is_documented_and_no_other():
    documented = re.findall(r"^## `(toprope [^`]+)`$", COMMANDS, re.MULTILINE)
    assert sorted(documented) == sorted(list_commands(main, "toprope"))


def test_every_setting_is_documented_and_no_other():
    read = set()
    for path in (ROOT / "src").rglob("*.py"):
        read |= set(re.findall(rf"\"({NAME})\"", path.read_text()))
    documented = set(re.findall(rf"^\| `({NAME})`", SETTINGS, re.MULTILINE))
    assert documented == read


def test_other_pages_name_only_settings_that_there_are():
    documented = set(re.findall(NAME, SETTINGS))
    named = {
        (page.name, name)
        for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        for name in re.findall(NAME, page.read_text())
    }
    assert {(page, name) for page, name in named if name not in documented} == set()


def test_every_target_of_make_is_documented():
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    section = COMMANDS.partition("## `make`")[2]
    assert [target for target in targets if target != "help" and f"`{target}`" not in section] == []


def test_every_decision_is_in_the_index():
    folder = ROOT / "docs/decisions"
    listed = re.findall(r"\]\((\d{4}-[a-z-]+\.md)\)", (folder / "README.md").read_text())
    assert sorted(listed) == sorted(path.name for path in folder.glob("0*.md"))


def test_links_between_pages_lead_somewhere():
    broken = []
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        broken += [f"{page.name}: {target}" for target in targets if not (page.parent / target).exists()]
    assert broken == []


def test_the_reference_of_stats_is_what_the_docstrings_say():
    specification = importlib.util.spec_from_file_location(
        "write_stats", ROOT / "docs/reference/write_stats.py"
    )
    writer = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(writer)
    assert writer.PAGE.read_text() == writer.render(), "run: python docs/reference/write_stats.py"
