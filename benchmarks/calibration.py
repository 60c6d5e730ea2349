"""Item calibration beside its peers: how right, how fast, how large.

    python benchmarks/calibration.py [--full]

Each case runs in a process of its own, on one thread, and its CPU-seconds and memory are those of that
process. girth runs here where it is installed; mirt's figures (R, 1.47, one core of the same kind of
machine) are given. Compilation is not counted: a small case of each kind goes first. --full adds the
largest cases (some minutes, 2 GB).
"""

import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from machine import machine_line
from toprope.stats.calibration import Calibration, DistributedResponses, Prior, calibrate
from toprope.stats.items import Items, make_items
from toprope.stats.responses import Responses, table_responses

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "responses"
MIRT = {
    "lsat6": -2466.6534,
    "lsat7": -2658.8051,
    "science": -1612.6817,
    "verbal": -4016.4272,
    "datamedical": -126794.4766,
}
MIRT_SECONDS = {20_000: 14.1, 200_000: 141.5}
WIDTHS = (44, 22, 16, 24, 12)


def simulate(persons: int, items: int, each: int, *, seed: int = 1) -> tuple[Responses, Items]:
    """Each person answers `each` items, one from every group of neighbours; made piece by piece."""
    rng = np.random.default_rng(seed)
    slope, place = np.exp(rng.normal(0.2, 0.35, items)), rng.normal(0, 1, items)
    edges = np.linspace(0, items, each + 1).astype(np.int32)
    item = np.empty((persons, each), np.int32)
    score = np.empty((persons, each), np.int8)
    for low in range(0, persons, 100_000):
        rows = slice(low, min(low + 100_000, persons))
        count = rows.stop - low
        ability = rng.standard_normal((count, 1), dtype=np.float32)
        drawn = (rng.random((count, each), dtype=np.float32) * np.diff(edges)).astype(np.int32)
        item[rows] = np.minimum(edges[:-1] + drawn, edges[1:] - 1)
        logit = slope.astype(np.float32)[item[rows]] * (ability - place.astype(np.float32)[item[rows]])
        score[rows] = rng.random((count, each), dtype=np.float32) < 1 / (1 + np.exp(-logit))
    indptr = np.arange(0, persons * each + 1, each, dtype=np.int64)
    return Responses(indptr, item.ravel(), score.ravel(), items), make_items(place, slope)


def real(name: str) -> Responses:
    if name.startswith("lsat"):
        rows = np.loadtxt(DATA / f"{name}.csv", delimiter=",", skiprows=1)
        return table_responses(np.repeat(rows[:, :-1], rows[:, -1].astype(int), axis=0))
    if name == "science":
        return table_responses(np.loadtxt(DATA / "science.csv", delimiter=",", skiprows=1) - 1)
    if name == "verbal":
        return table_responses(np.loadtxt(DATA / "verbal.txt", skiprows=1)[:, :24])
    table = np.genfromtxt(DATA / "datamedical.csv", delimiter=",", skip_header=1)
    return table_responses(table[:, :100])


def root_mean_square(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.sqrt(np.mean((found - true) ** 2)))


def case_real(name: str) -> dict:
    return {"log_likelihood": calibrate(real(name)).log_likelihood}


def case_ours(persons: str, items: str, each: str, with_prior: str) -> dict:
    prior = Prior() if with_prior == "prior" else None
    pools = (60, 400, 10_500) if int(items) > 10_000 else (60, 400)
    for pool in pools:  # compile every way that the case takes
        calibrate(simulate(60_000, pool, 20)[0], prior=Prior())
    responses, true = simulate(int(persons), int(items), int(each))
    started = time.process_time()
    found = calibrate(responses, prior=prior)
    seconds = time.process_time() - started
    return {
        "seconds": seconds,
        "evaluations": found.iterations,
        "converged": found.converged,
        "log_likelihood": found.log_likelihood,
        "slope": root_mean_square(found.items.discrimination, true.discrimination),
        "place": root_mean_square(found.items.difficulty, true.difficulty),
        "correlation": float(np.corrcoef(found.items.difficulty, true.difficulty)[0, 1]),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def case_girth(persons: str, items: str) -> dict:
    from girth import twopl_mml

    def table(count: int) -> tuple[np.ndarray, Items]:
        responses, true = simulate(count, int(items), int(items))
        return responses.score.reshape(count, -1).T.astype(int), true

    twopl_mml(table(300)[0])
    answers, true = table(int(persons))
    started = time.process_time()
    found = twopl_mml(answers)
    return {
        "seconds": time.process_time() - started,
        "slope": root_mean_square(found["Discrimination"], true.discrimination),
        "place": root_mean_square(found["Difficulty"], true.difficulty),
    }


def case_coverage() -> dict:
    """How often a 95 % interval holds the truth: 60 sets of 500 persons and 20 items."""
    inside: list[np.ndarray] = []
    for seed in range(60):
        responses, true = simulate(500, 20, 20, seed=seed)
        found = calibrate(responses, prior=Prior(discrimination_spread=1.0, easiness_spread=6.0)).items
        errors = np.sqrt(found.covariance[:, [0, 1], [0, 1]])
        off = np.stack([found.discrimination - true.discrimination, found.difficulty - true.difficulty], 1)
        inside.append(np.abs(off) < 1.96 * errors)
    slope, place = np.concatenate(inside).mean(axis=0)
    return {"slope": float(slope), "place": float(place)}


def case_few() -> dict:
    """What the measurement stage does for a competency: 100 persons, 25 items, a prior."""
    responses, true = simulate(100, 25, 25, seed=3)
    calibrate(responses, prior=Prior())
    started = time.process_time()
    found = calibrate(responses, prior=Prior())
    return {
        "seconds": time.process_time() - started,
        "slope": root_mean_square(found.items.discrimination, true.discrimination),
        "place": root_mean_square(found.items.difficulty, true.difficulty),
    }


def case_dask() -> dict:
    from distributed import Client, LocalCluster

    large = list(simulate(500_000, 2_000, 20)[0].chunks(62_500))
    small = list(simulate(8_000, 2_000, 20)[0].chunks(1_000))
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):

        def timed(parts: list[Responses], *, spread: bool, iterations: int) -> tuple[Calibration, float]:
            data = DistributedResponses(client, parts) if spread else parts
            calibrate(data, prior=Prior(), iterations=1)
            started = time.perf_counter()
            found = calibrate(data, prior=Prior(), iterations=iterations)
            return found, (time.perf_counter() - started) / found.iterations

        there, _ = timed(large, spread=True, iterations=500)
        here, _ = timed(large, spread=False, iterations=500)
        overhead = timed(small, spread=True, iterations=20)[1] - timed(small, spread=False, iterations=20)[1]
    off = max(
        float(np.abs(getattr(there.items, name) - getattr(here.items, name)).max())
        for name in ("difficulty", "discrimination")
    )
    return {"difference": abs(there.log_likelihood - here.log_likelihood), "items": off, "overhead": overhead}


