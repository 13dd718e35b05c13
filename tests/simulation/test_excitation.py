from __future__ import annotations

import numpy as np

from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.excitation import held_actions


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
