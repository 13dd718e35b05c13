"""Shapes as MuJoCo has them: sizes are whole, not halves, and each stands in its body's frame."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.robots import ROBOTS
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.frames import Frames, make_frames
from ros_mbmrl.simulation.posture import Posture
from ros_mbmrl.view.shapes import THICKNESS, shapes

XML = """<mujoco>
  <asset>
    <material name="red" rgba="1 0 0 .5"/>
    <mesh name="wedge" vertex="0 0 0  1 0 0  0 1 0  0 0 1"/>
  </asset>
  <worldbody>
    <geom type="plane" size="0 2 .1" pos="0 0 .3"/>
    <body name="trunk" pos="0 0 1">
      <freejoint/>
      <geom type="box" size=".1 .2 .3" material="red"/>
      <geom type="ellipsoid" size=".1 .2 .3" rgba="0 1 0 1"/>
      <geom type="mesh" mesh="wedge"/>
      <geom type="sphere" size=".1" rgba="0 0 0 0"/>
      <geom type="sphere" size=".1" group="3"/>
      <body name="leg">
        <joint axis="0 1 0"/>
        <geom type="capsule" fromto="0 0 0  2 0 0" size=".1"/>
        <geom type="cylinder" size=".1 .5"/>
      </body>
    </body>
  </worldbody>
</mujoco>"""


class Still(Posture):
    def _positions(self, state: np.ndarray) -> np.ndarray:
        return self.data.qpos


def test_a_model_of_every_kind() -> None:
    frames = Frames(Still(mujoco.MjModel.from_xml_string(XML)))
    ground, trunk, leg = shapes(frames)
    assert [(e.name, e.frame) for e in (ground, trunk, leg)] == [
        ("ground", "map"),
        ("base_link", "base_link"),
        ("leg", "leg"),
    ]
    (plane,) = ground.shapes
    np.testing.assert_allclose(plane.size, [20.0, 4.0, THICKNESS])
    np.testing.assert_allclose(plane.position, [0, 0, 0.3 - THICKNESS / 2])
    box, ball, mesh = trunk.shapes  # what is transparent, or of a hidden group, is not drawn
    assert (box.kind, box.colour) == ("box", (1.0, 0.0, 0.0, 0.5))
    np.testing.assert_allclose(box.size, [0.2, 0.4, 0.6])
    assert (ball.kind, ball.size.tolist()) == ("ball", [0.2, 0.4, 0.6])
    assert mesh.points is not None and mesh.points.shape == (12, 3)
    rod, *ends, tube = leg.shapes
    assert [shape.kind for shape in leg.shapes] == ["cylinder", "ball", "ball", "cylinder"]
    np.testing.assert_allclose(rod.size, [0.2, 0.2, 2.0])
    found = sorted(end.position.tolist() for end in ends)
    np.testing.assert_allclose(found, [[0, 0, 0], [2, 0, 0]], atol=1e-9)
    assert tube.size.tolist() == [0.2, 0.2, 1.0]


@pytest.mark.parametrize("robot", sorted(ROBOTS))
def test_every_robot_is_drawn_in_frames_that_it_has(robot: str) -> None:
    frames = make_frames(robot)
    found = shapes(frames)
    assert {entity.frame for entity in found} <= set(frames.names)
    assert len({entity.name for entity in found}) == len(found) > 3
