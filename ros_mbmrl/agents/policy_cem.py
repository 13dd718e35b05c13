"""Planning on top of a policy at test time (thesis, section 7.4.4): CEM from the policy's own plan.

The first distribution is the policy's, rolled out in the model; a plan's end is worth what the
policy's critics say of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor

from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.planning.base import Cost, Deadline, Plan, Predict, WarmStart
from ros_mbmrl.planning.cem import CEM, CEMConfig
from ros_mbmrl.planning.sampling import Limits
from ros_mbmrl.planning.search import Search
from ros_mbmrl.policies.critics import TwinCritics
from ros_mbmrl.policies.imagined import commands_of
from ros_mbmrl.policies.squashed import SquashedPolicy
from ros_mbmrl.robots.spec import Robot

SHORT = CEMConfig(num_samples=100, horizon=5, correlation=0.0, held_fraction=0.0)


@dataclass(frozen=True)
class PolicyCEM:
    """A planner that refines what a policy would do; see `Planner`.

    Args:
        robot: that is planned for; it has no goal.
        policy, parameters: the policy.
        critics, critic_parameters: of it; None: nothing is known of what comes after a plan.
        config: of CEM; its `sigma` is not used, since the policy's deviation stands in its place.
    """

    robot: Robot
    policy: SquashedPolicy
    parameters: Parameters
    critics: TwinCritics | None = None
    critic_parameters: Parameters = field(default_factory=dict)
    config: CEMConfig = SHORT

    @torch.inference_mode()
    def plan(
        self,
        predict: Predict,
        cost: Cost,
        state: Tensor,
        reference: Tensor,
        warm_start: WarmStart,
        generator: Generator,
        deadline: Deadline | None = None,
    ) -> Plan:
        """See `Planner.plan`; of the previous plan only the last command counts."""

        def valued(states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
            return cost(states, actions, reference) - self.value(states[:, -1])

        limits = Limits.of(self.robot.spec)
        first = self.ahead(predict, state, limits, warm_start.previous)
        start = WarmStart(None, warm_start.previous)
        cem = _From(limits, self.config, first)
        return cem.plan(predict, valued, state, reference, start, generator, deadline)

    def ahead(self, predict: Predict, state: Tensor, limits: Limits, previous: Tensor) -> Search:
        """Return the policy's mean commands (H, da) in the model, and their deviations."""
        command, half = commands_of(self.robot.spec), limits.span / 2
        means, deviations = [], []
        for _ in range(self.config.horizon):
            seen = self.robot.observation(state)[None]
            raw, log_std = self.policy.moments(self.parameters, seen)
            action = torch.tanh(raw)
            # tanh's slope at the mean takes the deviation from before squashing to after it.
            deviations.append(half * (1.0 - action.square())[0] * log_std[0].exp())
            means.append(limits.enforce_(command(action), previous)[0])
            previous = means[-1]
            state = predict(state[None], previous[None, None])[0, -1].clone()
        std = torch.stack(deviations).maximum(self.config.min_sigma * limits.span)
        return Search(torch.stack(means), std)

    def value(self, states: Tensor) -> Tensor:
        """Return the least critic's value (K,) of states (K, ds) and the policy's mean action."""
        if self.critics is None:
            return torch.zeros(len(states))
        seen = self.robot.observation(states)
        actions = self.policy.means(self.parameters, seen)
        return self.critics.least(self.critic_parameters, seen, actions)


class _From(CEM):
    """CEM from a given distribution."""

    def __init__(self, limits: Limits, config: CEMConfig, first: Search) -> None:
        super().__init__(limits, config)
        self._first = first

    def start(self, previous: Tensor | None) -> Search:
        """See `SamplingPlanner.start`."""
        return self._first
