"""Where compiled code is kept: never where it could be taken for that of another source."""

import os
import subprocess
import sys

from toprope.stats import compiled


def test_a_change_anywhere_in_the_package_leaves_the_old_code_behind(tmp_path):
    (tmp_path / "one.py").write_text("A = 1\n")
    (tmp_path / "two.py").write_text("B = 1\n")
    before = compiled.cache_directory(tmp_path)
    assert before == compiled.cache_directory(tmp_path)
    assert before.parent == tmp_path / "__pycache__"
    stamp = (tmp_path / "two.py").stat()
    (tmp_path / "two.py").write_text("B = 2\n")  # of the same size, and made to look as old
    os.utime(tmp_path / "two.py", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert compiled.cache_directory(tmp_path) != before


def test_beside_a_source_that_may_not_be_written_to_it_goes_to_the_users_own(tmp_path, monkeypatch):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__pycache__").write_text("a file where a directory would have to be")
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    directory = compiled.cache_directory(tmp_path / "package")
    assert directory.parent == tmp_path / "mine" / "toprope"
    (tmp_path / "nothing").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "nothing"))
    assert compiled.cache_directory(tmp_path / "package") is None


def test_what_one_process_compiled_another_takes_up():
    code = (
        "from toprope.stats import make_items, choose_among\nimport numpy as np\n"
        "from toprope.stats.selection import _information_row as row\n"
        "choose_among(make_items([0.0, 1.0]), 0.0, np.random.default_rng(1))\n"
        "print(sum(row.stats.cache_hits.values()))"
    )
    for _ in range(2):
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "1"
