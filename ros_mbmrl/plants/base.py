"""Plant: a robot, real or simulated, as the control loop sees it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.errors import RunError
from ros_mbmrl.plants.poses import PoseSource
from ros_mbmrl.plants.topics.bus import Bus
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import RobotSpec

T = TypeVar("T")


class PlantFault(RunError):
    """Error: the robot does not answer or must not be driven; it can be asked again later."""


@dataclass(frozen=True)
class PlantSettings:
    """Options of a plant that can be written down; each plant uses those that concern it.

    Args:
        terrain: of a twin.
        noise: of a twin, as a share of the real robot's.
        fault: of a twin, NAME@SECONDS.
        path: at whose start a twin is put.
        seed: of a twin.
        viewer: whether to show a twin in a window.
        delay: of every command of a twin [s].
        port: device or URL of the robot.
        hardware: the robot's own settings by name.
    """

    terrain: str = "carpet"
    noise: float = 1.0
    fault: str = ""
    path: str = ""
    seed: int = 0
    viewer: bool = False
    delay: float = 0.0
    port: str = ""
    hardware: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class PlantOptions(PlantSettings):
    """Options of a plant at the start.

    Args:
        poses: of motion capture.
        clock: steady time [s]; stamps count from the same moment.
        node: the rclpy node whose topics a plant may use; None without ROS.
        bus: the robot's own topics; None without ROS.
    """

    poses: PoseSource | None = None
    clock: Callable[[], float] = time.monotonic
    node: Any = None
    bus: Bus | None = None


class Plant(Protocol):
    """A robot or its twin. Every way out of the context stops the robot.

    simulated: its time passes only in `advance`; a real robot's time passes by itself.
    """

    simulated: bool

    def __enter__(self) -> Plant: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def observe(self) -> Measurement:
        """Return the newest measurement. Raises PlantFault if there is none."""

    def command(self, action: NDArray[np.float64]) -> None:
        """Send an action (da,) within the robot's limits; it acts until the next one."""

    def advance(self, duration: float) -> None:
        """Let `duration` [s] pass: a twin steps its physics, a real robot needs nothing."""

    def stop(self) -> None:
        """Bring the robot to rest now."""

    def counters(self) -> Mapping[str, int | float]:
        """Return counters and measurements of the plant's wires, by name; nothing for a twin."""


class Twin(Plant, Protocol):
    """A simulated plant that can begin anew."""

    def reset(self, seed: int) -> None:
        """Go back to the start and to time 0, with other random numbers."""

    def effectiveness(self) -> NDArray[np.float64]:
        """Return the share (da,) of each command that its actuator gives now; see `Rollout`."""

    def causes(self) -> NDArray[np.float64]:
        """Return what else is not as it should be now, in the order of the specification."""


class InProcess(ABC):
    """The part that all twins share: stopped on every way out of the context, and no wires."""

    simulated = True

    def __enter__(self: T) -> T:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @abstractmethod
    def stop(self) -> None:
        """See `Plant.stop`."""

    def counters(self) -> Mapping[str, int | float]:
        """See `Plant.counters`: there are none."""
        return {}


@runtime_checkable
class Latching(Protocol):
    """A plant with its own stop that only a person ends, such as a run-stop."""

    def rearm(self) -> None:
        """Allow driving again. Raises PlantFault while the cause persists."""


@runtime_checkable
class Scheduled(Protocol):
    """A twin whose faults set in at their second; from when these count, it can be told."""

    def faults_from(self, second: float) -> None:
        """Count the seconds of faults from this one of the plant's time; none before it, if inf."""


def check_physics(broken: bool, seconds: float) -> None:
    """Raise RunError if a twin's physics broke down before `seconds` of simulated time.

    Not a `PlantFault`, because asking again later would not help.
    """
    if broken:
        raise RunError(f"the twin's physics broke down before {seconds:.1f} s: expected a restart")


def within_limits(spec: RobotSpec, action: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the action (da,) clipped to the limits. Raises ValueError beyond rounding errors."""
    low, high, unit = spec.action_low, spec.action_high, spec.action[0].unit
    if np.shape(action) != low.shape:
        raise ValueError(f"action: expected shape {low.shape} in {unit}, got {np.shape(action)}")
    # A comparison with NaN is false. The tolerance is for limits that were rounded to float32.
    if not ((action >= low - 1e-4) & (action <= high + 1e-4)).all():
        raise ValueError(f"action: expected {low} to {high} {unit}, got {action}")
    return np.clip(action, low, high)
