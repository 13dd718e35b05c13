"""PR2Side: topics and services of a PR2 behind its rosbridge; no sockets.

A JointEffortController holds its last torque without a time-out. The run-stop cuts the motors'
power, and its release resets them automatically, so that the last commanded torque acts again.
Sources: PR2/pr2_controllers, `robot_mechanism_controllers`; PR2/pr2_robot,
`pr2_run_stop_auto_restart`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol, cast

import numpy as np

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.wire import rosbridge
from ros_mbmrl.robots.pr2_limits import JOINTS
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.share import find

WATCHDOG = "robot_side/pr2_watchdog.py"
JOINT_STATES, POWER_BOARD = "/joint_states", "/power_board/state"
LIST_CONTROLLERS = "/pr2_controller_manager/list_controllers"
HALT, RESET = "/pr2_ethercat/halt_motors", "/pr2_ethercat/reset_motors"
STATE_PERIOD = 0.01  # period of /joint_states [s]
REPORT_PERIOD = 0.05  # period of the watchdog's and of the power board's state [s]
POWER_UP = 2.0  # from the run-stop's release to the motors' reset [s]
MAX_STEP = 0.1  # largest physics step in one tick [s]; time that the machine missed is left out
EPOCH = 1.3e9  # [s] by which the robot's clock differs from the host's

# As the robot publishes them: in another order than ours, with other joints between them.
_LEFT = (2, 0, 1, 4, 3, 5, 6)
PUBLISHED = (
    "torso_lift_joint",
    *(JOINTS[k].name.replace("l_", "r_", 1) for k in _LEFT),
    *(JOINTS[k].name for k in _LEFT),
    "l_gripper_joint",
)


class ArmWorld(Protocol):
    """The arm's physics, with the robot's own limits."""

    def set_command(self, torques: Array) -> None:
        """Apply torques (7,) [N m] from now on, in the order of `JOINTS`."""

    def step(self, duration: float) -> None:
        """Let time pass [s]."""

    def position(self) -> Array:
        """Return joint angles (7,) [rad]."""

    def velocity(self) -> Array:
        """Return joint velocities (7,) [rad/s]."""


class WatchdogLaw(Protocol):
    """The class Watchdog of the file that runs on the robot."""

    tripped: bool

    def heartbeat(self, now: float) -> None:
        """Record a heartbeat of the host."""

    def command(self, joint: str, torque: float) -> None:
        """Record a torque that the host has commanded."""

    def update(self, now: float) -> bool:
        """Return whether zeros must be published now."""


def load_watchdog() -> Any:
    """Load the file that runs on the robot, as it is shipped. Raises UserError."""
    path = find(WATCHDOG)
    if path is None:
        raise UserError(f"no file {WATCHDOG} in the checkout or in the installed share")
    spec = importlib.util.spec_from_file_location("pr2_watchdog", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class PR2Side:
    """The robot; times are [s] on any one clock that never goes back.

    `torques`: (7,) [N m] as the controllers hold them, in the order of `JOINTS`. `zero_since`: when
    they last became zero, None while one acts. `controllers`: name -> running. `run_stop`: pressed.
    """

    def __init__(self, world: ArmWorld, now: float, watchdog: bool, prefix: str = "effort_"):
        self._world, self._now = world, now
        self._names = [joint.name for joint in JOINTS]
        module = load_watchdog()
        law = module.Watchdog(self._names) if watchdog else None
        self.watchdog = cast("WatchdogLaw | None", law)
        self._heartbeat, self._state = module.HEARTBEAT, module.STATE
        self._needed = [f"{prefix}{name}" for name in self._names]
        self._commands = [f"/{name}/command" for name in self._needed]
        self.controllers = dict.fromkeys(self._needed, True)
        self.torques: Array = np.zeros(len(JOINTS))
        self.zero_since: float | None = now
        self.run_stop, self.halted = False, False
        self._power_back: float | None = None
        self._due = dict.fromkeys((JOINT_STATES, POWER_BOARD, self._state), now)
        self._sequence = 0
        self.topics: Mapping[str, str] = MappingProxyType(
            {
                **dict.fromkeys(self._commands, rosbridge.FLOAT64),
                self._heartbeat: rosbridge.FLOAT64,
                self._state: rosbridge.BOOL,
                JOINT_STATES: rosbridge.JOINT_STATE,
                POWER_BOARD: rosbridge.POWER_BOARD_STATE,
            }
        )
        self.services: Mapping[str, Callable[[], dict[str, Any]]] = MappingProxyType(
            {LIST_CONTROLLERS: self._list_controllers, HALT: self._halt, RESET: self._reset}
        )

    def publish(self, topic: str, message: Mapping[str, Any], now: float) -> None:
        """Take in a message that a client has published. Raises ValueError."""
        if topic == self._heartbeat:
            rosbridge.read_float64(message)
            if self.watchdog is not None:
                self.watchdog.heartbeat(now)
        elif topic in self._commands:
            torque, joint = rosbridge.read_float64(message), self._commands.index(topic)
            if self.watchdog is not None:
                self.watchdog.command(self._names[joint], torque)
                if self.watchdog.tripped:
                    torque = 0.0  # the watchdog answers at once
            self._hold(joint, torque, now)

    def press_run_stop(self) -> None:
        """Cut the motors' power; the controllers do not notice."""
        self.run_stop, self.halted, self._power_back = True, True, None

    def release_run_stop(self) -> None:
        """Release the run-stop; the robot resets the motors by itself a little later."""
        self.run_stop, self._power_back = False, self._now + POWER_UP

    def tick(self, now: float, judge: bool = True) -> list[tuple[str, dict[str, Any]]]:
        """Let time pass until `now`, and return the messages to publish, by topic.

        judge: whether the watchdog checks; not before messages that waited during a pause are taken
        in.
        """
        if self._power_back is not None and now >= self._power_back:
            self.halted, self._power_back = False, None
        if judge and self.watchdog is not None and self.watchdog.update(now):
            for k in range(len(JOINTS)):
                self._hold(k, 0.0, now)
        running = [self.controllers.get(name, False) for name in self._needed]
        self._world.set_command(np.where(running, self.torques, 0.0) * (not self.halted))
        self._world.step(min(max(now - self._now, 0.0), MAX_STEP))
        self._now = max(now, self._now)
        return self._published()

    def _hold(self, joint: int, torque: float, now: float) -> None:
        self.torques[joint] = torque
        if self.torques.any():
            self.zero_since = None
        elif self.zero_since is None:
            self.zero_since = now

    def _published(self) -> list[tuple[str, dict[str, Any]]]:
        messages = [(JOINT_STATES, self._joint_states, STATE_PERIOD)]
        messages.append((POWER_BOARD, self._power_board, REPORT_PERIOD))
        if self.watchdog is not None:
            messages.append((self._state, self._watchdog_state, REPORT_PERIOD))
        due = [entry for entry in messages if self._now >= self._due[entry[0]] - 1e-6]
        for topic, _, period in due:
            late = self._now > self._due[topic] + period
            self._due[topic] = (self._now if late else self._due[topic]) + period
        return [(topic, make()) for topic, make, _ in due]

    def _joint_states(self) -> dict[str, Any]:
        self._sequence += 1
        still = dict.fromkeys(PUBLISHED, 0.0)
        positions = dict(zip(self._names, self._world.position().tolist(), strict=True))
        velocities = dict(zip(self._names, self._world.velocity().tolist(), strict=True))
        states = rosbridge.JointStates(
            EPOCH + self._now, {**still, **positions}, {**still, **velocities}
        )
        return rosbridge.joint_states(states, self._sequence)

    def _power_board(self) -> dict[str, Any]:
        # circuit states: 3 is enabled, 4 is disabled
        return {
            "name": "Power board 1000",
            "master_state": 2,
            "circuit_state": [4 if self.halted else 3] * 3,
            "run_stop": not self.run_stop,
            "wireless_stop": True,
        }

    def _watchdog_state(self) -> dict[str, Any]:
        assert self.watchdog is not None
        return {"data": bool(self.watchdog.tripped)}

    def _list_controllers(self) -> dict[str, Any]:
        states = ["running" if running else "stopped" for running in self.controllers.values()]
        return {"controllers": list(self.controllers), "state": states}

    def _halt(self) -> dict[str, Any]:
        self.halted = True
        return {}

    def _reset(self) -> dict[str, Any]:
        self.halted = self.run_stop
        return {}
