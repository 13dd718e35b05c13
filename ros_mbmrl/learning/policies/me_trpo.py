"""ME-TRPO (thesis, Algorithm 2), and what it grew from: the vanilla method (Algorithm 1).

Both gather real data with the policy, fit models to all of it, and improve the policy in the models
alone until the models' validation (eq. 5) ends that. They differ in the number of models and in the
step: an ensemble for `me_trpo` and `me_ppo`; one model for `bptt`, `one_model_vpg` and
`one_model_trpo`, the ladder of figure 4. With one model eq. 5 asks whether performance improves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.data.selection import split
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.imagination import EPS_RAND, Imagination
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.models.meta import new_model
from ros_mbmrl.learning.policies.me_config import (
    ENSEMBLE,
    INITIAL,
    ONE_MODEL,
    MEConfig,
    config_of,
)
from ros_mbmrl.learning.policies.real_data import (
    Gathered,
    data_of,
    exploring,
    gather,
    tensors_of,
)
from ros_mbmrl.learning.policies.steps import STEPS
from ros_mbmrl.learning.policies.training import PolicyMethod, run_policy
from ros_mbmrl.learning.policies.validation import Performances, Validation
from ros_mbmrl.learning.rounds import Data, fit_model
from ros_mbmrl.learning.run import LEARNED, Progress, silent
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.imagined import ImaginedEpisodes, imagine_episodes, reward_of
from ros_mbmrl.policies.moments import Moments
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import ImaginedPoint, TrainedPolicy
from ros_mbmrl.simulation.environment import tasks_of

TESTS = 2**31  # in place of an iteration's number, in the seed of the tests
HELD_OUT = 1 / 3  # of the rollouts (section A.1.1)


def train_me(
    tasks: Tasks, config: MEConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train a policy on the robots that `tasks` draws; see `train_policy`.

    Raises:
        UserError: the robot's task has rewards that its state does not tell, see `reward_of`.
    """
    learner = MELearner(tasks, config)
    rows = run_policy(config.method, tasks, config, learner, out, progress)
    names = ("after", "before", "imagined", "updates", "improved")
    curve = tuple(
        ImaginedPoint(row["step"] * config.batch, *(row[name] for name in names)) for row in rows
    )
    return TrainedPolicy(learner.policy, learner.parameters, curve, model=learner.model)


