"""The hexapod's twin at 50 Hz, with an untrained model, for `bench graph --fast`.

The nodes find it like any robot from outside: by entry points in a folder on their path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ros_mbmrl.plants import PLANTS, Known
from ros_mbmrl.plants.base import Plant, PlantOptions
from ros_mbmrl.plants.hexapod_twin import check as check
from ros_mbmrl.plants.hexapod_twin import make as make_twin
from ros_mbmrl.robots import ROBOTS
from ros_mbmrl.robots.hexapod import Hexapod
from ros_mbmrl.robots.spec import Robot

NAME, PERIOD = "fast_hexapod", 0.02  # [s]
METHOD = "grbal"
# 64 x 3 controls the hexapod as well as 1000 x 10 does (docs/results.md, with less computation).
PARAMETERS = (
    f"/{NAME}/controller:\n  ros__parameters:\n    planner: {{num_samples: 64, horizon: 3}}\n"
)
PLUG_IN = f"""[ros_mbmrl.robots]
{NAME} = {__name__}:FastHexapod
[ros_mbmrl.plants]
{NAME}.twin = {__name__}
"""


LEGS = ("left_leg_velocity", "right_leg_velocity")
SHARE = Hexapod.spec.period / PERIOD


class FastHexapod(Hexapod):
    """A hexapod that is commanded every 20 ms.

    Leg speeds are differences of angles, so the jitter of their instants has more effect.
    """

    spec = replace(
        Hexapod.spec,
        name=NAME,
        period=PERIOD,
        envelope=replace(
            Hexapod.spec.envelope,
            state_range={
                name: (SHARE * low, SHARE * high) if name in LEGS else (low, high)
                for name, (low, high) in Hexapod.spec.envelope.state_range.items()
            },
        ),
    )


def make(robot: Robot, options: PlantOptions) -> Plant:
    """Return the hexapod's twin. Raises UserError."""
    return make_twin(Hexapod(), options)


@contextmanager
def plugged(folder: Path) -> Iterator[None]:
    """Make the robot known to this process and its children; `folder` is written."""
    info = folder / "fast_hexapod-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fast-hexapod\nVersion: 0\n")
    (info / "entry_points.txt").write_text(PLUG_IN)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), before)))
    ROBOTS[NAME], PLANTS[f"{NAME}.twin"] = f"{__name__}:FastHexapod", Known(__name__)
    try:
        yield
    finally:
        del ROBOTS[NAME], PLANTS[f"{NAME}.twin"]
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def write_model(folder: Path, hidden: tuple[int, ...], activation: str, seed: int) -> None:
    """Write an untrained model of the robot, because only its computing time matters."""
    from torch import Generator

    from ros_mbmrl.adaptation import make_rule
    from ros_mbmrl.bench.problem import make_problem
    from ros_mbmrl.dynamics.files import save_model
    from ros_mbmrl.dynamics.model import DynamicsModel

    generator = Generator().manual_seed(seed)
    problem = make_problem(hidden, activation, generator)
    mlp, options = problem.model.mlp, {"steps": 1}
    own = make_rule(METHOD, options).init(mlp, problem.parameters, generator)
    save_model(
        folder,
        DynamicsModel(FastHexapod(), mlp, problem.model.normalizer),
        {**problem.parameters, **own},
        {"method": METHOD, "options": options, "adapt_window": 16},
    )
