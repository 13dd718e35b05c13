"""Fine-tuning in the model of one task."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from ros_mbmrl.learning.policies.fine_tuning import FineTuning, fine_tuned
from ros_mbmrl.learning.policies.steps import StepConfig
from ros_mbmrl.policies.sampling import Tasks

from .test_task_models import linear, places, pushed


def test_a_policy_gets_better_in_the_task_at_hand(sliders: Tasks) -> None:
    policy, config = linear(2), StepConfig(learning_rate=0.05)
    start = policy.init(Generator().manual_seed(0))
    for gain in (1.0, -1.0):
        own = (policy, start, pushed(gain), places(sliders, 1), FineTuning(20, 1))
        tuned = fine_tuned(*own, "bptt", config, Generator().manual_seed(1))
        assert float(tuned["b0"]) == pytest.approx(gain, abs=0.25)
    assert torch.equal(start["b0"], torch.zeros(1))


def test_without_steps_nothing_changes(sliders: Tasks) -> None:
    policy = linear(2)
    start = policy.init(Generator().manual_seed(0))
    own = (policy, start, pushed(1.0), places(sliders, 1), FineTuning(0, 1), "bptt")
    assert fine_tuned(*own, StepConfig(), Generator()) is start


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="steps, rows"):
        FineTuning(-1, 1)
