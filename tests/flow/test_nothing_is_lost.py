"""`kill -9` of every process during load: each acknowledged answer and each delivered exchange is kept."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.installation import Installation, wait_for

STEPS = ("sitting:FND-01:1", "sitting:SEC-01:1", "sitting:GOV-01:1")
QUESTIONS = 7  # of the built-in pack in these three
LEARNERS = 6
TOKEN = "t" * 32
ROOT = Path(__file__).parents[2]


class Load:
    """People who answer and call, and go on trying while everything around them dies."""

    def __init__(self, installation: Installation, people: dict[str, Any]) -> None:
        self.installation, self.people = installation, people
        self.answers: list[tuple[str, str, str]] = []  # (person, attempt, item) that were acknowledged
        self.exchanges: list[str] = []  # ids of exchanges whose whole answer was delivered
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._learn, args=(each,)) for each in people["learners"]]
        self.threads.append(threading.Thread(target=self._call))

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()

    def has_been_answered(self) -> bool:
        """Whether all learners are through."""
        return not any(thread.is_alive() for thread in self.threads[:LEARNERS])

    def _request(self, path: str, body: dict, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.installation.port, timeout=10)
        try:
            connection.request(
                "POST", path, json.dumps(body), {"Content-Type": "application/json", **headers}
            )
            answer = connection.getresponse()
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    def _post(self, learner: dict[str, str], path: str, body: dict) -> dict[str, Any] | None:
        """The answer once there is one: what got no answer is sent again, as a person would."""
        cookies = f"sessionid={learner['session']}; csrftoken={TOKEN}"
        while not self.stopped.is_set():
            try:
                status, text, _ = self._request(path, body, {"Cookie": cookies, "X-CSRFToken": TOKEN})
            except (OSError, http.client.HTTPException):
                self.stopped.wait(0.05)
                continue
            if status < 300:
                return json.loads(text)
            assert status >= 500, text  # an overloaded or broken server may say so; nothing else is in order
            self.stopped.wait(0.05)
        return None

    def _learn(self, learner: dict[str, str]) -> None:
        for step in STEPS:
            attempt = self._post(learner, "/api/me/attempts", {"step": step})
            if attempt is None:
                return
            for question in attempt["questions"]:
                body = {"item": question["item"], "choice": "a", "lines": [], "seconds": 3}
                if self._post(learner, f"/api/me/attempts/{attempt['id']}/answers", body) is None:
                    return
                self.answers.append((learner["uuid"], attempt["id"], question["item"]))

    def _call(self) -> None:
        stream = False
        while not self.stopped.is_set():
            stream = not stream
            body = {"model": "echo", "stream": stream, "messages": [{"role": "user", "content": "x " * 20}]}
            try:
                status, text, headers = self._request(
                    "/v1/chat/completions", body, {"Authorization": f"Bearer {self.people['key']}"}
                )
            except (OSError, http.client.HTTPException):
                self.stopped.wait(0.05)
                continue
            whole = b"[DONE]" in text if stream else text.endswith(b"}")
            if status == 200 and whole:
                self.exchanges.append(headers["x-toprope-exchange"])
            else:
                self.stopped.wait(0.05)


@pytest.fixture
def installation(place: Path) -> Iterator[Installation]:
    made = Installation(place / "home", "--no-demo")
    made.start()
    yield made
    made.stop()


def child(installation: Installation, kind: str) -> psutil.Process | None:
    assert installation.process is not None
    for process in psutil.Process(installation.process.pid).children():
        if "toprope.config.child" in process.cmdline() and kind in process.cmdline():
            return process
    return None


def postmaster(installation: Installation) -> int:
    return int((installation.home / "pg" / "postmaster.pid").read_text().split()[0])


def test_nothing_acknowledged_is_lost(installation: Installation) -> None:
    populated = subprocess.run(
        [sys.executable, Path(__file__).with_name("populate.py"), str(LEARNERS)],
        env={**installation.environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    load = Load(installation, json.loads(populated.stdout.splitlines()[-1]))
    load.start()
    try:
        for victim in ("web", "postgres", "everything"):
            answers, exchanges = len(load.answers), len(load.exchanges)
            wait_for(
                lambda a=answers, e=exchanges: len(load.answers) > a + 2 and len(load.exchanges) > e + 2,
                f"work goes on before the {victim} is killed",
                60,
            )
            kill(installation, victim)
        installation.start()
        done = len(load.exchanges)
        wait_for(lambda: len(load.exchanges) > done + 2, "calls pass again", 60)
        wait_for(load.has_been_answered, "everybody answered everything", 60)
        assert len(load.answers) == LEARNERS * QUESTIONS
    finally:
        load.stop()
    check_kept(installation, load)


def kill(installation: Installation, victim: str) -> None:
    if victim == "web":
        wait_for(lambda: child(installation, "web"), "there is a web process").kill()
    elif victim == "postgres":
        os.kill(postmaster(installation), signal.SIGKILL)
    else:
        assert installation.process is not None
        processes = [installation.process.pid, postmaster(installation)]
        processes += [each.pid for each in psutil.Process(installation.process.pid).children(recursive=True)]
        for pid in processes:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        installation.process.wait()


def check_kept(installation: Installation, load: Load) -> None:
    with installation.connect_as_owner() as database:
        answered = {
            (str(actor), str(sitting), item)
            for actor, sitting, item in database.execute(
                "SELECT actor, sitting, object_key FROM evidence_statement WHERE verb = 'answered'"
            )
        }
        assert set(load.answers) <= answered
        started = database.execute("SELECT subject FROM audit_entry WHERE tag = 'exchange.started'")
        kept = {exchange for (exchange,) in started}
        assert set(load.exchanges) <= kept
        once = database.execute(
            "SELECT count(*), count(DISTINCT (actor, sitting, object_key)) FROM evidence_statement "
            "WHERE verb = 'answered'"
        ).fetchone()
        assert once is not None
        assert once[0] == once[1]  # what was sent again was not counted twice
    verified = installation.run("audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    rebuilt = installation.run("rebuild")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
