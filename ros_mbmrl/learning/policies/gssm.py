"""Policies that learn in a contextual model: Wang and van Hoof, "Model-based Meta Reinforcement
Learning using Graph Structured Surrogate Models", Algorithm 1.

With GSSM the policy is amortised: pi(a | s, z), trained over tasks and their z. With MLSM-v0,
MLSM-v1 and M-DPILCO it is pi(a | s), trained over the models of all tasks, and fine-tuned in that
of a new one. With L2A there is none: its adapted model is planned in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.agents.base import Agent
from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.agents.policy import ExploringAgent
from ros_mbmrl.agents.shooting import ShootingAgent
from ros_mbmrl.dynamics.files import NORMALIZER
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.learning.models.elbo import Contextual, TaskData
from ros_mbmrl.learning.policies.contextual_models import Fitted, fitted, new_contextual
from ros_mbmrl.learning.policies.gssm_config import METHODS, PLANNED, RADIAL, ContextualConfig
from ros_mbmrl.learning.policies.in_models_config import INITIAL
from ros_mbmrl.learning.policies.meta_testing import (
    NewTasks,
    meta_test,
    task_models,
    thompson,
    with_noise,
)
from ros_mbmrl.learning.policies.steps import STEPS
from ros_mbmrl.learning.policies.training import PolicyMethod, run_policy
from ros_mbmrl.learning.policies.trials import (
    contexts,
    joined,
    run_trials,
    tasks_of,
    tensors_of,
)
from ros_mbmrl.learning.run import LEARNED, Progress, silent
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.amortised import Latent, pooled
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.moments import Moments
from ros_mbmrl.policies.radial import RadialPolicy
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import ImaginedPoint, TrainedPolicy

TASKS, TESTS = 2**30, 2**31  # in place of an iteration's number, in seeds


class ContextualLearner:
    """Make one iteration of Algorithm 1 at a time; see `learning.run.Learner`.

    Raises:
        UserError: the robot's task has rewards that its state does not tell, see `reward_in`.
    """

    def __init__(self, tasks: Tasks, config: ContextualConfig) -> None:
        self.rate = 1.0  # not used: a model's fit has its own, and so has a step
        self._config, self._source, self._robot = config, tasks, tasks.robot
        self._iteration = 0
        self._moments = Moments.none(tasks.observations)  # of all real observations so far
        self._rows: list[TaskData] = []  # of each task so far
        self._starts = torch.zeros(0, len(tasks.robot.spec.state))
        self._fitted: Fitted | None = None
        task_models(tasks, config, self._starts, config.widened)  # what is wrong is said now
        self.policy = self._new_policy(tasks.observations, len(tasks.robot.spec.action))
        generator = Generator().manual_seed(config.seed)
        self.parameters = self.policy.init(generator, config.log_std)

    def _new_policy(self, observations: int, actions: int) -> GaussianPolicy:
        """Return the policy; observations are normalised, z is taken as it is."""
        config = self._config
        inputs = observations + (config.model.latent.size if config.amortised else 0)
        if config.network == RADIAL:
            return RadialPolicy.of(inputs, config.hidden[0], actions)
        mlp = MLP((inputs, *config.hidden, actions), "tanh")
        return GaussianPolicy(mlp, torch.zeros(inputs), torch.ones(inputs))

    def update(self, store: Tasks, generator: Generator) -> dict[str, float]:
        """Make one iteration, whose draws depend on the seed and its number only."""
        own = Generator().manual_seed(self._seed(self._iteration))
        explored = self._collect(store, own)
        self._fit(own)
        imagined = 0.0 if self._config.acting == PLANNED else self._improve(own)
        self._iteration += 1
        tests = NewTasks.drawn(store, self._config.tests, self._seed(TESTS))
        after = float(meta_test(store, self.trained(), self._config, tests).returns.mean())
        return {"before": explored, "after": after, "imagined": imagined or after}

    def _seed(self, what: int) -> int:
        rng = np.random.default_rng((self._config.seed, what))
        return int(rng.integers(2**31))

    def _collect(self, store: Tasks, generator: Generator) -> float:
        """Sample a task, perform T roll-outs with pi_e; return their mean return."""
        config, number = self._config, self._iteration // self._config.resampled
        (situation,), _ = store.drawn(np.random.default_rng((config.seed, TASKS + number)), 1)
        drawn = torch.randint(2**31, (config.episodes,), generator=generator)
        seeds = [int(each) for each in drawn]
        environment = store.make([situation] * config.episodes, seeds)
        agent = self._explorer(number, generator)
        trials = run_trials(environment, agent, config.horizon, seeds)
        rows = trials.rows(range(config.episodes))
        if number < len(self._rows):
            self._rows[number] = joined([self._rows[number], rows])
        else:
            self._rows.append(rows)
        first = torch.as_tensor(trials.states[0], dtype=torch.float32)
        self._starts = torch.cat([self._starts, first])
        self._normalise(rows)
        return float(trials.returns.mean())

    def _explorer(self, number: int, generator: Generator) -> Agent:
        """Return pi_e: random commands at first, then the policy with noise, or the plans."""
        config = self._config
        if self._iteration < config.chance or self._model is None:
            return RandomAgent(config.horizon)
        seen = self._rows[number : number + 1]
        if config.acting == PLANNED:
            if not seen:
                return RandomAgent(config.horizon)
            context = contexts(seen * config.episodes, config.context, generator)
            model, parameters = self._model
            return ShootingAgent(model.condition(parameters, context), config.shooting)
        z = None
        if (latent := self._latent()) is not None:
            belief = latent.prior
            if seen:
                belief = latent.belief(contexts(seen, config.context, generator))
            one = thompson(belief, [generator])
            z = one.expand(config.episodes, -1)
        own = for_tasks(with_noise(self.parameters, config.exploring), config.episodes)
        return ExploringAgent(self.policy, own, config.horizon, z)

    @property
    def _model(self) -> tuple[Contextual, Parameters] | None:
        """Return the contextual model of the last fit, and its parameters."""
        found = self._fitted
        return None if found is None else (found.model, found.parameters)

    def _fit(self, generator: Generator) -> None:
        """Optimise the model on all data so far (eq. 10), from the fit before."""
        config = self._config
        own = (config.kind, self._robot, self._rows, config.model, self._fitted, generator)
        self._fitted = fitted(*own)

    def _normalise(self, rows: TaskData) -> None:
        """Take what was observed into the policy's normalisation."""
        self._moments = self._moments.merged(self._robot.observation(rows.states))
        self._apply_moments()

    def _apply_moments(self) -> None:
        known = self._moments.mean.float(), self._moments.std
        size = len(self.policy.mean) - len(known[0])
        mean, std = (
            torch.cat([part, torch.full((size,), fill)])
            for part, fill in zip(known, (0.0, 1.0), strict=True)
        )
        self.policy = replace(self.policy, mean=mean, std=std)

    def _improve(self, generator: Generator) -> float:
        """Make N updates on eq. 12, each in the models of some tasks; return the last return."""
        assert self._model is not None
        config, (model, known) = self._config, self._model
        wider = config.wider(self._iteration)
        places = task_models(self._source, config, self._begin(), wider)
        step = STEPS[config.step_kind](self.policy, config.step, generator)
        for _ in range(config.updates):
            order = torch.randperm(len(self._rows), generator=generator)[: config.tasks]
            chosen = [self._rows[k] for k in order.tolist()]
            context = contexts(chosen, config.context, generator)
            conditioned = model.condition(known, context)
            own = (self.policy, conditioned, len(chosen), config.rows, generator, config.amortised)
            imagine = places.imagine(*own)
            self.parameters = step.update(self.parameters, imagine)
        with torch.no_grad():
            return float(imagine(for_tasks(self.parameters, 1)).returns.mean())

    def _begin(self) -> Tensor:
        """Return the states (n, ds) that imagined episodes begin in."""
        if self._config.starts == INITIAL:
            return self._starts
        return joined(self._rows).states

    def _latent(self) -> Latent | None:
        """Return the encoder that tells an amortised policy its task; None of others."""
        if not self._config.amortised or self._model is None:
            return None
        model, parameters = self._model
        context = contexts(self._rows, self._config.context)
        with torch.no_grad():
            code = model.condition(parameters, context).code
        assert code is not None
        config = self._config
        return Latent(model, parameters, pooled([code]), config.context, config.horizon)

    def trained(self) -> TrainedPolicy:
        """Return the policy with its model, as they are now."""
        own = self.policy, self.parameters, ()
        return TrainedPolicy(*own, contextual=self._model, latent=self._latent())

    def snapshot(self) -> dict[str, Tensor]:
        """Return policy, model and data, and the iteration's number."""
        kept = tensor_file.flatten(LEARNED, self.parameters)
        kept |= {"moments/mean": self._moments.mean, "moments/variance": self._moments.variance}
        kept |= tensor_file.flatten("data", tensors_of(self._rows))
        counts, normalised = [self._iteration, self._moments.count], 0
        if self._fitted is not None:
            kept |= tensor_file.flatten("model", self._fitted.parameters)
            kept |= tensor_file.flatten("normalizer", _statistics(self._fitted))
            normalised = self._fitted.rows
        return kept | {"counts": torch.tensor([*counts, normalised]), "starts": self._starts}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        self._iteration, count, normalised = tensors["counts"].tolist()
        self._moments = Moments(tensors["moments/mean"], tensors["moments/variance"], count)
        self._apply_moments()
        found = tensor_file.unflatten(LEARNED, tensors)
        self.parameters = {name: found[name] for name in self.parameters}
        self._rows = tasks_of(tensor_file.unflatten("data", tensors))
        self._starts = tensors["starts"]
        found = tensor_file.unflatten("normalizer", tensors)
        known = Normalizer(**{name: found[name] for name in NORMALIZER})  # type: ignore[arg-type]
        model = new_contextual(self._config.kind, self._robot, known, self._config.model)
        own = tensor_file.unflatten("model", tensors)
        order = model.init(Generator())
        self._fitted = Fitted(model, {name: own[name] for name in order}, normalised)


