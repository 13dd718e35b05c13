"""PolicyAgent: a trained policy, adapted to each robot first if it is one that adapts."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ros_mbmrl.agents.base import Action, Context
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.files import LoadedPolicy
from ros_mbmrl.policies.sampling import to_commands
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.environment import observe


class PolicyAgent:
    """Takes a policy's mean action: the noise was for exploring.

    Args:
        loaded: the policy.
        practise: of a policy that adapts: what it does before a run, which returns the
            parameters of each robot.
    """

    def __init__(
        self, loaded: LoadedPolicy, practise: Callable[[Context], Parameters] | None = None
    ) -> None:
        if loaded.inner is not None and practise is None:
            raise ValueError("expected a way to practise: this policy adapts before it acts")
        self._loaded, self._practise = loaded, practise
        self._parameters = loaded.parameters

    def begin(self, context: Context) -> None:
        """See `Agent.begin`."""
        self._robot, self._goals = context.robot, context.goals
        if self._loaded.inner is not None and self._practise is not None:
            self._parameters = self._practise(context)

    @torch.no_grad()
    def act(self, states: Array, time: float) -> Action:
        """See `Agent.act`."""
        seen = torch.from_numpy(observe(self._robot, states, self._goals))[:, None]
        actions = self._loaded.policy.means(self._parameters, seen)[:, 0]
        return Action(to_commands(self._robot.spec, actions.numpy().astype(float)))

    def acted(self, commands: Array) -> None:
        """See `Agent.acted`: what was sent changes nothing."""
