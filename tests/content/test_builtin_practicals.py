"""The built-in practicals: what rung R1 asks for, nothing real in them, and every claim shown by a run."""

import difflib
import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from toprope.competency.api import parse_document
from toprope.content import practicals
from toprope.content.practicals import PracticalKind, parse_practical

PACK = Path(practicals.__file__).parent / "packs" / "toprope-default"


@functools.cache
def document(path):
    read, problems = parse_document(path, (PACK / path).read_bytes())
    assert problems == []
    return read.value


def practical(key):
    return parse_practical(document(f"practicals/{key}.yaml"), "toprope-default@1.0.0")


DRILL, HUNT, EXPLAIN = (
    practical(key) for key in ("redaction-drill", "flaw-hunt-fnd-01", "explain-back-gov-01")
)


@pytest.mark.parametrize("read", [DRILL, HUNT, EXPLAIN], ids=lambda read: read.key)
def test_the_built_in_practicals_are_what_rung_r1_asks_for(read):
    domain = read.competency.partition("-")[0].lower()
    competencies = {c["id"]: c for c in document(f"competencies/{domain}.yaml")["competencies"]}
    level = competencies[read.competency]["levels"][0]
    (asked,) = [rule for rule in level["evidence"] if rule["kind"] == read.evidence_kind]
    (rung,) = [rung for rung in document("ladder.yaml")["rungs"] if rung["id"] == "R1"]

    assert rung["requires"]["competencies"][read.competency] == read.level == level["level"] == 1
    if read.kind is PracticalKind.REDACTION:
        (scenario,) = [v for v in rung["requires"]["validation"] if v["type"] == "scenario"]
        recall = next(target for target in level["targets"] if target["metric"] == "redaction_recall")
        assert (scenario["id"], scenario["pass"]) == (read.key, read.pass_mark)
        assert recall["min"] == read.pass_mark
    else:
        assert asked["pass"] == read.pass_mark
    assert len(read.variants) >= 2


@pytest.mark.parametrize("variant", DRILL.variants)
def test_each_drill_has_enough_of_every_class_for_one_slip(variant):
    assert 20 <= len(variant.spans) <= 39  # 19 of 20 is 0.95; with 40 two slips would pass
    assert {span.kind for span in variant.spans} == {"secret", "personal", "confidential"}
    assert len(variant.decoys) >= 8
    assert all(len(span.tokens) > 0 for span in variant.decoys)


