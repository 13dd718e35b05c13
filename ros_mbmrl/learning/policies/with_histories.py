"""Off-policy learners whose policy sees its history: gathering and replay that keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Generator, Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.off_policy import OffPolicyConfig, OffPolicyLearner, told_by
from ros_mbmrl.learning.policies.replay import Batch
from ros_mbmrl.learning.policies.sequences import Sequences
from ros_mbmrl.learning.policies.soft import SoftActorCritic
from ros_mbmrl.networks.history import Histories
from ros_mbmrl.policies.critics import TwinCritics
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.squashed import SquashedPolicy
from ros_mbmrl.policies.with_history import HistoryCritics, HistoryPolicy
from ros_mbmrl.simulation.environment import Environment, Flags, Transition


@dataclass(frozen=True)
class HistoryConfig(OffPolicyConfig):
    """Settings of off-policy methods whose policy sees its history.

    history: L, transitions that are remembered. units: numbers of the context z. told_rewards:
    whether the history tells rewards; None: where situations differ in their reward, which nothing
    else tells then.
    """

    history: int = 10
    units: int = 5
    told_rewards: bool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.history, self.units) < 1:
            raise ValueError(
                f"history, units: expected at least 1, got {self.history} and {self.units}"
            )


def layout_of(tasks: Tasks, history: int, told_rewards: bool | None = None) -> Histories:
    """Return the layout of observations with histories.

    Args:
        tasks: of the robot.
        history, told_rewards: see `HistoryConfig`.

    Raises:
        UserError: the robot has a goal, which no state tells.
    """
    if tasks.goals:
        name = tasks.robot.spec.name
        raise UserError(f"robot '{name}' has goals: expected one whose state tells all it sees")
    told = not tasks.one_reward if told_rewards is None else told_rewards
    return Histories(len(tasks.robot.observed), len(tasks.robot.spec.action), history, told)


Settings = TypeVar("Settings", bound=HistoryConfig)


class HistoryLearner(OffPolicyLearner[Settings]):
    """Remember sequences; what batches hold are rows with history, see `Sequences`.

    Raises:
        UserError: the robot has a goal, which no state tells.
    """

    def __init__(self, tasks: Tasks, config: Settings) -> None:
        self.layout = layout_of(tasks, config.history, config.told_rewards)
        self._states = len(tasks.robot.spec.state)
        super().__init__(tasks, config, self._states)
        size = min(config.size, config.budget + config.batch)
        self.sequences = Sequences(size, tasks.robot, self.layout)
        self.replay = self.sequences
        self._held = torch.zeros(0, self.layout.size)  # of each world, now

    def _networks(self) -> tuple[SquashedPolicy, TwinCritics]:
        """Return policy and critics of observations with histories."""
        soft = self._config.soft
        own = self.layout, self._config.units, soft.hidden, soft.activation
        return HistoryPolicy.of(*own), HistoryCritics.of(*own)

    def _actor_critic(self, tasks: Tasks, generator: Generator) -> SoftActorCritic:
        """See `OffPolicyLearner._actor_critic`."""
        sizes = self.layout.size, self.layout.actions
        networks, soft = self._networks(), self._config.soft
        return SoftActorCritic(*sizes, soft, generator, self._observed, networks)

    def _observed(self, rows: Tensor) -> Tensor:
        """Return the observations with histories (n, size) of rows with history."""
        return rows[:, self._states :]

    def _seen(self, environment: Environment) -> Tensor:
        """See `OffPolicyLearner._seen`: the states."""
        return torch.as_tensor(environment.states(), dtype=torch.float32)

    def _begin(self, environment: Environment) -> None:
        """See `OffPolicyLearner._begin`: nothing is remembered of the episodes before."""
        self.sequences.begin(len(environment))
        self._held = self.layout.begun(self._robot.observation(self._seen(environment)))

    def _chosen(self, seen: Tensor, generator: Generator) -> Tensor:
        """See `OffPolicyLearner._chosen`."""
        return super()._chosen(torch.cat([seen, self._held], dim=1), generator)

    def _remember(
        self, seen: Tensor, actions: Tensor, moved: Transition, following: Tensor, going: Flags
    ) -> None:
        rows = torch.from_numpy(going)
        told = told_by(seen, actions, moved, following)
        worlds = rows.nonzero()[:, 0]
        self.sequences.add(Batch(*(part[rows] for part in told)), worlds)
        after = self._robot.observation(following)
        self._held = self.layout.moved(self._held, actions, told.rewards, after)

    def real(self, rows: int, generator: Generator) -> Batch:
        """Draw real transitions, rows with history."""
        return self.sequences.at(self.sequences.drawn(rows, generator))
