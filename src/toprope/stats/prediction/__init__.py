"""Prediction of the next answer of persons never seen before, from the answers of others: knowledge tracing.

A filter (`filter`) follows each person through the answers and learns what the content is like from person
to person; trees (`trees`) correct what it cannot say. Both are tuned on persons that they did not learn
from. This tries out the family of models that Toprope's estimates belong to: `toprope bench prediction`
runs it on a table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toprope.stats.prediction.evaluation import (
    PredictionQuality,
    area_under_curve,
    assess_predictions,
    calibration_error,
    mean_rate,
    person_folds,
)
from toprope.stats.prediction.filter import (
    GAINS,
    START,
    Content,
    Layout,
    Rows,
    lay_out,
    new_content,
    run_filter,
)
from toprope.stats.prediction.history import History, trace_history
from toprope.stats.prediction.search import search_minimum
from toprope.stats.prediction.trees import add_trees, bin_edges, bin_features, count_trees, grow_trees
from toprope.stats.tables import AnswerTable, Floats, Integers

__all__ = [
    "PredictionQuality",
    "PreparedAnswers",
    "area_under_curve",
    "assess_predictions",
    "calibration_error",
    "mean_rate",
    "person_folds",
    "predict_next_answers",
    "prepare_answers",
]

TUNING_ROWS = 300_000  # for the search of settings; more change them little, and cost in proportion
EVALUATIONS = 300
PRIOR_STEPS = (
    3.0  # a setting's prior standard deviation, in first steps of the search; matters for few answers
)
TUNING_SHARE = 0.75  # settings are judged on the persons after this share
ORDERS = 4  # orders of the persons to learn in; the mean of their predictions depends less on any
FILTER_ONLY_SHARE = 0.25  # trees learn from the persons after this share, when the content is known a little
TREES_SHARE = 0.75  # the number of trees is settled on the persons after this share


@dataclass(frozen=True, slots=True)
class PreparedAnswers:
    """Answers made ready for prediction: what does not depend on who is tested."""

    rows: Rows
    layout: Layout
    features: NDArray[np.float32]


def prepare_answers(table: AnswerTable) -> PreparedAnswers:
    """Trace every person's history. Raises ValueError unless each person's answers stand together."""
    changes = np.flatnonzero(np.diff(table.person)) + 1
    if changes.size + 1 != np.unique(table.person).size:
        raise ValueError("a person's answers do not stand together; sort the answers by person, then by time")
    history = trace_history(table)
    rows, layout = lay_out(table, history)
    return PreparedAnswers(rows, layout, _describe(table, history))


def _describe(table: AnswerTable, history: History) -> NDArray[np.float32]:
    """The (N, 15 or 16) features of the history that the trees see beside the filter's states."""
    counts = (history.answered, history.wins, history.losses, history.skill_gap, history.item_gap)
    columns = [np.log1p(count) for count in counts]
    columns += [history.tries, history.previous, history.skill_pattern, history.pattern, *history.averages.T]
    if table.hours is not None:
        pause = np.diff(table.hours, prepend=table.hours[:1])
        columns.append(np.log1p(np.where(history.answered > 0, pause, 0.0)))
    return np.stack(columns, axis=1).astype(np.float32)


def predict_next_answers(
    answers: PreparedAnswers, test: NDArray[np.bool_], rng: np.random.Generator
) -> Floats:
    """P(right) for each of the test answers, in their order.

    test: (N,) which answers are predicted; a person is wholly in or out. A prediction sees the answers of the
    persons who are out, and those that the same person gave before. Raises ValueError if a person is half in,
    where fewer than 4 persons are out, or where these answered all alike.
    """
    train = _shuffle_persons(answers, test, rng)
    rate = float(answers.rows.score[train].mean())
    if not 0.0 < rate < 1.0:
        raise ValueError("the answers to learn from are all right or all wrong; nothing can be learned")
    settings = _tune(answers.rows.take(train), answers.layout, rate)
    tested = np.flatnonzero(test)
    logit, count = np.zeros(tested.size), None
    for _ in range(ORDERS):
        train = _shuffle_persons(answers, test, rng)
        content = new_content(answers.layout, settings, rate)
        learned = _follow(answers, train, content, settings, learn=True)
        predicted = _follow(answers, tested, content, settings, learn=False)
        corrected, count = _correct(learned, predicted, count)
        logit += corrected / ORDERS
    return np.asarray(1.0 / (1.0 + np.exp(-logit)), dtype=np.float64)


