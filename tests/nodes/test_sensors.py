"""Measurements travel bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("rclpy")
from rclpy.serialization import deserialize_message, serialize_message

from ros_mbmrl.data.variances import UNKNOWN
from ros_mbmrl.nodes.sensors import SensorCodec
from ros_mbmrl.robots import ROBOTS, make_robot
from ros_mbmrl.robots.channels import channel
from ros_mbmrl.robots.hexapod import MEASUREMENT, SPEC
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import RobotSpec
from ros_mbmrl.robots.trunk import Trunk

NAMES = [quantity.name for quantity in MEASUREMENT]
single = st.floats(width=32, allow_nan=False)
double = st.floats(allow_nan=False)


@st.composite
def measurements(draw: st.DrawFn) -> Measurement:
    values = draw(st.lists(double, min_size=len(NAMES), max_size=len(NAMES)))
    values[NAMES.index("battery")] = draw(single)
    stamp, age = draw(st.integers(10**9, 10**15)), draw(st.integers(0, 10**9))
    return Measurement(stamp / 1e9, np.array(values), age / 1e9)


def over_the_wire(message: object) -> object:
    return deserialize_message(serialize_message(message), type(message))


def _measurement(stamp: int) -> Measurement:
    return Measurement(stamp / 1e9, np.arange(float(len(NAMES))))


@settings(deadline=None)
@given(measurements())
def test_measurements_survive_bit_for_bit(measurement: Measurement) -> None:
    codec = SensorCodec(SPEC)
    sent = {name: over_the_wire(m) for name, m in codec.encode(measurement, None).items()}
    got = codec.decode(sent)
    assert got.values.tobytes() == measurement.values.tobytes()
    assert got.time == measurement.time
    assert got.age == measurement.age


def test_quaternions_are_xyzw_in_ros() -> None:
    values = np.zeros(len(NAMES))
    values[3:7] = 0.1, 0.2, 0.3, 0.4  # w, x, y, z
    q = SensorCodec(SPEC).encode(Measurement(0.0, values), None)["odom"].pose.pose.orientation
    assert (q.x, q.y, q.z, q.w) == (0.2, 0.3, 0.4, 0.1)


def test_stamps_frames_and_rates() -> None:
    first, second = _measurement(0), _measurement(100_000_000)
    moved = Measurement(second.time, second.values + 0.2)
    messages = SensorCodec(SPEC).encode(moved, first)
    assert {m.header.stamp.nanosec for m in messages.values()} == {100_000_000}
    assert messages["odom"].header.frame_id == "map"
    assert messages["odom"].child_frame_id == "base_link"
    assert list(messages["joint_states"].name) == ["left_legs", "right_legs"]
    assert list(messages["joint_states"].velocity) == pytest.approx([2.0, 2.0])


def test_a_passive_joint_that_is_measured_travels_with_the_driven_ones() -> None:
    spec = make_robot("half_cheetah").spec
    codec = SensorCodec(spec)
    measurement = Measurement(1.0, np.arange(18.0))
    sent = {name: over_the_wire(m) for name, m in codec.encode(measurement, None).items()}
    joints = sent["joint_states"]
    assert list(joints.name) == [*(limit.name for limit in spec.action), "pitch"]
    assert list(joints.position) == [3, 4, 5, 6, 7, 8, 2]
    assert list(joints.velocity) == [12, 13, 14, 15, 16, 17, 11]
    assert (codec.decode(sent).values == measurement.values).all()
    joints.name = list(joints.name)[:6]
    assert not codec.readable("joint_states", joints)


# Numbers of each message that a robot may measure, and the variance that tells if it does not.
PARTS = {
    "odom": (
        *(
            (f"pose.pose.position.{axis}", f"pose.covariance.{7 * k}")
            for k, axis in enumerate("xyz")
        ),
        *(("pose.pose.orientation.w", f"pose.covariance.{k}") for k in (21, 28, 35)),
        *(
            (f"twist.twist.linear.{axis}", f"twist.covariance.{7 * k}")
            for k, axis in enumerate("xyz")
        ),
        *(
            (f"twist.twist.angular.{axis}", f"twist.covariance.{7 * k}")
            for k, axis in enumerate("xyz", 3)
        ),
    ),
    "imu": (
        *(("orientation.w", f"orientation_covariance.{4 * k}") for k in range(3)),
        *(
            (f"{part}.{axis}", f"{part}_covariance.{4 * k}")
            for part in ("angular_velocity", "linear_acceleration")
            for k, axis in enumerate("xyz")
        ),
    ),
    "battery": tuple(
        (field, field)
        for field in (
            *("voltage", "temperature", "current", "charge", "capacity"),
            *("design_capacity", "percentage"),
        )
    ),
}


def derived(spec: RobotSpec, topic: str, moved: bool) -> set[str]:
    """The variances of `odom` that are known by derivation: a single angle, and velocities."""
    trunk = Trunk.of(spec)
    if trunk is None or topic != "odom":
        return set()
    turns = {7 * (3 + axis) for axis in trunk.turning_axes}
    moves = {7 * axis for axis in trunk.axes} if moved else set()
    twist = {f"twist.covariance.{k}" for k in turns | moves} if moved else set()
    return twist | {f"pose.covariance.{k}" for k in turns}


@pytest.mark.parametrize("robot", sorted(ROBOTS))
@pytest.mark.parametrize("moved", [False, True])
def test_what_is_not_measured_is_never_told_as_zero(robot: str, moved: bool) -> None:
    spec = make_robot(robot).spec
    values = np.arange(1.0, 1 + len(spec.measurement))
    trunk = Trunk.of(spec)
    values[list(trunk.quaternion) if trunk else []] = 0.5
    previous = Measurement(0.9, values - 0.1) if moved else None
    sent = SensorCodec(spec).encode(Measurement(1.0, values), previous)
    for topic, message in sent.items():
        told = over_the_wire(message)
        for where, sign in PARTS.get(topic, ()):
            value = channel(f"{topic}.{sign}").get(told)
            known = f"{topic}.{where}" in spec.channels or sign in derived(spec, topic, moved)
            unknown = np.isnan(value) or value == (UNKNOWN if topic == "odom" else -1.0)
            assert unknown != known, where
            assert unknown or value > 0  # nothing is certain
        for field in ("position", "velocity", "effort") if hasattr(told, "velocity") else ():
            differences = moved and field == "velocity" and len(told.position) > 0
            for k, number in enumerate(getattr(told, field)):
                known = f"{topic}.{field}.{k}" in spec.channels or differences
                assert np.isfinite(number) == known, (topic, field, k)


def test_a_battery_says_what_it_does_not_know() -> None:
    battery = SensorCodec(SPEC).encode(_measurement(1), None)["battery"]
    assert battery.voltage == 17.0 and battery.present
    assert np.isnan([battery.percentage, battery.current, battery.temperature]).all()
    assert np.isnan([battery.charge, battery.capacity, battery.design_capacity]).all()
    assert not len(battery.cell_voltage) and not len(battery.cell_temperature)
    unknown = (battery.power_supply_status, battery.power_supply_health)
    assert (*unknown, battery.power_supply_technology) == (0, 0, 0)


def test_joint_velocities_are_empty_before_there_is_a_second_measurement() -> None:
    joints = SensorCodec(SPEC).encode(_measurement(1), None)["joint_states"]
    assert len(joints.position) == 2
    assert (len(joints.velocity), len(joints.effort)) == (0, 0)
