"""The gateway runs without Django: seen on what a running interpreter has really loaded."""

import json
import subprocess
import sys

import pytest

FOREIGN = {"django", "procrastinate", "ninja"}
SHOW = "import sys, json; print(json.dumps(sorted(sys.modules)))"


def loaded_after(statement):
    outcome = subprocess.run(
        [sys.executable, "-c", f"{statement}; {SHOW}"], capture_output=True, text=True, check=True
    )
    return set(json.loads(outcome.stdout))


@pytest.mark.parametrize("module", ["app", "echo"])
def test_the_gateway_loads_no_django_and_nothing_above_it(module):
    loaded = loaded_after(f"import toprope.gateway.{module}")
    assert {name for name in loaded if name.split(".")[0] in FOREIGN} == set()
    packages = {name.split(".")[1] for name in loaded if name.startswith("toprope.")}
    assert packages <= {"gateway", "policy", "kit", "evidence"}
    assert {name for name in loaded if name.startswith("toprope.evidence.")} <= {"toprope.evidence.statement"}


def test_the_look_would_see_django():
    assert "django" in loaded_after("import toprope.people.apps")
