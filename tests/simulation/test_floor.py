from __future__ import annotations

import mujoco
import numpy as np
import pytest

from ros_mbmrl.simulation.floor import RADIUS, Line, draw_lines, mark

RED = (1.0, 0.0, 0.0, 1.0)


def scene(size: int = 50) -> mujoco.MjvScene:
    return mujoco.MjvScene(mujoco.MjModel.from_xml_string("<mujoco/>"), size)


def test_of_a_line_only_what_is_near_is_drawn() -> None:
    shapes = scene()
    x = np.arange(11.0)
    line = Line(np.stack([x, 0 * x], axis=1), RED, 0.02)
    draw_lines(shapes, [line], np.array([5.0, 0.0]), near=2.5)
    drawn = [shapes.geoms[k] for k in range(shapes.ngeom)]
    # From 3 to 7 m: four stretches of a metre, whose middles are half way.
    assert [shape.pos[0] for shape in drawn] == pytest.approx([3.5, 4.5, 5.5, 6.5])
    assert all(shape.size[0] == pytest.approx(0.01) for shape in drawn)
    assert drawn[0].rgba == pytest.approx(RED)


def test_a_scene_that_is_full_stays_as_it_is() -> None:
    shapes = scene(3)
    line = Line(np.stack([np.arange(9.0), np.zeros(9)], axis=1), RED, 0.02)
    draw_lines(shapes, [line], np.zeros(2), near=20.0)
    mark(shapes, np.ones((1, 3)))
    assert shapes.ngeom == 3


def test_a_mark_is_in_the_middle_of_its_places() -> None:
    shapes = scene()
    mark(shapes, np.empty((0, 3)))
    assert shapes.ngeom == 0
    mark(shapes, np.array([[0.0, 0.0, 0.0], [0.2, 0.0, 0.1]]))
    assert shapes.geoms[0].pos == pytest.approx([0.1, 0.0, 0.05])
    assert shapes.geoms[0].size[0] == pytest.approx(RADIUS)
