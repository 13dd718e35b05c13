"""Driver and safety before a ros2_control arm: rates are proposed, positions are what it takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("trajectory_msgs")

from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from ros_mbmrl.nodes.driver import DriverNode
from ros_mbmrl.nodes.messages import command_message, from_stamp
from ros_mbmrl.nodes.process import Ending
from ros_mbmrl.nodes.qos import advertise, listen
from ros_mbmrl.nodes.safety import SafetyNode
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.described.known import VARIABLE
from tests.plants.topics.conftest import ARM

Until = Callable[[Callable[[], bool]], None]
JOINTS = ("elbow", "shoulder")  # as the robot orders them
# Loose bounds on times: the machine may be busy.
SLOW = ARM.replace("envelope: {", "envelope: {state_timeout: 2.0, command_timeout: 1.0, ")


class Arm:
    """joint_state_broadcaster and joint_trajectory_controller: joints go where a point says."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self.position = {"shoulder": 0.3, "elbow": 0.1}
        self.points: list[dict[str, float]] = []
        self.silent = False
        self._states = node.create_publisher(JointState, "/joint_states", 5)
        topic = "/controller/joint_trajectory"
        node.create_subscription(JointTrajectory, topic, self._on_trajectory, 5)
        every(node, 0.02, self._tell)

    def _on_trajectory(self, message: JointTrajectory) -> None:
        (point,) = message.points
        assert point.time_from_start.nanosec == 100_000_000
        self.points.append(dict(zip(message.joint_names, point.positions, strict=True)))

    def _tell(self) -> None:
        if self.silent:
            return
        if self.points:
            for name, wanted in self.points[-1].items():  # a fifth of the way each 20 ms
                self.position[name] += 0.2 * (wanted - self.position[name])
        message = JointState(name=JOINTS, position=[self.position[name] for name in JOINTS])
        message.velocity = [0.0, 0.0]
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._states.publish(message)


class Proposer:
    """A controller: proposes one command in answer to each state."""

    def __init__(self, node: Any, spec: Any) -> None:
        self.action, self.quiet, self._spec = np.zeros(2), False, spec
        self._out = advertise(node, "command/proposed")
        listen(node, "joint_states", self._on_state)

    def _on_state(self, message: JointState) -> None:
        if not self.quiet:
            stamp = from_stamp(message.header.stamp)
            self._out.publish(command_message(self._spec, self.action, stamp))


@pytest.fixture
def graph(
    apart: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Arm, Proposer, DriverNode]:
    """An arm, what proposes, and the driver, with safety between them."""
    file = tmp_path / "arm.yaml"
    file.write_text(SLOW)
    monkeypatch.setenv(VARIABLE, str(file))
    arm = Arm(apart().make("controller_manager", "/"))
    names = {"robot": "arm_yaml", "plant": "topics", "adaptation": False}
    given = [Parameter(name, value=value) for name, value in names.items()]
    whole: dict[str, Any] = {"namespace": "/arm_yaml"}
    safety = apart()
    safety.add(
        SafetyNode(
            context=safety.context,
            parameter_overrides=[p for p in given if p.name != "plant"],
            **whole,
        )
    )
    proposer = Proposer(apart().make("proposer", "/arm_yaml"), make_robot("arm_yaml").spec)
    driver = apart()
    overrides = [p for p in given if p.name != "adaptation"]
    node = DriverNode(Ending(), context=driver.context, parameter_overrides=overrides, **whole)
    driver.add(node)
    return arm, proposer, node


def test_rates_lead_the_arm_and_every_stop_holds_it(
    graph: tuple[Arm, Proposer, DriverNode], until: Until
) -> None:
    arm, proposer, driver = graph
    until(lambda: len(arm.points) >= 2)
    # Rest holds the arm where it is found.
    assert arm.points[0] == pytest.approx({"shoulder": 0.3, "elbow": 0.1})

    proposer.action = np.array([0.4, 0.0])
    until(lambda: arm.position["shoulder"] > 0.5)
    assert arm.position["elbow"] == pytest.approx(0.1)
    ahead = [point["shoulder"] for point in arm.points]
    steps = np.diff(ahead)
    assert (steps > -1e-9).all() and steps.max() < 0.1  # it never leaps

    proposer.quiet = True  # safety or driver stops it, whoever is first
    until(lambda: len(arm.points) > 3 and arm.points[-1] == arm.points[-2])
    held = arm.points[-1]["shoulder"]
    until(lambda: abs(arm.position["shoulder"] - held) < 1e-3)
    driver.close()
    assert arm.points[-1]["shoulder"] == pytest.approx(held, abs=0.05)
