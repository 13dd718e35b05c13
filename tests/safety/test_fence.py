"""The arena's fence, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from ros_mbmrl.robots.hexapod import SPEC
from ros_mbmrl.safety.fence import centre, heads_out, inside, well_inside

WIDE = replace(SPEC.envelope, arena=(-3.0, 3.0, -1.0, 2.0), margin=0.3)
EAST, NORTH, WEST, SOUTH = 0.0, math.pi / 2, math.pi, -math.pi / 2


@pytest.mark.parametrize(
    ("x", "y", "distance"),
    [(0.0, 0.5, 1.5), (2.9, 0.5, 0.1), (-2.9, 0.5, 0.1), (0.0, -1.2, -0.2), (3.1, 2.2, -0.2)],
)
def test_the_nearest_edge_counts_and_beyond_it_is_negative(
    x: float, y: float, distance: float
) -> None:
    assert inside(WIDE, x, y) == pytest.approx(distance)


@pytest.mark.parametrize(
    ("x", "y", "outwards"),
    [
        (0.0, 0.5, ()),
        (2.8, 0.5, (EAST,)),
        (-2.8, 0.5, (WEST,)),
        (0.0, 1.8, (NORTH,)),
        (0.0, -0.8, (SOUTH,)),
    ],
)
def test_only_an_edge_that_is_near_can_be_headed_for(
    x: float, y: float, outwards: tuple[float, ...]
) -> None:
    # Along an edge, rounding decides whether that is out or in.
    found = {yaw for yaw in (EAST, NORTH, WEST, SOUTH) if heads_out(WIDE, x, y, yaw)}
    assert set(outwards) <= found
    assert not any(heads_out(WIDE, x, y, yaw + math.pi) for yaw in outwards)
    assert bool(found) == bool(outwards)


def test_in_a_corner_both_edges_count() -> None:
    corner = (2.8, 1.8)
    assert heads_out(WIDE, *corner, yaw=-0.1) and heads_out(WIDE, *corner, yaw=NORTH + 0.1)
    assert not heads_out(WIDE, *corner, yaw=math.radians(225))


def test_a_return_leads_to_the_centre_and_ends_on_the_way() -> None:
    assert centre(WIDE) == (0.0, 0.5)
    assert well_inside(WIDE, hysteresis=0.5) == pytest.approx(0.45)
    # In a narrow arena at most half way from the fence to the centre, so that it does end.
    narrow = replace(WIDE, arena=(-3.0, 3.0, -0.35, 0.35))
    ends = well_inside(narrow, hysteresis=10.0)
    assert ends == pytest.approx(0.3 + 0.025)
    assert ends < inside(narrow, *centre(narrow))
