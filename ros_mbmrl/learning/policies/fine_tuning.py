"""Fine-tuning of a policy in the model of one task (Wang and van Hoof, Algorithm 2, else-branch).

For i = 1 to K: sample an initial state, collect episodes in the adapted model with pi(a | s),
improve the policy by a step on eq. 12.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator

from ros_mbmrl.dynamics.latent.base import Conditioned
from ros_mbmrl.learning.policies.steps import STEPS, StepConfig
from ros_mbmrl.learning.policies.task_models import TaskModels
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy


@dataclass(frozen=True)
class FineTuning:
    """Settings of fine-tuning: K steps at test time, each on so many imagined episodes."""

    steps: int = 5
    rows: int = 1

    def __post_init__(self) -> None:
        if self.steps < 0 or self.rows < 1:
            raise ValueError(
                f"steps, rows: expected at least 0 and 1, got {self.steps} and {self.rows}"
            )


def fine_tuned(
    policy: GaussianPolicy,
    parameters: Parameters,
    conditioned: Conditioned,
    models: TaskModels,
    config: FineTuning,
    kind: str,
    step: StepConfig,
    generator: Generator,
) -> Parameters:
    """Return the policy's parameters after K steps in the model of one task.

    Args:
        policy, parameters: as meta-trained.
        conditioned: the model of one task, N = 1.
        models: where episodes begin and what they are worth.
        config: how many steps.
        kind: a row of `STEPS`.
        step: its settings.
        generator: of all that is drawn.
    """
    imagine = models.imagine(policy, conditioned, 1, config.rows, generator)
    improve = STEPS[kind](policy, step, generator)
    for _ in range(config.steps):
        parameters = improve.update(parameters, imagine)
    return parameters
