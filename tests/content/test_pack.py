"""Reading a pack from disk: hostile or careless directories are told, not followed, and not read whole."""

import itertools
import os
import shutil
import time
import tracemalloc

import pytest

from toprope.content.api import builtin_pack, check_pack
from toprope.content.pack import MAX_FILES, MAX_FOLDER_DEPTH, MAX_TOTAL_BYTES, read_pack


@pytest.fixture
def pack(tmp_path):
    return shutil.copytree(builtin_pack(), tmp_path / "pack")


def problem_with(pack, path):
    (problem,) = [problem for problem in check_pack(pack) if problem.path == path]
    return problem


def test_built_in_pack_is_read_whole():
    pack = read_pack(builtin_pack())
    assert pack.problems == ()
    assert len([path for path in pack.files if path.startswith("items/")]) == 8
    assert "fixtures/rb1-review/head/billing.py" in pack.files
    on_disk = {str(file.relative_to(builtin_pack())) for file in builtin_pack().rglob("*") if file.is_file()}
    assert set(pack.files) == {path for path in on_disk if "__pycache__" not in path}


def test_digest_covers_names_and_contents(pack):
    before = read_pack(pack).digest
    assert read_pack(builtin_pack()).digest == before
    fixture = pack / "fixtures" / "rb1-review" / "TICKET.md"
    fixture.rename(fixture.with_name("TASK.md"))
    renamed = read_pack(pack).digest
    (pack / "policy.yaml").write_text("x", encoding="utf-8")
    assert len({before, renamed, read_pack(pack).digest}) == 3


def test_directory_that_is_none(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "nothing", tmp_path / "file"):
        (problem,) = check_pack(path)
        assert "is no directory" in problem.message
        assert "framework.yaml" in problem.cure


def test_directory_without_a_pack(tmp_path):
    (problem,) = check_pack(tmp_path)
    assert "no file of a pack" in problem.message


def test_file_that_is_not_utf8(pack):
    file = pack / "roles.yaml"
    lines = file.read_bytes().split(b"\n")
    lines[6] = b'    name: "J\xfcngere"'
    file.write_bytes(b"\n".join(lines))
    problem = problem_with(pack, "roles.yaml")
    assert (problem.line, problem.severity) == (7, "error")
    assert "UTF-8" in problem.message
    assert "Save the file as UTF-8" in problem.cure


def test_file_of_100_megabytes_is_not_read(pack):
    with (pack / "lessons.yaml").open("wb") as file:
        file.truncate(100_000_000)
    tracemalloc.start()
    try:
        reading = read_pack(pack)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "lessons.yaml" not in reading.files
    assert peak < 10_000_000
    problem = problem_with(pack, "lessons.yaml")
    assert (problem.line, problem.severity) == (1, "error")
    assert "2,000,000 bytes" in problem.message
    assert "Split it" in problem.cure


def test_alias_bomb_is_refused_at_its_first_anchor(pack):
    names = [f"a{number}" for number in range(30)]
    bomb = ["schema: toprope.sources/1", "a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    bomb += [f"{name}: &{name} [{', '.join(['*' + last] * 9)}]" for last, name in itertools.pairwise(names)]
    (pack / "sources.yaml").write_text("\n".join(bomb), encoding="utf-8")
    started = time.perf_counter()
    problem = problem_with(pack, "sources.yaml")
    assert time.perf_counter() - started < 5
    assert problem.line == 2
    assert "anchor or alias" in problem.message
    assert "Write the text out" in problem.cure


def test_link_out_of_the_pack_is_not_followed(pack, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("schema: stolen", encoding="utf-8")
    (pack / "policy.yaml").unlink()
    (pack / "policy.yaml").symlink_to(secret)
    problem = problem_with(pack, "policy.yaml")
    assert problem.message == "The file is a link."
    assert "Put the file itself" in problem.cure
    assert "policy.yaml" not in read_pack(pack).files


def test_folder_that_is_a_link_is_not_followed(pack, tmp_path):
    elsewhere = (pack / "items").rename(tmp_path / "items")
    (pack / "items").symlink_to(elsewhere)
    problem = problem_with(pack, "items")
    assert "is no folder" in problem.message
    assert not any(path.startswith("items/") for path in read_pack(pack).files)


def test_pack_reached_through_a_link_is_read(pack, tmp_path):
    (tmp_path / "current").symlink_to(pack)
    assert read_pack(tmp_path / "current").digest == read_pack(pack).digest


def test_pipe_does_not_block(pack):
    (pack / "metrics.yaml").unlink()
    os.mkfifo(pack / "metrics.yaml")
    problem = problem_with(pack, "metrics.yaml")
    assert problem.message == "This is no plain file."


def test_folder_in_place_of_a_file(pack):
    (pack / "metrics.yaml").unlink()
    (pack / "metrics.yaml").mkdir()
    assert problem_with(pack, "metrics.yaml").message == "The file is missing."


def test_stray_file_is_a_warning_with_the_name_meant(pack):
    (pack / "lesson.yaml").write_text("x", encoding="utf-8")
    (pack / "items" / "more.yml").write_text("x", encoding="utf-8")
    (pack / "README.md").write_text("x", encoding="utf-8")
    assert problem_with(pack, "lesson.yaml").severity == "warning"
    assert "Did you mean 'lessons.yaml'?" in problem_with(pack, "lesson.yaml").cure
    assert "items/<name>.yaml" in problem_with(pack, "items/more.yml").cure
    assert not [problem for problem in check_pack(pack) if problem.path == "README.md"]


def test_numbers_and_sizes_are_bounded(pack):
    many = pack / "fixtures" / "many"
    many.mkdir()
    for number in range(MAX_FILES + 5):
        (many / f"{number}.txt").touch()
    assert any(f"more than {MAX_FILES:,}" in problem.message for problem in read_pack(pack).problems)
    shutil.rmtree(many)
    deep = pack.joinpath("fixtures", *["deeper"] * MAX_FOLDER_DEPTH)
    deep.mkdir(parents=True)
    assert any("nested too deep" in problem.message for problem in read_pack(pack).problems)
    shutil.rmtree(pack / "fixtures" / "deeper")
    for number in range(MAX_TOTAL_BYTES // 1_900_000 + 1):
        with (pack / "fixtures" / f"{number}.bin").open("wb") as file:
            file.truncate(1_900_000)
    assert any("20,000,000 bytes" in problem.message for problem in read_pack(pack).problems)
