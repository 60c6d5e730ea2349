"""The whole river through the stages' doors: a person climbs to R1 by the pack's own rules."""

import pytest

from tests.factories import climb, make_cast
from toprope.authorization import api as authorization
from toprope.kit.clock import now as read_clock
from toprope.progression import api as progression

pytestmark = pytest.mark.django_db


def test_r1_opens_by_the_packs_own_rules():
    now = read_clock()
    cast = make_cast(now)
    reached = climb(cast.amara, "R1", now, mentor=cast.ben)

    standing = authorization.get_standing(cast.amara.uuid, reached)
    assert standing.highest is not None
    assert standing.highest.rung.key == "R1"
    assert {held.competency for held in progression.list_levels(cast.amara.uuid)} == {
        "FND-01", "SEC-01", "GOV-01",
    }
    grant = standing.highest.grant
    assert grant is not None
    assert grant.provisional  # the pools are small, and the pack's bootstrap rule says so
    assert grant.supervision == "S4"
