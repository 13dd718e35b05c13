"""Messages of several topics as one measurement, and everything that must not become one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ros_mbmrl.plants.base import PlantFault
from ros_mbmrl.plants.topics.inputs import Inputs
from ros_mbmrl.plants.topics.wiring import wiring_of
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.reading import parse_description
from ros_mbmrl.robots.described.robot import described_robot
from tests.plants.topics.test_frames import transforms

SEVERAL = """
name: several
kind: planar_base
period: 0.1
topics:
  tf: {name: /tf, type: tf2_msgs/msg/TFMessage}
  imu: {name: /imu, type: sensor_msgs/msg/Imu}
  range: {name: /range, type: std_msgs/msg/Float64}
  battery: {name: /battery, type: sensor_msgs/msg/BatteryState, timeout: 5.0}
  drive: {name: /cmd_vel, type: geometry_msgs/msg/Twist}
measured:
  pose: {topic: tf, frames: [map, base_link]}
  yaw_rate: imu.angular_velocity.z
  range: {source: range.data, unit: m, scale: 0.01}
  battery: battery.voltage
commands:
  topic: drive
  values: {speed: {field: linear.x, unit: m/s, low: -1, high: 1}}
"""


def stamped(at: float, **values: Any) -> Any:
    stamp = SimpleNamespace(sec=int(at), nanosec=round(at % 1 * 1e9))
    return SimpleNamespace(header=SimpleNamespace(stamp=stamp), **values)


def joints(at: float, names: list[str], position: list[float], velocity: list[float]) -> Any:
    return stamped(at, name=names, position=position, velocity=velocity)


def made(description: Description) -> Inputs:
    return Inputs(described_robot(description).spec, wiring_of(description))


@pytest.fixture
def several() -> Inputs:
    inputs = made(parse_description(SEVERAL, Path("several.yaml")))
    inputs.put("tf", transforms(("map", "base_link", 9.95, (1.0, 2.0), 0.0)), 9.96)
    inputs.put("imu", stamped(9.9, angular_velocity=SimpleNamespace(z=0.3)), 9.91)
    inputs.put("range", SimpleNamespace(data=250.0), 9.93)
    inputs.put("battery", stamped(6.0, voltage=12.5), 6.01)
    return inputs


def test_topics_are_joined_with_the_age_of_the_oldest(several: Inputs) -> None:
    measurement = several.measurement(10.0)
    assert measurement.time == 10.0
    # x, y, and the orientation; then what the file names. Centimetres have become metres.
    assert measurement.values == pytest.approx([1, 2, 1, 0, 0, 0, 0.3, 2.5, 12.5])
    assert measurement.age == pytest.approx(0.1)  # the battery has a time of its own


@pytest.mark.parametrize(
    ("now", "fault"),
    [
        (10.06, "/imu: stamped 0.160 s ago by this machine's clock: expected up to 0.15 s"),
        (9.87, "/tf: stamped -0.080 s ago"),
    ],
)
def test_old_and_future_stamps_are_faults(several: Inputs, now: float, fault: str) -> None:
    with pytest.raises(PlantFault) as caught:
        several.measurement(now)
    assert str(caught.value).startswith(fault)


def test_without_a_header_it_counts_when_a_message_came(several: Inputs) -> None:
    several.put("imu", stamped(10.08, angular_velocity=SimpleNamespace(z=0.3)), 10.08)
    several.put("tf", transforms(("map", "base_link", 10.08, (1.0, 2.0), 0.0)), 10.08)
    with pytest.raises(PlantFault, match=r"/range: came 0.160 s ago: expected up to 0.15 s"):
        several.measurement(10.09)


def test_a_time_out_of_its_own_is_one(several: Inputs) -> None:
    several.put("battery", stamped(4.9, voltage=12.5), 9.99)
    with pytest.raises(PlantFault, match=r"/battery: stamped 5.100 s ago .* expected up to 5 s"):
        several.measurement(10.0)


def test_a_transform_that_is_missing_is_a_fault() -> None:
    inputs = made(parse_description(SEVERAL, Path("several.yaml")))
    with pytest.raises(PlantFault, match="/tf: no transform from 'map' to 'base_link' has come"):
        inputs.measurement(10.0)


def test_joints_are_read_by_name_in_whatever_order_and_company(arm: Description) -> None:
    inputs = made(arm)
    with pytest.raises(PlantFault, match="/joint_states: nothing has come yet"):
        inputs.measurement(10.0)
    names = ["gripper", "elbow", "shoulder"]
    inputs.put("joints", joints(10.0, names, [9.0, 0.2, 0.1], [9.0, 2.0, 1.0]), 10.0)
    assert inputs.measurement(10.0).values.tolist() == [0.1, 0.2, 1.0, 2.0]


@pytest.mark.parametrize(
    ("names", "position", "velocity", "fault"),
    [
        (["shoulder"], [0.1], [1.0], "joint 'elbow': expected it among the message's, which are"),
        (["shoulder", "elbow"], [0.1, 0.2], [], "velocity[shoulder]: the message has 0 values"),
        (["shoulder", "elbow"], [0.1], [1.0, 2.0], "position[elbow]: the message has 1 values"),
        (
            ["shoulder", "elbow"],
            [0.1, float("nan")],
            [1.0, 2.0],
            "elbow: expected a finite number, position[elbow] is nan",
        ),
        ([], [], [], "joint 'shoulder': expected it among the message's, which are none"),
    ],
)
def test_joints_that_are_not_there_are_named(
    arm: Description, names: list[str], position: list[float], velocity: list[float], fault: str
) -> None:
    inputs = made(arm)
    inputs.put("joints", joints(10.0, names, position, velocity), 10.0)
    with pytest.raises(PlantFault) as caught:
        inputs.measurement(10.0)
    assert str(caught.value).startswith(f"/joint_states: {fault}")


def test_no_stamp_is_a_fault_until_the_file_says_so(arm: Description) -> None:
    message = joints(0.0, ["shoulder", "elbow"], [0.1, 0.2], [1.0, 2.0])
    inputs = made(arm)
    inputs.put("joints", message, 9.95)
    with pytest.raises(PlantFault, match="/joint_states: has no stamp: expected one, or 'stamped:"):
        inputs.measurement(10.0)
    topics = {**arm.topics, "joints": replace(arm.topics["joints"], stamped=False)}
    inputs = made(replace(arm, topics=topics))
    inputs.put("joints", message, 9.95)
    assert inputs.measurement(10.0).age == pytest.approx(0.05)