class _Followed(NamedTuple):
    """What the filter made of some answers; (n,), features (n, C)."""

    person: Integers
    score: Floats
    logit: Floats
    features: NDArray[np.float32]


def _follow(
    answers: PreparedAnswers, which: Integers, content: Content, settings: dict[str, float], *, learn: bool
) -> _Followed:
    rows = answers.rows.take(which)
    predicted, states = run_filter(rows, answers.layout, content, settings, learn=learn)
    features = np.hstack([states, answers.features[which]])
    return _Followed(rows.person, rows.score, _logit(predicted), features)


def _shuffle_persons(answers: PreparedAnswers, test: NDArray[np.bool_], rng: np.random.Generator) -> Integers:
    """The places of the answers to learn from, person after person in random order."""
    person = answers.rows.person
    train = np.flatnonzero(~test)
    everybody = np.unique(person[train])
    if np.isin(person[test], everybody).any():
        raise ValueError("a person is both to learn from and to test; keep all answers of a person together")
    if everybody.size < 4:
        raise ValueError(f"{everybody.size} persons to learn from; at least 4 are asked")
    rank = np.empty(int(person.max()) + 1, dtype=np.int64)
    rank[everybody] = rng.permutation(everybody.size)
    return train[np.argsort(rank[person[train]], kind="stable")]


def _person_share(person: Integers, share: float) -> int:
    """The first answer of the person after this share of the persons."""
    starts = np.flatnonzero(np.diff(person, prepend=-1))
    return int(starts[int(share * starts.size)])


def _tune(rows: Rows, layout: Layout, rate: float) -> dict[str, float]:
    """The settings that best predict the last quarter of the persons, the content learned one by one."""
    count = len(rows.score)
    if count > TUNING_ROWS:
        rows = rows.take(np.arange(max(_person_share(rows.person, TUNING_ROWS / count), 1)))
    judged = slice(_person_share(rows.person, TUNING_SHARE), None)
    unpack = _unpacker()

    def loss(point: Floats) -> float:
        settings = unpack(point)
        content = new_content(layout, settings, rate)
        predicted, _ = run_filter(rows, layout, content, settings, learn=True)
        logit = _logit(predicted[judged])
        losses = np.logaddexp(0.0, logit) - rows.score[judged] * logit
        doubt = 0.5 * (((point - start) / (PRIOR_STEPS * steps)) ** 2).sum() / losses.size
        return float(losses.mean() + doubt)

    start = np.array([value if name in GAINS else np.log(value) for name, value in START.items()])
    steps = np.array([0.1 if name in GAINS else 0.7 for name in START])
    return unpack(search_minimum(loss, start, steps, EVALUATIONS)[0])


def _unpacker() -> Callable[[Floats], dict[str, float]]:
    linear = [name in GAINS for name in START]

    def unpack(point: Floats) -> dict[str, float]:
        bounded = np.where(linear, np.clip(point, -5.0, 5.0), np.exp(np.clip(point, -25.0, 3.0)))
        settings = dict(zip(START, bounded.tolist(), strict=True))
        return settings | {name: min(settings[name], 0.3) for name in ("guess", "slip")}

    return unpack


def _correct(learned: _Followed, predicted: _Followed, count: int | None) -> tuple[Floats, int]:
    """The predicted logits, corrected by trees grown on the learned ones, and how many trees there were.

    The learned logits, too, were predicted before the filter knew the person, so that the trees see errors
    such as it makes on the tested. `count` is sought where it is not given.
    """
    first = _person_share(learned.person, FILTER_ONLY_SHARE)
    edges = bin_edges(learned.features[first:])
    bins = bin_features(learned.features[first:], edges)
    score, logit = learned.score[first:], learned.logit[first:]
    if count is None:
        count = count_trees(bins, score, logit, _person_share(learned.person, TREES_SHARE) - first)
    corrected = predicted.logit.copy()
    add_trees(bin_features(predicted.features, edges), grow_trees(bins, score, logit, count), corrected)
    return corrected, count


def _logit(probability: Floats) -> Floats:
    bounded = np.clip(probability, 1e-4, 1.0 - 1e-4)
    return np.asarray(np.log(bounded) - np.log1p(-bounded), dtype=np.float64)
