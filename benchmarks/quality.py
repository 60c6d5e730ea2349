"""Quality of items, persons and tests: agreement with published figures, false alarms, and time.

    .venv/bin/python benchmarks/quality.py

Real data where they lie beside the project (../shared/data/responses). Published: what the R package difR
prints for its data `verbal`; R: stats::mantelhaen.test and glm (tests/stats/quality/golden). Times are CPU-
seconds for 20,000 persons and 100 items, after compilation. Peers run where they are installed: scikit-learn,
girth.
"""

import csv
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from machine import machine_line
from toprope.stats.calibration import calibrate
from toprope.stats.items import Items, make_items, score_probabilities
from toprope.stats.quality import (
    ability_jumps,
    ability_reliability,
    area_difference,
    criterion_validity,
    cronbach_alpha,
    detect_changes,
    distractor_analysis,
    item_drift,
    item_fit,
    item_statistics,
    like_answers,
    local_dependence,
    logistic_differences,
    mantel,
    mantel_haenszel,
    mcdonald_omega,
    person_fit,
    rapid_answers,
    split_half,
    summed_score_fit,
)
from toprope.stats.responses import Responses, table_responses

HOME = Path(__file__).resolve().parents[1]
DATA = HOME.parent / "shared" / "data" / "responses"
GOLDEN = HOME / "tests" / "stats" / "quality" / "golden"
PUBLISHED = {"S2WantShout", "S4WantShout", "S2DoCurse", "S2DoScold", "S3DoCurse", "S3DoScold"}
PURIFIED = (PUBLISHED - {"S4WantShout"}) | {"S3WantScold", "S1DoScold", "S4DoCurse", "S4DoScold"}
LOGISTIC = {"S2WantShout", "S2DoCurse", "S2DoScold", "S3DoCurse"}
PERSONS, ITEMS = 20_000, 100

Row = tuple[str, str, str, str, str]  # what, figure, bar, peer, ratio


def golden(name: str, column: str) -> np.ndarray:
    with (GOLDEN / name).open(newline="") as file:
        return np.array([float(row[column]) for row in csv.DictReader(file)])


def estimate_abilities(scores: np.ndarray, items: Items) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each ability's posterior under a standard normal population."""
    nodes = np.linspace(-5, 5, 81)
    log = np.log(score_probabilities(items, nodes))
    likelihood = scores @ (log[..., 1] - log[..., 0]).T + log[..., 0].sum(axis=1) - nodes**2 / 2
    posterior = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    posterior /= posterior.sum(axis=1, keepdims=True)
    mean = posterior @ nodes
    return mean, np.sqrt(posterior @ nodes**2 - mean**2)


def verdict(found: set[str], published: set[str]) -> str:
    return f"{len(found & published)} of {len(published)}, {len(found - published)} more"


def study_verbal() -> Iterator[Row]:
    lines = (DATA / "verbal.txt").read_text().split("\n")
    names = lines[0].split()
    table = np.array([[float(value) for value in line.split()] for line in lines[1:] if line.strip()])
    scores, focal = table[:, :24], table[:, names.index("Gender")]
    plain, pure = (mantel_haenszel(scores, focal, purify=purify) for purify in (False, True))
    regression = logistic_differences(scores, focal)
    for what, item_results, published in (
        ("Mantel-Haenszel", plain.items, PUBLISHED),
        ("Mantel-Haenszel, purified", pure.items, PURIFIED),
        ("logistic regression", regression, LOGISTIC),
    ):
        found = {names[item.item] for item in item_results if item.p_value < 0.05}
        yield f"verbal by gender, {what}: verdicts", verdict(found, published), "all, none more", "difR", ""
    file = "differential_verbal.csv"
    for what, found in (
        ("chi_square", [item.chi_square for item in plain.items]),
        ("delta", [item.delta for item in plain.items]),
        ("both", [item.both for item in regression]),
        ("r_square_change", [item.r_square_change for item in regression]),
    ):
        gap = np.abs(np.array(found) - golden(file, what)).max()
        yield f"verbal, {what}: largest difference", f"{gap:.1e}", "5e-05 (as printed)", "difR", ""
    alpha = cronbach_alpha(scores)
    yield "verbal, alpha", f"{alpha.value:.4f} [{alpha.low:.3f}, {alpha.high:.3f}]", "", "", ""


