"""The PR2's left arm: seven torques bring three points of the tool to a goal.

State: the 23 numbers of the thesis, section 8.4.5. Points are in torso_lift_link: x forward, y
left, z up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.robots.pr2_kinematics import POINTS, place_points
from ros_mbmrl.robots.pr2_limits import JOINTS
from ros_mbmrl.robots.quantities import Cause, Limit, Quantity
from ros_mbmrl.robots.spec import Array, Envelope, Robot, RobotSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ros_mbmrl.robots.live import Tunable
    from ros_mbmrl.robots.task import Task

SLACK = 0.1  # [rad]: beyond its hard limit by more than this, a joint or its encoder is broken
OVERSPEED = 1.5  # times a joint's largest speed: beyond it, the robot's own law has failed

# Commanded torques [N m]: enough to hold 2 kg at arm's length, and below what the robot's law lets
# through at rest. The small joints need little: a planner's noise is a share of these ranges, and
# wide ones would shake the wrist. The ratios follow cbfinn/gps (PR2_GAINS).
TORQUES = (20.0, 20.0, 6.0, 9.0, 2.0, 4.0, 1.5)

_SHORT = tuple(joint.name.removeprefix("l_").removesuffix("_joint") for joint in JOINTS)

STATE = (
    *(Quantity(name, "rad") for name in _SHORT),
    *(Quantity(f"{name}_velocity", "rad/s") for name in _SHORT),
    *(Quantity(f"point_{k}_{axis}", "m") for k in range(3) for axis in "xyz"),
)

_LIMITED = tuple(k for k, joint in enumerate(JOINTS) if not joint.continuous)
_ENDLESS = tuple(k for k, joint in enumerate(JOINTS) if joint.continuous)

SPEC = RobotSpec(
    name="pr2_arm",
    period=0.1,
    measurement=STATE,
    channels=(
        *(f"joint_states.position.{k}" for k in range(7)),
        *(f"joint_states.velocity.{k}" for k in range(7)),
        *(f"tool_points.poses.{k}.position.{axis}" for k in range(3) for axis in "xyz"),
    ),
    state=STATE,
    # The rate goes from rest to full torque in one period.
    action=tuple(
        Limit(joint.name, "N m", -torque, torque, rate=10 * torque)
        for joint, torque in zip(JOINTS, TORQUES, strict=True)
    ),
    features=(
        *(_SHORT[k] for k in _LIMITED),
        *(f"{part}_{_SHORT[k]}" for k in _ENDLESS for part in ("cos", "sin")),
        *(q.name for q in STATE[7:23]),
    ),
    # The points follow from the angles, so the model does not predict them.
    changes=STATE[:14],
    change_weights=(1.0,) * 14,
    envelope=Envelope(
        state_timeout=0.22,
        command_timeout=0.19,
        max_model_error=25.0,
        state_limits=MappingProxyType(
            {
                **{_SHORT[k]: (JOINTS[k].lower - SLACK, JOINTS[k].upper + SLACK) for k in _LIMITED},
                **{
                    f"{name}_velocity": (-OVERSPEED * joint.velocity, OVERSPEED * joint.velocity)
                    for name, joint in zip(_SHORT, JOINTS, strict=True)
                },
            }
        ),
    ),
    # A motor that gives less is its torque's effectiveness. Deviations from robot to robot are
    # those of `simulation.pr2_faults.MILD`; the push is a force on the gripper in the base's frame.
    causes=(
        Cause("payload", "kg", 0.0, 2.0, 0.0, (0.8, 1.5), spread=0.3),
        *(
            Cause(f"push_{axis}", "N", -15.0, 15.0, 0.0, (-6.0, 6.0), vector="push")
            for axis in "xyz"
        ),
    ),
    effectiveness_spread=0.17,
)


class PR2Arm(Robot):
    """The arm's maps between measurement, state, features and change."""

    spec = SPEC

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """Return the measurement unchanged. See `Robot.estimate`."""
        return np.array(measurement)

    def features(self, state: Tensor) -> Tensor:
        """Return angles (cosine and sine where they are endless), velocities and points."""
        import torch

        endless = state[..., list(_ENDLESS)]
        circle = torch.stack([endless.cos(), endless.sin()], dim=-1).flatten(-2)
        return torch.cat([state[..., list(_LIMITED)], circle, state[..., 7:23]], dim=-1)

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """Return differences of angles and velocities; an endless angle goes the short way."""
        import torch

        change = (next_state - state)[..., :14]
        turn = torch.zeros_like(change)
        for k in _ENDLESS:
            turn[..., k] = 2 * math.pi * (change[..., k] / (2 * math.pi)).round()
        return change - turn

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """Return the next state: `difference` inverted, the points by forward kinematics."""
        import torch

        moved = state[..., :14] + change
        angles = moved[..., :7]
        points = torch.as_tensor(POINTS, dtype=state.dtype, device=state.device)
        placed = torch.stack(place_points(angles.cos(), angles.sin(), points), dim=-1)
        return torch.cat([moved, placed.flatten(-2)], dim=-1)

    def tasks(self) -> Sequence[str]:
        """Return the tasks of the thesis, section 8.4.5."""
        return "reach", "insert", "stack"

    def cost_weights(self) -> Tunable:
        """Return the weights of `BringPoints`. See `Robot.cost_weights`."""
        from ros_mbmrl.robots.arm_tasks import ArmWeights

        return ArmWeights()

    def make_task(self, name: str, start: Array) -> Task:
        """Return the task that brings the tool's points to the goal of `name`. Raises UserError."""
        from ros_mbmrl.robots.arm_tasks import make_arm_task

        return make_arm_task(self, name)
