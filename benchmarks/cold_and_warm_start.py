"""How long `toprope serve --demo` takes until it answers: the very first time, and again.

    python benchmarks/cold_and_warm_start.py

Without the installation of packages: that depends on the network; `make run` prints how it goes.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.machine import machine_line
from tests.installation import Installation


def timed_start(installation: Installation) -> float:
    started = time.perf_counter()
    installation.start()
    seconds = time.perf_counter() - started
    installation.stop()
    return seconds


def main() -> None:
    print(machine_line())
    print()
    with tempfile.TemporaryDirectory(prefix="toprope-bench-") as directory:
        Path(directory).chmod(0o755)  # the database's own account passes through it
        installation = Installation(Path(directory) / "home", "--demo")
        print("| start | seconds until it answers |\n|---|---|")
        print(f"| cold: database, tables, pack and demo made | {timed_start(installation):.1f} |")
        for _ in range(3):
            print(f"| warm | {timed_start(installation):.1f} |")


if __name__ == "__main__":
    main()
