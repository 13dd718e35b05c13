"""All inputs of the bounds, estimated from a run."""

from __future__ import annotations

from functools import partial

import torch
from torch import Generator, Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.guarantees.bounds import Estimates
from ros_mbmrl.evaluation.guarantees.model_error import model_error
from ros_mbmrl.evaluation.guarantees.policy_divergence import (
    behaviour_policy,
    gaussian_of,
    policy_divergence,
)
from ros_mbmrl.evaluation.guarantees.smoothness import Scaled, constants
from ros_mbmrl.evaluation.guarantees.trained_run import TrainedRun
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.imagined import commands_of, going
from ros_mbmrl.policies.mlp_policy import MLPPolicy
from ros_mbmrl.policies.squashed import SquashedPolicy
from ros_mbmrl.theory.total_variation import check_horizon

STATES = 256  # at which derivatives are taken, and from which returns are imagined at most
STILL = 1e-6  # a state that does not change in the data is not scaled


def estimate(
    run: TrainedRun, horizon: int, noise: float, discount: float | None, seed: int
) -> Estimates:
    """Return the inputs of the bounds.

    Args:
        run: trained policy, model and data.
        horizon: length k of branched roll-outs.
        noise: of the system, see `variations`.
        discount: gamma; None: the training's.
        seed: of all that is drawn.

    Raises:
        UserError: a horizon beyond the data, or a discount that no bound holds for.
    """
    generator, robot = Generator().manual_seed(seed), run.tasks.robot
    gamma = run.discount if discount is None else discount
    try:
        check_horizon(horizon, run.longest)
    except ValueError as error:
        raise UserError(str(error)) from None
    states, policy = run.states(), run.policy.policy
    observations, scale = robot.observation(states), scale_of(states)
    behaviour = behaviour_policy(policy, observations, run.actions(), generator)
    wrong = model_error(
        run.model.model,
        run.model.parameters,
        run.data.training,
        run.data.held,
        noise,
        scale,
    )
    rows = torch.randint(len(states), (STATES,), generator=generator)
    drawn = torch.randn(STATES, len(robot.spec.action), generator=generator)
    act = partial(actions_of, policy, run.policy.parameters, noise=drawn)
    scaled = Scaled(run.world, act, commands_of(robot.spec), run.reward, scale)
    found = Estimates(
        gamma,
        float(torch.cat(run.rewards()).abs().max()),
        horizon,
        wrong,
        policy_divergence(policy, behaviour, run.policy.parameters, observations),
        constants(scaled, states[rows]),
        imagined_return(run, gamma, generator),
        noise,
    )
    try:
        _ = found.problem
    except ValueError as error:
        raise UserError(str(error)) from None
    return found


def scale_of(states: Tensor) -> Tensor:
    """Return the deviations (ds,) of states (M, ds), 1 for one that stays the same."""
    deviation = states.std(dim=0, correction=0)
    return torch.where(deviation > STILL, deviation, torch.ones_like(deviation))


def actions_of(
    policy: MLPPolicy, parameters: Parameters, observations: Tensor, noise: Tensor
) -> Tensor:
    """Return the actions (B, da) of a policy from standard normal noise (B, da)."""
    mean, log_std = gaussian_of(policy, parameters, observations)
    raw = mean + log_std.exp() * noise
    return raw.tanh() if isinstance(policy, SquashedPolicy) else raw


@torch.no_grad()
def imagined_return(run: TrainedRun, discount: float, generator: Generator) -> float:
    """Return the mean discounted return of the policy in the model, as long as real episodes.

    Episodes whose states are not finite in the end are left out.

    Raises:
        UserError: none is finite.
    """
    robot, command = run.tasks.robot, commands_of(run.tasks.robot.spec)
    starts = run.starts()[:STATES]

    def choose(states: Tensor, step: int) -> Tensor:
        noise = torch.randn(len(states), len(robot.spec.action), generator=generator)
        seen = robot.observation(states)
        return command(actions_of(run.policy.policy, run.policy.parameters, seen, noise))

    states, sent = run.world.follow(starts, choose, run.longest)
    pairs = (each.flatten(0, 1) for each in (states[:, :-1], sent, states[:, 1:]))
    rewards = run.reward(*pairs).view(len(starts), -1)
    if run.tasks.ended is not None:
        rewards = rewards * going(states, run.tasks.ended)
    returns = rewards @ discount ** torch.arange(rewards.shape[1])
    finite = returns[returns.isfinite()]
    if not len(finite):
        raise UserError("model: its roll-outs under the policy are not finite")
    return float(finite.mean())
