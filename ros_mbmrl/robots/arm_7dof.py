"""Arm with seven torques that brings its tip to a goal, simulated only.

The robot of the thesis, section 9.4 and appendix E.2; the arm is gymnasium's Pusher-v5, with the
PR2's proportions, without the object to push and, as there, without gravity. State: joint angles
and velocities, which are measured, and the position of the tip, which follows from the angles.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.pr2_kinematics import PALM, SHOULDER_Y, place_points
from ros_mbmrl.robots.quantities import Cause, Limit, Quantity
from ros_mbmrl.robots.rewards import Reach
from ros_mbmrl.robots.spec import Array, Envelope, Robot, RobotSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ros_mbmrl.robots.task import Task

# name -> range [rad]
JOINTS = MappingProxyType(
    {
        "shoulder_pan": (-2.2854, 1.714602),
        "shoulder_lift": (-0.5236, 1.3963),
        "upper_arm_roll": (-1.5, 1.7),
        "elbow_flex": (-2.3213, 0.0),
        "forearm_roll": (-1.5, 1.5),
        "wrist_flex": (-1.094, 0.0),
        "wrist_roll": (-1.5, 1.5),
    }
)
PERIOD = 0.05  # as in gymnasium: five steps of 0.01 s
TORQUE = 2.0  # largest torque of each motor [N m]
HAND = 0.1  # from the wrist to the tip [m]
POINT = np.array([[HAND - PALM, 0.0, 0.0]])  # the tip in the frame of the PR2's tool points
BASE_Y = -0.6  # y of the shoulder [m]
SLACK = 0.4  # how far MuJoCo's soft joint limits may be exceeded, a generous bound [rad]
GOAL = (0.6, -0.5, 0.0)  # goal of the task unless another one is given [m]

MEASUREMENT = (
    *(Quantity(name, "rad") for name in JOINTS),
    *(Quantity(f"{name}_velocity", "rad/s") for name in JOINTS),
)
STATE = (*MEASUREMENT, *(Quantity(f"tip_{axis}", "m") for axis in "xyz"))
TIP = 14  # index in the state where the tip begins

SPEC = RobotSpec(
    name="arm_7dof",
    period=PERIOD,
    measurement=MEASUREMENT,
    channels=(
        *(f"joint_states.position.{k}" for k in range(7)),
        *(f"joint_states.velocity.{k}" for k in range(7)),
    ),
    state=STATE,
    # The rate lets a command cross its whole range in one period.
    action=tuple(Limit(name, "N m", -TORQUE, TORQUE, rate=2 * TORQUE / PERIOD) for name in JOINTS),
    features=tuple(quantity.name for quantity in STATE),
    # The tip follows from the angles, so the model does not predict it.
    changes=MEASUREMENT,
    change_weights=(1.0,) * len(MEASUREMENT),
    envelope=Envelope(
        state_timeout=0.11,
        command_timeout=0.095,
        max_model_error=100.0,
        state_limits=MappingProxyType(
            {
                **{name: (low - SLACK, high + SLACK) for name, (low, high) in JOINTS.items()},
                **dict.fromkeys((f"{name}_velocity" for name in JOINTS), (-100.0, 100.0)),
            }
        ),
    ),
    # A constant force on the tip, in the frame of the base.
    causes=tuple(
        Cause(f"force_{axis}", "N", -6.0, 6.0, 0.0, (-2.0, 2.0), vector="force") for axis in "xyz"
    ),
)


class Arm7Dof(Robot):
    """The arm's maps between measurement, state, features and change."""

    spec = SPEC

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """Return the measurement and the tip computed from the angles (any leading dimensions)."""
        angles = np.asarray(measurement)[..., :7]
        return np.concatenate([measurement, tip_of(angles)], axis=-1)

    def features(self, state: Tensor) -> Tensor:
        """Return the whole state."""
        return state

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """Return plain differences of angles and velocities: every joint is limited."""
        return (next_state - state)[..., :TIP]

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """Return the next state: `difference` inverted, the tip by forward kinematics."""
        import torch

        moved = state[..., :TIP] + change
        angles = moved[..., :7]
        point = torch.as_tensor(POINT, dtype=state.dtype, device=state.device)
        return torch.cat([moved, torch.stack(_place(angles.cos(), angles.sin(), point), -1)], -1)

    def tasks(self) -> Sequence[str]:
        """Return the task of the thesis, table 5."""
        return ("reach",)

    def make_task(self, name: str, start: Array) -> Task:
        """Return the task of bringing the tip to `GOAL`. Raises UserError."""
        choose("task", name, self.tasks())
        return Reach(TIP, np.array(GOAL))


def tip_of(angles: Array) -> Array:
    """Return x, y, z (..., 3) [m] of the tip for joint angles (..., 7) [rad]."""
    return np.stack(_place(np.cos(angles), np.sin(angles), POINT), axis=-1)


def _place(cos: Any, sin: Any, point: Any) -> tuple[Any, Any, Any]:
    """Return x, y, z (...) [m]: the PR2's kinematics with another hand and shoulder position."""
    x, y, z = place_points(cos, sin, point)
    return x[..., 0], y[..., 0] + (BASE_Y - SHOULDER_Y), z[..., 0]
