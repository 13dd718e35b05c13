"""Plasticity of a meta-learned policy beside disagreement of its models: thesis, figure 11."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.imagination import EPS_RAND, Imagination
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.mb_mpo import adapt_to_models
from ros_mbmrl.learning.policies.mb_mpo_config import MBMPOConfig
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy, as_gaussian, for_tasks
from ros_mbmrl.policies.imagined import commands_of, imagine_episodes, reward_in
from ros_mbmrl.policies.sampling import Episodes, Tasks
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.robots.spec import Array


@dataclass(frozen=True)
class Plasticity:
    """Change of a policy by adaptation at n states, and the disagreement of its models there.

    states: (n, ds). divergence: KL(pi_theta || pi_theta'_k), a mean over the models (n,).
    disagreement: deviation of the models' predicted changes, as the root of the sum of their
    variances (n,). distance: norm of theta'_k - theta (K,).
    """

    states: Array
    divergence: Array
    disagreement: Array
    distance: Array

    @property
    def correlation(self) -> float:
        """Return Pearson's correlation of divergence and disagreement over the states."""
        return float(np.corrcoef(self.divergence, self.disagreement)[0, 1])


def plasticity_of(
    tasks: Tasks, config: MBMPOConfig, trained: TrainedPolicy, states: Array, seed: int = 0
) -> Plasticity:
    """Adapt a trained policy to each of its models, and compare it with itself at `states`.

    Args:
        tasks: that it was trained on, in whose states imagined episodes begin.
        config: that it was trained with.
        trained: with the models that it learned in.
        states: to look at (n, ds).
        seed: of what is imagined.

    Raises:
        UserError: it did not learn in models.
    """
    if trained.model is None:
        raise UserError("plasticity: expected a policy with the models that it learned in")
    rng, generator = np.random.default_rng(seed), Generator().manual_seed(seed)
    begin = tasks.make(*tasks.drawn(rng, config.rows)).states()
    starts = torch.as_tensor(begin, dtype=torch.float32)
    imagination = Imagination.of(*trained.model, EPS_RAND)
    members = torch.arange(config.tasks).repeat_interleave(config.rows // config.tasks)
    shape = config.rows, config.horizon, len(tasks.robot.spec.action)
    noise = torch.randn(shape, generator=generator)
    policy, reward = as_gaussian(trained.policy), reward_in(tasks)

    @torch.no_grad()
    def imagine(parameters: Parameters) -> Episodes:
        own = (policy, parameters, imagination, reward, starts, noise)
        return imagine_episodes(*own, generator, members, tasks.ended)

    own = (policy, trained.parameters)
    adapted = adapt_to_models(*own, imagine, config.tasks, config.adaptation).parameters
    return compared(*own, adapted, *trained.model, torch.as_tensor(states, dtype=torch.float32))


@torch.no_grad()
def compared(
    policy: GaussianPolicy,
    parameters: Parameters,
    adapted: Parameters,
    model: DynamicsModel,
    fitted: Parameters,
    states: Tensor,
) -> Plasticity:
    """Compare a policy with what it is adapted to, (K, ...), at states (n, ds).

    model, fitted: the models and their parameters; they predict for the policy's mean actions.
    """
    count = len(adapted["log_std"])
    seen = model.robot.observation(states)
    each = seen.expand(count, *seen.shape)
    divergence = policy.divergence(for_tasks(parameters, count), adapted, each).mean(dim=0)
    actions = commands_of(model.robot.spec)(policy.means(parameters, seen))
    found = model.moments(fitted, model.mlp.no_update, states[None], actions[None])
    assert found.disagreement is not None  # of an ensemble
    apart = [(adapted[name] - parameters[name]).flatten(1) for name in parameters]
    return Plasticity(
        states.double().numpy(),
        divergence.double().numpy(),
        found.disagreement[0].sum(dim=-1).sqrt().double().numpy(),
        torch.cat(apart, dim=1).norm(dim=1).double().numpy(),
    )


def grid(reach: float, points: int) -> Array:
    """Return the states (points^2, 2) of a grid over the square within +-`reach` of the origin."""
    axis = np.linspace(-reach, reach, points)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
