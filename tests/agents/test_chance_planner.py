"""Chance as a planner: random, within range and rate, the same for the same seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ros_mbmrl.agents.chance_planner import ChancePlanner
from ros_mbmrl.planning.base import WarmStart
from ros_mbmrl.robots.spec import Robot, RobotSpec


def commands(spec: RobotSpec, seed: int, steps: int = 200) -> torch.Tensor:
    planner, never = ChancePlanner(spec, np.random.default_rng(seed)), torch.Generator()
    sent = torch.as_tensor(spec.rest, dtype=torch.float32)
    found: list[torch.Tensor] = []
    nothing: Any = None
    for _ in range(steps):
        start = WarmStart(None, sent)
        sent = planner.plan(nothing, nothing, torch.zeros(1), torch.zeros(0), start, never).action
        found.append(sent)
    return torch.stack(found)


def test_commands_are_within_range_and_rate_and_spread_over_them(robot: Robot) -> None:
    found = commands(robot.spec, seed=0).numpy()
    low, high = robot.spec.action_low, robot.spec.action_high
    assert (found >= low - 1e-6).all() and (found <= high + 1e-6).all()
    assert (np.abs(np.diff(found, axis=0)) <= robot.spec.action_step + 1e-5).all()
    assert (np.ptp(found, axis=0) > 0.5 * (high - low)).all()


def test_the_seed_decides(robot: Robot) -> None:
    torch.testing.assert_close(commands(robot.spec, 1), commands(robot.spec, 1))
    assert not torch.equal(commands(robot.spec, 1), commands(robot.spec, 2))
