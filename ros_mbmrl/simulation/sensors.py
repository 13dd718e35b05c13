"""Sensors of a HexapodWorld and motion capture: late, noisy, in counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.world import TICK, HexapodWorld

# Units of the telemetry packet.
ENCODER_COUNT = 95.8738e-6  # [rad]
GYRO_COUNT = 0.0010658  # [rad/s]
ACCELEROMETER_COUNT = 9.81 / 4096  # [m/s^2]
BACK_EMF_COUNT = 3.3 / 1024 / (15 / 47)  # [V]
BATTERY_COUNT = (3.7 / 2.7) * 3.3 / 1023  # [V]


@dataclass(frozen=True)
class SensorNoise:
    """Standard deviations, at factor 1, and the delay of motion capture.

    position [m], attitude [rad], encoder [rad], gyro [rad/s], accelerometer [m/s^2],
    battery [V]; mocap_delay [s], in whole ticks. Only the delay (5 ms in the logs, rounded up) is
    a measured number; back-EMF and the telemetry's jitter are calibrated.
    """

    position: float = 0.0005
    attitude: float = 0.005
    encoder: float = 0.01
    gyro: float = 0.05
    accelerometer: float = 0.5
    battery: float = 0.008
    mocap_delay: float = 0.01


class Sensors:
    """Reads a world; remembers what it reported last, for when nothing new arrives."""

    def __init__(
        self, world: HexapodWorld, rng: np.random.Generator, noise: SensorNoise | None = None
    ) -> None:
        self._world, self._rng = world, rng
        self._noise = noise or SensorNoise()
        self._pose, self._pose_time = self._read_pose()
        self._telemetry, self._telemetry_time = self._read_telemetry(), world.time

    def read(self) -> Measurement:
        """One packet and one pose; what is lost keeps its last value and grows old.

        Draws the same number of random values whatever is lost, so that a fault changes nothing
        before its second.
        """
        effect, now = self._world.effect, self._world.time
        pose, telemetry = self._read_pose(), self._read_telemetry()
        lost = self._rng.random() < effect.packet_loss
        if not effect.mocap_lost:
            self._pose, self._pose_time = pose
        if not lost:
            self._telemetry, self._telemetry_time = telemetry, now
        values = np.concatenate([self._pose, self._telemetry])
        return Measurement(now, values, age=now - min(self._pose_time, self._telemetry_time))

    def _read_pose(self) -> tuple[Array, float]:
        """Position and quaternion (7,), and the time [s] they were true at."""
        world, noise = self._world, self._noise
        poses = world.poses
        delay = min(round(noise.mocap_delay / TICK), len(poses) - 1)
        pose = np.array(poses[-1 - delay])
        pose[:3] += world.calibration.telemetry.marker_height * _up(pose[3:])
        pose[:3] += self._normal(3, noise.position)
        roll, pitch, yaw = self._normal(3, noise.attitude)
        yaw += world.physics.yaw_offset + world.effect.yaw_offset
        pose[3:] = _turned(pose[3:], roll, pitch, yaw)
        return pose, world.time - delay * TICK

    def _read_telemetry(self) -> Array:
        """Gyro, accelerometer, leg angles, back-EMF and battery (11,)."""
        world, noise = self._world, self._noise
        gyro = world.angular_velocity() + self._normal(3, noise.gyro)
        force = world.specific_force() + self._normal(3, noise.accelerometer)
        telemetry, speeds = world.calibration.telemetry, world.leg_speeds()
        angles = world.leg_angles() + self._normal(2, noise.encoder)
        angles += speeds * self._normal(1, telemetry.jitter)
        back_emf = np.array([telemetry.back_emf_left, telemetry.back_emf_right]) * speeds
        back_emf += self._normal(2, telemetry.back_emf_noise)
        battery = world.voltage + self._normal(1, noise.battery)
        return np.concatenate(
            [
                _counts(gyro, GYRO_COUNT),
                _counts(force, ACCELEROMETER_COUNT),
                _counts(angles, ENCODER_COUNT),
                _counts(back_emf, BACK_EMF_COUNT),
                _counts(battery, BATTERY_COUNT),
            ]
        )

    def _normal(self, size: int, deviation: float) -> Array:
        return self._world.physics.sensor_noise * deviation * self._rng.standard_normal(size)


def _up(quaternion: Array) -> Array:
    """The body's z axis in the world, less where it points at rest."""
    w, x, y, z = quaternion
    return np.array([2 * (x * z + w * y), 2 * (y * z - w * x), -2 * (x * x + y * y)])


def _counts(values: Array, count: float) -> Array:
    return count * np.round(values / count)


def _turned(quaternion: Array, roll: float, pitch: float, yaw: float) -> Array:
    """Quaternion (4,), small body turns after it and `yaw` about the vertical before it."""
    w, x, y, z = quaternion
    # q * (1, roll/2, pitch/2, 0): the noise is small enough for its first order.
    r, p = roll / 2, pitch / 2
    tilted = np.array([w - x * r - y * p, x + w * r - z * p, y + w * p + z * r, z + x * p - y * r])
    w, x, y, z = tilted / np.linalg.norm(tilted)
    c, s = math.cos(yaw / 2), math.sin(yaw / 2)
    return np.array([c * w - s * z, c * x - s * y, c * y + s * x, c * z + s * w])
