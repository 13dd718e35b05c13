"""Ant: a torso on four legs with two motors each, simulated only.

The robot of the thesis, section 9.4; its body is gymnasium's Ant-v5. x forward, y left, z up. The
state is MuJoCo's qpos and qvel, measured directly; contact forces are not part of it.

A model sees and predicts in the frame of the body, so that it does not matter where it looks:
it learns a turn once and not once for every heading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.floating import QUATERNION, Floating
from ros_mbmrl.robots.quantities import Limit, Quantity
from ros_mbmrl.robots.rewards import Run, Running
from ros_mbmrl.robots.spec import TORQUE_SHARE, Array, Envelope, LiveSensor, RobotSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ros_mbmrl.robots.task import Task

LEGS = (1, 2, 3, 4)  # front left, back left, back right, front right
JOINTS = tuple(f"{part}_{leg}" for leg in LEGS for part in ("hip", "ankle"))
MOTORS = tuple(f"{part}_{leg}" for leg in (4, 1, 2, 3) for part in ("hip", "ankle"))
PERIOD = 0.05  # as in gymnasium: five steps of 0.01 s
RUNNING = Running(period=PERIOD, effort=0.005, alive=0.05)

STATE = (
    *(Quantity(name, "m") for name in "xyz"),
    *(Quantity(name, "1") for name in ("qw", "qx", "qy", "qz")),  # MuJoCo's order
    *(Quantity(name, "rad") for name in JOINTS),
    *(Quantity(name, "m/s") for name in ("vx", "vy", "vz")),  # map frame
    *(Quantity(name, "rad/s") for name in ("gyro_x", "gyro_y", "gyro_z")),  # body frame
    *(Quantity(f"{name}_velocity", "rad/s") for name in JOINTS),
)
_JOINTS, _RATES = slice(7, 15), slice(18, 29)  # of the joints; of the body and the joints
_BODY_VELOCITY = ("forward_velocity", "left_velocity", "upward_velocity")
# In the body frame: of the period's beginning the first ones, velocities each in their own.
CHANGES = (
    *(Quantity(name, "m") for name in ("forward", "left", "upward")),
    *(Quantity(f"turn_{axis}", "rad") for axis in "xyz"),
    *STATE[_JOINTS],
    *(Quantity(name, "m/s") for name in _BODY_VELOCITY),
    *STATE[_RATES],
)

SPEC = RobotSpec(
    name="ant",
    period=PERIOD,
    measurement=STATE,
    channels=(
        *(f"odom.pose.pose.position.{axis}" for axis in "xyz"),
        *(f"odom.pose.pose.orientation.{axis}" for axis in "wxyz"),
        *(f"joint_states.position.{MOTORS.index(name)}" for name in JOINTS),
        *(f"velocity.vector.{axis}" for axis in "xyz"),
        *(f"imu.angular_velocity.{axis}" for axis in "xyz"),
        *(f"joint_states.velocity.{MOTORS.index(name)}" for name in JOINTS),
    ),
    state=STATE,
    # Full torque is 150 N m each. The rate lets a command cross its whole range in one period.
    action=tuple(Limit(name, TORQUE_SHARE, -1.0, 1.0, rate=2.0 / PERIOD) for name in MOTORS),
    features=(
        *("z", "up_x", "up_y", "up_z", *JOINTS, *_BODY_VELOCITY),
        *(quantity.name for quantity in STATE[_RATES]),
    ),
    changes=CHANGES,
    change_weights=(1.0,) * len(CHANGES),
    envelope=Envelope(
        state_timeout=0.11,
        command_timeout=0.095,
        max_model_error=100.0,
        # The robot may fall over and continue, and there are no obstacles: only states that are
        # physically impossible end a run.
        state_limits=MappingProxyType(
            {
                **dict.fromkeys("xy", (-1000.0, 1000.0)),
                "z": (-5.0, 50.0),
                **dict.fromkeys(("vx", "vy", "vz"), (-30.0, 30.0)),
                **dict.fromkeys(("gyro_x", "gyro_y", "gyro_z"), (-100.0, 100.0)),
                **dict.fromkeys(JOINTS, (-3.2, 3.2)),
                **dict.fromkeys((f"{name}_velocity" for name in JOINTS), (-200.0, 200.0)),
            }
        ),
        live_sensors=(LiveSensor(("x", "y", "z")), LiveSensor(JOINTS)),
    ),
    fail_together=MappingProxyType({f"leg_{leg}": (f"hip_{leg}", f"ankle_{leg}") for leg in LEGS}),
)


class Ant(Floating):
    """The ant's maps between measurement, state, features and change."""

    spec = SPEC

    def tasks(self) -> Sequence[str]:
        """Return the task of the thesis, table 5."""
        return ("run",)

    def make_task(self, name: str, start: Array) -> Task:
        """Return the task of running along x. Raises UserError."""
        choose("task", name, self.tasks())
        return Run(RUNNING)


class MapFrameAnt(Ant):
    """The ant as models of version 0.1 knew it: rotation and velocity in the map frame."""

    spec = replace(
        SPEC,
        features=tuple(quantity.name for quantity in STATE[2:]),
        changes=STATE,
        change_weights=(1.0,) * len(STATE),
    )

    def features(self, state: Tensor) -> Tensor:
        """Return all states but x and y."""
        return state[..., 2:]

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """Return plain differences: the sign of the quaternion is continuous from step to step."""
        return next_state - state

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """Return the next state: `difference` inverted, with the quaternion normalised again."""
        moved = state + change
        rotation = moved[..., QUATERNION]
        length = rotation.square().sum(-1, keepdim=True).sqrt().clamp_min(1e-6)
        moved[..., QUATERNION] = rotation / length
        return moved


Ant.older = (MapFrameAnt,)
