"""Learn a value function from a robot's own runs: TD(lambda), Sutton and Barto 2018, section 12.1.

The values are of the policy that made the runs: a planner with the models of the last rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.data import dataset
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.value import ValueFunction
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.ensemble import Ensemble, stacked
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.robots.task import Task, is_stationary, rewards_each


@dataclass(frozen=True)
class ValueConfig:
    """Settings of a fit.

    discount: gamma of one control period. trace: lambda of the returns. rounds: how many of the
    last ones are fitted to; runs of older models say less of what the planner can do now. sweeps:
    how often the returns are computed anew, each with the values so far. steps: of the optimiser,
    in all. rows: states a step. hidden, members: of the networks.
    """

    discount: float = 0.98
    trace: float = 0.9
    rounds: int = 6
    sweeps: int = 4
    steps: int = 1200
    rows: int = 256
    hidden: tuple[int, ...] = (128, 128)
    members: int = 4
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3

    def __post_init__(self) -> None:
        for name in ("discount", "trace"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name}: expected 0 up to less than 1, got {getattr(self, name)}")
        for name in ("rounds", "sweeps", "steps", "rows"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")


def value_of_rounds(
    robot: Robot, task: Task, rounds: Sequence[Path], seed: int, before: ValueFunction | None
) -> ValueFunction | None:
    """Return the value function of the last ones of some rounds of Algorithm 9; None without any.

    Args:
        robot: of the rounds.
        task: which gives the rewards.
        rounds: data sets, of robots that planned: random commands say nothing of what a planner
            can do.
        seed: see `fit_value`.
        before: the values of the round before.

    Raises:
        UserError: see `fit_value`.
    """
    config = ValueConfig()
    if not rounds:
        return before
    rollouts = dataset.load(rounds[-config.rounds :])
    return fit_value(robot, task, rollouts, config, seed, before)


def mean_return(task: Task, rollouts: Sequence[Rollout]) -> float:
    """Return the mean over some runs of the sum of a run's rewards."""
    return float(np.mean([float(_rewards(task, run).sum()) for run in rollouts]))


def fit_value(
    robot: Robot,
    task: Task,
    rollouts: Sequence[Rollout],
    config: ValueConfig,
    seed: int,
    before: ValueFunction | None = None,
) -> ValueFunction:
    """Return the value function of the policy that made some runs.

    Args:
        robot: of the runs.
        task: which gives the rewards: the negative cost of a period.
        rollouts: the runs, whole ones.
        config: see there.
        seed: of the networks and of the rows that are drawn.
        before: values that the first returns end with; None: those of the mean reward for ever.

    Raises:
        UserError: the task has costs that do not follow from state and command alone.
    """
    if not is_stationary(task):
        raise UserError("a value function: expected a task whose cost is the same at any time")
    generator = Generator().manual_seed(seed)
    mlp = Ensemble((len(robot.spec.features), *config.hidden, 1), "silu", config.members)
    states = [torch.from_numpy(run.states) for run in rollouts]
    rewards = [_rewards(task, run) for run in rollouts]
    features = robot.features(torch.cat([each[:-1] for each in states]))
    flat = float(torch.cat(rewards).mean()) / (1.0 - config.discount)
    own = ValueFunction(
        robot,
        mlp,
        stacked(mlp.init(generator)),
        features.mean(dim=0),
        features.std(dim=0).clamp_min(1e-6),
        torch.tensor([flat, 0.0]),
    )
    optimiser = torch.optim.AdamW(
        [value.requires_grad_(True) for value in own.stack.values()],
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
    )
    known = own if before is None else before
    for _ in range(config.sweeps):
        with torch.no_grad():
            each = zip(states, rewards, strict=True)
            returns = torch.cat([lambda_returns(r, known(s), config) for s, r in each])
        own = replace(own, scale=torch.stack([returns.mean(), returns.std().clamp_min(1e-6)]))
        inputs = own.inputs(torch.cat([each[:-1] for each in states]))
        wanted = (returns - own.scale[0]) / own.scale[1]
        _fit(own, inputs, wanted, config, optimiser, generator)
        known = own
    return replace(own, stack={name: value.detach() for name, value in own.stack.items()})


def lambda_returns(rewards: Tensor, values: Tensor, config: ValueConfig) -> Tensor:
    """Return G_t = r_t + gamma ((1 - lambda) v_{t+1} + lambda G_{t+1}) (T,), equation 12.2.

    Args:
        rewards: (T,).
        values: (T+1,), of all states; the last one stands for all that the run did not last for.
        config: gamma and lambda.
    """
    later, returns = values[-1], torch.empty_like(rewards)
    for t in reversed(range(len(rewards))):
        mixed = (1.0 - config.trace) * values[t + 1] + config.trace * later
        later = returns[t] = rewards[t] + config.discount * mixed
    return returns


def _rewards(task: Task, run: Rollout) -> Tensor:
    states = run.states.astype(np.float64)
    actions = run.actions.astype(np.float64)
    found = rewards_each([task] * len(run), states[:-1], actions, states[1:])
    return torch.from_numpy(found.astype(np.float32))


def _fit(
    value: ValueFunction,
    inputs: Tensor,
    wanted: Tensor,
    config: ValueConfig,
    optimiser: torch.optim.Optimizer,
    generator: Generator,
) -> None:
    """Take a sweep's steps: each member on rows of its own."""
    for _ in range(-(-config.steps // config.sweeps)):
        rows = torch.randint(len(inputs), (config.members, config.rows), generator=generator)
        outputs = value.mlp.forward_each(value.stack, inputs[rows])[..., 0]
        loss = (outputs - wanted[rows]).square().mean(dim=1).sum()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
