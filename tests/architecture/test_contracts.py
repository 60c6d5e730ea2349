"""Each contract of `.importlinter` catches its own trespass. (`make lint` holds the real house to them.)"""

from pathlib import Path

import pytest

RIVER = "Imports run down the river: a stage knows only the stages before it"
INSIDE = "Inside a stage: api over actions over queries over models; logic at the foot"
PURE = "Numbers, policy, isolation and logic know no framework and no database"
GATEWAY = "The gateway runs without Django and sees two pure rooms only"
STATS = "Numbers are asked for by a stage's logic only"
SETTINGS = "Settings are read through django.conf"

TRESPASSES = [
    (RIVER, "toprope.audit.actions", "import toprope.people.api"),
    (RIVER, "toprope.people.actions", "import toprope.competency.api"),
    (RIVER, "toprope.surprise.__init__", ""),
    (INSIDE, "toprope.people.models", "import toprope.people.queries"),
    (INSIDE, "toprope.learning.queries", "import toprope.learning.actions"),
    (INSIDE, "toprope.evidence.actions", "import toprope.evidence.api"),
    (PURE, "toprope.policy.decision", "import django.http"),
    (PURE, "toprope.stats.items", "import psycopg"),
    (PURE, "toprope.people.logic", "import toprope.kit.clock"),
    (PURE, "toprope.evidence.statement", "import toprope.evidence.models"),
    (GATEWAY, "toprope.gateway.app", "import django"),
    (GATEWAY, "toprope.gateway.record", "import toprope.audit.api"),
    (GATEWAY, "toprope.gateway.watch", "import toprope.evidence.models"),
    (STATS, "toprope.measurement.queries", "import toprope.stats.items"),
    (SETTINGS, "toprope.web.learner", "import toprope.config.settings"),
]


@pytest.fixture
def planted(house):
    """Modules that import what is forbidden only through something allowed."""
    house.plant("toprope.evidence.models", "import django.db.models")
    house.plant("toprope.kit.clock", "import time")
    return house


def test_a_house_without_trespass_keeps_every_contract(planted):
    assert planted.broken_contracts() == set()


@pytest.mark.parametrize(("contract", "module", "line"), TRESPASSES)
def test_a_trespass_breaks_its_contract(planted, contract, module, line):
    planted.plant(module, line)
    assert contract in planted.broken_contracts()


def test_every_contract_has_a_trespass():
    contracts = Path(__file__).parents[2] / ".importlinter"
    names = {
        line.removeprefix("name = ")
        for line in contracts.read_text().splitlines()
        if line.startswith("name = ")
    }
    assert names == {contract for contract, _, _ in TRESPASSES}
