"""Real data of a policy that learns in models: thesis, section A.1.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.agents.base import Agent
from ros_mbmrl.agents.policy import ExploringAgent
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.episodes.batch import Episodes, run_episodes
from ros_mbmrl.learning.batch_collection import cut, tags_of
from ros_mbmrl.learning.rounds import Data
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.situations import Situation

SMALLEST_STD = 1e-3  # a logarithm has no zero


@dataclass(frozen=True)
class Gathered:
    """Rollouts of N robots, as long as each lasted, and their returns (N,)."""

    rollouts: list[Rollout]
    returns: Array


def gather(
    tasks: Tasks,
    policy: GaussianPolicy,
    parameters: Parameters,
    steps: int,
    rng: np.random.Generator,
    session: str,
) -> Gathered:
    """Run an episode with each of N robots' own parameters (N, ...), under safety."""
    agent = ExploringAgent(policy, parameters, steps)
    return gather_by(agent, len(parameters["log_std"]), tasks, steps, rng, session)


def gather_by(
    agent: Agent, count: int, tasks: Tasks, steps: int, rng: np.random.Generator, session: str
) -> Gathered:
    """Run an episode of an agent with each of `count` robots, under safety."""
    situations, seeds = tasks.drawn(rng, count)
    episodes = run_episodes(tasks.make(situations, seeds), agent, steps, seeds)
    tags = [tags_of(each) if isinstance(each, Situation) else {} for each in situations]
    rollouts = cut(tasks.robot.spec.name, episodes, session, tags)
    return Gathered(rollouts, returns_of(episodes))


def returns_of(episodes: Episodes) -> Array:
    """Return the sum of each robot's rewards (N,) for as long as it lasted."""
    steps = np.arange(len(episodes.rewards))[:, None]
    return np.asarray(np.where(steps < episodes.lasted, episodes.rewards, 0.0).sum(axis=0))


def exploring(
    parameters: Parameters,
    previous: Parameters,
    episodes: int,
    largest_std: float,
    noise: float,
    generator: Generator,
) -> Parameters:
    """Return parameters (N, ...) of N episodes that explore, each in its own way.

    Args:
        parameters: of the policy, and `previous` of the iteration before.
        episodes: their number N.
        largest_std: of the actions' deviation, which is drawn uniformly up to it and kept for the
            episode; 0: the policy's own.
        noise: deviation of the noise on the parameters, as a share of their last change.
        generator: of both.
    """
    found = Parameters()
    for name, value in for_tasks(parameters, episodes).items():
        scale = noise * (parameters[name] - previous[name]).abs()
        found[name] = value + scale * torch.randn(value.shape, generator=generator)
    if largest_std > 0:
        std = largest_std * torch.rand(episodes, 1, generator=generator)
        found["log_std"] = std.clamp_min(SMALLEST_STD).log().expand(found["log_std"].shape)
    return found


def tensors_of(data: Data) -> dict[str, Tensor]:
    """Return the states, actions and times of all rollouts, for a checkpoint."""
    found: dict[str, Tensor] = {}
    for part, rollouts in (("training", data.training), ("held", data.held)):
        if rollouts:
            for name in ("states", "actions", "times"):
                rows = np.concatenate([getattr(each, name) for each in rollouts])
                found[f"{part}/{name}"] = torch.from_numpy(rows)
            found[f"{part}/lengths"] = torch.tensor([len(each) for each in rollouts])
    return found


def data_of(tensors: Mapping[str, Tensor], robot: str) -> Data:
    """Return the rollouts that `tensors_of` told; their tags are lost, since a fit needs none."""
    return Data(*(tuple(_cut(tensors, part, robot)) for part in ("training", "held")))


def _cut(tensors: Mapping[str, Tensor], part: str, robot: str) -> Sequence[Rollout]:
    if f"{part}/lengths" not in tensors:
        return []
    lengths = tensors[f"{part}/lengths"].tolist()
    rows = {"actions": lengths, **{name: [n + 1 for n in lengths] for name in ("states", "times")}}
    each = {k: np.split(tensors[f"{part}/{k}"].numpy(), np.cumsum(v)[:-1]) for k, v in rows.items()}
    return [
        Rollout(robot, states, actions, times, np.zeros(len(actions), dtype=np.uint8))
        for states, actions, times in zip(
            each["states"], each["actions"], each["times"], strict=True
        )
    ]
