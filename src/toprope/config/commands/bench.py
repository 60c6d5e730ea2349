"""Trying Toprope's numbers out on data of one's own. Needs no installation, and changes nothing."""

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toprope.config.problem import EXIT_FOUND, Problem
from toprope.config.progress import progress_bar

if TYPE_CHECKING:
    from toprope.stats.prediction import PredictionQuality
    from toprope.stats.tables import AnswerTable


@click.group()
def bench() -> None:
    """How good Toprope's numbers are on data of your own."""


@bench.command()
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--folds",
    type=click.IntRange(2, 100),
    default=5,
    show_default=True,
    help="Into how many parts the persons are divided; each is predicted from the others.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Which division into parts."
)
def prediction(table: Path, folds: int, seed: int) -> None:
    """How well the next answers of persons never seen before are predicted from those of the others.

    TABLE is a CSV or TSV file with a header and the columns person, item, competency and score (0 to 1), in
    order of time or with a timestamp. One row is one answer: an item that asks for several competencies has
    their joint name, never a row for each. Nothing of it is kept or sent.

    \b
    Example:
      toprope bench prediction answers.csv
    """
    from toprope.stats.tables import read_answers

    try:
        answers = read_answers(table)
        _warn(answers)
        click.echo(f"{len(answers)} answers of {len(set(answers.person.tolist()))} persons")
        started = time.process_time()
        found, floor = _predict_folds(answers, folds, seed)
    except ValueError as error:
        click.secho(f"Error: {error}", fg="red", err=True)
        raise SystemExit(EXIT_FOUND) from error
    except OSError as error:
        raise Problem(f"{table} cannot be read: {error.strerror}; check its permissions") from error

    click.echo(f"{'fold':<10} {'AUC':>8} {'log loss':>9} {'ECE':>8}")
    for number, each in enumerate(found, start=1):
        _tell(str(number), [each])
    _tell("mean", found)
    _tell("mean rate", floor)
    spread = statistics.stdev(each.auc for each in found)
    seconds = time.process_time() - started
    click.echo(f"Standard deviation of the AUC {spread:.4f}; {seconds:.0f} CPU seconds.")


def _predict_folds(
    answers: "AnswerTable", folds: int, seed: int
) -> tuple[list["PredictionQuality"], list["PredictionQuality"]]:
    """How good the predictions for each fold are, and how good the others' mean score would be."""
    import numpy as np

    from toprope.stats.prediction import (
        assess_predictions,
        mean_rate,
        person_folds,
        predict_next_answers,
        prepare_answers,
    )

    prepared = prepare_answers(answers)
    found, floor = [], []
    with progress_bar("Predicting") as progress:
        for number, test in enumerate(person_folds(answers.person, folds, np.random.default_rng(seed))):
            predicted = predict_next_answers(prepared, test, np.random.default_rng([seed, number]))
            found.append(assess_predictions(answers.score[test], predicted))
            floor.append(assess_predictions(answers.score[test], mean_rate(answers.score, test)))
            progress(number + 1, folds)
    return found, floor


def _tell(name: str, qualities: list["PredictionQuality"]) -> None:
    auc = statistics.fmean(each.auc for each in qualities)
    loss = statistics.fmean(each.log_loss for each in qualities)
    error = statistics.fmean(each.calibration_error for each in qualities)
    click.echo(f"{name:<10} {auc:8.4f} {loss:9.4f} {error:8.4f}")


def _warn(answers: "AnswerTable") -> None:
    if answers.repeat_count:
        more = ", ..." if answers.repeat_count > len(answers.repeats) else ""
        lines = ", ".join(map(str, answers.repeats))
        click.secho(
            f"Left out: {answers.repeat_count} rows whose person, item and timestamp had been there before"
            f" (lines {lines}{more}).",
            fg="yellow",
            err=True,
        )
    if answers.suspects:
        click.secho(
            f"Beware: {answers.suspects} rows repeat the one before with another competency. If the table has"
            " a row for each competency of an answer, make them one: as they are, they tell their score.",
            fg="yellow",
            err=True,
        )
