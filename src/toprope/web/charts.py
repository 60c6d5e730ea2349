"""Where the shapes of a picture go. Pure: numbers in, coordinates out; templates draw them as SVG."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ROW = 56
"""Height of a rung's row in the route, in units of a sixteenth of the text size."""

_LANE = 28
_MARGIN = 20
_SWAY = 5.0

_LOW, _HIGH = -3.0, 3.0
_WIDTH = 288.0


@dataclass(frozen=True, slots=True)
class Hold:
    """A rung on the route."""

    key: str
    x: float
    y: float
    state: str
    here: bool


@dataclass(frozen=True, slots=True)
class Leg:
    """The line between two rungs; `state` is climbed, ahead or empty."""

    path: str
    state: str


@dataclass(frozen=True, slots=True)
class Route:
    """The ladder as a line drawn past its rungs, the last rung on top."""

    width: float
    height: float
    lanes: int
    holds: tuple[Hold, ...]
    legs: tuple[Leg, ...]

    @property
    def em_width(self) -> float:
        return self.width / 16

    @property
    def em_height(self) -> float:
        return self.height / 16


def draw_route(after: Mapping[str, Sequence[str]], states: Mapping[str, str], here: str) -> Route:
    """The route over rungs in ladder order; `after` names the rungs before each, `states` how each stands."""
    lanes = _assign_lanes(after)
    order = list(after)
    place = {
        key: (_MARGIN + lanes[key] * _LANE + _sway(row), (len(order) - row - 0.5) * ROW)
        for row, key in enumerate(order)
    }
    holds = [Hold(key, *place[key], states.get(key, ""), key == here) for key in order]
    legs = [
        Leg(_leg(place[before], place[key]), _leg_state(states, before, key))
        for key in order
        for before in after[key]
    ]
    width = 2 * _MARGIN + max(lanes.values(), default=0) * _LANE
    return Route(width, len(order) * ROW, 1 + max(lanes.values(), default=0), tuple(holds), tuple(legs))


def _assign_lanes(after: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The first rung after another one stays in its lane, further ones branch off; a merge goes back."""
    lanes: dict[str, int] = {}
    continued: set[str] = set()
    for key, before in after.items():
        if not before:
            lanes[key] = 0
        elif any(each in continued for each in before):
            lanes[key] = max(lanes[each] for each in before) + 1
        else:
            lanes[key] = min(lanes[each] for each in before)
        continued.update(before)
    return lanes


def _sway(row: int) -> float:
    """No natural line is straight: a few units to either side, the same every time."""
    return round(_SWAY * math.sin(1.9 * row), 1)


def _leg(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    if abs(x1 - x2) < _LANE / 2:
        third = (y1 - y2) / 3
        return f"M{x1:g} {y1:g}C{x1:g} {y1 - third:g} {x2:g} {y2 + third:g} {x2:g} {y2:g}"
    if x2 > x1:
        bend = y1 - ROW
        return f"M{x1:g} {y1:g}C{x1:g} {bend + 14:g} {x2:g} {y1 - 14:g} {x2:g} {bend:g}L{x2:g} {y2:g}"
    bend = y2 + ROW
    return f"M{x1:g} {y1:g}L{x1:g} {bend:g}C{x1:g} {y2 + 14:g} {x2:g} {bend - 14:g} {x2:g} {y2:g}"


def _leg_state(states: Mapping[str, str], before: str, key: str) -> str:
    if states.get(before) == "open" and states.get(key) == "open":
        return "climbed"
    return "ahead" if states.get(key) == "next" else ""


@dataclass(frozen=True, slots=True)
class Dot:
    """An estimate on its scale: the dot, its 90 % interval, and the level's cut score."""

    x: float
    low: float
    high: float
    cut: float


def draw_dot(value: float, interval: tuple[float, float], cut: float) -> Dot:
    """Coordinates on a scale from -3 to +3 logits; what lies beyond is drawn at its end."""
    return Dot(_at(value), _at(interval[0]), _at(interval[1]), _at(cut))


def _at(value: float) -> float:
    share = (min(max(value, _LOW), _HIGH) - _LOW) / (_HIGH - _LOW)
    return round(8 + share * (_WIDTH - 16), 1)


@dataclass(frozen=True, slots=True)
class Bar:
    """A share with its interval and the limit it should stay below."""

    x: float
    low: float
    high: float
    limit: float


def draw_share(value: float, interval: tuple[float, float], limit: float) -> Bar:
    """Coordinates on a scale from 0 to four times the limit; what lies beyond is drawn at its end."""

    def at(share: float) -> float:
        return round(8 + min(share / (4 * limit), 1.0) * (_WIDTH - 16), 1)

    return Bar(at(value), at(interval[0]), at(interval[1]), at(limit))
