"""Where a study's robots act."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ros_mbmrl.evaluation.study.studies import make_study
from ros_mbmrl.evaluation.study.worlds import (
    period_of,
    situations_of,
    task_of,
    training_draw,
    worlds_of,
)
from ros_mbmrl.simulation.distributions import TRAINING_JOINTS
from ros_mbmrl.simulation.situations import Situation

DISABLED, RUN = make_study("cheetah-disabled"), make_study("cheetah-run")


def test_a_study_of_an_environment_has_its_situations() -> None:
    rng = np.random.default_rng(0)
    assert training_draw(RUN)(rng) == Situation()
    assert situations_of(RUN, RUN.conditions, [1, 2], 50.0) == [Situation(), Situation()]
    faults = training_draw(DISABLED)(rng).faults
    assert [fault.name in {f"{j}_disabled" for j in TRAINING_JOINTS} for fault in faults] == [True]
    assert period_of(RUN) == period_of(DISABLED) == 0.05


@pytest.mark.parametrize(("study", "effort"), [(DISABLED, 0.05), (RUN, 0.1)])
def test_robots_and_task_have_the_rewards_of_the_study(study: object, effort: float) -> None:
    """At rest with all six torques at 1, a reward is the speed less 6 times the effort."""
    assert study in (DISABLED, RUN)
    own = RUN if study is RUN else DISABLED
    worlds = worlds_of(own, situations_of(own, own.conditions[:1], [3], 1.0), [3])
    before = worlds.states()
    moved = worlds.step(np.ones((1, 6)))
    speed = (worlds.states()[0, 0] - before[0, 0]) / 0.05
    assert moved.reward[0] == pytest.approx(speed - 6 * effort, abs=1e-3)
    states = torch.as_tensor(np.stack([before[0], worlds.states()[0]]), dtype=torch.float32)
    task = task_of(own)
    cost = task.cost(states[None], torch.ones(1, 1, 6), task.reference(before[0]))
    assert cost.item() == pytest.approx(-moved.reward[0], abs=1e-3)
