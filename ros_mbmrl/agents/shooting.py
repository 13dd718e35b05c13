"""ShootingAgent: plans in models that have seen a context, and learns nothing while it runs.

"Each dynamics model after adaptation is used to plan separately" (Wang and van Hoof, section 5):
so L2A acts, whose models a gradient step on a context has adapted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.agents.base import Action, Context
from ros_mbmrl.dynamics.latent.base import Conditioned
from ros_mbmrl.planning.batch import PredictEach, make_batch_planner
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.robots.task import cost_each


@dataclass(frozen=True)
class ShootingConfig:
    """Settings of random shooting.

    candidates: plans that are compared. horizon: control periods of a plan.
    """

    candidates: int = 200
    horizon: int = 15

    def __post_init__(self) -> None:
        if self.candidates < 1 or self.horizon < 1:
            raise ValueError(
                f"candidates, horizon: expected at least 1, got {self.candidates}, {self.horizon}"
            )


class ShootingAgent:
    """Random shooting for N robots, each in the model of its own context.

    Args:
        conditioned: the models of N robots.
        config: of the planner.
    """

    def __init__(self, conditioned: Conditioned, config: ShootingConfig) -> None:
        self._conditioned, self._config = conditioned, config

    def begin(self, context: Context) -> None:
        """See `Agent.begin`."""
        own = {"num_samples": self._config.candidates, "horizon": self._config.horizon}
        place = torch.device("cpu")
        self._planner = make_batch_planner("random_shooting", context.robot.spec, own, place)
        self._generators = [Generator().manual_seed(seed) for seed in context.seeds]
        self._drawn = Generator().manual_seed(context.seeds[0])
        self._tasks, self._start = context.tasks, self._planner.start(len(context))

    @torch.inference_mode()
    def act(self, states: Array, time: float) -> Action:
        """See `Agent.act`."""
        now = torch.as_tensor(states, dtype=torch.float32)
        predict = rolled(self._conditioned, self._drawn)
        cost = cost_each(self._tasks, states, torch.device("cpu"))
        wanted = torch.ones(len(now), dtype=torch.bool)
        own = (predict, cost, now, self._start, self._generators, wanted)
        self._plans = self._planner.plan(*own)
        actions = self._plans.actions[:, 0].numpy().astype(np.float64)
        return Action(actions, failed=~self._plans.found.numpy())

    def acted(self, commands: Array) -> None:
        """See `Agent.acted`."""
        self._start = self._plans.shifted(torch.as_tensor(commands, dtype=torch.float32))


def rolled(conditioned: Conditioned, generator: Generator) -> PredictEach:
    """Return the roll-outs of plans, each by a particle of its own."""

    def predict(states: Tensor, actions: Tensor) -> Tensor:
        count, horizon = actions.shape[1:3]
        world = conditioned.sampled(generator, count)
        visited = [states[:, None].expand(-1, count, -1)]
        for k in range(horizon):
            visited.append(world(visited[-1], actions[:, :, k]))
        return torch.stack(visited, dim=2)

    return predict
