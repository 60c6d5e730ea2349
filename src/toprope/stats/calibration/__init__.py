"""Item calibration: from responses to the parameters of items, however many there are."""

from toprope.stats.calibration.beginning import Anchors
from toprope.stats.calibration.cluster import DistributedResponses
from toprope.stats.calibration.em import Calibration, calibrate
from toprope.stats.calibration.maximisation import Prior

__all__ = ["Anchors", "Calibration", "DistributedResponses", "Prior", "calibrate"]
