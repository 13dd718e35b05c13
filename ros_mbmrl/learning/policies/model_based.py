"""Off-policy learners with a model: what is remembered trains an ensemble, which imagines more.

After every so many control periods the models are fitted to all real data, from those of the fit
before, and the policy is rolled out in them from states of the replay (`branched`). What learns
from both memories is the method's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.files import NORMALIZER, LoadedModel
from ros_mbmrl.dynamics.imagination import Imagination
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.meta import new_model
from ros_mbmrl.learning.policies.branched import BranchConfig, branch
from ros_mbmrl.learning.policies.episode_record import EpisodeRecord, shared_out
from ros_mbmrl.learning.policies.in_models_config import MODEL as MEANS
from ros_mbmrl.learning.policies.learned_reward import LearnedReward
from ros_mbmrl.learning.policies.off_policy import OffPolicyConfig, OffPolicyLearner
from ros_mbmrl.learning.policies.real_data import data_of, tensors_of
from ros_mbmrl.learning.policies.replay import Batch, Replay
from ros_mbmrl.learning.policies.soft import SoftActorCritic
from ros_mbmrl.learning.rounds import Data, fit_model
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.imagined import reward_in
from ros_mbmrl.policies.imagined_world import ImaginedWorld
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.environment import Environment, Flags

# Gaussian heads, which a step samples; the best of them are used.
MODEL = replace(MEANS, head="gaussian", members=5, elites=3)


@dataclass(frozen=True)
class ModelBasedConfig(OffPolicyConfig):
    """Settings of off-policy methods with a model.

    every: control periods between fits. branches: imagined roll-outs. real: share of real
    transitions in a batch of both memories. held_out: share of the real data that chooses the
    models. learned_reward: whether the reward is learned, too; else it is the task's. model: of
    the fits.
    """

    every: int = 250
    branches: BranchConfig = field(default_factory=BranchConfig)
    real: float = 0.05
    held_out: float = 0.2
    learned_reward: bool = False
    model: TrainConfig = MODEL

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.every < 1:
            raise ValueError(f"every: expected at least 1 control period, got {self.every}")
        if not 0 <= self.real <= 1 or not 0 < self.held_out < 1:
            raise ValueError("expected real from 0 to 1 and held_out between 0 and 1")
        self._check_model()

    def _check_model(self) -> None:
        """Raise ValueError for models that the method cannot learn with."""
        if self.model.method != "mb" or self.model.head != "gaussian":
            got = f"{self.model.method}, {self.model.head}"
            raise ValueError(f"model: expected method mb with head gaussian, got {got}")


Settings = TypeVar("Settings", bound=ModelBasedConfig)


class ModelBasedLearner(OffPolicyLearner[Settings]):
    """Fit models as episodes go on, and imagine transitions; see `OffPolicyLearner`.

    Both memories hold states (N, ds) where those of model-free methods hold observations.

    Attributes:
        imagined: the memory of imagined transitions.
        world: the models of the last fit, with reward and ends; None before the first.

    Raises:
        UserError: the robot has a goal, which no model predicts, or its task has rewards that its
            state does not tell, see `reward_in`.
    """

    def __init__(self, tasks: Tasks, config: Settings) -> None:
        if tasks.goals:
            name = tasks.robot.spec.name
            raise UserError(f"robot '{name}' has goals: expected one whose state tells its reward")
        states, actions = len(tasks.robot.spec.state), len(tasks.robot.spec.action)
        super().__init__(tasks, config, states)
        self._learned = LearnedReward(tasks.robot, config.seed) if config.learned_reward else None
        self._reward = self._learned or reward_in(tasks)
        self._ended, self._data = tasks.ended, Data()
        self._model: LoadedModel | None = None
        self.world: ImaginedWorld | None = None
        self.imagined = Replay(config.branches.size, states, actions)
        self._record: EpisodeRecord | None = None
        self._periods = 0  # of all iterations

    @property
    def model(self) -> tuple[DynamicsModel, Parameters] | None:
        """Return the models of the last fit, and their parameters; None before the first."""
        found = self._model
        return None if found is None else (found.model, found.parameters)

    def _actor_critic(self, tasks: Tasks, generator: Generator) -> SoftActorCritic:
        """See `OffPolicyLearner._actor_critic`."""
        sizes = tasks.observations, len(tasks.robot.spec.action)
        return SoftActorCritic(*sizes, self._config.soft, generator, tasks.robot.observation)

    def _seen(self, environment: Environment) -> Tensor:
        """See `OffPolicyLearner._seen`: the states."""
        return torch.as_tensor(environment.states(), dtype=torch.float32)

    def _begin(self, environment: Environment) -> None:
        """See `OffPolicyLearner._begin`."""
        self._record = EpisodeRecord(environment)

    def _kept(self, environment: Environment, commands: Array, going: Flags) -> None:
        """See `OffPolicyLearner._kept`."""
        assert self._record is not None
        self._record.add(environment, commands, going)
        self._periods += 1

    def _end(self) -> None:
        """See `OffPolicyLearner._end`: what came after the last fit is for the next one."""
        self._take()
        self._record = None

    def _learn(self, transitions: int, generator: Generator) -> dict[str, float]:
        """Fit and imagine if it is time to, then make gradient steps."""
        if len(self.replay) < max(self._config.first, 1):
            return {}
        due = self._periods % self._config.every == 0
        if self.world is None or due:
            self._take(short=due)
            if not self._data.held:
                return {}
            self._fit(generator)
            self._imagine(generator)
        return super()._learn(transitions, generator)

    def _take(self, short: bool = True) -> None:
        """Add the runs since the last cut to the data."""
        assert self._record is not None
        own = self._config.held_out, self._config.seed
        self._data = shared_out(self._data, self._record.cut(short), *own)

    def _fit(self, generator: Generator) -> None:
        """Fit the models to all data, from those of the fit before."""
        config = replace(self._config.model, seed=self._config.seed + self._periods)
        trained = fit_model(self._robot, config, self._data, self._model)
        self._set_model(trained.model, trained.parameters)
        if self._learned is not None:
            self._learned.fit(self.replay, generator)

    def _set_model(self, model: DynamicsModel, parameters: Parameters) -> None:
        self._model = LoadedModel(model, parameters, {"method": self._config.model.method})
        sampled = isinstance(model.mlp, Ensemble) and model.mlp.gaussian
        imagination = Imagination.of(model, parameters, sampled=sampled)
        self._enter(ImaginedWorld(imagination, self._reward, self._ended))

    def _enter(self, world: ImaginedWorld) -> None:
        """Take over the models of a fit."""
        self.world = world

    def _imagine(self, generator: Generator) -> None:
        """Roll the policy out in the models from states of the replay."""
        if self._config.real == 1.0:
            return
        assert self.world is not None
        branches = self._config.branches
        starts = self.replay.draw(branches.rows, generator).observations
        own = (self.world, self._chosen, starts, branches.length, generator)
        self.imagined.add(branch(*own))

    def mixed(self, generator: Generator) -> Batch:
        """Draw a batch from both memories; observations are states."""
        rows = self._config.soft.rows
        real = round(self._config.real * rows) if len(self.imagined) else rows
        drawn = [
            memory.draw(count, generator)
            for memory, count in ((self.replay, real), (self.imagined, rows - real))
            if count
        ]
        return Batch(*(torch.cat(part) for part in zip(*drawn, strict=True)))

    def snapshot(self) -> dict[str, Tensor]:
        """See `Learner.snapshot`."""
        found = super().snapshot() | tensor_file.flatten("data", tensors_of(self._data))
        found |= tensor_file.flatten("imagined", self.imagined.snapshot())
        if self._learned is not None:
            found |= tensor_file.flatten("reward", self._learned.snapshot())
        if self._model is not None:
            model, parameters = self._model.model, self._model.parameters
            found |= tensor_file.flatten("model", parameters)
            found |= tensor_file.flatten("normalizer", _statistics(model.normalizer))
            if isinstance(model.mlp, Ensemble):
                found["elites"] = torch.tensor(model.mlp.used)
        return {**found, "periods": torch.tensor(self._periods)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """See `Learner.restore`."""
        super().restore(tensors)
        self._periods = int(tensors["periods"])
        self._data = data_of(tensor_file.unflatten("data", tensors), self._robot.spec.name)
        self.imagined.restore(tensor_file.unflatten("imagined", tensors))
        if self._learned is not None:
            self._learned.restore(tensor_file.unflatten("reward", tensors))
        found = tensor_file.unflatten("normalizer", tensors)
        if not found:
            return
        rows = Transitions.of(self._robot, self._data.training)
        model = new_model(rows, self._config.model, self._robot)
        mlp = model.mlp
        if isinstance(mlp, Ensemble):
            mlp = replace(mlp, elites=tuple(tensors["elites"].tolist()))
        statistics = {name: found[name] for name in NORMALIZER}
        normalizer = Normalizer(clip=model.normalizer.clip, **statistics)
        own = tensor_file.unflatten("model", tensors)
        self._set_model(replace(model, mlp=mlp, normalizer=normalizer), own)


def _statistics(normalizer: Normalizer) -> dict[str, Tensor]:
    return {name: getattr(normalizer, name) for name in NORMALIZER}
