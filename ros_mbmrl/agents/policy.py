"""PolicyAgent: a trained policy, adapted to each robot first if it is one that adapts.

ExploringAgent: a policy that gathers data with noise on its actions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.agents.base import Action, Context
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.files import LoadedPolicy
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import noise_of, to_commands
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.robots.task import rewards_each
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
        """See `Agent.begin`; nothing is remembered of a run before."""
        self._robot, self._goals, self._tasks = context.robot, context.goals, context.tasks
        generators = [torch.Generator().manual_seed(seed) for seed in context.seeds]
        self._memory = self._loaded.memory(context.robot.spec, generators)
        if self._loaded.inner is not None and self._practise is not None:
            self._parameters = self._practise(context)

    @torch.no_grad()
    def act(self, states: Array, time: float) -> Action:
        """See `Agent.act`."""
        observation = torch.from_numpy(observe(self._robot, states, self._goals))
        seen = self._memory.seen(observation, partial(self._rewards, states), states)[:, None]
        self._states = states
        actions = self._loaded.policy.means(self._parameters, seen)[:, 0]
        # In float32, as `PolicyPlanner` plans: to the bit the commands of the running graph.
        commands = to_commands(self._robot.spec, actions.numpy()).astype(np.float32)
        return Action(commands.astype(float))

    def acted(self, commands: Array) -> None:
        """See `Agent.acted`: a history tells what was really sent."""
        self._memory.acted(commands)

    def _rewards(self, states: Array, commands: Array) -> Array:
        """Return the rewards (N,) of commands (N, da) that led to states (N, ds)."""
        return rewards_each(self._tasks, self._states, commands, states)


class ExploringAgent:
    """Samples a policy's actions, with parameters of its own for each robot.

    Args:
        policy: acts.
        parameters: of N robots, (N, ...) each.
        steps: of a run at most.
        known: (N, dz), what the policy knows of each robot's task, seen after the observation;
            None: nothing.
    """

    def __init__(
        self,
        policy: GaussianPolicy,
        parameters: Parameters,
        steps: int,
        known: Tensor | None = None,
    ) -> None:
        self._policy, self._parameters, self._steps = policy, parameters, steps
        self._known = known

    def begin(self, context: Context) -> None:
        """See `Agent.begin`."""
        self._robot, self._goals = context.robot, context.goals
        actions = len(context.robot.spec.action)
        self._noise = noise_of(context.seeds, self._steps, actions).unbind(1)
        self._next = 0

    @torch.no_grad()
    def act(self, states: Array, time: float) -> Action:
        """See `Agent.act`."""
        observed = torch.from_numpy(observe(self._robot, states, self._goals))
        seen = self._policy.seen(observed, self._known)[:, None]
        noise = self._noise[self._next][:, None]
        self._next += 1
        actions = self._policy.sample(self._parameters, seen, noise)[:, 0]
        return Action(to_commands(self._robot.spec, actions.numpy().astype(float)))

    def acted(self, commands: Array) -> None:
        """See `Agent.acted`: what was sent changes nothing."""
