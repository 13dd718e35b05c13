"""A reward learned from the replay, for robots whose task is not told as a cost of their state."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.models.learner import moments_of, restore_moments
from ros_mbmrl.learning.policies.replay import Replay
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.imagined import commands_of
from ros_mbmrl.robots.spec import Robot

HIDDEN, ROWS, STEPS, RATE = (128, 128), 256, 500, 1e-3
SMALLEST = 1e-6  # deviation of an input or a reward below which it is a constant


class LearnedReward:
    """A `Reward`: an MLP of observation, command and next observation, by least squares.

    Args:
        robot: whose states are rewarded.
        seed: of the first parameters.
    """

    def __init__(self, robot: Robot, seed: int) -> None:
        self._robot, self._command = robot, commands_of(robot.spec)
        inputs = 2 * len(robot.observed) + len(robot.spec.action)
        self._mlp = MLP((inputs, *HIDDEN, 1), "silu")
        self._live = self._mlp.init(Generator().manual_seed(seed))
        for value in self._live.values():
            value.requires_grad_()
        self._adam = torch.optim.Adam(self._live.values(), lr=RATE)
        self._scale = {
            "mean": torch.zeros(inputs),
            "std": torch.ones(inputs),
            "reward": torch.tensor([0.0, 1.0]),
        }

    def __call__(self, states: Tensor, commands: Tensor, after: Tensor) -> Tensor:
        """Return the rewards (N,) of control periods, with the gradient of the inputs."""
        held = {name: value.detach() for name, value in self._live.items()}
        x = self._inputs(states, commands, after)
        mean, std = self._scale["reward"]
        found: Tensor = self._mlp.forward(held, self._normalised(x))[..., 0] * std + mean
        return found

    def fit(self, replay: Replay, generator: Generator) -> float:
        """Go on from the last fit for STEPS gradient steps; return the last loss.

        Args:
            replay: of states, and actions from -1 to 1.
            generator: draws batches.
        """
        sample = replay.draw(16 * ROWS, generator)
        x = self._inputs(sample.observations, self._command(sample.actions), sample.following)
        rewards = sample.rewards
        self._scale = {
            "mean": x.mean(dim=0),
            "std": _spread(x.std(dim=0, correction=0)),
            "reward": torch.stack([rewards.mean(), _spread(rewards.std(correction=0))]),
        }
        loss = torch.zeros(())
        for _ in range(STEPS):
            batch = replay.draw(ROWS, generator)
            own = batch.observations, self._command(batch.actions), batch.following
            x = self._normalised(self._inputs(*own))
            wanted = (batch.rewards - self._scale["reward"][0]) / self._scale["reward"][1]
            loss = (self._mlp.forward(self._live, x)[..., 0] - wanted).square().mean()
            self._adam.zero_grad()
            torch.autograd.backward(loss)
            self._adam.step()
        return float(loss.detach())

    def _inputs(self, states: Tensor, commands: Tensor, after: Tensor) -> Tensor:
        seen = self._robot.observation
        return torch.cat([seen(states), commands, seen(after)], dim=-1)

    def _normalised(self, x: Tensor) -> Tensor:
        return (x - self._scale["mean"]) / self._scale["std"]

    def snapshot(self) -> dict[str, Tensor]:
        """Return parameters, their optimiser's moments, and the scales."""
        found = tensor_file.flatten("network", {k: v.detach() for k, v in self._live.items()})
        return found | moments_of(self._adam, self._live) | tensor_file.flatten("of", self._scale)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        with torch.no_grad():
            for name, value in tensor_file.unflatten("network", tensors).items():
                self._live[name].copy_(value)
        restore_moments(self._adam, self._live, tensors)
        self._scale = tensor_file.unflatten("of", tensors)


def _spread(deviation: Tensor) -> Tensor:
    return torch.where(deviation > SMALLEST, deviation, torch.ones_like(deviation))