def _statistics(found: Fitted) -> dict[str, Tensor]:
    return {name: getattr(found.model.normalizer, name) for name in NORMALIZER}


def train_contextual(
    tasks: Tasks, config: ContextualConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train a policy in a contextual model of the tasks; see `train_policy`.

    Raises:
        UserError: the robot's task has rewards that its state does not tell, see `reward_in`.
    """
    learner = ContextualLearner(tasks, config)
    rows = run_policy(config.method, tasks, config, learner, out, progress)
    curve = tuple(
        ImaginedPoint(
            *(row["step"] * config.batch, row["after"], row["before"]),
            *(row["imagined"], config.updates, 1.0),
        )
        for row in rows
    )
    return replace(learner.trained(), curve=curve)


def _config(method: str, seed: int = 0) -> ContextualConfig:
    """Return the settings of a method where nothing else is said."""
    return ContextualConfig(method, METHODS[method][1], seed=seed)


def _trainer(method: str) -> PolicyMethod:
    return PolicyMethod(partial(_config, method), train_contextual)


GSSM, M_DPILCO, L2A = (_trainer(f"{name}_policy") for name in ("gssm", "m_dpilco", "l2a"))
MLSM_V0, MLSM_V1 = _trainer("mlsm_v0_policy"), _trainer("mlsm_v1_policy")
