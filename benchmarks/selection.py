"""How long choosing the next item takes, and what it is worth: beside a full scan and catsim.

Run it: .venv/bin/python benchmarks/selection.py. About a minute on one core. CPU time by time.process_time.

The bar is on the call that chooses, from a pool of 100,000: at most 5 microseconds. Both are measured: from
Python, and from compiled code (where the filter and the simulations are). The peer draws among as many best
items as Toprope does (its randomesque selector), and knows neither content targets nor propensities.
"""

import importlib.metadata
import importlib.util
import time
from collections.abc import Callable

import numpy as np
from numba import njit

from machine import machine_line
from toprope.stats.items import Items, information, make_items
from toprope.stats.selection import (
    SelectionTable,
    build_table,
    choose_among,
    choose_item,
    default_width,
    discounted_information,
    pick,
    start_sitting,
)

POOLS = (20, 500, 10_000, 100_000)
CALL_BAR, BUILD_BAR = 5e-6, 1.0
STRATA, ASKED = 24, 20


def make_pool(count: int) -> Items:
    rng = np.random.default_rng(0)
    return make_items(rng.normal(0.0, 1.0, count), np.exp(rng.normal(0.2, 0.35, count)))


def cpu_each(call: Callable[[], object], least: float = 0.5) -> float:
    """CPU-seconds of one call, the best of three rounds of at least `least` seconds together."""
    call()
    times, best = 1, np.inf
    for _ in range(3):
        while True:
            started = time.process_time()
            for _ in range(times):
                call()
            spent = time.process_time() - started
            if spent > least / 3:
                break
            times *= 2
        best = min(best, spent / times)
    return float(best)


@njit
def many_picks(ranking, points, uniforms, content, barred):
    widths, targets, counts = content
    total = 0
    for n in range(len(points)):
        item = pick(ranking, points[n], widths, targets, counts, barred, uniforms[n, 0], uniforms[n, 1])[0]
        total += item
    return total


def compiled_seconds(table: SelectionTable, sitting) -> float:
    rng = np.random.default_rng(1)
    points, uniforms = rng.normal(size=20_000), rng.random((20_000, 2))
    content = (table.widths, table.targets, sitting.counts)
    return cpu_each(lambda: many_picks(table.ranking, points, uniforms, content, sitting.barred)) / len(
        points
    )


def python_seconds(table: SelectionTable, sitting) -> float:
    rng = np.random.default_rng(1)
    points = rng.normal(size=5_000).tolist()

    def many() -> None:
        for point in points:
            choose_item(table, sitting, point, rng)

    return cpu_each(many) / len(points)


def sitting_with(table: SelectionTable):
    """A sitting in which twenty items were asked near the middle, with content in balance so far."""
    sitting, rng = start_sitting(table), np.random.default_rng(2)
    for _ in range(ASKED):
        sitting.record(choose_item(table, sitting, 0.0, rng).item)
    return sitting


def catsim_seconds(items: Items, width: int) -> tuple[float, float] | None:
    """CPU-seconds of the most informative item and of randomesque selection, or None without catsim."""
    if importlib.util.find_spec("catsim") is None:
        return None
    from catsim.item_bank import ItemBank
    from catsim.selection import MaxInfoSelector, RandomesqueSelector

    columns = [items.discrimination, items.difficulty, items.guess, 1.0 - items.slip]
    bank = ItemBank(np.stack(columns, axis=1))
    rng = np.random.default_rng(1)
    asked = list(range(ASKED if len(items) > ASKED else 1))
    best, wide = MaxInfoSelector(), RandomesqueSelector(width)

    def select(selector) -> Callable[[], object]:
        return lambda: selector.select(
            item_bank=bank, administered_items=asked, est_theta=float(rng.normal()), rng=rng
        )

    return cpu_each(select(best)), cpu_each(select(wide))


def row(what: str, figure: str, bar: str = "", peer: str = "", ratio: str = "") -> None:
    print(f"{what:62s} {figure:>12s} {bar:>12s} {peer:>14s} {ratio:>9s}", flush=True)


def micro(seconds: float) -> str:
    return f"{seconds * 1e6:.2f} us"


def speed(count: int) -> None:
    items = make_pool(count)
    started = time.process_time()
    table = build_table(items)
    built = time.process_time() - started
    row(
        f"{count:,} items: table built ({table.ranking.nbytes / 1e6:.2f} MB)",
        f"{built:.3f} s",
        f"{BUILD_BAR} s",
    )
    peer = catsim_seconds(items, int(table.widths[0]))
    sitting = sitting_with(table) if count > 2 * ASKED else start_sitting(table)
    call = python_seconds(table, sitting)
    said, ratio = (micro(peer[1]), f"{peer[1] / call:,.0f}x") if peer else ("no catsim", "")
    row(f"{count:,} items: choose_item, among {table.widths[0]}", micro(call), micro(CALL_BAR), said, ratio)
    row(
        f"{count:,} items: the same, from compiled code",
        micro(compiled_seconds(table, sitting)),
        micro(CALL_BAR),
    )
    rng = np.random.default_rng(1)
    scan = cpu_each(lambda: choose_among(items, float(rng.normal()), rng))
    said, ratio = (micro(peer[0]), f"{peer[0] / scan:,.1f}x") if peer else ("no catsim", "")
    row(f"{count:,} items: choose_among, without a table (peer: best item)", micro(scan), "", said, ratio)
    if count > STRATA * 2:
        started = time.process_time()
        table = build_table(items, stratum=np.arange(count) % STRATA)
        built = time.process_time() - started
        row(f"{count:,} items in {STRATA} strata: table built", f"{built:.3f} s", f"{BUILD_BAR} s")
        sitting = sitting_with(table)
        row(
            f"{count:,} items in {STRATA} strata: choose_item",
            micro(python_seconds(table, sitting)),
            micro(CALL_BAR),
        )


def worth() -> None:
    """What width costs in information, and what uncertain items would have cost, at the cut."""
    items = make_pool(10_000)
    at_cut = np.sort(information(items, 0.0))[::-1]
    for width in (5, 60, default_width(10_000)):
        row(f"information of the best {width} of 10,000, mean", f"{at_cut[:width].mean():.3f}")
    rng = np.random.default_rng(3)
    few = np.arange(10_000) % 2 == 0
    deviation = np.where(few, 0.5, 0.05)
    covariance = np.zeros((10_000, 2, 2))
    covariance[:, 0, 0] = covariance[:, 1, 1] = deviation**2
    a = np.maximum(items.discrimination + deviation * rng.standard_normal(10_000), 0.2)
    believed = make_items(
        items.difficulty + deviation * rng.standard_normal(10_000), a, covariance=covariance
    )
    truth = information(items, 0.0)
    for name, found in (
        ("taken at face value", information(believed, 0.0)),
        ("uncertainty discounted", discounted_information(believed, 0.0)),
    ):
        best = np.argsort(-found)[:60]
        row(f"half the items uncertain, {name}: true information of 60", f"{truth[best].mean():.3f}")


def main() -> None:
    print(machine_line())
    installed = importlib.util.find_spec("catsim") is not None
    print(
        f"peer: catsim {importlib.metadata.version('catsim')}"
        if installed
        else "peer: catsim is not installed"
    )
    row("what", "figure", "bar", "peer", "ratio")
    build_table(make_pool(50))  # compiled before it is timed
    for count in POOLS:
        speed(count)
    worth()


if __name__ == "__main__":
    main()
