"""What the guard is for: wild telemetry of the real robot, and a careless update rule."""

from __future__ import annotations

import numpy as np
import torch

from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.data.import_summary import ImportSummary
from ros_mbmrl.data.rollout import Mark, Rollout
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.meta import new_model, train_model
from ros_mbmrl.learning.open_loop import open_loop_errors
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.robots import make_robot

WINDOW = 16


def test_on_wild_telemetry_of_the_real_robot_the_guard_saves_a_careless_step(
    real: tuple[list[Rollout], ImportSummary],
) -> None:
    robot, rollouts = make_robot("hexapod"), real[0]
    data = Transitions.of(robot, rollouts)
    config = TrainConfig(
        method="mb", hidden=(128, 128, 128), adapt_windows=(WINDOW,), supervised_steps=600,
        validate_every=600, weight_decay=1.0, noise=0.2,
    )  # fmt: skip
    model = new_model(data, config, robot)
    trained = train_model(model, config, data, Transitions.of(robot, rollouts[::20]))

    marks = torch.from_numpy(np.concatenate([rollout.marks for rollout in rollouts]))
    starts = data.starts(WINDOW + 1)
    wild = (marks[starts[:, None] + torch.arange(WINDOW)] & int(Mark.WILD)).amax(dim=1) > 0
    starts = starts[wild]
    assert len(starts) > 50

    careless = GradientStep(step=0.1, bias_step=0.1, limit=1e9)
    mean, worst = {}, {}
    for guarded in (False, True):
        guard = Guard(careless, trained.parameters, WINDOW, GuardConfig(enabled=guarded))
        prior, adapted = open_loop_errors(model, guard, data, 1, starts=starts).normalised
        mean[guarded] = float(adapted.mean() / prior.mean())
        worst[guarded] = float((adapted / prior).max())
    assert mean[False] > 1.2
    assert mean[True] < 1.05
    assert worst[True] < worst[False]