def study_medical() -> Iterator[Row]:
    with (DATA / "datamedical.csv").open(newline="") as file:
        names, *rows = list(csv.reader(file))
    table = np.array([[float(value) if value not in {"", "NA"} else np.nan for value in row] for row in rows])
    scores, gender, success = table[:, :100], table[:, 100], table[:, 101]
    known = ~np.isnan(gender)
    study = mantel_haenszel(scores[known], gender[known])
    spent, regression = cpu(lambda: logistic_differences(scores[known], gender[known]))
    counts = {size: sum(item.ets_class == size for item in study.items) for size in "ABC"}
    yield "datamedical by gender, classes A / B / C", " / ".join(map(str, counts.values())), "", "", ""
    large = [names[item.item] for item in study.items if item.ets_class != "A"]
    yield "datamedical, not negligible", " ".join(large) or "none", "", "", ""
    file = "differential_datamedical.csv"
    for what, found in (
        ("odds_ratio", [item.odds_ratio for item in study.items]),
        ("uniform", [item.uniform for item in regression]),
        ("nonuniform", [item.nonuniform for item in regression]),
    ):
        gap = np.abs(np.array(found) - golden(file, what)).max()
        yield f"datamedical, {what}: largest difference", f"{gap:.1e}", "1e-05", "R", ""
    if find_spec("sklearn"):
        peer_spent, peer = cpu(lambda: sklearn_statistics(scores[known], gender[known]))
        gap = np.abs(np.array([item.both for item in regression]) - peer).max()
        ratio = f"{peer_spent / spent:.0f}x less CPU"
        yield "datamedical, both: largest difference", f"{gap:.1e}", "", "scikit-learn", ratio
    yield from judge_medical(scores, success)


def judge_medical(scores: np.ndarray, success: np.ndarray) -> Iterator[Row]:
    items = calibrate(table_responses(scores)).items
    ability, error = estimate_abilities(scores, items)
    total, known = scores.sum(axis=1), ~np.isnan(success)
    by_ability, by_total = (criterion_validity(each[known], success[known]) for each in (ability, total))
    form = "{:.4f} [{:.3f}, {:.3f}]"
    for what, mine, sums in (
        ("AUC", *((each.area, *each.area_interval) for each in (by_ability, by_total))),
        ("correlation", *((each.correlation, *each.correlation_interval) for each in (by_ability, by_total))),
    ):
        title = f"StudySuccess ({by_ability.met} of {by_ability.persons} persons), {what} of ability"
        yield title, form.format(*mine), "sum score's", form.format(*sums) + " sum score", ""
    gap, (low, high) = area_difference(ability[known], total[known], success[known])
    yield "AUC of ability less that of the sum score", f"{gap:+.4f} [{low:+.4f}, {high:+.4f}]", "", "", ""
    alpha = cronbach_alpha(scores)
    halves = split_half(scores, np.random.default_rng(1))
    yield "datamedical, alpha", f"{alpha.value:.4f} [{alpha.low:.4f}, {alpha.high:.4f}]", "", "", ""
    yield "datamedical, omega", f"{mcdonald_omega(scores):.4f}", "", "", ""
    yield (
        "datamedical, split half",
        f"{halves.median:.4f} ({halves.low:.4f} to {halves.high:.4f})",
        "",
        "",
        "",
    )
    yield "datamedical, of abilities", f"{ability_reliability(ability, error):.4f}", "", "", ""
    pairs = local_dependence(table_responses(scores), items, ability).pairs
    yield "datamedical, locally dependent pairs", str(len(pairs)), "", "", ""
    misfits = [fit for fit in summed_score_fit(scores, items) if (fit.adjusted_p_value or 0.0) < 0.05]
    yield "datamedical, items that S-X2 rejects after adjustment", str(len(misfits)), "", "", ""


