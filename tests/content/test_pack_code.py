"""What the built-in pack says of its code is true: flaws are shown, fixes fail before and pass after.

This is code of ours, so it is run as it is. Code of a user's pack waits for the runner.
"""

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from toprope.content.api import builtin_pack
from toprope.content.pack import read_pack

COMMANDS = {"python": [sys.executable, "-I", "-"], "javascript": ["node", "-"], "bash": ["bash", "-s"]}
TIME_LIMIT = 30


@functools.cache
def verified_items():
    documents, problems = read_pack(builtin_pack()).parse()
    assert problems == []
    return {
        entry["id"]: entry
        for path, document in documents.items()
        if path.startswith("items/")
        for entry in document.value["items"]
        if "verify" in entry
    }


def keys_of(kind):
    return sorted(key for key, item in verified_items().items() if item["verify"]["kind"] == kind)


@functools.cache
def harmless_tools():
    """A PATH for shell programs. An item shows `rm -rf "$UNSET"/*`: with no rm in reach nothing can slip."""
    folder = Path(tempfile.mkdtemp(prefix="toprope-tools-"))
    for tool in ("cat", "grep", "sed", "sort", "tr", "wc"):
        (folder / tool).symlink_to(shutil.which(tool))
    atexit.register(shutil.rmtree, folder)
    return {"PATH": str(folder)}


def run(language, *parts):
    """Run a program; gives whether it succeeded, what it printed, and its complaints."""
    if language != "python" and shutil.which(COMMANDS[language][0]) is None:
        message = f"{COMMANDS[language][0]} is not installed, so the pack's {language} was NOT checked"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    command, *options = COMMANDS[language]
    done = subprocess.run(
        [shutil.which(command), *options],
        input="\n".join(parts),
        env=harmless_tools() if language == "bash" else None,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )
    return done.returncode == 0, done.stdout.strip(), done.stderr[-500:]


def test_every_kind_is_checked_here():
    kinds = {item["verify"]["kind"] for item in verified_items().values()}
    assert kinds == {"calc", "output", "flaw", "fix", "static"}
    assert len(verified_items()) == 29


@pytest.mark.parametrize("key", keys_of("calc"))
def test_calculation_gives_what_the_rationale_says(key):
    verify = verified_items()[key]["verify"]
    assert run("python", verify["program"])[:2] == (True, verify["expect"])


@pytest.mark.parametrize("key", keys_of("output"))
def test_code_prints_what_the_key_says(key):
    item = verified_items()[key]
    assert run(item["lang"], item["code"])[:2] == (True, item["verify"]["expect"])


@pytest.mark.parametrize("key", keys_of("flaw"))
def test_flaw_shows_and_the_sound_version_is_told_from_it(key):
    item = verified_items()[key]
    verify = item["verify"]
    prelude = verify.get("prelude", "")
    code = item["code"] if verify.get("run_code", True) else ""
    shown, _, complaint = run(item["lang"], prelude, code, verify["check"])
    assert shown, f"the flaw does not show: {complaint}"
    if "fixed" not in verify:
        return
    sound, _, complaint = run(item["lang"], prelude, verify["fixed"], verify["check_fixed"])
    assert sound, f"the sound version fails: {complaint}"
    if not verify.get("same_result"):
        passes, _, _ = run(item["lang"], prelude, code, verify["check_fixed"])
        assert not passes, "the flawed version passes the check for the sound one"


@pytest.mark.parametrize("key", keys_of("fix"))
def test_tests_fail_before_and_pass_after(key):
    item = verified_items()[key]
    before, _, _ = run(item["lang"], item["starter"], item["tests"])
    assert not before, "the starter passes the tests already"
    after, _, complaint = run(item["lang"], item["solution"], item["tests"])
    assert after, f"the solution fails: {complaint}"


def test_review_fixture_has_the_defects_that_it_lists(tmp_path):
    fixture = shutil.copytree(builtin_pack() / "fixtures" / "rb1-review", tmp_path / "rb1-review")
    done = subprocess.run(
        [sys.executable, "prove.py"], cwd=fixture, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_agent_fixtures_reference_passes_visible_and_hidden_tests(tmp_path):
    fixture = builtin_pack() / "fixtures" / "rb2-agent"
    for path in ("reference/contacts.py", "starter/test_visible.py", "hidden/test_hidden.py"):
        shutil.copy(fixture / path, tmp_path)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:django",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
