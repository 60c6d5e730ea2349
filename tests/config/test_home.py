"""The installation's directory, its secret and its locks."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from toprope.config.home import Lock, home, make_home, read_secret, require_installation, write_secret
from toprope.config.problem import Problem


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setenv("TOPROPE_HOME", str(tmp_path / "new" / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return tmp_path / "new" / "home"


def test_it_is_var_here_where_nothing_is_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOPROPE_HOME")
    assert home() == tmp_path / "var"
    monkeypatch.setenv("TOPROPE_HOME", "")
    assert home() == tmp_path / "var"


def test_a_command_does_not_make_an_installation(directory):
    with pytest.raises(Problem, match=r"No installation found in .*/home; run `toprope serve` here, or set"):
        require_installation()
    assert not directory.exists()


def test_with_a_server_of_ones_own_the_database_is_the_installation(directory, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/x")
    assert require_installation() == directory


def test_the_secret_is_long_private_and_made_once(directory):
    make_home()
    secret = read_secret(directory)
    assert len(secret) >= 64
    assert stat.S_IMODE((directory / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) & 0o066 == 0
    make_home()
    assert read_secret(directory) == secret
    assert [path.name for path in directory.iterdir()] == ["secret"]


def test_of_many_at_once_one_secret_counts(directory):
    directory.mkdir(parents=True)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: subprocess.run(_python("write_secret", directory), check=True), range(4)))
    assert len(read_secret(directory)) >= 64
    assert [path.name for path in directory.iterdir()] == ["secret"]


def _python(function, directory):
    path = f"Path({str(directory)!r})"
    code = f"from pathlib import Path; from toprope.config.home import {function}; {function}({path})"
    return [sys.executable, "-c", code]


def test_a_secret_that_exists_stays(directory):
    directory.mkdir(parents=True)
    write_secret(directory)
    before = read_secret(directory)
    write_secret(directory)
    assert read_secret(directory) == before


def test_no_secret_is_no_secret(directory):
    assert read_secret(directory) == ""


def test_a_place_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TOPROPE_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(Problem, match=r"Cannot write to .*/file/home \(Not a directory\)"):
        make_home()


def test_a_lock_is_held_alone_or_shared(tmp_path):
    path = tmp_path / "lock"
    mine, yours, theirs = Lock(path), Lock(path), Lock(path)
    assert mine.try_alone()
    assert not yours.try_alone()
    mine.release()
    yours.share()
    theirs.share()
    assert not mine.try_alone()
    yours.release()
    assert not mine.try_alone()
    theirs.release()
    assert mine.try_alone()
    mine.release()


def test_a_lock_ends_with_its_holder(tmp_path):
    path = tmp_path / "lock"
    code = (
        "import os, signal, sys; from pathlib import Path; from toprope.config.home import Lock;"
        f"lock = Lock(Path({str(path)!r})); assert lock.try_alone(); lock.write('mine');"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert path.read_text() == "mine"
    lock = Lock(path)
    assert lock.try_alone()
    lock.write("a")
    lock.write("b")
    assert path.read_text() == "b"
    assert not os.get_inheritable(lock.fileno())
    lock.release()
