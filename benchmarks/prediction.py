"""Prediction of the next answer, 5 folds by person, beside what others predict it with, on the same folds.

    python benchmarks/prediction.py                    simulated schools, small (about 5 minutes)
    python benchmarks/prediction.py --full             at the size of the data sets that they resemble
    python benchmarks/prediction.py --table FILE       a table of your own, see `toprope bench prediction`
    python benchmarks/prediction.py --only statics-like

The bars of the real data sets hold for `--table` on those: AUC .785 (assistments09), .83 (statics), .82
(algebra05), .72 (assistments15), .734 (assistments17); calibration error at most .012. On a simulated school
the bar is the best peer: how hard a school is depends on how it is made.
"""

import argparse
import importlib.util
import os
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # on a busy machine its threads wait for one another
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from machine import machine_line
from schools import SCHOOLS, simulate_school
from toprope.stats.prediction import assess_predictions, person_folds, predict_next_answers, prepare_answers
from toprope.stats.prediction.history import trace_history
from toprope.stats.tables import AnswerTable, read_answers
from tracing_peers import NEED_SCIKIT_LEARN, PEERS

FOLDS = 5
OURS = "Toprope"
CALIBRATION_BAR = 0.012


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--table", type=Path)
    parser.add_argument("--only", choices=SCHOOLS)
    options = parser.parse_args()
    print(machine_line())
    if not importlib.util.find_spec("sklearn"):
        print("scikit-learn is not installed: no PFA, no Best-LR (pip install 'toprope[peers]')")
    if options.table:
        tables = {options.table.name: read_answers(options.table)}
    else:
        names = [options.only] if options.only else list(SCHOOLS)
        tables = {name: make_table(name, full=options.full) for name in names}
    print(f"{'what':<28} {'model':<10} {'AUC':>7} {'log loss':>9} {'ECE':>7} {'CPU-s per fold':>15}")
    results = {name: measure(name, table) for name, table in tables.items()}
    print(f"\n{'what':<28} {'figure':>8} {'bar':>9} {'peer':>20} {'ratio':>7}")
    for name, found in results.items():
        peers = {peer: quality[0] for peer, quality in found.items() if peer != OURS}
        best = max(peers, key=peers.get)
        auc, _, error = found[OURS]
        told = f"{best} {peers[best]:.4f}"
        print(f"{name + ' AUC':<28} {auc:8.4f} {'> peer':>9} {told:>20} {auc / peers[best]:7.4f}")
        print(
            f"{name + ' ECE':<28} {error:8.4f} {CALIBRATION_BAR:9.3f} {'':>20} {error / CALIBRATION_BAR:7.2f}"
        )


def make_table(name: str, *, full: bool) -> AnswerTable:
    school = SCHOOLS[name]
    seed = [11, list(SCHOOLS).index(name)]
    return simulate_school(school, school.persons if full else school.quick, np.random.default_rng(seed))


def measure(name: str, table: AnswerTable) -> dict[str, tuple[float, float, float]]:
    """AUC, log loss and calibration error of each model, averaged over the folds, printed as they come."""
    history, prepared = trace_history(table), prepare_answers(table)
    installed = importlib.util.find_spec("sklearn") is not None
    models = {peer: run for peer, run in PEERS.items() if installed or peer not in NEED_SCIKIT_LEARN}
    models[OURS] = lambda _table, _history, test: predict_next_answers(
        prepared, test, np.random.default_rng(1)
    )
    tests = list(person_folds(table.person, FOLDS, np.random.default_rng(7)))
    print(
        f"{name}: {len(table)} answers, {np.unique(table.person).size} persons, {table.item.max() + 1} items"
    )
    results = {}
    for model, run in models.items():
        started = time.process_time()
        found = [assess_predictions(table.score[test], run(table, history, test)) for test in tests]
        seconds = (time.process_time() - started) / FOLDS
        means = [
            float(np.mean(part))
            for part in zip(*((q.auc, q.log_loss, q.calibration_error) for q in found), strict=True)
        ]
        results[model] = tuple(means)
        print(
            f"{'':<28} {model:<10} {means[0]:7.4f} {means[1]:9.4f} {means[2]:7.4f} {seconds:15.1f}",
            flush=True,
        )
    return results


if __name__ == "__main__":
    main()
