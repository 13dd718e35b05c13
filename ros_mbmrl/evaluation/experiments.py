"""Closed-loop experiments as data: conditions, paths and methods; each cell is one episode.

Everything that is chosen (training settings, cost weights, planner, guard) is chosen on
`hexapod-validation`; the other experiments are only for reports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ros_mbmrl.episodes.scenario import Scenario
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.methods.built_in import BASELINE, CAUSES
from ros_mbmrl.robots.paths import PATHS, SPEED, make_path
from ros_mbmrl.simulation.calibration import make_terrain
from ros_mbmrl.simulation.faults import VALIDATION_FAULTS, Fault
from ros_mbmrl.simulation.randomisation import LOUD, NONE, QUIET, Randomisation


@dataclass(frozen=True)
class Condition:
    """Terrain and fault of an episode. onset: when the fault begins, as a share of the episode."""

    name: str
    terrain: str = "carpet"
    fault: str = "none"
    onset: float = 0.0

    def __post_init__(self) -> None:
        make_terrain(self.terrain)
        Fault(self.fault)
        if not 0 <= self.onset < 1:
            raise ValueError(f"onset of {self.name}: expected in [0, 1), got {self.onset}")


@dataclass(frozen=True)
class Experiment:
    """Every method on every condition, path and seed, each cell with a robot drawn for it."""

    name: str
    title: str
    conditions: tuple[Condition, ...]
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    randomisation: Randomisation = NONE
    robot: str = "hexapod"

    def __post_init__(self) -> None:
        for path in self.paths:
            choose("path", path, PATHS)
        if len({condition.name for condition in self.conditions}) < len(self.conditions):
            raise ValueError(f"{self.name}: two conditions of the same name")


@dataclass(frozen=True)
class Cell:
    """One episode of an experiment, without a method. after: time from which it counts [s]."""

    condition: str
    scenario: Scenario
    after: float


def cells(experiment: Experiment, seeds: int, first_seed: int, duration: float) -> tuple[Cell, ...]:
    """Return all episodes of an experiment, the same for every method, hence paired.

    Args:
        experiment: to run.
        seeds, first_seed: number of seeds, and the first one.
        duration: longest episode [s].

    Raises:
        UserError: less than one seed, a negative seed, a duration below a second.
    """
    if seeds < 1 or first_seed < 0:
        raise UserError(f"expected seeds >= 1, first seed >= 0, got {seeds} and {first_seed}")
    if not 1 <= duration < float("inf"):
        raise UserError(f"duration: expected at least 1 second, got {duration:g}")
    return tuple(
        _cell(experiment, condition, path, seed, duration)
        for seed in range(first_seed, first_seed + seeds)
        for condition in experiment.conditions
        for path in experiment.paths
    )


def _cell(
    experiment: Experiment, condition: Condition, path: str, seed: int, duration: float
) -> Cell:
    # The fault must begin before the path ends, even if that is before the time is over.
    lasts = min(duration, make_path(path).length / SPEED)
    fault = Fault(condition.fault, condition.onset * lasts)
    # Every cell has its own robot, so that pairs of episodes are independent of each other.
    rng = np.random.default_rng([seed, *f"{condition.name}/{path}".encode()])
    physics = experiment.randomisation.sample(rng)
    scenario = Scenario(path, condition.terrain, fault, physics, duration, seed)
    return Cell(condition.name, scenario, fault.seconds)


def _terrains(names: Sequence[str]) -> tuple[Condition, ...]:
    return tuple(Condition(name, terrain=name) for name in names)


def _faults(names: Sequence[str]) -> tuple[Condition, ...]:
    return tuple(Condition(name, fault=name) for name in names)


METHODS = (
    BASELINE,
    "mb_de",
    "residual",
    "grbal",
    "rebal",
    "context",
    "context_de",
    "bayes_context",
    "bayes_context_de",
    "leaky_context",
    "leaky_context_de",
    "last_layer",
    "kalman_last_layer",
    "bayes_context_ll",
    CAUSES,
)

TEST_FAULTS = (
    *_faults(("leg_left_middle", "yaw_offset", "payload", "slope")),
    Condition("leg_lost_midrun", fault="leg_left_middle", onset=0.5),
    *_faults(("weak_left",)),
)

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        experiment.name: experiment
        for experiment in (
            # Table 2 of the thesis, and gravel. One robot, as there.
            Experiment(
                "hexapod-terrains",
                "Hexapod twin on terrains, nothing broken",
                _terrains(("carpet", "styrofoam", "turf", "gravel")),
                ("straight", "left", "zigzag", "figure8"),
                METHODS,
            ),
            # Figures 34 and 35 of the thesis, a leg lost during the run, and a weak motor.
            Experiment(
                "hexapod-ood",
                "Hexapod twin with faults that no model was trained on",
                TEST_FAULTS,
                ("figure8", "zigzag"),
                METHODS,
                LOUD,
            ),
            Experiment(
                "hexapod-ood-quiet",
                "The same faults, with a tenth of the real robot's noise",
                TEST_FAULTS,
                ("figure8", "zigzag"),
                METHODS,
                QUIET,
            ),
            # Other faults of the same kinds, for the choice of settings; little noise, for a sure
            # choice.
            Experiment(
                "hexapod-validation",
                "Hexapod twin with faults to choose settings on",
                _faults((*VALIDATION_FAULTS, "yaw_offset_small", "slope_small", "payload_small")),
                ("figure8", "zigzag"),
                METHODS,
                QUIET,
            ),
        )
    }
)


def make_experiment(name: str) -> Experiment:
    """Return the experiment called `name`. Raises UserError for an unknown name."""
    choose("experiment", name, EXPERIMENTS)
    return EXPERIMENTS[name]


def opponents(
    present: Sequence[str], known: Sequence[str], versus: Sequence[str]
) -> tuple[str, ...]:
    """Return those of `versus` that take part. Raises UserError for an unknown one.

    Args:
        present: methods that take part.
        known: others that can be named.
        versus: names of opponents.
    """
    for name in versus:
        choose("opponent", name, {*present, *known, *METHODS})
    return tuple(name for name in dict.fromkeys(versus) if name in present)
