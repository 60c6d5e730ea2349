"""One lock file, for everybody: it knows every dependency with its hashes, and no address."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PINS = dict(re.findall(r"^([a-z0-9.-]+)==([^ ;\\]+)", LOCK, re.MULTILINE))


def test_the_lock_holds_no_address_and_no_path():
    assert re.findall(r"(?:[a-z+]+://|--index|--extra|--find|file:| @ |^\s*/).*", LOCK, re.MULTILINE) == []


def test_every_pin_has_a_hash():
    entries = re.split(r"\n(?=[a-z0-9])", LOCK.split("\n", 2)[2])
    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_satisfies_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    wanted += project["project"]["optional-dependencies"]["dev"]
    unmet = []
    for requirement in map(Requirement, wanted):
        pin = PINS.get(canonicalize_name(requirement.name))
        if pin is None or not requirement.specifier.contains(pin, prereleases=True):
            unmet.append(f"{requirement} (locked: {pin}); run `make lock`")
    assert unmet == []