class MELearner:
    """Make one iteration of Algorithm 1 or 2 at a time; see `learning.run.Learner`."""

    def __init__(self, tasks: Tasks, config: MEConfig) -> None:
        self.rate = 1.0  # not used: a model's fit has its own, and so has a step
        self._config, self._robot, self._iteration = config, tasks.robot, 0
        nowhere = np.zeros((1, len(tasks.robot.spec.state))), np.zeros((1, tasks.goals))
        self._reward = reward_of(tasks.task or tasks_of(tasks.robot, *nowhere)[0])
        self._moments = Moments.none(tasks.observations)  # of all real observations so far
        actions = len(tasks.robot.spec.action)
        mlp = MLP((tasks.observations, *config.hidden, actions), "tanh")
        # line 1; line 2: an empty data set
        self.policy = GaussianPolicy(mlp, self._moments.mean.float(), self._moments.std)
        generator = Generator().manual_seed(config.seed)
        self.parameters = self.policy.init(generator, config.log_std)
        self._previous = self.parameters
        self._data = Data()
        self._model: LoadedModel | None = None

    @property
    def model(self) -> tuple[DynamicsModel, Parameters] | None:
        """Return the models of the last fit, and their parameters; None before the first."""
        found = self._model
        return None if found is None else (found.model, found.parameters)

    def update(self, store: Tasks, generator: Generator) -> dict[str, float]:
        """Make one iteration, whose draws depend on the seed and its number only."""
        rng = np.random.default_rng((self._config.seed, self._iteration))
        own = Generator().manual_seed(int(rng.integers(2**62)))
        gathered = self._gather(store, rng, own)  # line 4
        self._fit()  # line 5
        validation = self._improve(own)  # lines 6 to 11
        self._previous, self.parameters = self.parameters, validation.best
        self._iteration += 1
        return {
            "before": float(gathered.returns.mean()),
            "after": float(self._tested(store).returns.mean()),
            "imagined": float(validation.performance.mean()),
            "updates": validation.updates,
            "improved": validation.ratio,
        }

    def _gather(self, store: Tasks, rng: np.random.Generator, generator: Generator) -> Gathered:
        """Add real episodes to the data, and what was observed to the policy's normalisation."""
        config = self._config
        own = exploring(
            self.parameters,
            self._previous,
            config.episodes,
            config.largest_std,
            config.parameter_noise,
            generator,
        )
        session = f"iteration-{self._iteration}"
        found = gather(store, self.policy, own, config.horizon, rng, session)
        training, held = split(found.rollouts, held_out=HELD_OUT, seed=int(rng.integers(2**31)))
        self._data = Data((*self._data.training, *training), (*self._data.held, *held))
        states = torch.cat([torch.from_numpy(each.states[:-1]) for each in found.rollouts])
        self._moments = self._moments.merged(self._robot.observation(states))
        mean, std = self._moments.mean.float(), self._moments.std
        self.policy = replace(self.policy, mean=mean, std=std)
        return found

    def _fit(self) -> None:
        """Fit the models to all data, from those of the iteration before."""
        config = replace(self._config.model, seed=self._config.seed + self._iteration)
        trained = fit_model(self._robot, config, self._data, self._model)
        self._model = LoadedModel(trained.model, trained.parameters, {"method": config.method})

    def _improve(self, generator: Generator) -> Validation:
        """Improve the policy in the models until its validation ends that."""
        config = self._config
        assert (fitted := self.model) is not None
        imagination, starts = Imagination.of(*fitted, config.scheme), self._starts()
        kind = {**ENSEMBLE, **ONE_MODEL}[config.method]
        step = STEPS[kind](self.policy, config.step, generator)

        def imagine(parameters: Parameters) -> ImaginedEpisodes:  # line 8
            rows = torch.randint(len(starts), (config.rows,), generator=generator)
            shape = config.rows, config.horizon, len(self._robot.spec.action)
            noise = torch.randn(shape, generator=generator)
            own = (self.policy, parameters, imagination, self._reward, starts[rows], noise)
            return imagine_episodes(*own, generator)

        performances = self._performances(Imagination.of(*fitted, EPS_RAND), starts, generator)
        validation = Validation(config.validation, performances, self.parameters)
        parameters, goes_on = self.parameters, True
        while goes_on:
            parameters = step.update(parameters, imagine)  # lines 7, 9
            goes_on = validation.goes_on(parameters)  # lines 10, 11
        return validation

    def _performances(
        self, imagination: Imagination, starts: Tensor, generator: Generator
    ) -> Performances:
        """Return how J_k is estimated: on the same starts for all members and policies."""
        config, count = self._config, imagination.count
        rows = torch.randint(len(starts), (config.validation.episodes,), generator=generator)
        begin = starts[rows].repeat(count, 1)
        members = torch.arange(count).repeat_interleave(len(rows))
        still = torch.zeros(len(begin), config.horizon, len(self._robot.spec.action))

        @torch.inference_mode()
        def performances(parameters: Parameters) -> Tensor:
            own = (self.policy, for_tasks(parameters, 1), imagination, self._reward, begin, still)
            return imagine_episodes(*own, generator, members).returns.view(count, -1).mean(dim=1)

        return performances

    def _starts(self) -> Tensor:
        """Return the states (n, ds) that imagined episodes begin in."""
        last = 1 if self._config.starts == INITIAL else None
        rollouts = (*self._data.training, *self._data.held)
        return torch.cat([torch.from_numpy(each.states[:last]) for each in rollouts])

    def _tested(self, store: Tasks) -> Gathered:
        """Run real episodes without noise, the same after each iteration; nothing is learned."""
        rng = np.random.default_rng((self._config.seed, TESTS))
        still = {**self.parameters, "log_std": torch.full_like(self.parameters["log_std"], -30.0)}
        own = (self.policy, for_tasks(still, self._config.tests), self._config.horizon, rng)
        return gather(store, *own, "test")

    def snapshot(self) -> dict[str, Tensor]:
        """Return policy, models and data, and the iteration's number."""
        kept = tensor_file.flatten(LEARNED, self.parameters)
        kept |= tensor_file.flatten("previous", self._previous)
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
        for attribute, prefix in (("parameters", LEARNED), ("_previous", "previous")):
            found = tensor_file.unflatten(prefix, tensors)
            own = {name: found[name] for name in self.parameters}  # theta's order
            setattr(self, attribute, own)
        self._data = data_of(tensor_file.unflatten("data", tensors), self._robot.spec.name)
        config = self._config.model
        model = new_model(Transitions.of(self._robot, self._data.training), config, self._robot)
        own = tensor_file.unflatten("model", tensors)
        self._model = LoadedModel(model, own, {"method": config.method})


def _trainer(method: str) -> PolicyMethod:
    return PolicyMethod(partial(config_of, method), train_me, across=False)


ME_TRPO, ME_PPO = _trainer("me_trpo"), _trainer("me_ppo")
BPTT, VPG, TRPO = _trainer("bptt"), _trainer("one_model_vpg"), _trainer("one_model_trpo")
