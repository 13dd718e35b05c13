"""Compiled MuJoCo models of one kind of robot, which all environments of a process can share."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.simulated import make_simulation
from ros_mbmrl.simulation.simulated.base import Simulation
from ros_mbmrl.simulation.situations import Factors, RandomParameters, Situation, Terrain

PHYSICS = mujoco.mjtState.mjSTATE_FULLPHYSICS  # time, qpos, qvel, ...
KEPT = 128  # models, of half a megabyte each at most


@dataclass(frozen=True)
class Compiled:
    """A model, and the full state of MuJoCo (PHYSICS) that it begins with."""

    model: mujoco.MjModel
    state: Array


class Models:
    """One model for every terrain, physics, parameters, and set of faults that change it.

    Args:
        simulation: of the robot.
        size: how many are kept: those asked for last.
    """

    def __init__(self, simulation: Simulation, size: int = KEPT) -> None:
        self.simulation = simulation
        self._get = lru_cache(size)(self._compile)

    @property
    def compilations(self) -> int:
        """Number of models that had to be made so far."""
        return self._get.cache_info().misses

    def get(self, situation: Situation, broken: frozenset[str] = frozenset()) -> Compiled:
        """Return the model of a robot in `situation`, with the faults `broken` that change it."""
        return self._get(situation.terrain, situation.physics, situation.parameters, broken)

    def _compile(
        self,
        terrain: Terrain,
        physics: Factors,
        parameters: RandomParameters | None,
        broken: frozenset[str],
    ) -> Compiled:
        if broken:
            model = copy.copy(self._get(terrain, physics, parameters, frozenset()).model)
            self.simulation.wreck(model, broken)
        elif parameters is not None:
            model = copy.copy(self._get(terrain, physics, None, frozenset()).model)
            self.simulation.randomise(model, parameters)
        else:
            model = self.simulation.model(terrain, physics)
        state = np.empty(mujoco.mj_stateSize(model, PHYSICS))
        mujoco.mj_getState(model, mujoco.MjData(model), state, PHYSICS)
        return Compiled(model, state)


def models_of(robot: str) -> Models:
    """Return models for the robot called `robot`. Raises UserError for one not simulated."""
    return Models(make_simulation(robot))
