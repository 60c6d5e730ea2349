"""The same calibration with the responses spread over a Dask cluster.

Each part stays with the worker that loaded it; an iteration sends the parameters out and one sum per part
back. These are added in the order of the parts, as `calibrate` does with the same parts here, so that both
agree.
"""

from collections.abc import Callable, Sequence
from typing import Any

from toprope.stats.calibration.em import Sum, add_up
from toprope.stats.responses import Responses

Source = Responses | Callable[[], Responses]
"""A part of the responses, or a function that loads one where it is called: on a worker."""


class DistributedResponses:
    """Parts held by the workers of a `dask.distributed.Client`: `calibrate(DistributedResponses(client,
    parts))`.

    Give one or a few sources per worker, in a fixed order. One that is a function is called once, on the
    worker that keeps the part; it must be such that it can be pickled. What a source raises, `calibrate`
    raises.
    """

    def __init__(self, client: Any, sources: Sequence[Source]) -> None:
        self._client = client
        self._parts = client.map(_load, list(sources), pure=False)

    def total(self, part: Callable[[Responses], Sum]) -> Sum:
        """The sum of `part` over the parts, in their order."""
        sums: list[Sum] = self._client.gather(self._client.map(part, self._parts, pure=False))
        return add_up(sums)


def _load(source: Source) -> Responses:
    return source if isinstance(source, Responses) else source()
