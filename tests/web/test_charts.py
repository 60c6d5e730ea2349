from hypothesis import given
from hypothesis import strategies as st

from toprope.web.charts import ROW, draw_dot, draw_route

DEFAULT = {
    "R0": (), "R1": ("R0",), "R2": ("R1",), "R3": ("R2",), "R4": ("R3",), "R5": ("R3",), "R6": ("R4", "R5"),
    "R7": ("R6",), "R8": ("R7",), "R9": ("R7",),
}  # fmt: skip


@st.composite
def ladders(draw):
    """Any ladder: each rung comes after some of those before it."""
    size = draw(st.integers(1, 12))
    return {
        f"R{n}": tuple(f"R{m}" for m in sorted(draw(st.sets(st.integers(0, n - 1), max_size=3)))) if n else ()
        for n in range(size)
    }


@given(ladders())
def test_every_rung_has_a_place_of_its_own_within_the_picture(after):
    route = draw_route(after, {}, "")
    assert [hold.key for hold in route.holds] == list(after)
    assert len({hold.y for hold in route.holds}) == len(after)
    for hold in route.holds:
        assert 8 <= hold.x <= route.width - 8
        assert ROW / 2 <= hold.y <= route.height - ROW / 2
    assert len(route.legs) == sum(map(len, after.values()))
    assert route.lanes >= 1


def test_the_built_in_ladder_branches_and_comes_together_again():
    route = draw_route(DEFAULT, {"R0": "open", "R1": "open", "R2": "next"}, "R1")
    place = {hold.key: hold.x for hold in route.holds}
    assert route.lanes == 2
    assert place["R5"] - place["R4"] > 14
    assert abs(place["R6"] - place["R4"]) < 14
    assert [leg.state for leg in route.legs[:3]] == ["climbed", "ahead", ""]
    assert [hold.key for hold in route.holds if hold.here] == ["R1"]


@given(st.floats(-50, 50), st.floats(0, 50), st.floats(-5, 5))
def test_an_estimate_stays_in_its_picture_and_in_order(value, reach, cut):
    dot = draw_dot(value, (value - reach, value + reach), cut)
    assert 8 <= dot.low <= dot.x <= dot.high <= 280
    assert 8 <= dot.cut <= 280
