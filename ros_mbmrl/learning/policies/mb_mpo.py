"""MB-MPO (thesis, Algorithm 3): a policy that one policy-gradient step adapts to any of the models.

    max_theta  1/K sum_k J_k(theta'_k)   s.t.   theta'_k = theta + alpha grad J_k(theta)     (eq. 7)
    J_k(theta) = E[sum_t r(s_t, a_t) | a_t ~ pi_theta, s_{t+1} = p_k(s_t, a_t)]              (eq. 8)

Each of the K models of an ensemble is a task, and all practice is imagined. The result is theta
before any adaptation (line 12), whose return is what the thesis reports: it acts as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Generator

from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.dynamics.imagination import EPS_RAND
from ros_mbmrl.learning.policies.in_models import (
    Imagine,
    Improved,
    ModelLearner,
    Update,
    train_in_models,
)
from ros_mbmrl.learning.policies.mb_mpo_config import MBMPOConfig
from ros_mbmrl.learning.policies.meta_learner import OuterStep, Sampled
from ros_mbmrl.learning.policies.real_data import Gathered, gather, gather_by
from ros_mbmrl.learning.policies.training import PolicyMethod
from ros_mbmrl.learning.policies.validation import improved_ratio
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.adapt import AdaptedPolicies, InnerConfig
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.inner_step import inner_step
from ros_mbmrl.policies.sampling import Episodes, Tasks, experience_of
from ros_mbmrl.policies.trained import TrainedPolicy

# imagine(parameters (K, ...)) -> episodes of the K policies, each in its own model
InEach = Callable[[Parameters], Episodes]


def train_mb_mpo(
    tasks: Tasks, config: MBMPOConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train a policy on the robots that `tasks` draws; see `train_policy`.

    Raises:
        UserError: the robot's task has rewards that its state does not tell, see `reward_in`.
    """
    return train_in_models(MBMPOLearner(tasks, config), tasks, config, out, progress)


class MBMPOLearner(ModelLearner[MBMPOConfig]):
    """Make one iteration of Algorithm 3 at a time."""

    first_by_chance = acts_before_update = True

    def _gather(self, store: Tasks, rng: np.random.Generator, generator: Generator) -> Gathered:
        """See `ModelLearner._gather`: by chance, then by the adapted policies in turn (line 3)."""
        config = self._config
        if self._model is None:
            by_chance = RandomAgent(config.horizon)
            own = (by_chance, config.episodes, store, config.horizon, rng, self._session)
            return gather_by(*own)
        adapted = self.adapted(generator).parameters
        turn = torch.arange(config.episodes) % config.tasks
        each = {name: value[turn] for name, value in adapted.items()}
        return gather(store, self.policy, each, config.horizon, rng, self._session)

    def adapted(self, generator: Generator) -> AdaptedPolicies:
        """Return the policy adapted to each of the models, (K, ...)."""
        config = self._config
        imagine = self._imagine_for(generator)
        return adapt_to_models(
            self.policy, self.parameters, imagine, config.tasks, config.adaptation
        )

    def _improve(self, generator: Generator) -> Improved:
        """See `ModelLearner._improve`: meta-policy optimisation (lines 5 to 10)."""
        config, update = self._config, self._new_update(generator)
        biases = self._biases(generator)
        imagine = self._imagine_for(generator, biases)
        performances = self._performances(biases, config.episodes_of_model, generator)
        theta, updates = self.parameters, 0
        for _ in range(config.meta_steps):
            before = theta
            theta = update(theta, imagine)
            updates += any(not torch.equal(theta[name], before[name]) for name in theta)
        found = performances(theta)
        ratio = improved_ratio(found, performances(self.parameters))
        return Improved(theta, float(found.mean()), updates, ratio)

    def _new_update(self, generator: Generator) -> Update:
        """See `ModelLearner._new_update`: lines 5 to 10."""
        policy, config, outer = self.policy, self._config, self._config.outer_step()

        def update(theta: Parameters, imagine: Imagine) -> Parameters:
            return meta_step(policy, theta, imagine, config.tasks, config.adaptation, outer)

        return update

    def _imagine_for(self, generator: Generator, biases: torch.Tensor | None = None) -> Imagine:
        """See `ModelLearner._imagine_for`: episodes of K policies, each in its own model."""
        config = self._config
        members = torch.arange(config.tasks).repeat_interleave(config.rows // config.tasks)
        own = self._imagination(EPS_RAND, biases)
        imagine: Imagine = torch.no_grad()(self._imagined(own, generator, members))
        return imagine


def meta_step(
    policy: GaussianPolicy,
    parameters: Parameters,
    imagine: InEach,
    tasks: int,
    inner: InnerConfig,
    outer: OuterStep,
) -> Parameters:
    """Return theta after one outer step: lines 5 to 10.

    Args:
        policy: acts with theta, `parameters`.
        imagine: episodes of K policies, each in its own model.
        tasks: their number K.
        inner: settings of the adaptation to a model.
        outer: improves theta by what was imagined.
    """
    adapted = adapt_to_models(policy, parameters, imagine, tasks, inner)
    after = imagine(adapted.parameters)  # line 8
    experience, _ = experience_of(policy, after, inner.discounts)
    sampled = Sampled(policy, parameters, adapted, experience, after.returns.mean(-1))
    theta, _ = outer.step(sampled)  # line 10: eq. 7 through the inner step
    return theta


def adapt_to_models(
    policy: GaussianPolicy,
    parameters: Parameters,
    imagine: InEach,
    tasks: int,
    inner: InnerConfig,
) -> AdaptedPolicies:
    """Return theta'_k of each of K models, and what was imagined for it: lines 5 to 7.

    Without inner steps theta'_k is theta, and nothing is imagined; see `meta_step`.
    """
    own = for_tasks(parameters, tasks)
    if not inner.steps:
        return AdaptedPolicies(own, (), (), ())
    episodes = imagine(own)  # line 6
    experience, baseline = experience_of(policy, episodes, inner.discounts)
    moved = inner_step(policy, own, experience, inner.rate)  # line 7: grad J_k, eq. 8
    return AdaptedPolicies(moved, (episodes,), (experience,), (baseline,))


METHOD = PolicyMethod(MBMPOConfig, train_mb_mpo, across=False, learner=MBMPOLearner)