def sklearn_statistics(scores: np.ndarray, focal: np.ndarray) -> np.ndarray:
    """The likelihood-ratio statistic for both effects of each item, by scikit-learn."""
    from sklearn.linear_model import LogisticRegression  # the peer may be missing

    level = (scores.sum(axis=1) - scores.sum(axis=1).mean()) / scores.sum(axis=1).std()
    design = np.column_stack([level, focal, level * focal])
    found = []
    for item in range(scores.shape[1]):
        logs = []
        for columns in (design[:, :1], design):
            model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(columns, scores[:, item])
            right = model.predict_proba(columns)[:, 1]
            logs.append(np.log(np.where(scores[:, item] == 1, right, 1 - right)).sum())
        found.append(2 * (logs[1] - logs[0]))
    return np.array(found)


def simulate(persons: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, Items]:
    generator = np.random.default_rng(seed)
    items = make_items(generator.normal(size=count), np.exp(generator.normal(0.2, 0.35, count)))
    ability = generator.normal(size=persons)
    right = score_probabilities(items, ability)[..., 1]
    return (generator.random(right.shape) < right).astype(float), ability, items


def alarm_rates() -> Iterator[Row]:
    """How often each statistic speaks where nothing is amiss; abilities are estimated, items known."""
    scores, _, items = simulate(5000, 60, 1)
    ability, error = estimate_abilities(scores, items)
    fit = person_fit(table_responses(scores), items, ability)
    yield "l_z* below its 5 % point, 60 items", f"{(fit.p_value < 0.05).mean():.3f}", "0.05", "", ""
    p_values = np.concatenate(
        [
            [each.p_value for each in summed_score_fit(scores, items, estimated=0)]
            for scores, _, items in (simulate(2000, 50, seed) for seed in range(20))
        ]
    )
    yield "S-X2 below its 5 % point, 1,000 items", f"{(p_values < 0.05).mean():.3f}", "0.05", "", ""
    focal = np.arange(2000) % 3 == 0
    tables = [simulate(2000, 50, seed)[0] for seed in range(20)]
    for what, study in (
        ("Mantel-Haenszel", lambda table: mantel_haenszel(table, focal).items),
        ("logistic regression", lambda table: logistic_differences(table, focal)),
    ):
        share = np.mean([item.p_value < 0.05 for table in tables for item in study(table)])
        yield f"{what} below 5 %, 1,000 items", f"{share:.3f}", "0.05", "", ""
    generator = np.random.default_rng(2)
    order = generator.permutation(scores.size)
    person, item = np.divmod(order, 60)
    changes = detect_changes(
        item, scores[person, item], ability[person], items, ability_error=error[person], false_alarm=0.05
    )
    alarms = np.mean([change.alarm is not None for change in changes])
    yield "leak alarms at 5 %, 60 items of 5,000 answers", f"{alarms:.3f}", "at most 0.05", "", ""
    named = 0
    for seed in range(20):
        choices, few, level = multiple_choice(100, seed)
        named += bool(like_answers(choices, np.zeros(40), few, level, level=0.05))
    yield "sittings of 100 with anybody named for copying at 5 %, of 20", str(named), "about 1", "", ""
    jumps = sum(
        bool(ability_jumps(*noisy_sittings(seed), growth_deviation=0.5, level=0.05)) for seed in range(200)
    )
    yield "groups of 100 with anybody named for a jump at 5 %, of 200", str(jumps), "about 10", "", ""


def multiple_choice(persons: int, seed: int) -> tuple[np.ndarray, Items, np.ndarray]:
    generator = np.random.default_rng(seed)
    scores, ability, items = simulate(persons, 40, seed)
    tempting = generator.integers(1, 5, 40)
    wrong = np.where(generator.random(scores.shape) < 0.5, tempting, generator.integers(1, 5, scores.shape))
    return np.where(scores == 1, 0, wrong), items, ability


def noisy_sittings(seed: int) -> tuple[np.ndarray, float, np.ndarray, float]:
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=100)
    first, second = (truth + 0.3 * generator.normal(size=100) for _ in range(2))
    return first, 0.3, second + 0.5 * generator.normal(size=100), 0.3


