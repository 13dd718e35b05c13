"""Half-cheetah: a planar runner with two legs and six motors, simulated only.

The robot of the thesis, section 9.4; its body is gymnasium's HalfCheetah-v5. x forward, z up; pitch
is about y, so nose down is positive. The state is MuJoCo's qpos and qvel, measured directly, but
for z, which is the torso's height over the ground below it, as a range sensor tells: on a slope the
height over where the robot started says nothing of the feet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.planar import Planar
from ros_mbmrl.robots.quantities import Cause, Limit, Quantity
from ros_mbmrl.robots.rewards import Run, Running
from ros_mbmrl.robots.spec import TORQUE_SHARE, Array, Envelope, LiveSensor, RobotSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ros_mbmrl.robots.task import Task

JOINTS = ("bthigh", "bshin", "bfoot", "fthigh", "fshin", "ffoot")
PERIOD = 0.05  # as in gymnasium: five steps of 0.01 s
RUNNING = Running(period=PERIOD, effort=0.05)

STATE = (
    Quantity("x", "m"),
    Quantity("z", "m"),
    Quantity("pitch", "rad"),  # unwrapped
    *(Quantity(name, "rad") for name in JOINTS),
    Quantity("vx", "m/s"),
    Quantity("vz", "m/s"),
    Quantity("pitch_rate", "rad/s"),
    *(Quantity(f"{name}_velocity", "rad/s") for name in JOINTS),
)

SPEC = RobotSpec(
    name="half_cheetah",
    period=PERIOD,
    measurement=STATE,
    # Pitch is measured as a passive joint, like a boom with an encoder: a quaternion would lose
    # whole turns. Velocities of the trunk are in the map frame.
    channels=(
        *(f"odom.pose.pose.position.{axis}" for axis in "xz"),
        "joint_states.position.6",
        *(f"joint_states.position.{k}" for k in range(6)),
        *(f"velocity.vector.{axis}" for axis in "xz"),
        "joint_states.velocity.6",
        *(f"joint_states.velocity.{k}" for k in range(6)),
    ),
    state=STATE,
    # Full torques are 120, 90, 60, 120, 60, 30 N m. The rate lets a command cross its whole range
    # in one period.
    action=tuple(Limit(name, TORQUE_SHARE, -1.0, 1.0, rate=2.0 / PERIOD) for name in JOINTS),
    features=("z", "sin_pitch", "cos_pitch", *(quantity.name for quantity in STATE[3:])),
    changes=STATE,
    change_weights=(1.0,) * len(STATE),
    envelope=Envelope(
        state_timeout=0.11,
        command_timeout=0.095,
        max_model_error=100.0,
        # The robot may fall over and continue, and there are no obstacles: only states that are
        # physically impossible end a run.
        state_limits=MappingProxyType(
            {
                "x": (-1000.0, 1000.0),
                "z": (-100.0, 100.0),
                "vx": (-30.0, 30.0),
                "vz": (-30.0, 30.0),
                "pitch_rate": (-60.0, 60.0),
                **dict.fromkeys(JOINTS, (-3.2, 3.2)),
                **dict.fromkeys((f"{name}_velocity" for name in JOINTS), (-200.0, 200.0)),
            }
        ),
        live_sensors=(LiveSensor(("x", "z", "pitch")), LiveSensor(JOINTS)),
    ),
    # Inclination of the ground below the torso, in the map frame: above 0 where it rises with x.
    causes=(Cause("slope", "rad", -0.4, 0.4, 0.0, (-0.2, -0.05, 0.05, 0.2)),),
    origin=(0.0, 0.0, 0.7),  # z is 0 at the height that gymnasium's model starts at
)


class HalfCheetah(Planar):
    """The half-cheetah's maps between measurement, state, features and change."""

    spec = SPEC
    planner, method = "icem", "causes"

    def tasks(self) -> Sequence[str]:
        """Return the task of the thesis, table 5."""
        return ("run",)

    def make_task(self, name: str, start: Array) -> Task:
        """Return the task of running forwards. Raises UserError."""
        choose("task", name, self.tasks())
        return Run(RUNNING)


class UnwrappedHalfCheetah(HalfCheetah):
    """The half-cheetah as models of version 0.1 knew it: with its pitch unwrapped."""

    spec = replace(SPEC, features=tuple(quantity.name for quantity in STATE[1:]))

    def features(self, state: Tensor) -> Tensor:
        """Return all states but x."""
        return state[..., 1:]


HalfCheetah.older = (UnwrappedHalfCheetah,)
