"""Simulated responses with known parameters, the plain likelihood of any, and the real sets."""

import numpy as np
from tests.stats.shared_data import responses_file

from toprope.stats.items import Items, make_items, score_probabilities
from toprope.stats.responses import Responses, table_responses


def pool(count: int, seed: int, highest: int = 1) -> Items:
    """Items as they occur; of more than one step, every other one."""
    rng = np.random.default_rng(seed)
    scores = np.where(np.arange(count) % 2, highest, 1)
    steps = (
        rng.normal(0, 0.8, (count, highest)) * (np.arange(highest) < scores[:, None]) * (scores > 1)[:, None]
    )
    steps -= (steps.sum(axis=1) / scores)[:, None] * (np.arange(highest) < scores[:, None])
    slopes = np.exp(rng.normal(0.2, 0.35, count))
    return make_items(rng.normal(0, 1, count), slopes, steps=steps, scores=scores)


def answer(items: Items, ability: np.ndarray, seed: int, asked: float = 1.0) -> np.ndarray:
    """A table of scores (N, J), NaN where not asked."""
    rng = np.random.default_rng(seed)
    chances = score_probabilities(items, ability)
    drawn = rng.random((*chances.shape[:2], 1)) > np.cumsum(chances, axis=2)
    table = drawn[:, :, :-1].sum(axis=2).astype(float)
    table[rng.random(table.shape) >= asked] = np.nan
    return table


def log_likelihood(items: Items, table: np.ndarray, mean: float = 0.0, sd: float = 1.0) -> float:
    """Marginal, in the plainest way: a fine grid, every cell looked up."""
    grid = np.linspace(-8, 8, 161)
    weights = np.exp(-0.5 * grid**2)
    weights /= weights.sum()
    chances = np.log(np.maximum(score_probabilities(items, mean + sd * grid), 1e-300))
    total = np.zeros((len(table), len(grid)))
    for j in range(len(items)):
        asked = ~np.isnan(table[:, j])
        total[asked] += chances[:, j, table[asked, j].astype(int)].T
    highest = total.max(axis=1, keepdims=True)
    return float((highest[:, 0] + np.log(np.exp(total - highest) @ weights)).sum())


def frequencies(name: str) -> np.ndarray:
    rows = np.loadtxt(responses_file(name), delimiter=",", skiprows=1)
    return np.repeat(rows[:, :-1], rows[:, -1].astype(int), axis=0)


def real(name: str) -> Responses:
    """One of the real sets by its name."""
    if name.startswith("lsat"):
        return table_responses(frequencies(f"{name}.csv"))
    if name == "science":
        return table_responses(np.loadtxt(responses_file("science.csv"), delimiter=",", skiprows=1) - 1)
    if name == "verbal":
        return table_responses(np.loadtxt(responses_file("verbal.txt"), skiprows=1)[:, :24])
    table = np.genfromtxt(responses_file("datamedical.csv"), delimiter=",", skip_header=1)
    return table_responses(table[:, :100])
