"""Remembering: the histories of N robots while they run, for a policy that sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.mlp_policy import MLPPolicy
from ros_mbmrl.policies.sampling import Episodes, run_chosen, to_actions, to_commands
from ros_mbmrl.policies.with_history import HistoryPolicy
from ros_mbmrl.robots.spec import Array, RobotSpec

if TYPE_CHECKING:
    from ros_mbmrl.simulation.environment import Environment

# (commands that were sent (N, da)) -> rewards (N,) of the period that has just ended
Rewards = Callable[[Array], Array]


class Memory(Protocol):
    """Holds the past of N robots, and gives their policy what it sees of it."""

    def acted(self, commands: Array) -> None:
        """Take in the commands (N, da) that were really sent."""

    def seen(self, observations: Tensor, rewards: Rewards, states: Array) -> Tensor:
        """Return what the policy is given of observations (N, do), float32.

        Args:
            observations: of now, a period after those before.
            rewards: see `Rewards`.
            states: (N, ds), of now.
        """


class Remembering:
    """Holds the last transitions of each robot, and completes them as the run goes on.

    A policy without a history is given its observations as they are.

    Args:
        policy: whose memory it is.
        spec: of the robots.
        count: of them, N. Episodes begin.
    """

    def __init__(self, policy: MLPPolicy, spec: RobotSpec, count: int) -> None:
        self._policy = policy if isinstance(policy, HistoryPolicy) else None
        self._spec, self._memory = spec, policy.first_memory(count)
        self._last: Tensor | None = None  # observations of the period before
        self._sent: Array | None = None

    def acted(self, commands: Array) -> None:
        """See `Memory.acted`."""
        self._sent = np.array(commands)

    def seen(self, observations: Tensor, rewards: Rewards, states: Array | None = None) -> Tensor:
        """See `Memory.seen`; rewards are asked only where the history tells them, states never."""
        if self._policy is None:
            return observations
        assert self._memory is not None
        if self._last is not None and self._sent is not None:
            actions = torch.as_tensor(to_actions(self._spec, self._sent), dtype=torch.float32)
            paid = rewards(self._sent) if self._policy.layout.rewards else np.zeros(len(actions))
            told = self._last, actions, torch.as_tensor(paid, dtype=torch.float32)
            self._memory = self._policy.remembered(self._memory, *told)
        self._last, self._sent = observations, None
        return torch.cat([observations, self._memory], dim=-1)


def mean_episodes(
    policy: MLPPolicy, parameters: Parameters, environment: Environment, steps: int
) -> Episodes:
    """Run an episode of one policy's mean action in each of N rows, which are N tasks.

    Nothing is drawn: log-probabilities are 0. A policy that sees its history is told the rewards
    that the environment pays.
    """
    spec = environment.robot.spec
    memory = Remembering(policy, spec, len(environment))

    def choose(seen: Tensor, rewards: Array) -> tuple[Tensor, Tensor]:
        observed = memory.seen(seen[:, 0], lambda _: rewards)
        actions = policy.means(parameters, observed)[:, None]
        memory.acted(to_commands(spec, actions[:, 0].numpy().astype(float)))
        return actions, torch.zeros(seen.shape[:-1])

    return run_chosen(choose, environment, len(environment), steps)
