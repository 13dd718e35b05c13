"""PhysicsAgent: MPPI in MuJoCo itself, where others plan in a learned model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.control_batch import Acted, cost_each, tasks_of
from ros_mbmrl.planning.batch import BatchMPPI
from ros_mbmrl.planning.mppi import MPPIConfig
from ros_mbmrl.planning.sampling import Limits, configure
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.robots.task import Task
from ros_mbmrl.simulation.situations import Factors, Situation
from ros_mbmrl.simulation.worlds import Worlds, make_worlds

# A robot as it would be modelled without data: every number a fifth off, no fault, on flat ground.
NOMINAL = Situation(physics=Factors(mass=1.2, friction=0.8, gear=0.8, damping=1.2))
# Far below what a network is given: every candidate is a simulation.
PLANNING: Mapping[str, Any] = {"num_samples": 64, "horizon": 10}


class PhysicsAgent:
    """Plans by simulating every candidate.

    believed: what its simulators are put into, whatever the robots are in. None: it plans in the
    very worlds that it acts in and knows what is broken now, though not what will be: no learned
    model can help the same planner to more. planning: parameters of MPPI by name.
    """

    def __init__(
        self,
        believed: Situation | None = NOMINAL,
        tasks: Callable[[Worlds], Sequence[Task]] = tasks_of,
        planning: Mapping[str, Any] | None = None,
    ) -> None:
        self._believed, self._make_tasks = believed, tasks
        self._config = configure(MPPIConfig, {**PLANNING, **(planning or {})})

    def begin(self, worlds: Worlds, seeds: Sequence[int]) -> None:
        """See `Agent.begin`."""
        spec, count = worlds.robot.spec, len(worlds)
        self._planner = BatchMPPI(Limits.of(spec), self._config)
        self._generators = [Generator().manual_seed(seed) for seed in seeds]
        self._tasks = list(self._make_tasks(worlds))
        self._start = self._planner.start(count)
        self._good = worlds.states()
        self._simulators = worlds
        if self._believed is not None:
            self._simulators = make_worlds(spec.name, [self._believed] * count, seeds)

    @torch.inference_mode()
    def act(self, states: Array) -> Acted:
        """See `Agent.act`."""
        finite = np.asarray(np.isfinite(states).all(axis=1))
        # In place of what is no state: the last one that was. What comes of it is not used.
        self._good = np.where(finite[:, None], states, self._good)
        if self._believed is not None:
            self._simulators.set_states(self._good)
        self._plans = self._planner.plan(
            self._imagine,
            cost_each(self._tasks, self._good, torch.device("cpu")),
            torch.as_tensor(self._good, dtype=torch.float32),
            self._start,
            self._generators,
            torch.as_tensor(finite),
        )
        zeros = np.zeros(len(states))
        actions = self._plans.actions[:, 0].numpy().astype(np.float64)
        return Acted(actions, zeros, zeros, zeros > 0, failed=~self._plans.found.numpy())

    def acted(self, actions: Array) -> None:
        """See `Agent.acted`."""
        self._start = self._plans.shifted(torch.as_tensor(actions, dtype=torch.float32))

    def _imagine(self, _: Tensor, actions: Tensor) -> Tensor:
        """From where the simulators are, in float64, whatever the planner's states say."""
        imagined = self._simulators.imagine(actions.numpy().astype(np.float64))
        return torch.as_tensor(imagined, dtype=torch.float32)
