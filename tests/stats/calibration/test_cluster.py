"""On a cluster the same comes out."""

import numpy as np
import pytest
from distributed import Client, LocalCluster
from tests.stats.calibration.simulated import answer, pool

from toprope.stats.calibration import DistributedResponses, Prior, calibrate
from toprope.stats.responses import Responses, table_responses


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def parts() -> list[Responses]:
    table = answer(pool(12, 1, highest=2), np.random.default_rng(2).normal(size=900), 3, asked=0.6)
    return list(table_responses(table).chunks(250))


def test_it_equals_the_local_result(client):
    here = calibrate(parts())
    there = calibrate(DistributedResponses(client, [lambda part=part: part for part in parts()]))
    assert there.log_likelihood == pytest.approx(here.log_likelihood, abs=1e-8)
    assert there.items.difficulty == pytest.approx(here.items.difficulty, abs=1e-8)
    assert there.items.discrimination == pytest.approx(here.items.discrimination, abs=1e-8)
    assert there.items.covariance == pytest.approx(here.items.covariance, abs=1e-8)
    assert there.iterations == here.iterations


def test_parts_may_be_sent_too(client):
    there = calibrate(DistributedResponses(client, parts()), prior=Prior())
    assert there.log_likelihood == pytest.approx(calibrate(parts(), prior=Prior()).log_likelihood, abs=1e-8)


def test_what_a_part_says_is_heard(client):
    def broken() -> Responses:
        raise ValueError("this part lies on a broken disk")

    with pytest.raises(ValueError, match="broken disk"):
        calibrate(DistributedResponses(client, [broken]))
    with pytest.raises(ValueError, match="there are no responses"):
        calibrate(DistributedResponses(client, []))
