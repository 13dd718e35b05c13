"""Seven torques of an arm that brings its tip to a goal, simulated only.

The thesis, section 9.4 and appendix E.2; the arm is gymnasium's (Pusher-v5), of the PR2's
proportions, without what it pushes there and, as there, without gravity. State: joint angles and
velocities, measured, and the tip's place, which follows from the angles.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.pr2_kinematics import PALM, SHOULDER_Y, place_points
from ros_mbmrl.robots.rewards import Reach
from ros_mbmrl.robots.spec import Array, Envelope, Limit, Quantity, Robot, RobotSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ros_mbmrl.robots.task import Task

# name -> its range [rad].
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
PERIOD = 0.05  # gymnasium's: five steps of 0.01 s
TORQUE = 2.0  # of each motor [N m]
HAND = 0.1  # from the wrist to the tip [m]
POINT = np.array([[HAND - PALM, 0.0, 0.0]])  # the tip in the frame that the PR2's points are in
BASE_Y = -0.6  # of the shoulder [m]
SLACK = 0.4  # by which MuJoCo's soft limits give way at most [rad], generously
GOAL = (0.6, -0.5, 0.0)  # of the task where nobody says another one [m]

MEASUREMENT = (
    *(Quantity(name, "rad") for name in JOINTS),
    *(Quantity(f"{name}_velocity", "rad/s") for name in JOINTS),
)
STATE = (*MEASUREMENT, *(Quantity(f"tip_{axis}", "m") for axis in "xyz"))
TIP = 14  # of the state, where the tip begins

SPEC = RobotSpec(
    name="arm_7dof",
    period=PERIOD,
    measurement=MEASUREMENT,
    channels=(
        *(f"joint_states.position.{k}" for k in range(7)),
        *(f"joint_states.velocity.{k}" for k in range(7)),
    ),
    state=STATE,
    # From one end to the other within a period.
    action=tuple(Limit(name, "N m", -TORQUE, TORQUE, rate=2 * TORQUE / PERIOD) for name in JOINTS),
    features=tuple(quantity.name for quantity in STATE),
    # The tip follows from the angles: nothing of it is left to learn.
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
)


class Arm7Dof(Robot):
    """Its maps between measurement, state, features and change."""

    spec = SPEC

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """See `Robot.estimate`: the tip is put where the angles have it. Any leading dimensions."""
        angles = np.asarray(measurement)[..., :7]
        return np.concatenate([measurement, tip_of(angles)], axis=-1)

    def features(self, state: Tensor) -> Tensor:
        """All of it."""
        return state

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """Plain differences of angles and velocities: every joint is limited."""
        return (next_state - state)[..., :TIP]

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """`difference` inverted; the tip by forward kinematics from the new angles."""
        import torch

        moved = state[..., :TIP] + change
        angles = moved[..., :7]
        point = torch.as_tensor(POINT, dtype=state.dtype, device=state.device)
        return torch.cat([moved, torch.stack(_place(angles.cos(), angles.sin(), point), -1)], -1)

    def tasks(self) -> Sequence[str]:
        """That of the thesis, table 5."""
        return ("reach",)

    def make_task(self, name: str, start: Array) -> Task:
        """Bring the tip to `GOAL`. Raises UserError."""
        choose("task", name, self.tasks())
        return Reach(TIP, np.array(GOAL))


def tip_of(angles: Array) -> Array:
    """x, y, z (..., 3) [m] of the tip, from joint angles (..., 7) [rad]."""
    return np.stack(_place(np.cos(angles), np.sin(angles), POINT), axis=-1)


def _place(cos: Any, sin: Any, point: Any) -> tuple[Any, Any, Any]:
    """x, y, z (...) [m]: the PR2's kinematics but for the hand and the shoulder's place."""
    x, y, z = place_points(cos, sin, point)
    return x[..., 0], y[..., 0] + (BASE_Y - SHOULDER_Y), z[..., 0]
