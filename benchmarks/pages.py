"""How quick the pages are, and the rebuild, with many people and a million statements.

    python benchmarks/pages.py [--people 1000 100000] [--statements 1000000] [--rounds 200]

For each size: a real installation (PostgreSQL with fsync on, one web process), filled through the record's
own door, then the learner's home page and the round trip of an answer, one request after the other; then
`toprope rebuild` over everything.
"""

import argparse
import http.client
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.machine import machine_line
from tests.installation import Installation

TOKEN = "t" * 32
ROOT = Path(__file__).parents[1]


def request(port: int, session: str, method: str, path: str, body: dict | None = None) -> tuple[float, bytes]:
    """Seconds and body of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Cookie": f"sessionid={session}; csrftoken={TOKEN}", "X-CSRFToken": TOKEN}
    if body is not None:
        headers["Content-Type"] = "application/json"
    started = time.perf_counter()
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    seconds = time.perf_counter() - started
    connection.close()
    assert answer.status < 300, (answer.status, text[:500])
    return seconds, text


def measure_pages(port: int, sessions: list[str], rounds: int) -> dict[str, list[float]]:
    for session in sessions[:5]:
        request(port, session, "GET", "/")
    homes = [request(port, sessions[n % len(sessions)], "GET", "/")[0] for n in range(rounds)]
    answers = []
    for session in sessions:
        _, text = request(port, session, "POST", "/api/me/attempts", {"step": "sitting:GOV-01:1"})
        attempt = json.loads(text)
        for question in attempt["questions"]:
            body = {"item": question["item"], "choice": "a", "lines": [], "seconds": 9}
            answers.append(
                request(port, session, "POST", f"/api/me/attempts/{attempt['id']}/answers", body)[0]
            )
    return {"home page": homes, "answer": answers}


def measure(people: int, statements: int, rounds: int) -> list[tuple[str, ...]]:
    with tempfile.TemporaryDirectory(prefix="toprope-bench-") as directory:
        Path(directory).chmod(0o755)  # the database's own account passes through it
        installation = Installation(Path(directory) / "home", "--no-demo")
        installation.start()
        try:
            filled = subprocess.run(
                [sys.executable, ROOT / "benchmarks" / "population.py", str(people), str(statements), "100"],
                env=installation.environment,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            population = json.loads(filled.stdout.splitlines()[-1])
            size = f"{people:,} people, {population['recorded']:,} statements"
            rows = [
                (
                    size,
                    "statements recorded per second",
                    f"{population['recorded'] / population['seconds']:,.0f}",
                    "",
                )
            ]
            started = time.perf_counter()
            rebuilt = installation.run("rebuild", timeout=3600)
            seconds = time.perf_counter() - started
            assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
            read = re.search(r"([\d,.]+) per second", rebuilt.stdout + rebuilt.stderr)
            rows.append(
                (
                    size,
                    "rebuild: statements read per second",
                    read.group(1) if read else "?",
                    f"{seconds:.0f} s in all",
                )
            )
            for name, times in measure_pages(installation.port, population["sessions"], rounds).items():
                milliseconds = sorted(value * 1000 for value in times)
                p95 = milliseconds[int(0.95 * len(milliseconds))]
                rows.append(
                    (
                        size,
                        f"{name}: p50 / p95 ms",
                        f"{statistics.median(milliseconds):.1f} / {p95:.1f}",
                        f"{len(times)} requests",
                    )
                )
            return rows
        finally:
            installation.stop()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--statements", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    print(machine_line())
    print()
    print("| size | what | figure | |\n|---|---|---|---|")
    for people in arguments.people:
        for row in measure(people, arguments.statements, arguments.rounds):
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
