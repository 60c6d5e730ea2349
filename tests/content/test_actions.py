"""Loading a pack: once, whole, and never over what was earned on it."""

import pytest

from toprope.competency.api import current_framework, get_framework
from toprope.content.api import builtin_pack, load_pack, pool_sizes
from toprope.kit import clock

pytestmark = pytest.mark.django_db


def test_builtin_pack_is_loaded_whole():
    loaded = load_pack(builtin_pack(), clock.now())
    framework = current_framework()
    assert loaded.new
    assert loaded.reference == framework.reference == "toprope-default@1.0.0"
    assert len(framework.competencies) == 30
    assert len(framework.roles) == 10
    assert len(framework.rungs) == 10
    assert sum(pool_sizes().values()) == 77
    assert get_framework("toprope-default@1.0.0") is framework
