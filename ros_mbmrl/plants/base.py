"""Plant: what the loop can see of a robot, real or not."""

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
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import RobotSpec

T = TypeVar("T")


class PlantFault(RunError):
    """The robot cannot be heard, or must not be driven; the plant can be asked again later."""


@dataclass(frozen=True)
class PlantOptions:
    """What a plant can be told at the start; each uses what concerns it.

    terrain, noise (share of the real robot's), fault (NAME@SECONDS), path (the twin is put at its
    start), seed, viewer: of twins. delay: with which every command acts [s], of twins.
    port: device or URL of the robot. poses: of motion capture.
    clock: [s], steady, counted from whatever moment stamps are. node: the rclpy node whose topics
    a plant may use, None where there is no ROS. hardware: the robot's own settings by name.
    """

    terrain: str = "carpet"
    noise: float = 1.0
    fault: str = ""
    path: str = ""
    seed: int = 0
    viewer: bool = False
    delay: float = 0.0
    port: str = ""
    poses: PoseSource | None = None
    clock: Callable[[], float] = time.monotonic
    node: Any = None
    hardware: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


class Plant(Protocol):
    """A robot or its twin. On every way out of the context the robot is stopped.

    simulated: its time passes in `advance` only; a real robot's passes by itself.
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
        """The newest measurement. Raises PlantFault if there is none to be had."""

    def command(self, action: NDArray[np.float64]) -> None:
        """Send an action (da,) within the robot's limits; it acts until the next one."""

    def advance(self, duration: float) -> None:
        """Let `duration` [s] pass: a twin steps its physics, with a robot nothing is to do."""

    def stop(self) -> None:
        """Bring the robot to rest, now."""

    def counters(self) -> Mapping[str, int | float]:
        """What it counts and measures of its wires, by name; nothing for a twin."""


class Twin(Plant, Protocol):
    """A simulated plant that can begin anew."""

    def reset(self, seed: int) -> None:
        """Go back to the start and to time 0, with other random numbers."""


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
    """A plant with a stop of its own that only a person ends, as a run-stop."""

    def rearm(self) -> None:
        """Drive again. Raises PlantFault while the cause stands."""


def check_physics(broken: bool, seconds: float) -> None:
    """Raise RunError if a twin's physics broke down before `seconds` of simulated time.

    No `PlantFault`: asking again later would not mend it.
    """
    if broken:
        raise RunError(f"the twin's physics broke down before {seconds:.1f} s: expected a restart")


def within_limits(spec: RobotSpec, action: NDArray[np.float64]) -> NDArray[np.float64]:
    """The action (da,) without what rounding put beyond the limits. Raises ValueError for more."""
    low, high, unit = spec.action_low, spec.action_high, spec.action[0].unit
    if np.shape(action) != low.shape:
        raise ValueError(f"action: expected shape {low.shape} in {unit}, got {np.shape(action)}")
    # A comparison with NaN is false. Limits may have been through float32.
    if not ((action >= low - 1e-4) & (action <= high + 1e-4)).all():
        raise ValueError(f"action: expected {low} to {high} {unit}, got {action}")
    return np.clip(action, low, high)
