"""`toprope bench prediction`: figures for a table, or a plain word for what is wrong with it."""

import numpy as np
from click.testing import CliRunner

from toprope.config.cli import main

HEADER = "person,item,competency,score"


def bench(*arguments):
    return CliRunner().invoke(main, ["bench", "prediction", *map(str, arguments)])


def answers(persons=20, each=12):
    rng = np.random.default_rng(1)
    able = rng.normal(0.0, 2.0, persons)
    return [
        f"p{p},i{n % 5},c{n % 2},{int(rng.random() < 1 / (1 + np.exp(-able[p])))}"
        for p in range(persons)
        for n in range(each)
    ]


def write(tmp_path, rows, header=HEADER):
    path = tmp_path / "answers.csv"
    path.write_text("\n".join([header, *rows]))
    return path


def test_it_prints_a_row_for_each_fold_and_the_means(tmp_path):
    path = write(tmp_path, answers())
    outcome = bench(path, "--folds", "2", "--seed", "3")
    assert outcome.exit_code == 0, outcome.output
    lines = outcome.stdout.splitlines()
    assert lines[0] == "240 answers of 20 persons"
    assert lines[1].split() == ["fold", "AUC", "log", "loss", "ECE"]
    table = {line[:10].strip(): [float(cell) for cell in line[10:].split()] for line in lines[2:6]}
    assert list(table) == ["1", "2", "mean", "mean rate"]
    assert table["mean"][1] < table["mean rate"][1]
    assert table["mean rate"][0] == 0.5
    assert bench(path, "--folds", "2", "--seed", "3").stdout.splitlines()[2:6] == lines[2:6]


def test_what_is_wrong_with_the_table_is_one_line_with_its_place(tmp_path):
    outcome = bench(write(tmp_path, ["p,i,c,1", "p,i,c,7"]))
    assert outcome.exit_code == 1
    assert outcome.stderr == "Error: answers.csv line 3: score is '7'; a number from 0 to 1 is asked\n"
    outcome = bench(write(tmp_path, ["p,i,c,1"]))
    assert outcome.exit_code == 1
    assert "5 folds of 1 persons" in outcome.stderr


def test_repeated_rows_are_told(tmp_path):
    rows = [f"{row},{n}" for n, row in enumerate(answers())]
    outcome = bench(write(tmp_path, [*rows, rows[0], rows[4]], f"{HEADER},timestamp"), "--folds", "2")
    assert outcome.exit_code == 0
    assert "Left out: 2 rows" in outcome.stderr
    assert "(lines 242, 243)" in outcome.stderr


def test_rows_multiplied_by_competency_are_warned_of(tmp_path):
    rows = [row for each in answers() for row in (each, each.replace(",c0,", ",d,").replace(",c1,", ",d,"))]
    outcome = bench(write(tmp_path, rows), "--folds", "2")
    assert outcome.exit_code == 0
    assert "Beware: 240 rows repeat the one before with another competency" in outcome.stderr
