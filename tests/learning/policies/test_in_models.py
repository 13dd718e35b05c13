"""What all learners in models share: biased models, and robots whose rewards no state tells."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator

from ros_mbmrl.dynamics.biased import BiasedImagination
from ros_mbmrl.dynamics.imagination import EPS_RAND
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.me_config import MEConfig
from ros_mbmrl.learning.policies.me_trpo import MELearner
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks
from ros_mbmrl.learning.policies.validation import ValidationConfig
from ros_mbmrl.policies.sampling import Tasks


def learner(sliders: Tasks, bias: float | None) -> MELearner:
    base = MEConfig()
    model = replace(base.model, hidden=(16,), members=3, supervised_steps=40, validate_every=20)
    updates = ValidationConfig(every=1, updates=2, tolerance=1, episodes=4)
    sizes = {"episodes": 4, "horizon": 15, "rows": 6, "hidden": (4,)}
    return MELearner(
        sliders, replace(base, model_bias=bias, model=model, validation=updates, **sizes)
    )


def test_models_are_as_they_were_fitted_unless_a_bias_is_asked(sliders: Tasks) -> None:
    plain = learner(sliders, None)
    told = plain.update(sliders, Generator())
    assert plain._biases(Generator()) is None
    assert not isinstance(plain._imagination(EPS_RAND, None), BiasedImagination)
    wrong = learner(sliders, 0.5)
    assert wrong.update(sliders, Generator())["before"] == told["before"]  # reality has none
    biases = wrong._biases(Generator().manual_seed(1))
    assert biases is not None and biases.shape == (3,)
    assert not torch.equal(biases, torch.zeros(3)) and bool((biases <= 0.5).all())
    # A still slider at rest drifts by each member's bias, in every step.
    performances = wrong._performances(torch.tensor([0.0, 0.0, 50.0]), 2, Generator())
    good, also, lost = performances(wrong.parameters).tolist()
    assert lost < 100 * min(good, also) < 0


@pytest.mark.parametrize("name", ["point_corners", "arm_7dof"])
def test_rewards_have_to_follow_from_states(name: str) -> None:
    with pytest.raises(UserError, match="imagination: "):
        MELearner(simulated_tasks(name), MEConfig())
