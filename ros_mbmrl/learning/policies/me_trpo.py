"""ME-TRPO (thesis, Algorithm 2), and what it grew from: the vanilla method (Algorithm 1).

Both gather real data with the policy, fit models to all of it, and improve the policy in the models
alone until the models' validation (eq. 5) ends that. They differ in the number of models and in the
step: an ensemble for `me_trpo` and `me_ppo`; one model for `bptt`, `one_model_vpg` and
`one_model_trpo`, the ladder of figure 4. With one model eq. 5 asks whether performance improves.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.in_models import (
    Imagine,
    Improved,
    ModelLearner,
    Update,
    train_in_models,
)
from ros_mbmrl.learning.policies.me_config import ENSEMBLE, ONE_MODEL, MEConfig, config_of
from ros_mbmrl.learning.policies.real_data import Gathered, exploring, gather
from ros_mbmrl.learning.policies.steps import STEPS
from ros_mbmrl.learning.policies.training import PolicyMethod
from ros_mbmrl.learning.policies.validation import Validation
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy


def train_me(
    tasks: Tasks, config: MEConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train a policy on the robots that `tasks` draws; see `train_policy`.

    Raises:
        UserError: the robot's task has rewards that its state does not tell, see `reward_in`.
    """
    return train_in_models(MELearner(tasks, config), tasks, config, out, progress)


class MELearner(ModelLearner[MEConfig]):
    """Make one iteration of Algorithm 1 or 2 at a time."""

    def __init__(self, tasks: Tasks, config: MEConfig) -> None:
        super().__init__(tasks, config)
        self._previous = self.parameters

    def _gather(self, store: Tasks, rng: np.random.Generator, generator: Generator) -> Gathered:
        """See `ModelLearner._gather`: each episode explores in its own way (line 4)."""
        config = self._config
        own = self.explored(self.parameters, self._previous, config.episodes, generator)
        return gather(store, self.policy, own, config.horizon, rng, self._session)

    def explored(
        self, parameters: Parameters, previous: Parameters, episodes: int, generator: Generator
    ) -> Parameters:
        """See `ModelLearner.explored`: each episode in its own way."""
        largest, noise = self._config.largest_std, self._config.parameter_noise
        return exploring(parameters, previous, episodes, largest, noise, generator)

    def _imagine_for(self, generator: Generator, biases: Tensor | None) -> Imagine:
        """See `ModelLearner._imagine_for`: lines 7 and 8."""
        return self._imagined(self._imagination(self._config.scheme, biases), generator)

    def _new_update(self, generator: Generator) -> Update:
        """See `ModelLearner._new_update`: line 9, by the method's step."""
        kind = {**ENSEMBLE, **ONE_MODEL}[self._config.method]
        return STEPS[kind](self.policy, self._config.step, generator).update

    def _improve(self, generator: Generator) -> Improved:
        """See `ModelLearner._improve`: until the validation ends it (lines 6 to 11)."""
        config, biases = self._config, self._biases(generator)
        update, imagine = self._new_update(generator), self._imagine_for(generator, biases)
        performances = self._performances(biases, config.validation.episodes, generator)
        validation = Validation(config.validation, performances, self.parameters)
        parameters, goes_on = self.parameters, True
        while goes_on:
            parameters = update(parameters, imagine)  # lines 7 to 9
            goes_on = validation.goes_on(parameters)  # lines 10, 11
        self._previous = self.parameters
        imagined = float(validation.performance.mean())
        return Improved(validation.best, imagined, validation.updates, validation.ratio)

    def snapshot(self) -> dict[str, Tensor]:
        """Return what every learner in models keeps, and the policy before the last iteration."""
        return super().snapshot() | tensor_file.flatten("previous", self._previous)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        super().restore(tensors)
        self._previous = self._in_order(tensor_file.unflatten("previous", tensors))


def _trainer(method: str) -> PolicyMethod:
    return PolicyMethod(partial(config_of, method), train_me, across=False, learner=MELearner)


ME_TRPO, ME_PPO = _trainer("me_trpo"), _trainer("me_ppo")
BPTT, VPG, TRPO = _trainer("bptt"), _trainer("one_model_vpg"), _trainer("one_model_trpo")