def luhn_holds(number):
    digits = [int(digit) for digit in number if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban_holds(number):
    compact = number.replace(" ", "")
    return int("".join(str(int(letter, 36)) for letter in compact[4:] + compact[:4])) % 97 == 1


@pytest.mark.parametrize("variant", DRILL.variants)
def test_nothing_in_the_drills_is_real(variant):
    for span in variant.spans:
        compact = span.text.replace(" ", "")
        if compact.isdigit() and len(compact) == 16:
            assert not luhn_holds(compact), span.text
        elif re.fullmatch(r"[A-Z]{2}\d\d[A-Z0-9]{11,30}", compact):
            assert not iban_holds(compact), span.text
        if "@" in span.text:
            assert span.text.endswith(".test"), span.text
        if re.fullmatch(r"\d+\.\d+\.\d+\.\d+", span.text):
            assert span.text.startswith(("192.0.2.", "198.51.100.", "203.0.113.")), span.text
    text = " ".join(token.text for token in variant.tokens)
    assert not re.search(
        r"\b(AKIA|ASIA|ghp_|gho_|github_pat_|glpat-|xox[bp]-|sk-|sk_live|eyJ|AIza|npm_)", text
    )
    assert "BEGIN PRIVATE" not in text
    assert "BEGIN RSA" not in text


@pytest.mark.parametrize("variant", HUNT.variants)
def test_each_hunt_mixes_sound_and_flawed_samples_alike(variant):
    assert len(variant.samples) == 10
    assert sum(sample.sound for sample in variant.samples) == 4
    assert {sample.lang for sample in variant.samples} >= {"python", "javascript", "bash"}
    assert all(4 <= len(sample.lines) <= 14 for sample in variant.samples)


SAMPLES = [
    pytest.param(sample, id=sample["id"])
    for variant in document("practicals/flaw-hunt-fnd-01.yaml")["variants"]
    for sample in variant["samples"]
]


def run(sample, code, folder):
    """What prelude, code and check print, without outer space, and the name of the error they end with."""
    verify, lang = sample["verify"], sample["lang"]
    if lang == "toml":
        lang, code = "python", f"code = {code!r}\n"
    source = "\n".join([verify.get("prelude", ""), code, verify.get("check", "")])
    command = {
        "python": [sys.executable, "-I", "-W", "error"],
        "bash": [shutil.which("bash") or ""],
        "javascript": [shutil.which("node") or ""],
    }[lang]
    if not command[0]:
        pytest.skip(f"NOT RUN: {lang} is not on this machine, so nothing was shown about this sample")
    script = folder / "sample"
    script.write_text(source, encoding="utf-8")
    work = folder / "work"
    work.mkdir()
    done = subprocess.run(
        [*command, script], cwd=work, capture_output=True, text=True, timeout=60, check=False
    )
    printed = "\n".join(line.strip() for line in done.stdout.strip().splitlines())
    errors = re.findall(r"^(\w*Error)\b", done.stderr, re.MULTILINE) if done.returncode else [""]
    return printed, errors[-1] if errors else done.stderr


@pytest.mark.parametrize("sample", SAMPLES)
def test_samples_do_what_is_claimed(sample, tmp_path):
    printed, error = run(sample, sample["code"], tmp_path)

    assert error == sample["verify"].get("raises", "")
    if not error:
        assert printed == sample["verify"]["prints"].strip()


@pytest.mark.parametrize("sample", [s for s in SAMPLES if "fixed" in s.values[0]["verify"]])
def test_flawed_samples_work_once_their_flaw_lines_are_put_right(sample, tmp_path):
    verify = sample["verify"]
    before, after = sample["code"].splitlines(), verify["fixed"].splitlines()

    changed, gaps = set(), []
    for tag, start, end, _, _ in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "insert":
            gaps.append({start, start + 1})
        elif tag != "equal":
            changed |= set(range(start + 1, end + 1))
    printed, error = run(sample, verify["fixed"], tmp_path)

    assert (printed, error) == (verify["fixed_prints"].strip(), "")
    assert changed.union(*gaps) == set(sample["flaw_lines"])


def test_every_flaw_is_shown_by_a_run():
    for sample in (param.values[0] for param in SAMPLES):
        verify = sample["verify"]
        differs = "raises" in verify or verify["prints"] != verify.get("fixed_prints", verify["prints"])
        in_comment = sample["id"] in {"discount", "log-size"}  # the output is right there; the comment is not
        assert (differs or in_comment) == bool(sample["flaw_lines"])


@pytest.mark.parametrize("key", ["discount", "log-size"])
def test_wrong_comments_are_wrong_in_the_flaw_lines_only(key):
    (sample,) = [param.values[0] for param in SAMPLES if param.values[0]["id"] == key]
    claimed = [
        (n, line.partition("# ")[2]) for n, line in enumerate(sample["code"].splitlines(), 1) if "# " in line
    ]
    printed = sample["verify"]["prints"].strip().splitlines()

    wrong = [n for (n, comment), line in zip(claimed, printed, strict=True) if comment != line.strip()]
    assert wrong == sample["flaw_lines"]


def test_the_script_to_explain_does_what_its_record_says(tmp_path):
    script = EXPLAIN.variants[1].code
    for name, age in (("old", 40), ("new", 0), ("open", 40)):
        path = tmp_path / f"{name}.csv"
        path.write_text("x")
        stamp = path.stat().st_mtime - age * 86_400
        os.utime(path, (stamp, stamp))
    (tmp_path / "open-cases.txt").write_text("open\n")

    subprocess.run(["bash", "-c", script], env={**os.environ, "EXPORT_FOLDER": str(tmp_path)}, check=True)

    assert sorted(path.name for path in tmp_path.glob("*.csv")) == ["new.csv", "open.csv"]


def test_the_change_to_explain_passes_its_own_test():
    lines = EXPLAIN.variants[0].code.splitlines()
    program = "\n".join(line[1:] for line in lines if line[:1] != "-")

    class Store(dict):
        set_status, get_status = dict.__setitem__, dict.get

    class Mailer(list):
        sent = property(list)

        def send(self, *mail):
            self.append(mail)

    order = type("Order", (), {"id": 7, "email": "a@example.com"})
    names = {}
    exec(program, names)  # noqa: S102 - our own text, out of our own pack

    names["test_second_click_sends_nothing"](order, Mailer(), Store())
