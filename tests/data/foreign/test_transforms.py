"""A base's pose from its transforms: map -> odom -> base_link, with a link that never changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.foreign.layout import layout_of
from ros_mbmrl.data.foreign.run import make_rule, make_run
from ros_mbmrl.data.foreign.samples import NANO, read_samples
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Robot

START = 1_700_000_000 * NANO
TF = "tf2_msgs/msg/TFMessage"
ROVER = """
name: tf_rover
kind: planar_base
period: 0.1
topics:
  tf: {name: /tf, type: tf2_msgs/msg/TFMessage}
  drive: {name: /cmd_vel, type: geometry_msgs/msg/Twist}
measured:
  pose: {topic: tf, frames: [map, odom, base_footprint, base_link]}
commands:
  topic: drive
  values:
    forward: {field: linear.x, unit: m/s, low: -1.0, high: 1.0}
    turn: {field: angular.z, unit: rad/s, low: -2.0, high: 2.0}
"""


def link(ns: int, parent: str, child: str, x: float, y: float, yaw: float) -> dict[str, Any]:
    turn = {"w": np.cos(yaw / 2), "z": np.sin(yaw / 2)}
    stamp = {"sec": ns // NANO, "nanosec": ns % NANO}
    transform = {"translation": {"x": x, "y": y}, "rotation": turn}
    header = {"stamp": stamp, "frame_id": parent}
    return {"header": header, "child_frame_id": child, "transform": transform}


def rows(static: bool = True) -> list[tuple[Any, ...]]:
    """Odometry drives along its x at 20 Hz; the map turns it by 90 degrees, once a second."""
    found: list[tuple[Any, ...]] = []
    if static:
        fixed = link(START, "base_footprint", "/base_link", 0.5, 0.0, 0.0)
        found.append(("/tf_static", TF, START - 5, {"transforms": [fixed]}))
    for k in range(60):
        ns = START + k * NANO // 20
        if k % 20 == 0:
            correction = link(ns, "map", "odom", 1.0, 2.0, np.pi / 2)
            found.append(("/tf", TF, ns, {"transforms": [correction]}))
        moved = link(ns, "odom", "base_footprint", 0.1 * k, 0.0, 0.0)
        other = link(ns, "base_link", "wheel", 0.0, 0.0, 0.3 * k)
        found.append(("/tf", TF, ns + 1, {"transforms": [other, moved]}))
        found.append(("/cmd_vel", "geometry_msgs/msg/Twist", ns + 2, {"linear": {"x": 0.5}}))
    return found


@pytest.fixture
def rover(robot_file: Callable[[str], Path]) -> Robot:
    return make_robot(str(robot_file(ROVER)))


def test_the_chain_of_frames_is_the_pose(
    write_bag: Callable[..., Path], tmp_path: Path, rover: Robot
) -> None:
    layout = layout_of(rover)
    assert layout.transforms == ("map", "odom", "base_footprint", "base_link")
    path = write_bag(tmp_path / "bag", rows()) / "bag.db3"
    samples = read_samples(path, layout)
    assert [each.topic for each in samples] == ["/tf", "/cmd_vel"]
    (only,) = make_run(path, samples, layout, make_rule(layout)).stretches
    names = [quantity.name for quantity in rover.spec.measurement]
    values = dict(zip(names, only.measurements.T, strict=True))
    since = (only.times - START) / NANO
    np.testing.assert_allclose(values["x"], 1.0, atol=1e-9)
    np.testing.assert_allclose(values["y"], 2.5 + 2 * since, atol=1e-6)
    np.testing.assert_allclose(values["qw"], np.cos(np.pi / 4))
    np.testing.assert_allclose(values["qz"], np.sin(np.pi / 4))
    assert len(only.times) == 30


def test_a_link_that_is_missing_is_named(
    write_bag: Callable[..., Path], tmp_path: Path, rover: Robot
) -> None:
    path = write_bag(tmp_path / "bag", rows(static=False)) / "bag.db3"
    words = (
        "no transform base_footprint -> base_link on /tf or /tf_static: there are base_link -> wh"
    )
    with pytest.raises(UserError, match=words):
        read_samples(path, layout_of(rover))
