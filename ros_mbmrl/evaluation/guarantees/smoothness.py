"""Estimates of Lipschitz constants of a model, a policy and a reward, at states of real data.

They are the largest derivatives there, and so at most the constants that theorems ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ros_mbmrl.dynamics.world_model import AdaptedModel
from ros_mbmrl.policies.imagined import Reward


@dataclass(frozen=True)
class Constants:
    """Lipschitz constants in the distances |s - s'| + |a - a'|.

    States are in deviations of the data, actions in units of the robot's range.

    Args:
        model: K_m, of the next state in (s, a).
        policy: K_pi, of s -> (s, pi(s)): 1 more than that of the policy.
        reward: K_r, of the reward in (s, a), the next state being the model's.
        loop: of the closed loop s -> s', by which a change of a state can grow in a step.
    """

    model: float
    policy: float
    reward: float
    loop: float


@dataclass(frozen=True)
class Scaled:
    """A model, a policy and a reward in units without dimension.

    Args:
        world: moves states.
        act: actions (B, da) from -1 to 1 in observations (B, do), noise included.
        command: commands for actions.
        reward: of a control period.
        scale: deviations of the state (ds,).
    """

    world: AdaptedModel
    act: Callable[[Tensor], Tensor]
    command: Callable[[Tensor], Tensor]
    reward: Reward
    scale: Tensor

    def policy(self, states: Tensor) -> Tensor:
        """Return actions (B, da) in scaled states (B, ds)."""
        return self.act(self.world.robot.observation(states * self.scale))

    def moved(self, states: Tensor, actions: Tensor) -> Tensor:
        """Return the next scaled states (B, ds)."""
        raw = states * self.scale
        change = self.world.predict(raw, self.command(actions)).mean
        return self.world.robot.advance(raw, change) / self.scale

    def paid(self, states: Tensor, actions: Tensor) -> Tensor:
        """Return the rewards (B,), the next state being the model's."""
        reached = self.moved(states, actions) * self.scale
        return self.reward(states * self.scale, self.command(actions), reached)


def constants(scaled: Scaled, states: Tensor) -> Constants:
    """Return the largest derivatives at states (B, ds) under the policy's actions."""
    at = states / scaled.scale
    actions = scaled.policy(at).detach()
    reached_s, reached_a = jacobian(lambda s, a: scaled.moved(s, a), at, actions)
    paid_s, paid_a = jacobian(lambda s, a: scaled.paid(s, a)[:, None], at, actions)
    (acted,) = jacobian(lambda s: scaled.policy(s), at)
    loop = reached_s + reached_a @ acted
    return Constants(
        max(norm(reached_s), norm(reached_a)),
        1 + norm(acted),
        max(norm(paid_s), norm(paid_a)),
        norm(loop),
    )


def jacobian(function: Callable[..., Tensor], *inputs: Tensor) -> list[Tensor]:
    """Return the derivatives (B, outputs, inputs) of a function of rows by each of its inputs."""
    live = [each.detach().clone().requires_grad_() for each in inputs]
    outputs = function(*live)
    rows = []
    for k in range(outputs.shape[-1]):
        found = torch.autograd.grad(
            outputs[:, k].sum(), live, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        rows.append(found)
    return [torch.stack(each, dim=1) for each in zip(*rows, strict=True)]


def norm(derivatives: Tensor) -> float:
    """Return the largest spectral norm of matrices (B, outputs, inputs)."""
    return float(torch.linalg.matrix_norm(derivatives, ord=2).max())
