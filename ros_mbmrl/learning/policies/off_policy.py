"""Loop of the off-policy methods: gather a control period, remember it, learn from the memory.

Methods differ in what is remembered of an environment (`_seen`), who acts and what is learned.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.replay import Batch, Replay
from ros_mbmrl.learning.policies.soft import SoftActorCritic, SoftConfig
from ros_mbmrl.learning.run import LEARNED
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.policies.sampling import Tasks, to_commands
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.environment import Environment, Flags, Transition


@dataclass(frozen=True)
class OffPolicyConfig:
    """Settings that every off-policy method has.

    Args:
        budget: transitions in all, in whole iterations of `worlds` x `horizon`.
        worlds: robots that gather at once.
        horizon: control periods of an episode.
        first: transitions by chance before the policy acts and learns.
        updates: gradient steps for each transition.
        size: of the replay, in transitions.
        soft: settings of the actor-critic.
        seed: of everything random.
    """

    budget: int = 100_000
    worlds: int = 1
    horizon: int = 1000
    first: int = 1000
    updates: int = 1
    size: int = 1_000_000
    soft: SoftConfig = field(default_factory=SoftConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        counts = self.budget, self.worlds, self.horizon, self.updates
        if min(counts) < 1 or self.first < 0:
            raise ValueError("expected budget, worlds, horizon, updates of 1 or more, first of 0")
        if self.size < self.soft.rows:
            raise ValueError(f"size: expected at least a batch, {self.soft.rows}, got {self.size}")

    @property
    def batch(self) -> int:
        """Return the transitions of an iteration."""
        return self.worlds * self.horizon


Settings = TypeVar("Settings", bound=OffPolicyConfig)


class OffPolicyLearner(ABC, Generic[Settings]):
    """Gather an episode with each world, and learn after every control period.

    An iteration depends on the seed and its number only, and on what was learned before. An episode
    ends where it terminates, which is told to the critics, or where its time is up, which is not.

    Args:
        tasks: situations, and worlds in them.
        config: settings.
        seen: how many numbers of an environment are remembered, see `_seen`.

    Attributes:
        soft: the actor-critic.
        replay: real transitions, actions from -1 to 1.
    """

    def __init__(self, tasks: Tasks, config: Settings, seen: int) -> None:
        self.rate = 1.0  # not used: nothing depends on where the run ends
        self._config, self._robot, self._iteration = config, tasks.robot, 0
        self.soft = self._actor_critic(tasks, Generator().manual_seed(config.seed))
        actions = len(tasks.robot.spec.action)
        self.replay = Replay(min(config.size, config.budget + config.batch), seen, actions)

    def _actor_critic(self, tasks: Tasks, generator: Generator) -> SoftActorCritic:
        """Return the actor-critic as it is at first."""
        sizes = tasks.observations, len(tasks.robot.spec.action)
        return SoftActorCritic(*sizes, self._config.soft, generator)

    def _seen(self, environment: Environment) -> Tensor:
        """Return what is remembered of the rows, (N, seen): by default what a policy sees."""
        return torch.from_numpy(environment.observe())

    def _chosen(self, seen: Tensor, generator: Generator) -> Tensor:
        """Return the actions (N, da) that the policy draws for what was `_seen`."""
        noise = torch.randn(len(seen), len(self._robot.spec.action), generator=generator)
        return self.soft.policy.sample(self.soft.parameters, self.soft.seen(seen), noise).actions

    def _begin(self, environment: Environment) -> None:
        """Take notice of new episodes: by default nothing is done."""

    def _kept(self, environment: Environment, commands: Array, going: Flags) -> None:
        """Take notice of a control period of the rows `going` (N,): by default nothing is done."""

    def _end(self) -> None:
        """Take notice of the episodes' end: by default nothing is done."""

    @abstractmethod
    def _improve(self, steps: int, generator: Generator) -> dict[str, float]:
        """Make so many gradient steps; return scalars to log, none if none was made."""

    def update(self, store: Tasks, generator: Generator) -> dict[str, float]:
        """Make one iteration."""
        rng = np.random.default_rng((self._config.seed, self._iteration))
        own = Generator().manual_seed(int(rng.integers(2**62)))
        environment = store.make(*store.drawn(rng, self._config.worlds))
        self._begin(environment)
        seen, total = self._seen(environment), np.zeros(len(environment))
        ended, scalars = np.zeros(len(environment), dtype=bool), dict[str, float]()
        for step in range(self._config.horizon):
            going = ~ended
            with torch.no_grad():
                actions = self._act(seen, step, own)
            commands = to_commands(self._robot.spec, actions.numpy().astype(float))
            moved = environment.step(commands)
            self._kept(environment, commands, going)
            following = self._seen(environment)
            self._remember(seen, actions, moved, following, going)
            total += np.where(going, moved.reward, 0.0)
            ended = ended | moved.terminated | moved.truncated
            scalars = self._learn(int(going.sum()), own) or scalars
            seen = following
            if ended.all():
                break
        self._end()
        self._iteration += 1
        mean = float(total.mean())
        return {"before": mean, "after": mean, **scalars}

    def _remember(
        self, seen: Tensor, actions: Tensor, moved: Transition, following: Tensor, going: Flags
    ) -> None:
        rows = torch.from_numpy(going)
        told = told_by(seen, actions, moved, following)
        self.replay.add(Batch(*(part[rows] for part in told)))

    def _gathered(self, step: int) -> int:
        """Return the transitions before a control period of this iteration."""
        return self._iteration * self._config.batch + step * self._config.worlds

    def _act(self, seen: Tensor, step: int, generator: Generator) -> Tensor:
        if self._gathered(step) < self._config.first:
            shape = len(seen), len(self._robot.spec.action)
            return 2 * torch.rand(shape, generator=generator) - 1
        return self._chosen(seen, generator)

    def _learn(self, transitions: int, generator: Generator) -> dict[str, float]:
        """Make the gradient steps that so many transitions are worth."""
        if len(self.replay) < max(self._config.first, 1):
            return {}
        return self._improve(transitions * self._config.updates, generator)

    def snapshot(self) -> dict[str, Tensor]:
        """See `Learner.snapshot`."""
        found = tensor_file.flatten(LEARNED, self.soft.parameters)
        found |= tensor_file.flatten("soft", self.soft.snapshot())
        found |= tensor_file.flatten("replay", self.replay.snapshot())
        return {**found, "iteration": torch.tensor(self._iteration)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """See `Learner.restore`."""
        self.soft.restore(tensor_file.unflatten("soft", tensors))
        self.replay.restore(tensor_file.unflatten("replay", tensors))
        self._iteration = int(tensors["iteration"])


def told_by(seen: Tensor, actions: Tensor, moved: Transition, following: Tensor) -> Batch:
    """Return what a control period told of all rows (N, ...), from what was seen before and after.

    An episode whose time is up goes on, as far as critics are told.
    """
    rewards = torch.as_tensor(moved.reward, dtype=torch.float32)
    over = torch.as_tensor(moved.terminated, dtype=torch.float32)
    return Batch(seen, actions, rewards, following, over)
