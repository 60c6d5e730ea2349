"""Every kind of breakage is planted in a copy of the built-in pack; file, line and cure must be named."""

import shutil
from pathlib import Path

import pytest
import yaml

from toprope.content.api import builtin_pack, check_pack

BREAKAGES = yaml.safe_load((Path(__file__).parent / "breakages.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def pack(tmp_path):
    """A copy of the built-in pack, to be broken."""
    return shutil.copytree(builtin_pack(), tmp_path / "pack")


def errors_in(pack):
    return [problem for problem in check_pack(pack) if problem.severity == "error"]


def only_error(pack):
    errors = errors_in(pack)
    assert len(errors) == 1, errors
    return errors[0]


def test_builtin_pack_has_no_errors_and_says_which_rungs_cannot_open_yet():
    problems = check_pack(builtin_pack())
    assert {problem.severity for problem in problems} == {"warning"}
    assert {problem.message.partition(",")[0] for problem in problems} == {
        "R3 asks for 'planted-instruction-drill'",
        "R5 asks for 'stop-and-rollback-drill'",
    }


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage["name"])
def test_breakage_is_found_with_file_line_and_cure(pack, breakage):
    file = pack / breakage["path"]
    text = file.read_text(encoding="utf-8")
    assert breakage["old"] in text, "the pack has changed; adapt this breakage"
    file.write_text(text.replace(breakage["old"], breakage["new"], 1), encoding="utf-8")
    errors = errors_in(pack)
    found_in = breakage.get("found_in", breakage["path"])
    before, found, _ = (pack / found_in).read_text(encoding="utf-8").partition(breakage["at"])
    assert found, "`at` stands nowhere"
    line = before.count("\n") + 1
    fitting = [
        e for e in errors if e.path == found_in and e.line == line and breakage["message"] in e.message
    ]
    assert len(fitting) == 1, (found_in, line, errors)
    assert breakage["cure"] in fitting[0].cure
    assert len(errors) == breakage.get("count", 1), errors


def warnings_in(pack):
    return [problem for problem in check_pack(pack) if problem.severity == "warning"]


@pytest.mark.parametrize(
    ("path", "change", "message", "cure"),
    [
        pytest.param(
            "items/fnd.yaml",
            (
                "Output is sampled from likely continuations",
                f"Output is sampled from likely continuations{', and once more' * 12}",
            ),
            "times as long as the options are on average",
            "Shorten the key",
            id="the key is much the longest option",
        ),
        pytest.param(
            "lessons.yaml",
            ("check_items: [itm-fnd01-1, itm-fnd01-2]", "check_items: [itm-fnd01-1, itm-sec01-1]"),
            "'itm-sec01-1' is about SEC-01, the lesson about FND-01",
            "Choose an item",
            id="a lesson checks with another competency's item",
        ),
        pytest.param(
            "competencies/gro.yaml",
            (
                "{id: GRO-02, level: 1, before: 1}",
                "{id: GRO-02, level: 2, before: 1}",
            ),
            "GRO-03 needs GRO-02 at 2 before its own level 1",
            "higher level is meant",
            id="a prerequisite is higher than what it is for",
        ),
        pytest.param(
            "roles.yaml",
            ("ceiling: {rung: R6, supervision: S4}", "ceiling: {rung: R4, supervision: S4}"),
            "software_engineer would reach R5, R6 too",
            "raise the ceiling",
            id="targets go beyond the ceiling",
        ),
        pytest.param(
            "ladder.yaml",
            ("id: redaction-drill, pass: 0.95", "id: redaction-drill, pass: 0.99"),
            "'redaction-drill' is passed at less",
            "Set its pass_mark to 0.99",
            id="a practical is easier than its rung asks",
        ),
        pytest.param(
            "ladder.yaml",
            ("id: redaction-drill, pass: 0.95", "id: redaction-dril, pass: 0.95"),
            "R1 asks for 'redaction-dril', which the pack does not have",
            "Add practicals/redaction-dril.yaml",
            id="a rung asks for a practical that is not there",
        ),
    ],
)
def test_doubtful_part_is_a_warning_with_file_line_and_cure(pack, path, change, message, cure):
    old, new = change
    file = pack / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert errors_in(pack) == []
    (warning,) = [warning for warning in warnings_in(pack) if message in warning.message]
    assert warning.path == path
    assert warning.line == text[: text.index(old)].count("\n") + 1
    assert cure in warning.cure


def test_position_that_gives_the_key_away_is_a_warning(pack):
    """Every key comes first, so that whoever always takes the first option passes."""
    for file in (pack / "items").iterdir():
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        for item in document["items"]:
            item.get("options", []).sort(key=lambda option: option["misconception"] is not None)
        file.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert errors_in(pack) == []
    assert any("The key is option 1 in 77 of 77 items" in warning.message for warning in warnings_in(pack))


def test_file_that_is_missing_is_named(pack):
    (pack / "metrics.yaml").unlink()
    error = only_error(pack)
    assert (error.path, error.line, error.message) == ("metrics.yaml", 1, "The file is missing.")
    assert "Add it" in error.cure


def test_folder_without_documents_is_named(pack):
    shutil.rmtree(pack / "items")
    error = only_error(pack)
    assert (error.path, error.message) == ("items/", "There is no YAML file in the folder.")


def test_two_practicals_with_one_key_are_told_apart(pack):
    drill = pack / "practicals" / "redaction-drill.yaml"
    (pack / "practicals" / "second.yaml").write_bytes(drill.read_bytes())
    error = only_error(pack)
    assert (error.path, error.line) == ("practicals/second.yaml", 2)
    assert "stands also in practicals/redaction-drill.yaml" in error.message
    assert "another key" in error.cure


def test_broken_document_does_not_make_others_look_broken(pack):
    """What a document would name is unknown while it cannot be read; references to it are not blamed."""
    (pack / "competencies" / "sec.yaml").write_text("schema: [", encoding="utf-8")
    assert only_error(pack).path == "competencies/sec.yaml"
    (pack / "framework.yaml").write_text("schema: [", encoding="utf-8")
    assert {error.path for error in errors_in(pack)} == {"competencies/sec.yaml", "framework.yaml"}


def test_document_broken_throughout_is_told_in_bounds(pack):
    entries = "".join(f"  - {{id: s{number}}}\n" for number in range(1_500))
    (pack / "sources.yaml").write_text(f"schema: toprope.sources/1\nsources:\n{entries}", encoding="utf-8")
    errors = errors_in(pack)
    assert len(errors) < 300
    assert any("many more problems" in error.message for error in errors)
