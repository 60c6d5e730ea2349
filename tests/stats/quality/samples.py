"""Real and made-up answers that the tests of this folder share."""

import csv
from dataclasses import dataclass

import numpy as np
from tests.stats.shared_data import responses_file


@dataclass(frozen=True)
class Sample:
    names: list[str]
    scores: np.ndarray
    focal: np.ndarray
    criterion: np.ndarray | None = None


def verbal() -> Sample:
    """Verbal aggression: 316 persons, 24 items; focal is the group coded 1 of Gender."""
    lines = responses_file("verbal.txt").read_text().split("\n")
    names = lines[0].split()
    table = np.array([[float(value) for value in line.split()] for line in lines[1:] if line.strip()])
    return Sample(names[:24], table[:, :24], table[:, names.index("Gender")] == 1)


def medical() -> Sample:
    """The admission test with its criterion; NaN in `focal` and `criterion` where the data say nothing."""
    with responses_file("datamedical.csv").open(newline="") as file:
        names, *rows = list(csv.reader(file))
    table = np.array([[float(value) if value not in {"", "NA"} else np.nan for value in row] for row in rows])
    return Sample(names[:100], table[:, :100], table[:, 100], table[:, 101])


def two_parameter(generator, persons, discrimination, difficulty, ability=None):
    """Scores (persons, items) of the two-parameter logistic, and the abilities they came from."""
    theta = generator.normal(size=persons) if ability is None else ability
    chance = 1 / (1 + np.exp(-discrimination * (theta[:, None] - difficulty)))
    return (generator.random(chance.shape) < chance).astype(float), theta
