"""A measurement of the VelociRoACH, from its answer and motion capture."""

from __future__ import annotations

import math

import numpy as np

from ros_mbmrl.plants.base import PlantFault
from ros_mbmrl.plants.poses import PoseSource, StampedPose
from ros_mbmrl.plants.wire.link import Heard
from ros_mbmrl.plants.wire.settings import RadioConfig
from ros_mbmrl.plants.wire.units import Sensed, sensed
from ros_mbmrl.plants.wire.velociroach import Telemetry
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array


class Senses:
    """Measurements with the newest pose, unless it is older than `patience` [s].

    poses: of motion capture.
    """

    def __init__(self, config: RadioConfig, poses: PoseSource, patience: float) -> None:
        self.poses, self._patience = poses, patience
        self._unsaid = Reconstruction(config.battery, config.back_emf, patience)

    def measure(self, heard: Heard, angles: Array, now: float) -> Measurement:
        """Return a measurement in the order of the robot's specification. Raises PlantFault.

        angles: (2,) [rad].
        """
        pose = self._fresh_pose(now)
        if isinstance(heard.reply, Telemetry):
            said = sensed(heard.reply)
        else:
            said = self._unsaid.update(heard.came, angles, pose)
        parts = (pose.position, pose.quaternion, said.gyro, said.force, angles, said.back_emf)
        values = np.concatenate([*parts, [said.battery]])
        return Measurement(now, values, age=now - min(pose.time, heard.asked))

    def _fresh_pose(self, now: float) -> StampedPose:
        if fault := self.poses.fault():
            raise PlantFault(f"mocap: {fault}")
        refused = self.poses.refused()
        passed = f"; the last that came was passed over: {refused}" if refused else ""
        pose = self.poses.latest()
        if pose is None:
            raise PlantFault(f"mocap silent: no pose has come yet{passed}")
        age = now - pose.time
        if not abs(age) <= self._patience:
            where = "old" if age > 0 else "ahead of this machine's clock"
            raise PlantFault(f"mocap stale: the newest pose is {abs(age):.2f} s {where}{passed}")
        return pose


class Reconstruction:
    """Estimate of sensor values that the stock firmware does not report.

    Body rates come from the change of motion capture's attitude, so they are means over an interval
    and miss the shaking by the legs. Back-EMF is a constant times the legs' speed. The battery is
    the configured voltage. Acceleration is 0, because no state uses it.

    Args:
        battery: [V].
        back_emf: [V s/rad].
        gap: longest time between two updates [s].
    """

    def __init__(self, battery: float, back_emf: float, gap: float) -> None:
        self._battery, self._back_emf, self._gap = battery, back_emf, gap
        self._legs: tuple[float, Array] | None = None
        self._pose: StampedPose | None = None
        self._rates = np.zeros(3)

    def update(self, time: float, angles: Array, pose: StampedPose) -> Sensed:
        """Return the estimate from the legs' angles (2,) [rad] at `time` [s] and newest pose."""
        speeds = np.zeros(2)
        if self._legs is not None and 0 < time - self._legs[0] <= self._gap:
            speeds = (angles - self._legs[1]) / (time - self._legs[0])
        self._legs = (time, angles)
        if self._pose is None or not 0 <= pose.time - self._pose.time <= self._gap:
            self._rates = np.zeros(3)
        elif pose.time > self._pose.time:
            self._rates = body_rates(self._pose, pose)
        self._pose = pose
        return Sensed(self._rates, np.zeros(3), self._back_emf * speeds, self._battery)


def body_rates(before: StampedPose, after: StampedPose) -> Array:
    """Return the mean angular velocity between two poses, in the body's frame, (3,) [rad/s]."""
    (w0, x0, y0, z0), (w1, x1, y1, z1) = before.quaternion, after.quaternion
    # conj(before) * after
    w = w0 * w1 + x0 * x1 + y0 * y1 + z0 * z1
    turn = np.array(
        [
            w0 * x1 - x0 * w1 - y0 * z1 + z0 * y1,
            w0 * y1 + x0 * z1 - y0 * w1 - z0 * x1,
            w0 * z1 - x0 * y1 + y0 * x1 - z0 * w1,
        ]
    )
    if w < 0:  # a quaternion and its negative are the same attitude
        w, turn = -w, -turn
    size = float(np.linalg.norm(turn))
    scale = 2 * math.atan2(size, w) / size if size > 1e-9 else 2.0
    rates: Array = scale * turn / (after.time - before.time)
    return rates
