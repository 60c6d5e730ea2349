"""Rules of the supervisor that need no processes: who may be served, and how a dying child is treated."""

import subprocess
import sys

import pytest
from tests.installation import free_port, wait_for

from toprope.config import supervisor
from toprope.config.problem import Problem
from toprope.config.supervisor import Child, Supervisor


@pytest.fixture
def make(monkeypatch, tmp_path):
    monkeypatch.setenv("TOPROPE_HOME", str(tmp_path / "home"))

    def make(host):
        return Supervisor(host=host, port=free_port(), demo=False)

    return make


def test_a_demo_is_for_this_machine_alone(make, monkeypatch):
    make("127.0.0.1")._refuse_open_demo(demo=True)
    monkeypatch.setenv("TOPROPE_BASE_URL", "http://toprope.example")
    everywhere = make("0.0.0.0")  # noqa: S104 - refused
    everywhere._refuse_open_demo(demo=False)
    with pytest.raises(Problem, match="every visitor may act as anybody"):
        everywhere._refuse_open_demo(demo=True)


def test_a_child_that_keeps_dying_is_started_again_after_growing_pauses(monkeypatch):
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.001)
    said = []
    child = Child("web", ["no such kind"], {}, (), pause=0.001)
    for count in range(1, 4):
        wait_for(lambda: child.keep_running(said.append) or len(said) == count, "it died again", 30)  # noqa: B023
    child.ask_to_stop()
    child.wait(10)
    assert said == [
        f"The web process ended (exit code 2); starting it again in {pause:g} s."
        for pause in (0.001, 0.002, 0.004)
    ]


def test_a_child_that_does_not_stop_is_killed():
    child = Child("web", [], {}, ())
    code = "from signal import *; signal(SIGTERM, SIG_IGN); print(1, flush=True); pause()"
    child.process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    with child.process:
        child.process.stdout.readline()
        child.ask_to_stop()
        child.wait(0.1)
        assert child.process.returncode == -9
