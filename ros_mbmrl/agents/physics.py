"""PhysicsAgent: plans in MuJoCo itself, where others plan in a learned model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.agents.base import Action, Context
from ros_mbmrl.planning.batch import make_batch_planner
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.robots.task import cost_each

CPU = torch.device("cpu")
# Far below what a network is given: every candidate is a simulation.
PLANNING: Mapping[str, Any] = MappingProxyType({"num_samples": 64, "horizon": 10})


class Simulator(Protocol):
    """N simulated robots that can be asked what would become of them."""

    def states(self) -> Array:
        """True states (N, ds)."""

    def set_states(self, states: Array) -> None:
        """Put the robots into states (N, ds)."""

    def imagine(self, actions: Array) -> Array:
        """Simulate plans (N, K, H, da) from where they are: states (N, K, H + 1, ds)."""


class PhysicsAgent:
    """Plans by simulating every candidate.

    Args:
        make: makes the simulators, at the beginning of a run.
        follows: whether they are put into each state that is acted in. False of simulators that
            are the very robots: what is broken in those now is known, though not what will be, so
            that no learned model can help the same planner to more.
        planning: parameters of the planner by name.
        controller: name of the planner, one that searches by sampling.
    """

    def __init__(
        self,
        make: Callable[[Context], Simulator],
        follows: bool = True,
        planning: Mapping[str, Any] | None = None,
        controller: str = "mppi",
    ) -> None:
        self._make, self._follows = make, follows
        self._controller, self._planning = controller, {**PLANNING, **(planning or {})}

    def begin(self, context: Context) -> None:
        """See `Agent.begin`."""
        spec = context.robot.spec
        self._planner = make_batch_planner(self._controller, spec, self._planning, CPU)
        self._generators = [Generator().manual_seed(seed) for seed in context.seeds]
        self._tasks = context.tasks
        self._start = self._planner.start(len(context))
        self._simulators = self._make(context)
        self._good = self._simulators.states()

    @torch.inference_mode()
    def act(self, states: Array, time: float) -> Action:
        """See `Agent.act`."""
        finite = np.asarray(np.isfinite(states).all(axis=1))
        # In place of what is no state: the last one that was. What comes of it is not used.
        self._good = np.where(finite[:, None], states, self._good)
        if self._follows:
            self._simulators.set_states(self._good)
        self._plans = self._planner.plan(
            self._imagine,
            cost_each(self._tasks, self._good, CPU),
            torch.as_tensor(self._good, dtype=torch.float32),
            self._start,
            self._generators,
            torch.as_tensor(finite),
        )
        commands = self._plans.actions[:, 0].numpy().astype(np.float64)
        return Action(commands, failed=~self._plans.found.numpy())

    def acted(self, commands: Array) -> None:
        """See `Agent.acted`."""
        self._start = self._plans.shifted(torch.as_tensor(commands, dtype=torch.float32))

    def _imagine(self, _: Tensor, actions: Tensor) -> Tensor:
        """From where the simulators are, in float64, whatever the planner's states say."""
        imagined = self._simulators.imagine(actions.numpy().astype(np.float64))
        return torch.as_tensor(imagined, dtype=torch.float32)
