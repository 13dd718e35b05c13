"""The random policy: in range, held, and the same for the same seed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.agents.chance import held_actions, random_policy
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import RobotSpec


def drawn(spec: RobotSpec, count: int, seed: int = 0) -> np.ndarray:
    policy = random_policy(spec, np.random.default_rng(seed))
    return np.array([policy() for _ in range(count)])


def test_uniform_over_the_range_held_and_now_and_then_equal() -> None:
    spec = make_robot("hexapod").spec
    actions = drawn(spec, 3000)
    low, high = spec.action_low, spec.action_high
    assert (actions >= low).all() and (actions <= high).all()
    np.testing.assert_allclose(actions.mean(axis=0), (low + high) / 2, rtol=0.1)
    assert actions.std(axis=0) == pytest.approx((high - low) / np.sqrt(12), rel=0.1)
    starts = np.flatnonzero((np.diff(actions, axis=0) != 0).any(axis=1))
    assert np.diff(starts).max() == 10
    assert 0.15 < (actions[:, 0] == actions[:, 1]).mean() < 0.35


def test_ranges_may_differ(robot: Any) -> None:
    actions = drawn(robot.spec, 200)
    assert (np.abs(actions) <= 1).all() and (actions < -0.8).any() and (actions > 0.8).any()


def test_a_seed_says_it_all() -> None:
    spec = make_robot("hexapod").spec
    np.testing.assert_array_equal(drawn(spec, 50, 3), drawn(spec, 50, 3))
    assert (drawn(spec, 50, 3) != drawn(spec, 50, 4)).any()


def test_what_a_person_drives_with_needs_no_simulator_and_no_torch() -> None:
    modules = ("hands", "loop", "recorder", "session", "view")
    imports = "; ".join(f"import ros_mbmrl.collection.{name}" for name in modules)
    imports += "; import ros_mbmrl.agents.chance"
    heavy = "{'mujoco', 'torch', 'rclpy'}"
    code = f"{imports}; import sys; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_commands_are_held_for_1_to_10_steps_within_the_range() -> None:
    spec = make_robot("half_cheetah").spec
    plan = held_actions(spec, np.random.default_rng(0), 400, 3)
    assert plan.shape == (400, 3, 6)
    assert (plan >= spec.action_low).all() and (plan <= spec.action_high).all()
    edges = np.flatnonzero((np.diff(plan[:, 0], axis=0) != 0).any(1))
    holds = np.diff(edges)
    assert holds.min() == 1 and holds.max() == 10
    assert 4.5 < holds.mean() < 6.5


def test_a_robots_commands_do_not_depend_on_the_others() -> None:
    spec = make_robot("ant").spec
    many = held_actions(spec, np.random.default_rng(5), 50, 4)
    few = held_actions(spec, np.random.default_rng(5), 50, 2)
    np.testing.assert_array_equal(many[:, :2], few)
