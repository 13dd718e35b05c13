"""Learner of a policy in models: thesis, Algorithms 1 to 3, as far as they are one.

An iteration gathers real data with the policy, fits models to all of it, and improves the policy in
the models alone. Methods differ in how they gather, and in what improves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.data.selection import split
from ros_mbmrl.dynamics.biased import biased
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.imagination import EPS_RAND, Imagination
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.models.meta import new_model
from ros_mbmrl.learning.policies.in_models_config import INITIAL, InModelsConfig
from ros_mbmrl.learning.policies.real_data import Gathered, data_of, gather, tensors_of
from ros_mbmrl.learning.policies.training import run_policy
from ros_mbmrl.learning.policies.validation import Performances
from ros_mbmrl.learning.rounds import Data, fit_model
from ros_mbmrl.learning.run import LEARNED, Progress
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks, without_noise
from ros_mbmrl.policies.imagined import ImaginedEpisodes, imagine_episodes, reward_in
from ros_mbmrl.policies.moments import Moments
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import CurvePoint, ImaginedPoint, TrainedPolicy

# imagine(parameters (N, ...)) -> episodes of the policies in the models
Imagine = Callable[[Parameters], ImaginedEpisodes]
# update(parameters, imagine) -> better parameters; it may keep moments of the updates before
Update = Callable[[Parameters, Imagine], Parameters]
TESTS = 2**31  # in place of an iteration's number, in the seed of the tests
Settings = TypeVar("Settings", bound=InModelsConfig)


@dataclass(frozen=True)
class Improved:
    """A policy that was improved in models.

    parameters: of it. imagined: its return in the models without noise. updates: that it got.
    ratio: share of the models in which it improved (eq. 5).
    """

    parameters: Parameters
    imagined: float
    updates: int
    ratio: float


class ModelLearner(ABC, Generic[Settings]):
    """Make one iteration at a time; see `learning.run.Learner`.

    Raises:
        UserError: the robot's task has rewards that its state does not tell, see `reward_in`.
    """

    first_by_chance = False  # whether actions are random before there is a model
    acts_before_update = False  # whether the policy was learned to be adapted, see `TrainedPolicy`

    def __init__(self, tasks: Tasks, config: Settings) -> None:
        self.rate = 1.0  # not used: a model's fit has its own, and so has a step
        self._config, self._robot, self._iteration = config, tasks.robot, 0
        self._reward, self._ended = reward_in(tasks), tasks.ended
        self._moments = Moments.none(tasks.observations)  # of all real observations so far
        actions = len(tasks.robot.spec.action)
        mlp = MLP((tasks.observations, *config.hidden, actions), "tanh")
        # line 1: a policy by chance, and an empty data set
        self.policy = GaussianPolicy(mlp, self._moments.mean.float(), self._moments.std)
        generator = Generator().manual_seed(config.seed)
        self.parameters = self.policy.init(generator, config.log_std)
        self._data = Data()
        self._model: LoadedModel | None = None
        self._update: Update | None = None

    @abstractmethod
    def _gather(self, store: Tasks, rng: np.random.Generator, generator: Generator) -> Gathered:
        """Run real episodes that explore."""

    @abstractmethod
    def _improve(self, generator: Generator) -> Improved:
        """Improve the policy in the models."""

    @abstractmethod
    def _imagine_for(self, generator: Generator, biases: Tensor | None) -> Imagine:
        """Return what imagines the episodes of an update."""

    @abstractmethod
    def _new_update(self, generator: Generator) -> Update:
        """Return what makes one update of the policy, without moments of any before it."""

    def explored(
        self, parameters: Parameters, previous: Parameters, episodes: int, generator: Generator
    ) -> Parameters:
        """Return parameters (N, ...) of real episodes that explore, by the policy's own noise.

        Args:
            parameters: of the policy, and `previous` of one before it.
            episodes: their number N.
            generator: of all that is drawn.
        """
        return for_tasks(parameters, episodes)

    @property
    def model(self) -> tuple[DynamicsModel, Parameters] | None:
        """Return the models of the last fit, and their parameters; None before the first."""
        found = self._model
        return None if found is None else (found.model, found.parameters)

    def update(self, store: Tasks, generator: Generator) -> dict[str, float]:
        """Make one iteration, whose draws depend on the seed and its number only."""
        rng = np.random.default_rng((self._config.seed, self._iteration))
        own = Generator().manual_seed(int(rng.integers(2**62)))
        gathered = self._gather(store, rng, own)
        self._keep(gathered, int(rng.integers(2**31)))
        self._fit()
        improved = self._improve(own)
        self.parameters = improved.parameters
        self._iteration += 1
        return {
            "before": float(gathered.returns.mean()),
            "after": float(self._tested(store).returns.mean()),
            "imagined": improved.imagined,
            "updates": improved.updates,
            "improved": improved.ratio,
        }

    def take(self, rollouts: Sequence[Rollout]) -> None:
        """Take in real rollouts that others gathered: where episodes begin, what is observed."""
        self._data = Data((*self._data.training, *rollouts), self._data.held)
        for each in rollouts:  # the same sums, however many come at a time
            self._observe([each])

    def begin_from(self, parameters: Parameters) -> None:
        """Go on from a policy's parameters."""
        self.parameters, self._update = self._in_order(parameters), None

    def trained(self, curve: tuple[CurvePoint, ...]) -> TrainedPolicy:
        """Return the policy as it is now, with its model, if there is one."""
        own = self.policy, self.parameters, curve
        return TrainedPolicy(*own, model=self.model, before_update=self.acts_before_update)

    def enter(self, model: LoadedModel) -> None:
        """Take over models that others fitted."""
        self._model = model

    def update_once(self, generator: Generator, seed: int) -> float:
        """Make one update in the models (Algorithm 8, lines 4 and 5).

        Args:
            generator: of all that is drawn, always the same object.
            seed: of this update's draws.

        Returns:
            The mean return of the episodes that were imagined last.
        """
        generator.manual_seed(seed)
        imagine, returns = self._imagine_for(generator, self._biases(generator)), [0.0]

        def told(parameters: Parameters) -> ImaginedEpisodes:
            episodes = imagine(parameters)
            returns[0] = float(episodes.returns.detach().mean())
            return episodes

        if self._update is None:
            self._update = self._new_update(generator)
        self.parameters = self._update(self.parameters, told)
        return returns[0]

    @property
    def _session(self) -> str:
        """Return the name of this iteration's rollouts."""
        return f"iteration-{self._iteration}"

    def _keep(self, found: Gathered, seed: int) -> None:
        """Add rollouts to the data, and what was observed to the policy's normalisation."""
        training, held = split(found.rollouts, held_out=self._config.held_out, seed=seed)
        self._data = Data((*self._data.training, *training), (*self._data.held, *held))
        self._observe(found.rollouts)

    def _observe(self, rollouts: Sequence[Rollout]) -> None:
        """Add what was observed to the policy's normalisation; its updates begin anew."""
        states = torch.cat([torch.from_numpy(each.states[:-1]) for each in rollouts])
        self._moments = self._moments.merged(self._robot.observation(states))
        mean, std = self._moments.mean.float(), self._moments.std
        self.policy, self._update = replace(self.policy, mean=mean, std=std), None

    def _fit(self) -> None:
        """Fit the models to all data, from those of the iteration before."""
        config = replace(self._config.model, seed=self._config.seed + self._iteration)
        trained = fit_model(self._robot, config, self._data, self._model)
        self._model = LoadedModel(trained.model, trained.parameters, {"method": config.method})

    def _biases(self, generator: Generator) -> Tensor | None:
        """Draw a bias for each member, (E,), which an iteration keeps; None for none."""
        largest = self._config.model_bias
        if largest is None:
            return None
        return largest * torch.rand(self._config.model.members, generator=generator)

    def _imagination(self, scheme: str, biases: Tensor | None) -> Imagination:
        """Return the imagination of the models, biased if that is asked."""
        assert (fitted := self.model) is not None
        imagination = Imagination.of(*fitted, scheme)
        return imagination if biases is None else biased(imagination, biases)

    def _imagined(
        self, imagination: Imagination, generator: Generator, members: Tensor | None = None
    ) -> Imagine:
        """Return what imagines `rows` episodes of policies (N, ...), as many of each policy.

        members: of each row's episode; None: drawn.
        """
        config, starts = self._config, self._starts()

        def imagine(parameters: Parameters) -> ImaginedEpisodes:
            rows = torch.randint(len(starts), (config.rows,), generator=generator)
            shape = config.rows, config.horizon, len(self._robot.spec.action)
            noise = torch.randn(shape, generator=generator)
            own = (self.policy, parameters, imagination, self._reward, starts[rows], noise)
            return imagine_episodes(*own, generator, members, self._ended)

        return imagine

    def _performances(
        self, biases: Tensor | None, episodes: int, generator: Generator
    ) -> Performances:
        """Return how J_k is estimated: on the same starts for all members and policies.

        episodes: of each member.
        """
        imagination, starts = self._imagination(EPS_RAND, biases), self._starts()
        count = imagination.count
        rows = torch.randint(len(starts), (episodes,), generator=generator)
        begin = starts[rows].repeat(count, 1)
        members = torch.arange(count).repeat_interleave(len(rows))
        still = torch.zeros(len(begin), self._config.horizon, len(self._robot.spec.action))

        @torch.inference_mode()
        def performances(parameters: Parameters) -> Tensor:
            own = (self.policy, for_tasks(parameters, 1), imagination, self._reward, begin, still)
            found = imagine_episodes(*own, generator, members, self._ended)
            return found.returns.view(count, -1).mean(dim=1)

        return performances

    def _starts(self) -> Tensor:
        """Return the states (n, ds) that imagined episodes begin in."""
        last = 1 if self._config.starts == INITIAL else None
        rollouts = (*self._data.training, *self._data.held)
        return torch.cat([torch.from_numpy(each.states[:last]) for each in rollouts])

    def _tested(self, store: Tasks) -> Gathered:
        """Run real episodes without noise, the same after each iteration; nothing is learned."""
        rng = np.random.default_rng((self._config.seed, TESTS))
        still = for_tasks(without_noise(self.parameters), self._config.tests)
        own = (self.policy, still, self._config.horizon, rng)
        return gather(store, *own, "test")

    def snapshot(self) -> dict[str, Tensor]:
        """Return policy, models and data, and the iteration's number."""
        kept = tensor_file.flatten(LEARNED, self.parameters)
        kept |= {"moments/mean": self._moments.mean, "moments/variance": self._moments.variance}
        kept |= tensor_file.flatten("data", tensors_of(self._data))
        if self._model is not None:
            kept |= tensor_file.flatten("model", self._model.parameters)
        counts = torch.tensor([self._iteration, self._moments.count])
        return kept | {"counts": counts}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        self._iteration, count = tensors["counts"].tolist()
        self._moments = Moments(tensors["moments/mean"], tensors["moments/variance"], count)
        mean, std = self._moments.mean.float(), self._moments.std
        self.policy = replace(self.policy, mean=mean, std=std)
        self.parameters = self._in_order(tensor_file.unflatten(LEARNED, tensors))
        self._data = data_of(tensor_file.unflatten("data", tensors), self._robot.spec.name)
        config = self._config.model
        model = new_model(Transitions.of(self._robot, self._data.training), config, self._robot)
        own = tensor_file.unflatten("model", tensors)
        self._model = LoadedModel(model, own, {"method": config.method})

    def _in_order(self, parameters: Parameters) -> Parameters:
        """Return a policy's parameters in the order of theta."""
        return {name: parameters[name] for name in self.parameters}


def train_in_models(
    learner: ModelLearner[Settings],
    tasks: Tasks,
    config: InModelsConfig,
    out: Path | None,
    progress: Progress,
) -> TrainedPolicy:
    """Run a learner's iterations; see `train_policy`."""
    rows = run_policy(config.method, tasks, config, learner, out, progress)
    names = ("after", "before", "imagined", "updates", "improved")
    curve = tuple(
        ImaginedPoint(row["step"] * config.batch, *(row[name] for name in names)) for row in rows
    )
    return learner.trained(curve)
