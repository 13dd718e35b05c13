"""teleop: a joystick as the source of `command/proposed`, while its dead-man button is held."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import JointState, Joy

from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.messages import command_message, from_stamp
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.process import Ending, run
from ros_mbmrl.nodes.qos import advertise, listen
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Array


@dataclass(frozen=True)
class TeleopParameters:
    """scale: part of the command's range that the stick reaches. joy_timeout: [s]."""

    robot: str = "hexapod"
    deadman_button: int = 4
    forward_axis: int = 1
    turn_axis: int = 0
    scale: float = 0.5
    joy_timeout: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 1:
            raise ValueError(f"scale: expected above 0, up to 1, got {self.scale}")


class TeleopNode(Node):
    """Answers each state with the stick's command; one stand-still on release, then silence."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, name: str = "teleop", **options: Any
    ) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True, **options)
        self._steady = clock
        self._settings = read_parameters(self, TeleopParameters)
        self._spec = make_robot(self._settings.robot).spec
        if len(self._spec.action) != 2:
            raise UserError(f"teleop: {self._spec.name} does not have a left and a right side")
        self._joy: Joy | None = None
        self._joy_at = 0.0
        self._driving = False
        self._proposed = advertise(self, "command/proposed")
        listen(self, "joy", self._on_joy)
        listen(self, "joint_states", self._on_state)

    def close(self) -> None:
        """Nothing is held."""

    def _on_joy(self, message: Joy) -> None:
        self._joy, self._joy_at = message, self._steady()

    def _on_state(self, message: JointState) -> None:
        held = self._held()
        if held or self._driving:
            action = self._action() if held else np.zeros(2)
            self._proposed.publish(
                command_message(self._spec, action, from_stamp(message.header.stamp))
            )
        self._driving = held

    def _held(self) -> bool:
        p, joy = self._settings, self._joy
        fresh = joy is not None and self._steady() - self._joy_at <= p.joy_timeout
        if not fresh or joy is None:
            return False
        complete = len(joy.axes) > max(p.forward_axis, p.turn_axis)
        return (
            complete and len(joy.buttons) > p.deadman_button and joy.buttons[p.deadman_button] == 1
        )

    def _action(self) -> Array:
        assert self._joy is not None
        p = self._settings
        forward, turn = self._joy.axes[p.forward_axis], self._joy.axes[p.turn_axis]
        wanted = p.scale * np.array([forward - turn, forward + turn]) * self._spec.action_high
        return np.clip(wanted, self._spec.action_low, self._spec.action_high)


def build(ending: Ending) -> Sequence[Node]:
    """The nodes of this process."""
    return [TeleopNode()]


def main() -> None:
    """Entry point."""
    raise SystemExit(run(build))


if __name__ == "__main__":
    main()
