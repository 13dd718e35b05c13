"""The trail keeps its beginning, its end and its shape in few points."""

from __future__ import annotations

import numpy as np

from ros_mbmrl.view.trail import Trail


def test_a_long_way_is_a_bounded_number_of_points_from_its_start_to_its_end() -> None:
    trail = Trail(limit=50)
    for k in range(10_000):
        trail.add(np.array([float(k), 0.0, 0.0]))
        assert len(trail.points) <= 51
        assert trail.points[-1, 0] == k
    assert trail.points[0, 0] == 0
    steps = np.diff(trail.points[:-1, 0])
    assert len(set(steps.tolist())) == 1 and len(steps) > 20  # evenly thinned


def test_it_begins_anew() -> None:
    trail = Trail()
    assert trail.points.shape == (0, 3)
    trail.add(np.ones(3))
    trail.clear()
    assert trail.points.shape == (0, 3)
