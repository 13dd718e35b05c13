"""The base's twin in MuJoCo: `plant:=twin`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType

import mujoco
import numpy as np
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.plants.base import PlantOptions, within_limits
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.paths import make_path
from ros_mbmrl.robots.spec import Array, Robot

MODEL = Path(__file__).with_name("base.xml")
RADIUS, TRACK = 0.05, 0.24  # [m], as the base's own controller believes them to be
CASTER = 0.05  # friction
# Standard deviations of x, y [m], yaw [rad], speed [m/s], yaw rate [rad/s] at noise 1.
NOISE = np.array([0.002, 0.002, 0.003, 0.01, 0.02])
FLOORS: Mapping[str, float] = MappingProxyType({"carpet": 1.0, "tiles": 0.4})  # friction


@dataclass(frozen=True)
class Body:
    """What differs between bases. left, right: wheel radius as a factor. payload: [kg].

    drag: friction of the caster, as a factor.
    """

    left: float = 1.0
    right: float = 1.0
    payload: float = 0.01
    drag: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"{name}: expected above 0, got {value!r}")


NOMINAL = Body()
FAULTS: Mapping[str, Body] = MappingProxyType(
    {
        "left_tyre_lost": Body(left=0.7),
        "right_tyre_lost": Body(right=0.7),
        "payload": Body(payload=4.0),
        "caster_stuck": Body(drag=12.0),
        # Milder: to choose settings on without looking at the ones above.
        "right_tyre_worn": Body(right=0.8),
        "payload_small": Body(payload=2.0),
    }
)


class WheeledTwin:
    """A `Plant`. body: from the start; fault: the body from `fault_at` [s] on.

    friction: of the floor. noise: factor on `NOISE`. start: x, y [m], yaw [rad] at time 0.
    """

    simulated = True

    def __init__(
        self,
        robot: Robot,
        body: Body = NOMINAL,
        fault: Body | None = None,
        fault_at: float = 0.0,
        friction: float = 1.0,
        noise: float = 1.0,
        start: tuple[float, float, float] = (0.0, 0.0, 0.0),
        seed: int = 0,
    ) -> None:
        self._spec, self._friction, self._noise = robot.spec, friction, noise
        self._fault, self._fault_at, self._faults_from = fault, fault_at, 0.0
        self._rng = np.random.default_rng(seed)
        self.model = mujoco.MjModel.from_xml_path(str(MODEL))
        self.data = mujoco.MjData(self.model)
        x, y, yaw = start
        self.data.qpos[:7] = [x, y, RADIUS, math.cos(yaw / 2), 0, 0, math.sin(yaw / 2)]
        self._become(body)
        self._measurement: Measurement | None = None

    def __enter__(self) -> WheeledTwin:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def observe(self) -> Measurement:
        """The measurement of this instant; asked twice, the same one."""
        if self._measurement is None:
            vx, vy = self.data.qvel[:2]
            x, y, yaw = self.clean_pose()
            true = [x, y, yaw, vx * math.cos(yaw) + vy * math.sin(yaw), self.data.qvel[5]]
            x, y, yaw, *rates = true + self._noise * NOISE * self._rng.standard_normal(5)
            values = [x, y, math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2), *rates]
            self._measurement = Measurement(float(self.data.time), np.array(values))
        return self._measurement

    def command(self, action: Array) -> None:
        """Speed [m/s] and yaw rate [rad/s] within the limits. Raises ValueError otherwise."""
        speed, yaw_rate = within_limits(self._spec, action)
        half = yaw_rate * TRACK / 2
        self.data.ctrl[:] = [(speed - half) / RADIUS, (speed + half) / RADIUS]

    def advance(self, duration: float) -> None:
        """Let `duration` [s] of simulated time pass."""
        step = self.model.opt.timestep
        for _ in range(round(duration / step)):
            begin = self._faults_from + self._fault_at
            if self._fault is not None and self.data.time >= begin - step / 2:
                self._become(self._fault)
                self._fault = None
            mujoco.mj_step(self.model, self.data)
        self._measurement = None

    def faults_from(self, second: float) -> None:
        """Count the fault's seconds from this one of the twin's time [s]."""
        self._faults_from = second

    def stop(self) -> None:
        """Wheels to rest."""
        self.data.ctrl[:] = 0.0

    def counters(self) -> Mapping[str, int | float]:
        """Nothing: it has no wires."""
        return {}

    def clean_pose(self) -> tuple[float, float, float]:
        """True x [m], y [m] and yaw [rad], for evaluation; no controller may see it."""
        x, y, _, w, i, j, k = self.data.qpos[:7]
        yaw = math.atan2(2 * (w * k + i * j), 1 - 2 * (j * j + k * k))
        return float(x), float(y), yaw

    def _become(self, body: Body) -> None:
        model = self.model
        for name, factor in (("left_wheel", body.left), ("right_wheel", body.right)):
            model.geom(name).size[0] = RADIUS * factor
            model.geom(name).friction[0] = self._friction
        model.geom("caster").friction[0] = CASTER * body.drag
        payload = model.body("payload")
        payload.inertia[:] *= body.payload / payload.mass[0]
        payload.mass[0] = body.payload
        mujoco.mj_setConst(model, mujoco.MjData(model))
        mujoco.mj_forward(model, self.data)


def check(options: PlantOptions) -> None:
    """Raises UserError for an unknown floor or fault, and for a viewer."""
    choose("terrain", options.terrain, FLOORS)
    if options.viewer:
        raise UserError("viewer: the wheeled twin has none: expected viewer:=false")
    if options.fault:
        _parse_fault(options.fault)


def make(robot: Robot, options: PlantOptions) -> WheeledTwin:
    """The twin, at the start of `options.path` or at the origin. Raises UserError."""
    check(options)
    fault, fault_at = _parse_fault(options.fault) if options.fault else (None, 0.0)
    return WheeledTwin(
        robot,
        fault=fault,
        fault_at=fault_at,
        friction=FLOORS[options.terrain],
        noise=options.noise,
        start=make_path(options.path).start if options.path else (0.0, 0.0, 0.0),
        seed=options.seed,
    )


def _parse_fault(text: str) -> tuple[Body, float]:
    name, _, seconds = text.partition("@")
    choose("fault", name, FAULTS)
    try:
        at = float(seconds)
    except ValueError:
        at = -1.0
    if not 0 <= at < math.inf:
        raise UserError(f"fault '{text}': expected NAME@SECONDS, for example {name}@20")
    return FAULTS[name], at
