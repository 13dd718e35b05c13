"""Meta-testing (Wang and van Hoof, Algorithm 2): a memory of each new task, then how to act in it.

With an amortised policy z is drawn from q(z | memory), and nothing is optimised. Otherwise the
policy is fine-tuned in the adapted model of each task, or the model is planned in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.agents.base import Agent
from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.agents.policy import ExploringAgent
from ros_mbmrl.agents.shooting import ShootingAgent
from ros_mbmrl.dynamics.latent.base import Code, Context
from ros_mbmrl.learning.models.elbo import TaskData
from ros_mbmrl.learning.policies.fine_tuning import fine_tuned
from ros_mbmrl.learning.policies.gssm_config import AMORTISED, PLANNED, ContextualConfig
from ros_mbmrl.learning.policies.in_models_config import INITIAL
from ros_mbmrl.learning.policies.task_models import TaskModels
from ros_mbmrl.learning.policies.trials import contexts, joined, run_trials
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.adapt import start_of
from ros_mbmrl.policies.gaussian import as_gaussian, for_tasks, without_noise
from ros_mbmrl.policies.imagined import reward_in
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.situations import Situation

MEMORY, ACTING, CHANCE = 1, 2, 3  # in place of a phase's number, in the seeds of episodes


@dataclass(frozen=True)
class NewTasks:
    """N tasks to be met: situations, and a seed each of everything random in them."""

    situations: Sequence[Situation]
    seeds: Sequence[int]

    @classmethod
    def drawn(cls, tasks: Tasks, count: int, seed: int) -> NewTasks:
        """Draw N tasks."""
        return cls(*tasks.drawn(np.random.default_rng(seed), count))

    def generators(self, phase: int) -> list[Generator]:
        """Return a generator of each task."""
        return [Generator().manual_seed(start_of(seed, phase, 0)) for seed in self.seeds]


@dataclass(frozen=True)
class MetaTested:
    """Episodes in N new tasks.

    Args:
        returns: (N,), after adaptation.
        memory: transitions of each task that were adapted on.
        met: transitions of each task after adaptation.
    """

    returns: Array
    memory: Context
    met: list[TaskData]


def meta_test(
    tasks: Tasks, trained: TrainedPolicy, config: ContextualConfig, new: NewTasks
) -> MetaTested:
    """Run Algorithm 2 in N new tasks, an episode of each to be judged."""
    rows = remembered(tasks, trained, config, new)
    memory = contexts(rows, config.context)
    agent = adapted_agent(tasks, trained, config, new, memory)
    seeds = [start_of(seed, ACTING, 0) for seed in new.seeds]
    trials = run_trials(tasks.make(new.situations, seeds), agent, config.horizon, seeds)
    met = [trials.rows([n]) for n in range(len(seeds))]
    return MetaTested(trials.returns, memory, met)


def remembered(
    tasks: Tasks, trained: TrainedPolicy, config: ContextualConfig, new: NewTasks
) -> list[TaskData]:
    """Run pi_e in each task until `context` transitions are there: the policy, with noise.

    An amortised policy draws z from its belief about a task of which nothing was seen. Where models
    are planned in, there is no policy: commands are random.
    """
    count = len(new.seeds)

    def agent(episode: int) -> Agent:
        if config.acting == PLANNED:
            return RandomAgent(config.horizon)
        z = None
        if trained.latent is not None:
            prior = Code(*(part.expand(count, -1) for part in trained.latent.prior))
            z = thompson(prior, new.generators(MEMORY + 10 * episode))
        own = for_tasks(with_noise(trained.parameters, config.exploring), count)
        return ExploringAgent(as_gaussian(trained.policy), own, config.horizon, z)

    return transitions_of(tasks, new, config.context, config.horizon, MEMORY, agent)


def transitions_of(
    tasks: Tasks,
    new: NewTasks,
    count: int,
    horizon: int,
    phase: int,
    agent: Callable[[int], Agent],
) -> list[TaskData]:
    """Return `count` transitions of each new task, in episodes.

    Args:
        tasks, new: what is met.
        count: of each task, fewer where an episode ends early.
        horizon: control periods of an episode.
        phase: in the seeds of the episodes.
        agent: gives who acts in an episode, by its number.
    """
    found: list[list[TaskData]] = [[] for _ in new.seeds]
    for k in range(-(-count // horizon)):
        seeds = [start_of(seed, phase, k) for seed in new.seeds]
        robots, steps = tasks.make(new.situations, seeds), min(horizon, count - k * horizon)
        trials = run_trials(robots, agent(k), steps, seeds)
        for n, rows in enumerate(found):
            rows.append(trials.rows([n]))
    return [joined(rows) for rows in found]


def adapted_agent(
    tasks: Tasks,
    trained: TrainedPolicy,
    config: ContextualConfig,
    new: NewTasks,
    memory: Context,
) -> Agent:
    """Return who acts in N tasks after a look at the memory of each."""
    assert trained.contextual is not None
    model, parameters = trained.contextual
    if config.acting == PLANNED:
        return ShootingAgent(model.condition(parameters, memory), config.shooting)
    policy, count = as_gaussian(trained.policy), len(new.seeds)
    if config.acting == AMORTISED:
        assert trained.latent is not None
        z = thompson(trained.latent.belief(memory), new.generators(ACTING))
        still = for_tasks(without_noise(trained.parameters), count)
        return ExploringAgent(policy, still, config.horizon, z)
    each = [
        without_noise(tuned(tasks, trained, config, one_of(memory, n), generator))
        for n, generator in enumerate(new.generators(ACTING))
    ]
    stacked = {name: torch.stack([own[name] for own in each]) for name in each[0]}
    return ExploringAgent(policy, stacked, config.horizon)


def tuned(
    tasks: Tasks,
    trained: TrainedPolicy,
    config: ContextualConfig,
    memory: Context,
    generator: Generator,
) -> Parameters:
    """Return the policy's parameters after fine-tuning in the model of one task.

    memory: of that task, N = 1; imagined episodes begin in its states, the first one where the
    configuration says `initial`.
    """
    assert trained.contextual is not None
    model, parameters = trained.contextual
    live = memory.states[0, memory.weight[0] > 0]
    starts = live[:1] if config.starts == INITIAL else live
    return fine_tuned(
        *(as_gaussian(trained.policy), trained.parameters, model.condition(parameters, memory)),
        task_models(tasks, config, starts),
        config.fine_tuning,
        *(config.step_kind, config.step, generator),
    )


def task_models(
    tasks: Tasks, config: ContextualConfig, starts: Tensor, wider: float = 1.0
) -> TaskModels:
    """Return where the policy practises. Raises UserError, see `reward_in`."""
    horizon, noisy = config.imagined or config.horizon, config.step_kind != "bptt"
    return TaskModels(tasks.robot, reward_in(tasks, wider), tasks.ended, starts, horizon, noisy)


def thompson(belief: Code, generators: Sequence[Generator]) -> Tensor:
    """Draw z (N, dz) of N tasks from a belief about each, each by its own generator."""
    size = belief.mean.shape[-1]
    return belief.at(torch.stack([torch.randn(size, generator=each) for each in generators]))


def with_noise(parameters: Parameters, deviation: float) -> Parameters:
    """Return the parameters of a policy whose actions have noise of this deviation."""
    std = torch.full_like(parameters["log_std"], max(deviation, 1e-6))
    return {**parameters, "log_std": std.log()}


def one_of(memory: Context, task: int) -> Context:
    """Return the memory of one task, N = 1."""
    return Context(*(part[task : task + 1] for part in memory))