CASES = {
    "real": case_real,
    "ours": case_ours,
    "girth": case_girth,
    "coverage": case_coverage,
    "few": case_few,
    "dask": case_dask,
}


def run(*case: object) -> dict:
    """A case in a process of its own, on one thread."""
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, __file__, "case", *(str(each) for each in case)]
    done = subprocess.run(command, env=os.environ | threads, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def row(*cells: str) -> None:
    print(
        "  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip(), flush=True
    )


def verdict(good: bool, ratio: str) -> str:
    return ratio if good else f"{ratio} MISSED"


def show_real() -> None:
    if not DATA.exists():
        print("the real sets did not run: no data beside the project")
        return
    for name, expected in MIRT.items():
        found = run("real", name)["log_likelihood"]
        off = found - expected
        mark = verdict(abs(off) <= 1e-3, f"{off:+.4f}")
        row(f"log-likelihood, {name}", f"{found:.4f}", "within .001", f"mirt {expected:.4f}", mark)


def show_dense() -> None:
    girth = run("girth", 20_000, 100) if importlib.util.find_spec("girth") else None
    if girth is None:
        print("girth is not installed, and did not run")
    for persons, mirt in MIRT_SECONDS.items():
        what, found = f"2PL {persons:,} x 100", run("ours", persons, 100, 100, "plain")
        seconds = found["seconds"]
        mark = verdict(mirt / seconds >= 25, f"{mirt / seconds:.0f}x")
        row(f"{what}, CPU-s", f"{seconds:.2f}", f"<= {mirt / 25:.2f}", f"mirt {mirt} (given)", mark)
        peer = ""
        if girth is not None and persons == 20_000:
            ratio = girth["seconds"] / seconds
            mark = verdict(ratio >= 50, f"{ratio:.0f}x")
            row("", f"{seconds:.2f}", "50x less", f"girth {girth['seconds']:.1f}", mark)
            peer = f"girth {girth['slope']:.4f} / {girth['place']:.4f}"
        row(
            "  RMSE discrimination / difficulty", f"{found['slope']:.4f} / {found['place']:.4f}", "", peer, ""
        )


def show_sparse(persons: int, items: int, each: int, prior: str, peer: str) -> None:
    found = run("ours", persons, items, each, prior)
    what = f"{persons:,} x {items:,}, {each} each"
    good = found["seconds"] <= 60 and found["converged"]
    row(f"{what}, CPU-s", f"{found['seconds']:.1f}", "<= 60", peer, verdict(good, ""))
    row("  memory, GB", f"{found['memory']:.2f}", "<= 2", "", verdict(found["memory"] <= 2, ""))
    figures = f"{found['slope']:.4f} / {found['place']:.4f}"
    row("  RMSE discrimination / difficulty", figures, "", f"{found['evaluations']} E-steps", "")


def show_bounded(what: str, value: float, bar: float) -> None:
    row(what, f"{value:.2g}", f"<= {bar:g}", "", verdict(value <= bar, ""))


def show_rest() -> None:
    few = run("few")
    row("100 persons x 25 items, prior, CPU-s", f"{few['seconds']:.3f}", "", "", "")
    row("  RMSE discrimination / difficulty", f"{few['slope']:.3f} / {few['place']:.3f}", "", "", "")
    covered = run("coverage")
    good = all(0.93 <= covered[each] <= 0.97 for each in covered)
    figures = f"{covered['slope']:.3f} / {covered['place']:.3f}"
    row("95 % intervals hold the truth", figures, ".93 to .97", "", verdict(good, ""))
    dask = run("dask")
    show_bounded("Dask: log-likelihood off by", dask["difference"], 1e-8)
    show_bounded("  parameters off by", dask["items"], 1e-8)
    show_bounded("  overhead per iteration, s", dask["overhead"], 0.3)


def main() -> None:
    print(machine_line())
    row("what", "figure", "bar", "peer", "ratio")
    show_real()
    show_dense()
    show_rest()
    if "--full" in sys.argv:
        show_sparse(5_000_000, 2_000, 20, "plain", "prototype 38.7; stretch 15")
        show_sparse(1_000_000, 5_000, 20, "plain", "prototype 10.8")
        show_sparse(11_785, 36_259, 100, "prior", "girth #148: 2.5 days")


if __name__ == "__main__":
    if sys.argv[1:2] == ["case"]:
        print(json.dumps(CASES[sys.argv[2]](*sys.argv[3:])))
    else:
        main()