def timings() -> Iterator[Row]:
    scores, ability, items = simulate(PERSONS, ITEMS, 3)
    responses = table_responses(scores)
    generator = np.random.default_rng(4)
    focal = generator.random(PERSONS) < 0.4
    person, item = (each.ravel() for each in np.indices(scores.shape))
    seconds = np.exp(3.5 + 0.5 * generator.normal(size=scores.size))
    choices = np.where(scores == 1, 0, generator.integers(1, 4, scores.shape))
    pairs = np.column_stack([np.arange(0, PERSONS, 2), np.arange(1, PERSONS, 2)])
    calls: dict[str, Callable[[], object]] = {
        "item_statistics": lambda: item_statistics(scores),
        "item_fit": lambda: item_fit(responses, items, ability),
        "summed_score_fit": lambda: summed_score_fit(scores, items),
        "person_fit": lambda: person_fit(responses, items, ability),
        "distractor_analysis": lambda: distractor_analysis(choices, np.zeros(ITEMS), options=4),
        "mantel_haenszel": lambda: mantel_haenszel(scores, focal),
        "mantel": lambda: mantel(scores, focal),
        "logistic_differences": lambda: logistic_differences(scores, focal),
        "logistic_differences, matched on ability": lambda: logistic_differences(
            scores, focal, matching=ability
        ),
        "local_dependence": lambda: local_dependence(responses, items, ability),
        "cronbach_alpha": lambda: cronbach_alpha(scores),
        "mcdonald_omega": lambda: mcdonald_omega(scores),
        "split_half, 200 splits": lambda: split_half(scores, np.random.default_rng(1)),
        "item_drift": lambda: item_drift(items, items),
        "detect_changes": lambda: detect_changes(
            item, scores.ravel(), ability[person], items, ability_error=0.4
        ),
        "rapid_answers": lambda: rapid_answers(person, item, seconds, persons=PERSONS, items=ITEMS),
        "like_answers, 10,000 pairs": lambda: like_answers(
            choices, np.zeros(ITEMS), items, ability, pairs=pairs
        ),
    }
    warm_up()
    peers = peer_times(scores, focal)
    for name, call in calls.items():
        spent, _ = cpu(call)
        peer = peers.get(name)
        yield (
            name,
            f"{spent:.3f} CPU-s",
            "",
            f"{peer[0]} {peer[1]:.2f} CPU-s" if peer else "",
            f"{peer[1] / spent:.0f}x" if peer else "",
        )
    sparse = thin(responses)
    spent, _ = cpu(lambda: local_dependence(sparse, items, ability))
    yield f"local_dependence, {len(sparse):,} responses", f"{spent:.3f} CPU-s", "", "", ""


def peer_times(scores: np.ndarray, focal: np.ndarray) -> dict[str, tuple[str, float]]:
    found = {}
    if find_spec("girth"):
        from girth import classical_test_statistics  # the peer may be missing

        table = scores.astype(int)
        found["item_statistics"] = ("girth", cpu(lambda: classical_test_statistics(table.T))[0])
    if find_spec("sklearn"):
        spent = cpu(lambda: sklearn_statistics(scores[:, :20], focal))[0]
        found["logistic_differences"] = ("scikit-learn (20 items, scaled up)", spent * ITEMS / 20)
    return found


def warm_up() -> None:
    scores, ability, items = simulate(50, 5, 1)
    local_dependence(table_responses(scores), items, ability)
    like_answers(np.where(scores == 1, 0, 1), np.zeros(5), items, ability)


def thin(responses: Responses) -> Responses:
    """About a fifth of the responses."""
    table = np.full((responses.persons, responses.items), np.nan)
    who = np.repeat(np.arange(responses.persons), np.diff(responses.indptr))
    kept = np.random.default_rng(5).random(len(responses)) < 0.2
    table[who[kept], responses.item[kept]] = responses.score[kept]
    return table_responses(table)


def cpu(call: Callable[[], object]) -> tuple[float, object]:
    before = time.process_time()
    result = call()
    return max(1e-6, time.process_time() - before), result


def main() -> None:
    print(machine_line())
    missing = [name for name in ("sklearn", "girth") if not find_spec(name)]
    if missing:
        print(f"not installed, so not beside: {', '.join(missing)}")
    print("\n| what | figure | bar | peer | ratio |\n|---|---|---|---|---|")
    parts: list[Callable[[], Iterator[Row]]] = [study_verbal, study_medical, alarm_rates, timings]
    if not DATA.exists():
        print("| real data | did not run: none beside the project | | | |")
        parts = parts[2:]
    for part in parts:
        for row in part():
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
