"""The live windows of many robots: each holds what its own would."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ros_mbmrl.adaptation.batch_window import BatchWindow
from ros_mbmrl.adaptation.window import LiveWindow
from ros_mbmrl.robots.delay import Delay
from ros_mbmrl.robots.spec import Robot

CPU = torch.device("cpu")


@pytest.mark.parametrize("delay", [Delay(), Delay(0, 0.4), Delay(1), Delay(3, 0.6)])
def test_each_is_the_window_of_one_through_gaps_and_broken_states(
    robot: Robot, delay: Delay
) -> None:
    rng, size = np.random.default_rng(0), 5
    batch, alone = BatchWindow(robot, size, 3, CPU), [LiveWindow(robot, size) for _ in range(3)]
    now = 0.0
    for k in range(30):
        states, actions = rng.normal(size=(3, 4)), rng.normal(size=(3, 2))
        if k in (4, 12, 13):
            states[1, 2] = np.nan
        if k == 13:
            states[2, 0] = np.inf
        now += 0.3 if k == 20 else 0.1
        batch.observe(states, now)
        for window, state in zip(alone, states, strict=True):
            window.observe(state, now)
        rows = batch.transitions()
        weight = rows[-1]
        assert batch.longest == max(len(window.transitions()) for window in alone)
        for n, window in enumerate(alone):
            own, count = window.transitions(), len(window.transitions())
            assert weight[n, :, 0].tolist() == [0.0] * (batch.longest - count) + [1.0] * count
            expected = (own.features, own.actions, own.changes)
            for got, wanted in zip(rows, expected, strict=False):
                torch.testing.assert_close(got[n, batch.longest - count :], wanted)
        if k != 8:  # once there was no command
            batch.commanded(actions, delay)
            for window, action in zip(alone, actions, strict=True):
                window.commanded(action, now, delay)


def test_while_it_fills_nothing_is_padded(robot: Robot) -> None:
    window, lengths = BatchWindow(robot, 3, 2, CPU), []
    for k in range(6):
        window.observe(np.zeros((2, 4)), 0.1 * k)
        window.commanded(np.zeros((2, 2)))
        features, _, _, weight = window.transitions()
        assert bool(weight.all())
        lengths.append(features.shape[1])
    assert lengths == [0, 1, 2, 3, 3, 3]


def test_callers_may_reuse_their_arrays(robot: Robot) -> None:
    window, states, actions = BatchWindow(robot, 3, 1, CPU), np.zeros((1, 4)), np.ones((1, 2))
    window.observe(states, 0.0)
    window.commanded(actions)
    states[:], actions[:] = 5.0, 7.0
    window.observe(np.zeros((1, 4)), 0.1)
    features, told, changes, _ = window.transitions()
    assert not features.any() and not changes.any() and (told == 1.0).all()


@pytest.mark.parametrize(("size", "robots"), [(0, 1), (4, 0)])
def test_nothing_is_refused(robot: Robot, size: int, robots: int) -> None:
    with pytest.raises(ValueError, match="expected at least 1"):
        BatchWindow(robot, size, robots, CPU)
