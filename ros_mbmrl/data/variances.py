"""Variances of measurements in messages: what is not measured is marked, nothing is certain.

`odom`: an axis that is not measured, or not known yet, has the variance `UNKNOWN`, which is too
large to weigh anything. Filters that take negative variances for positive ones (robot_localization)
or refuse them (fuse), and RViz, which draws them, all read that as it is meant.
`imu`: an axis that is not measured has the variance -1, as REP 145 defines it for Imu alone.
Whatever is measured has a small positive variance: no sensor here tells its own, so that it is the
assumed one below. A variance of 0 would say that a number is exact, and is never sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ros_mbmrl.robots.channels import Channel, channel
from ros_mbmrl.robots.spec import RobotSpec
from ros_mbmrl.robots.trunk import Trunk

UNKNOWN = 1e6  # in the square of the number's unit
NOT_MEASURED = -1.0  # the same of an Imu
# Variances of measured numbers: the square of a deviation about twice that of motion capture and
# of a cheap inertial unit. Simulated robots measure better.
ASSUMED: Mapping[str, float] = MappingProxyType(
    {
        "position": 1e-3**2,  # [m^2]
        "orientation": 1e-2**2,  # [rad^2]
        "linear": 1e-2**2,  # of a twist that a robot measures itself [m^2/s^2]
        "angular": 1e-1**2,  # [rad^2/s^2]
        "angular_velocity": 1e-1**2,  # [rad^2/s^2]
        "linear_acceleration": 1.0**2,  # [m^2/s^4]
    }
)
# Arrays of variances, with the fields that they describe, in order.
_ARRAYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "odom.pose.covariance": ("odom.pose.pose.position", "odom.pose.pose.orientation"),
        "odom.twist.covariance": ("odom.twist.twist.linear", "odom.twist.twist.angular"),
        "imu.orientation_covariance": ("imu.orientation",),
        "imu.angular_velocity_covariance": ("imu.angular_velocity",),
        "imu.linear_acceleration_covariance": ("imu.linear_acceleration",),
    }
)


def variances(spec: RobotSpec) -> Iterator[tuple[Channel, float]]:
    """Yield each variance of a robot's messages and its value before the twist is derived."""
    trunk = Trunk.of(spec)
    turning = () if trunk is None else tuple("xyz"[axis] for axis in trunk.turning_axes)
    for where, parts in _ARRAYS.items():
        axes = [(axis, part) for part in parts for axis in "xyz"]
        unknown = UNKNOWN if where.startswith("odom.") else NOT_MEASURED
        for k, (axis, part) in enumerate(axes):
            if part.endswith("orientation"):
                # Measured as a whole quaternion or not at all; of `odom` also as a single angle.
                told = f"{part}.w" in spec.channels
                told = told or (part.startswith("odom.") and axis in turning)
            else:
                told = f"{part}.{axis}" in spec.channels
            value = ASSUMED[part.rpartition(".")[2]] if told else unknown
            yield channel(f"{where}.{k * (len(axes) + 1)}"), value


def derived_variance(part: str, dt: float) -> float:
    """Return the variance of a velocity that is the difference of two poses over `dt` [s].

    Args:
        part: `linear` or `angular`.
        dt: time between the poses [s].
    """
    pose = ASSUMED["position" if part == "linear" else "orientation"]
    return 2 * pose / dt**2
