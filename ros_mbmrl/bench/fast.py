"""Fast robots for `bench graph --fast` and `bench soak --fast`, with untrained models.

The hexapod's twin at 50 Hz, and the half-cheetah's at 100 Hz. The nodes find them like any robot
from outside: by entry points in a folder on their path.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from ros_mbmrl.launch_arguments import Arguments, parse
from ros_mbmrl.plants import PLANTS, Known, check_plant, make_plant
from ros_mbmrl.plants.base import Plant, PlantOptions
from ros_mbmrl.robots import ROBOTS, make_robot
from ros_mbmrl.robots.half_cheetah import HalfCheetah
from ros_mbmrl.robots.hexapod import Hexapod
from ros_mbmrl.robots.spec import Robot

METHOD = "grbal"
LEGS = ("left_leg_velocity", "right_leg_velocity")
HEXAPOD_PERIOD, CHEETAH_PERIOD = 0.02, 0.01  # [s]
SHARE = Hexapod.spec.period / HEXAPOD_PERIOD


class FastHexapod(Hexapod):
    """A hexapod that is commanded every 20 ms.

    Leg speeds are differences of angles, so the jitter of their instants has more effect.
    """

    spec = replace(
        Hexapod.spec,
        name="fast_hexapod",
        period=HEXAPOD_PERIOD,
        envelope=replace(
            Hexapod.spec.envelope,
            state_range={
                name: (SHARE * low, SHARE * high) if name in LEGS else (low, high)
                for name, (low, high) in Hexapod.spec.envelope.state_range.items()
            },
        ),
    )


class FastHalfCheetah(HalfCheetah):
    """A half-cheetah that is commanded every 10 ms, at each step of its physics.

    Its time-outs are three of its periods, the slow one's two.
    """

    spec = replace(
        HalfCheetah.spec,
        name="fast_half_cheetah",
        period=CHEETAH_PERIOD,
        action=tuple(
            replace(limit, rate=2.0 / CHEETAH_PERIOD) for limit in HalfCheetah.spec.action
        ),
        envelope=replace(
            HalfCheetah.spec.envelope,
            state_timeout=3.2 * CHEETAH_PERIOD,
            command_timeout=2.9 * CHEETAH_PERIOD,
        ),
    )


@dataclass(frozen=True)
class Fast:
    """A fast robot, and its twin, which is that of the slow one.

    Args:
        robot: makes it.
        base: name of the slow one.
        planner: settings that fit into its period.
    """

    robot: Callable[[], Robot]
    base: str
    planner: str

    @property
    def name(self) -> str:
        """Return the robot's name."""
        return self.robot().spec.name

    @property
    def parameters(self) -> str:
        """Return the parameter file of its graph."""
        timer = 0.5 * self.robot().spec.period
        return (
            f"/{self.name}/controller:\n  ros__parameters:\n    planner: {self.planner}\n"
            f"/{self.name}/safety:\n  ros__parameters:\n    check_period: {timer}\n"
        )

    def check(self, options: PlantOptions) -> None:
        """Raise UserError for what `make` would refuse."""
        check_plant(self.base, "twin", options)

    def make(self, robot: Robot, options: PlantOptions) -> Plant:
        """Return the twin. Raises UserError."""
        return make_plant(make_robot(self.base), "twin", options)


# 64 x 3 controls the hexapod as well as 1000 x 10 does (docs/results.md, with less computation).
HEXAPOD = Fast(FastHexapod, "hexapod", "{num_samples: 64, horizon: 3}")
HALF_CHEETAH = Fast(FastHalfCheetah, "half_cheetah", "{num_samples: 32, horizon: 5, iterations: 1}")
FAST: Mapping[str, Fast] = MappingProxyType({each.base: each for each in (HEXAPOD, HALF_CHEETAH)})


class Wanted(Protocol):
    """The part of a bench's configuration that says which graph is wanted.

    fast: a fast robot, `robot` of FAST, with an untrained model of these hidden layers.
    """

    @property
    def fast(self) -> bool:
        """See the class."""

    @property
    def robot(self) -> str:
        """See the class."""

    @property
    def hidden(self) -> tuple[int, ...]:
        """See the class."""

    @property
    def seed(self) -> int:
        """See the class."""


def check_wanted(config: Wanted) -> None:
    """Raise ValueError for a robot that no fast one is there of."""
    if config.robot not in FAST:
        raise ValueError(f"robot: expected {' or '.join(FAST)}, got '{config.robot}'")
    if not config.fast and config.robot != "hexapod":
        raise ValueError("robot: expected --fast with it, or robot:= among --launch")


@contextmanager
def arguments_of(config: Wanted, words: Sequence[str], folder: Path) -> Iterator[Arguments]:
    """Yield the arguments of an adapt graph, in a process that knows their robot.

    Args:
        words: name:=value; robot, parameters, model and method of a fast robot are added.
        folder: to write model and parameters to.
    """
    if not config.fast:
        yield parse("adapt", list(words))
        return
    own = FAST[config.robot]
    write_model(folder / "model", own, config.hidden, "silu", config.seed)
    parameters = folder / "fast.yaml"
    parameters.write_text(own.parameters)
    words = [f"robot:={own.base}", f"params:={parameters}", *words]
    words += [f"model:={folder / 'model'}", f"method:={METHOD}"]
    with plugged(own, folder):
        yield {**parse("adapt", words), "robot": own.name}


@contextmanager
def plugged(own: Fast, folder: Path) -> Iterator[None]:
    """Make the robot known to this process and its children; `folder` is written."""
    info = folder / "fast_robot-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fast-robot\nVersion: 0\n")
    robot, twin = f"{__name__}:{type(own.robot()).__name__}", f"{__name__}:{own.base.upper()}"
    (info / "entry_points.txt").write_text(
        f"[ros_mbmrl.robots]\n{own.name} = {robot}\n[ros_mbmrl.plants]\n{own.name}.twin = {twin}\n"
    )
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), before)))
    ROBOTS[own.name], PLANTS[f"{own.name}.twin"] = robot, Known(twin)
    try:
        yield
    finally:
        del ROBOTS[own.name], PLANTS[f"{own.name}.twin"]
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def write_model(
    folder: Path, own: Fast, hidden: tuple[int, ...], activation: str, seed: int
) -> None:
    """Write an untrained model of the robot, because only its computing time matters."""
    from torch import Generator

    from ros_mbmrl.adaptation import make_rule
    from ros_mbmrl.bench.problem import make_problem
    from ros_mbmrl.dynamics.files import save_model
    from ros_mbmrl.dynamics.model import DynamicsModel

    generator = Generator().manual_seed(seed)
    problem = make_problem(hidden, activation, generator, own.base)
    mlp, options = problem.model.mlp, {"steps": 1}
    rule = make_rule(METHOD, options).init(mlp, problem.parameters, generator)
    save_model(
        folder,
        DynamicsModel(own.robot(), mlp, problem.model.normalizer),
        {**problem.parameters, **rule},
        {"method": METHOD, "options": options, "adapt_window": 16},
    )
