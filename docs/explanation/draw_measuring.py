"""Draw the pictures of measuring.md from the library itself.

python docs/explanation/draw_measuring.py       (needs matplotlib, which the extra "peers" brings)
"""

import io
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

from toprope.stats import (
    CERTAINTY,
    fold_observations,
    lowest_probability,
    make_items,
    make_observations,
    population_from_graph,
    predict_ability,
    start_state,
)

IMAGES = Path(__file__).parents[1] / "images"
INK, ACCENT, SOFT = "#4a4540", "#b5370c", "#8a8178"
CLASSES = {"fast": 120.0, "medium": 240.0, "slow": 540.0}
CUT = -0.49

FALSE_PASSES = {  # benchmarks/false_passes.py --full: Toprope, the usual rule
    "nothing wrong": (0.019, 0.125),
    "five retakes": (0.028, 0.283),
    "25 favourites leaked": (0.021, 0.693),
    "leaked, and five retakes": (0.029, 0.693),
    "a lenient mentor": (0.029, 0.256),
    "people weaker than believed": (0.037, 0.241),
    "items known from 50 answers": (0.024, 0.168),
    "decided for its expiry": (0.026, 0.182),
}


def main() -> None:
    mpl.rcParams.update(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "toprope",
            "font.family": "sans-serif",
            "axes.spines.top": False,
        }
    )
    mpl.rcParams.update({"axes.spines.right": False, "axes.edgecolor": SOFT, "text.color": INK})
    mpl.rcParams.update({"axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "font.size": 11})
    draw_narrowing()
    draw_fading()
    draw_false_passes()


def draw_narrowing() -> None:
    """One person of ability 1 answers the same to two kinds of questions; the interval narrows."""
    figure, axes = plt.subplots(figsize=(7, 3.2))
    population = population_from_graph(["SEC-01"], {}, 240.0)
    rng = np.random.default_rng(5)
    difficulty = rng.normal(0.0, 1.0, 30)
    right = rng.random(30) < 1 / (1 + np.exp(-(1.0 - difficulty)))
    for name, colour, guess, error in (
        ("open questions, calibrated", INK, 0.0, 0.0),
        ("three options, placed by their level", ACCENT, 1 / 3, 0.7),
    ):
        items = make_items(difficulty, guess=guess, covariance=np.full(30, error**2))
        told = make_observations(range(30), right.astype(int), 0.0, 0)
        steps = fold_observations(population, [start_state(population, 0.0)], items, told).steps
        value = np.concatenate([[0.0], steps[:, 2]])
        error_of = np.concatenate([[1.0], steps[:, 3]])
        axes.fill_between(
            range(31), value - 1.645 * error_of, value + 1.645 * error_of, color=colour, alpha=0.15
        )
        axes.plot(range(31), value, color=colour, label=name)
    axes.axhline(1.0, color=SOFT, linewidth=0.8, linestyle=":")
    axes.annotate("the truth", (30, 1.0), textcoords="offset points", xytext=(-4, 5), ha="right", color=SOFT)
    axes.set(xlabel="answers", ylabel="ability, logits", xlim=(0, 30))
    axes.legend(frameon=False, loc="lower right")
    save(figure, "measuring-narrowing.svg")


def draw_fading() -> None:
    """What is believed after 30 answers, as nothing new is shown; and how long an award may rest on it."""
    figure, axes = plt.subplots(figsize=(7, 3.2))
    days = np.arange(0, 366)
    for (name, half_life), colour in zip(CLASSES.items(), (ACCENT, INK, SOFT), strict=True):
        population = population_from_graph(["SEC-01"], {}, half_life)
        items = make_items(np.full(30, -1.0), covariance=np.full(30, 0.04))
        told = make_observations(range(30), [1] * 28 + [0] * 2, 0.0, 0)
        state = fold_observations(population, [start_state(population, 0.0)], items, told).states[0]
        certainty = [float(lowest_probability(population, state, CUT, float(day))[0]) for day in days]
        axes.plot(days, certainty, color=colour, label=f"{name}, half-life {half_life:.0f} days")
        value = float(predict_ability(population, state, 0.0).value[0])
    axes.axhline(CERTAINTY, color=SOFT, linewidth=0.8, linestyle=":")
    axes.annotate(
        "certainty asked",
        (365, CERTAINTY),
        textcoords="offset points",
        xytext=(-4, 5),
        ha="right",
        color=SOFT,
    )
    axes.set(xlabel="days without evidence", ylabel="P(at level 1)", xlim=(0, 365), ylim=(0.75, 1.0))
    axes.legend(
        frameon=False,
        loc="upper right",
        bbox_to_anchor=(1.0, 0.72),
        title=f"after 28 of 30 right (ability {value:+.1f})",
    )
    save(figure, "measuring-fading.svg")


def draw_false_passes() -> None:
    """The share of those who pass that is below the cut, as things go wrong."""
    figure, axes = plt.subplots(figsize=(7, 3.6))
    names = list(FALSE_PASSES)[::-1]
    for offset, place, colour, name in ((0.2, 1, SOFT, "the usual rule"), (-0.2, 0, ACCENT, "Toprope")):
        shares = [FALSE_PASSES[each][place] for each in names]
        axes.barh(np.arange(len(names)) + offset, shares, height=0.36, color=colour, label=name)
    axes.axvline(0.05, color=INK, linewidth=0.8, linestyle=":")
    axes.annotate("at most", (0.05, len(names) - 0.5), textcoords="offset points", xytext=(4, 0), color=INK)
    axes.set(
        yticks=range(len(names)),
        yticklabels=names,
        xlim=(0, 0.72),
        xlabel="below the cut, of those who passed",
    )
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.legend(frameon=False, loc="lower right")
    save(figure, "measuring-false-passes.svg")


def save(figure: plt.Figure, name: str) -> None:
    """As SVG, the same bytes at every run."""
    figure.tight_layout()
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", facecolor="white", metadata={"Date": None})
    text = re.sub(r"[ \t]+$", "", buffer.getvalue(), flags=re.MULTILINE)
    (IMAGES / name).write_text(text)


if __name__ == "__main__":
    main()
