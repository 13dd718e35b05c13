import math
from dataclasses import replace

import mujoco
import numpy as np
import pytest

from ros_mbmrl.robots.angles import roll_pitch_yaw
from ros_mbmrl.robots.hexapod import MEASUREMENT
from ros_mbmrl.simulation.calibration import calibrated, make_terrain
from ros_mbmrl.simulation.motor import TURN
from ros_mbmrl.simulation.randomisation import Physics
from ros_mbmrl.simulation.sensors import BATTERY_COUNT, SensorNoise, Sensors
from ros_mbmrl.simulation.world import HexapodWorld

INDEX = {quantity.name: k for k, quantity in enumerate(MEASUREMENT)}


def sensed(**physics: float) -> tuple[HexapodWorld, Sensors]:
    world = HexapodWorld(make_terrain("plain"), Physics(**physics), seed=1)
    return world, Sensors(world, np.random.default_rng(0))


def test_at_rest_without_noise_they_read_the_truth() -> None:
    world, sensors = sensed(sensor_noise=0.0)
    world.step(0.5)
    values = sensors.read().values
    assert len(values) == len(MEASUREMENT)
    upright = np.empty(9)
    mujoco.mju_quat2Mat(upright, world.data.qpos[3:7])
    swing = upright.reshape(3, 3)[:, 2] - [0, 0, 1]  # of what is tracked, above the body
    tracked = world.data.qpos[0:3] + world.calibration.telemetry.marker_height * swing
    assert values[0:3] == pytest.approx(tracked, abs=1e-4)
    assert values[3:7] == pytest.approx(world.data.qpos[3:7], abs=1e-4)
    assert values[INDEX["gyro_x"] : INDEX["gyro_z"] + 1] == pytest.approx([0, 0, 0], abs=0.05)
    force = values[INDEX["accel_x"] : INDEX["accel_z"] + 1]
    assert np.linalg.norm(force) == pytest.approx(9.81, abs=0.1)
    assert force[2] > 9
    legs = values[INDEX["left_leg"] : INDEX["right_leg"] + 1]
    assert legs == pytest.approx(world.leg_angles(), abs=1e-4)


def test_back_emf_is_proportional_to_speed() -> None:
    world, sensors = sensed(sensor_noise=0.0)
    world.data.qvel[world.body.indices.motor_qvel] = 12.5 * TURN
    values = sensors.read().values
    volts = values[INDEX["left_back_emf"] : INDEX["right_back_emf"] + 1]
    telemetry = world.calibration.telemetry
    expected = [12.5 * TURN * v for v in (telemetry.back_emf_left, telemetry.back_emf_right)]
    assert volts == pytest.approx(expected, abs=0.011)


def place(world: HexapodWorld, axis: list[float], angle: float) -> np.ndarray:
    """Stands the robot at (1, 2, 0.03), turned by `angle` [rad]; its quaternion."""
    quaternion = np.empty(4)
    mujoco.mju_axisAngle2Quat(quaternion, np.array(axis), angle)
    for _ in range(3):  # as long as motion capture looks back
        world.poses.append((1.0, 2.0, 0.03, *quaternion.tolist()))
    return quaternion


@pytest.mark.parametrize(
    ("axis", "swing"),
    [([1.0, 0.0, 0.0], [0, -1, 0]), ([0.0, 1.0, 0.0], [1, 0, 0]), ([0.0, 0.0, 1.0], [0, 0, 0])],
)
def test_the_tracked_point_swings_with_a_tilt(axis: list[float], swing: list[float]) -> None:
    angle, shipped = 0.3, calibrated()
    for height in (0.0, 0.05):
        markers = replace(shipped, telemetry=replace(shipped.telemetry, marker_height=height))
        physics = Physics(sensor_noise=0.0)
        world = HexapodWorld(make_terrain("plain"), physics, seed=1, calibration=markers)
        sensors = Sensors(world, np.random.default_rng(0))
        quaternion = place(world, axis, angle)
        values = sensors.read().values
        down = height * (math.cos(angle) - 1) * float(any(swing))
        moved = height * math.sin(angle) * np.array(swing) + [0, 0, down]
        assert values[0:3] == pytest.approx([1.0, 2.0, 0.03] + moved, abs=1e-9)
        assert values[3:7] == pytest.approx(quaternion, abs=1e-9)


def test_jitter_blurs_the_angles_of_turning_legs() -> None:
    world, sensors = sensed()
    speeds, jitter = np.array([60.0, 30.0]), world.calibration.telemetry.jitter
    world.data.qvel[world.body.indices.motor_qvel] = speeds
    first = INDEX["left_leg"]
    angles = np.array([sensors.read().values[first : first + 2] for _ in range(2000)])
    expected = np.hypot(SensorNoise().encoder, speeds * jitter)
    assert angles.std(axis=0) == pytest.approx(expected, rel=0.06)
    assert np.corrcoef(angles.T)[0, 1] > 0.9  # a packet is late with both


def test_battery_comes_in_whole_counts() -> None:
    _, sensors = sensed()
    counts = sensors.read().values[INDEX["battery"]] / BATTERY_COUNT
    assert counts == pytest.approx(round(counts), abs=1e-6)
    assert 849 < counts < 929


def test_a_yaw_offset_turns_the_reported_pose_only() -> None:
    world, sensors = sensed(sensor_noise=0.0)
    world.step(0.1)
    straight = roll_pitch_yaw(sensors.read().values[3:7])
    world.set_fault("yaw_offset", True)
    turned = roll_pitch_yaw(sensors.read().values[3:7])
    assert turned - straight == pytest.approx([0, 0, math.radians(25)], abs=1e-6)
    assert world.pose()[2] == pytest.approx(straight[2], abs=0.01)


def test_lost_mocap_keeps_the_pose_and_its_age_grows() -> None:
    world, sensors = sensed()
    world.set_command(np.array([30.0, 30.0]))
    world.step(0.1)
    last = sensors.read()
    assert last.age == pytest.approx(0.01)
    world.set_fault("lost_mocap", True)
    ages, times = [], []
    for _ in range(3):
        world.step(0.1)
        reading = sensors.read()
        assert (reading.values[:7] == last.values[:7]).all()
        assert not (reading.values[7:] == last.values[7:]).any(axis=0).all()
        ages.append(reading.age)
        times.append(reading.time)
    assert ages == pytest.approx([0.11, 0.21, 0.31])
    assert times == pytest.approx([0.2, 0.3, 0.4])


def test_lost_packets_repeat_the_telemetry_and_not_the_pose() -> None:
    world, sensors = sensed()
    world.set_fault("lost_packets", True)
    repeated, previous = 0, sensors.read()
    for _ in range(50):
        world.step(0.02)
        reading = sensors.read()
        same = (reading.values[7:] == previous.values[7:]).all()
        repeated += same
        assert (reading.age > 0.015) == same
        assert not (reading.values[:7] == previous.values[:7]).all()
        previous = reading
    assert 10 <= repeated <= 30
