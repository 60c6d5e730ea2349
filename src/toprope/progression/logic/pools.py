"""What the pack in force can offer a person: practicals, and items to draw a sitting from. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

MEASURABLE = 2
"""From so many items in the pool per item asked, the estimate decides (the pack's bootstrap rule)."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Practicals by (competency, level, evidence kind) and the minutes each takes; pool sizes by level."""

    practicals: Mapping[tuple[str, int, str], str]
    pools: Mapping[tuple[str, int], int]
    minutes: Mapping[str, int]


def levels_to_draw_from(
    pools: Mapping[tuple[str, int], int], competency: str, level: int, minimum: int
) -> tuple[int, ...]:
    """Which levels' items make up the pool of a sitting (the bootstrap rule).

    The level itself; while that holds fewer than `minimum` items, the nearest level above joins (harder items
    are the stricter stand-in), then the nearest below.
    """
    chosen = [level]
    total = pools.get((competency, level), 0)
    for at in (*range(level + 1, 5), *range(level - 1, 0, -1)):
        size = pools.get((competency, at), 0)
        if total < minimum and size:
            chosen.append(at)
            total += size
    return tuple(chosen)


def pool_size(pools: Mapping[tuple[str, int], int], competency: str, level: int, minimum: int) -> int:
    """How many items a sitting on `competency` at `level` can draw from."""
    levels = levels_to_draw_from(pools, competency, level, minimum)
    return sum(pools.get((competency, at), 0) for at in levels)


def is_measurable(pool: int, asked: int) -> bool:
    """Whether the pool is large enough for the estimate to decide; else the share right does, for a time."""
    return pool >= MEASURABLE * asked
