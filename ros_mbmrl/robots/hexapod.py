"""VelociRoACH, the six-legged millirobot: one motor on each side drives three legs.

State: the 24 numbers of the thesis, section 9.4.4, in the order of the published code. Frames
follow REP-103: x forward, y left, z up. `left` and `right` are seen from above, nose ahead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.robots.angles import roll_pitch_yaw
from ros_mbmrl.robots.hexapod_causes import CAUSES, EFFECTIVENESS_SPREAD
from ros_mbmrl.robots.quantities import Limit, Quantity
from ros_mbmrl.robots.spec import Array, Envelope, LiveSensor, Robot, RobotSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ros_mbmrl.robots.hexapod_augmentation import Augmentation
    from ros_mbmrl.robots.task import Task

TURN = 2 * math.pi

MEASUREMENT = (
    *(Quantity(name, "m") for name in ("x", "y", "z")),
    *(Quantity(name, "1") for name in ("qw", "qx", "qy", "qz")),
    *(Quantity(name, "rad/s") for name in ("gyro_x", "gyro_y", "gyro_z")),
    *(Quantity(name, "m/s^2") for name in ("accel_x", "accel_y", "accel_z")),
    *(Quantity(name, "rad") for name in ("left_leg", "right_leg")),  # unwrapped
    *(Quantity(name, "V") for name in ("left_back_emf", "right_back_emf", "battery")),
)

# Where each number travels. Quaternions are wxyz here and in MuJoCo, xyzw in ROS: access by field
# name does the conversion.
CHANNELS = (
    *(f"odom.pose.pose.position.{axis}" for axis in "xyz"),
    *(f"odom.pose.pose.orientation.{axis}" for axis in "wxyz"),
    *(f"imu.angular_velocity.{axis}" for axis in "xyz"),
    *(f"imu.linear_acceleration.{axis}" for axis in "xyz"),
    *("joint_states.position.0", "joint_states.position.1"),
    *("back_emf.effort.0", "back_emf.effort.1", "battery.voltage"),
)

STATE = (
    *(Quantity(name, "m") for name in ("x", "y", "z")),
    *(Quantity(name, "m/s") for name in ("vx", "vy", "vz")),  # map frame, finite differences
    *(Quantity(name, "1") for name in ("cos_roll", "sin_roll", "cos_pitch", "sin_pitch")),
    *(Quantity(name, "1") for name in ("cos_yaw", "sin_yaw")),
    *(Quantity(name, "rad/s") for name in ("gyro_x", "gyro_y", "gyro_z")),
    *(Quantity(name, "1") for name in ("cos_left_leg", "sin_left_leg")),
    *(Quantity(name, "1") for name in ("cos_right_leg", "sin_right_leg")),
    *(Quantity(name, "rad/s") for name in ("left_leg_velocity", "right_leg_velocity")),
    *(Quantity(name, "V") for name in ("left_back_emf", "right_back_emf", "battery")),
)

FEATURES = (
    *("v_forward", "v_left", "vz", "roll", "pitch", "gyro_x", "gyro_y", "gyro_z"),
    *("cos_left_leg", "sin_left_leg", "cos_right_leg", "sin_right_leg"),
    *("left_leg_velocity", "right_leg_velocity", "left_back_emf", "right_back_emf", "battery"),
)

# Velocities are finite differences of the pose, so the change of the pose already contains them.
CHANGES = (
    *(Quantity(name, "m") for name in ("forward", "left", "up")),  # in the body's yaw frame
    *(Quantity(name, "rad") for name in ("roll", "pitch", "yaw")),
    *(Quantity(q.name, q.unit) for q in STATE[12:24]),
)

# The path is followed in x, y and yaw, so errors of these weigh more (found on the twin).
CHANGE_WEIGHTS = (4.0, 4.0, 1.0, 1.0, 1.0, 8.0, *(1.0,) * 12)

SPEC = RobotSpec(
    name="hexapod",
    period=0.1,
    measurement=MEASUREMENT,
    channels=CHANNELS,
    state=STATE,
    # The published slow set-points reach 9 Hz; 0 is standing still.
    action=tuple(
        Limit(f"{side}_legs", "rad/s", low=0.0, high=9.0 * TURN, rate=60.0 * TURN)
        for side in ("left", "right")
    ),
    features=FEATURES,
    changes=CHANGES,
    change_weights=CHANGE_WEIGHTS,
    envelope=Envelope(
        arena=(-3.0, 3.0, -3.0, 3.0),
        margin=0.3,
        max_tilt=1.2,
        # One lost step is tolerated; after more, the robot is at rest within 0.25 s.
        state_timeout=0.22,
        command_timeout=0.19,
        battery_low=3.5,
        battery_empty=3.3,
        max_model_error=25.0,
        # The published top speed is 2.7 m/s. Of 30,037 steps of the real logs, 5 show more than 3
        # m/s and 2 more than 15 rad/s; 99.9 % stay below 0.9 m/s and 6.8 rad/s. The ranges are the
        # full scale of the gyro, of the back-EMF's amplifier and of a charged cell. In the logs the
        # legs turn at -3.3 to 136 rad/s; the other values stay within 21 rad/s, 4.2 V and 4.22 V.
        state_range=MappingProxyType(
            {
                **dict.fromkeys(("gyro_x", "gyro_y", "gyro_z"), (-35.0, 35.0)),
                **dict.fromkeys(("left_leg_velocity", "right_leg_velocity"), (-12.0, 160.0)),
                **dict.fromkeys(("left_back_emf", "right_back_emf"), (-10.4, 10.4)),
                "battery": (0.0, 4.5),
            }
        ),
        max_speed=3.0,
        max_turn_rate=15.0,
        # In the logs the motion capture is frozen for up to 15 steps while the radio continues, and
        # the radio for up to 6 while the motion capture continues.
        live_sensors=(
            LiveSensor(("x", "y", "z")),
            LiveSensor(("gyro_x", "gyro_y", "gyro_z")),
            LiveSensor(("cos_left_leg", "sin_left_leg"), driven_by=("left_legs",)),
            LiveSensor(("cos_right_leg", "sin_right_leg"), driven_by=("right_legs",)),
            LiveSensor(("left_back_emf", "right_back_emf"), driven_by=("left_legs", "right_legs")),
        ),
    ),
    causes=CAUSES,
    cause_frame=("cos_yaw", "sin_yaw"),  # a slope is one of the map
    effectiveness_spread=EFFECTIVENESS_SPREAD,
)


class Hexapod(Robot):
    """The hexapod's maps between measurement, state, features and change."""

    spec = SPEC
    planner = "icem"

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """Return the state; positions and leg angles are differentiated, nothing is filtered."""
        m = measurement
        rate = np.zeros_like(m) if previous is None else (m - previous) / dt
        angles = roll_pitch_yaw(m[3:7])
        return np.concatenate(
            [
                m[0:3],
                rate[0:3],
                np.stack([np.cos(angles), np.sin(angles)], axis=1).ravel(),
                m[7:10],
                np.stack([np.cos(m[13:15]), np.sin(m[13:15])], axis=1).ravel(),
                rate[13:15],
                m[15:18],
            ]
        )

    def pose(self, state: Array) -> tuple[float, float, float]:
        """Return x, y and yaw."""
        return float(state[0]), float(state[1]), math.atan2(state[11], state[10])

    def tilt(self, state: Array) -> float:
        """Return the larger of |roll| and |pitch|."""
        return max(abs(math.atan2(state[7], state[6])), abs(math.atan2(state[9], state[8])))

    def battery(self, state: Array) -> float:
        """Return the battery voltage."""
        return float(state[23])

    def retreat(self, state: Array, target: tuple[float, float]) -> Array:
        """Return a command that turns on the spot until the target is ahead, then walks to it."""
        x, y, yaw = self.pose(state)
        bearing = math.remainder(math.atan2(target[1] - y, target[0] - x) - yaw, TURN)
        turn = math.sin(bearing / 2)  # -1 to 1, largest when the target lies behind
        cruise = 4.0 * TURN
        left, right = cruise * (1 - 2 * turn), cruise * (1 + 2 * turn)
        return np.clip([left, right], self.spec.action_low, self.spec.action_high)

    def features(self, state: Tensor) -> Tensor:
        """Return body-frame velocity, attitude, gyro, legs, back-EMF, battery: no x, y, z, yaw."""
        import torch

        cos, sin, velocity = state[..., 10:11], state[..., 11:12], state[..., 3:5]
        along, across = cos * velocity, sin * velocity
        forward = along[..., :1] + across[..., 1:]
        left = along[..., 1:] - across[..., :1]
        angles = torch.atan2(state[..., 7:10:2], state[..., 6:10:2])  # roll, pitch
        return torch.cat([forward, left, state[..., 5:6], angles, state[..., 12:24]], dim=-1)

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """Return the displacement in the body's yaw frame, the turns, and the other differences."""
        import torch

        cos, sin = state[..., 10], state[..., 11]
        d = next_state - state
        forward = cos * d[..., 0] + sin * d[..., 1]
        left = cos * d[..., 1] - sin * d[..., 0]
        turns = [
            torch.atan2(
                next_state[..., k + 1] * state[..., k] - next_state[..., k] * state[..., k + 1],
                next_state[..., k] * state[..., k] + next_state[..., k + 1] * state[..., k + 1],
            )
            for k in (6, 8, 10)
        ]
        head = torch.stack([forward, left, d[..., 2], *turns], dim=-1)
        return torch.cat([head, d[..., 12:24]], dim=-1)

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """Return the next state: `difference` inverted; velocity is displacement over period."""
        import torch

        cos, sin, flat = state[..., 10:11], state[..., 11:12], change[..., 0:2]
        along, across = cos * flat, sin * flat
        x, y = along[..., :1] - across[..., 1:], along[..., 1:] + across[..., :1]
        step = torch.cat([x, y, change[..., 2:3]], dim=-1)
        turns = change[..., 3:6].contiguous()  # only contiguous memory is vectorised
        c, s = torch.cos(turns), torch.sin(turns)
        cosines, sines = state[..., 6:12:2], state[..., 7:12:2]
        attitude = torch.stack([cosines * c - sines * s, sines * c + cosines * s], dim=-1)
        rest = state[..., 12:24] + change[..., 6:18]
        c, s = rest[..., 3:7:2], rest[..., 4:7:2]
        length = torch.hypot(c, s).clamp_min(1e-6)
        legs = torch.stack([c / length, s / length], dim=-1)
        return torch.cat(
            [
                state[..., 0:3] + step,
                step / self.spec.period,
                attitude.flatten(-2),
                rest[..., 0:3],
                legs.flatten(-2),
                rest[..., 7:12],
            ],
            dim=-1,
        )

    def augmentation(self, options: Mapping[str, float]) -> Augmentation:
        """Return the hexapod's augmentation. See `Robot.augmentation`."""
        from ros_mbmrl.robots.hexapod_augmentation import Augmentation

        return Augmentation(**options)

    def tasks(self) -> Sequence[str]:
        """Return the names of the paths of the thesis, table 2."""
        from ros_mbmrl.robots.paths import PATHS

        return tuple(PATHS)

    def make_task(self, name: str, start: Array) -> Task:
        """Return the task of following the path called `name` from the starting pose."""
        from ros_mbmrl.robots.path_following import PathFollowing, make_path

        x, y, yaw = self.pose(start)
        return PathFollowing(self, make_path(name).placed(x, y, yaw), speed=0.25)
