"""The robots of the thesis, section 9.4: their maps, and their rewards by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ros_mbmrl.agents.chance import held_actions
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.simulated import SIMULATIONS
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation

ROBOTS = tuple(SIMULATIONS)
DIMENSIONS = {
    "half_cheetah": (18, 6, 18, 18),
    "ant": (29, 8, 26, 28),
    "arm_7dof": (17, 7, 17, 14),
    **dict.fromkeys(("pr2_reach", "pr2_insertion", "pr2_stacking"), (23, 7, 25, 14)),
    "swimmer": (10, 2, 9, 10),
    "snake": (14, 4, 13, 14),
    "hopper": (12, 3, 12, 12),
    "walker2d": (18, 6, 18, 18),
    "humanoid": (47, 17, 44, 46),
}


@pytest.fixture(params=ROBOTS)
def states(request: pytest.FixtureRequest) -> tuple[str, torch.Tensor]:
    """A robot and 21 states in a row of 3 of it, (21, 3, ds)."""
    worlds = make_simulated(request.param, [Situation()] * 3, range(3))
    rows = [worlds.states()]
    for actions in held_actions(worlds.robot.spec, np.random.default_rng(0), 20, 3):
        worlds.step(actions)
        rows.append(worlds.states())
    return request.param, torch.from_numpy(np.array(rows))


def test_sizes_and_what_a_model_sees(states: tuple[str, torch.Tensor]) -> None:
    name, rows = states
    robot = make_robot(name)
    spec = robot.spec
    sizes = len(spec.state), len(spec.action), len(spec.features), len(spec.changes)
    assert sizes == DIMENSIONS[name]
    assert robot.features(rows).shape[-1] == len(spec.features)
    assert robot.difference(rows[:-1], rows[1:]).shape[-1] == len(spec.changes)
    if "x" in [quantity.name for quantity in spec.state]:
        moved = rows.clone()
        moved[..., 0] += 5.0
        assert (robot.features(moved) == robot.features(rows)).all()
        assert "x" not in spec.features


def test_advance_undoes_difference(states: tuple[str, torch.Tensor]) -> None:
    name, rows = states
    robot = make_robot(name)
    change = robot.difference(rows[:-1], rows[1:])
    torch.testing.assert_close(robot.advance(rows[:-1], change), rows[1:])


def test_the_state_is_measured(states: tuple[str, torch.Tensor]) -> None:
    name, rows = states
    robot = make_robot(name)
    measured = rows[0].numpy()[:, : len(robot.spec.measurement)]
    together = robot.estimate(measured, None, 0.05)
    one_by_one = [robot.estimate(each, None, 0.05) for each in measured]
    np.testing.assert_array_equal(together, np.array(one_by_one))
    np.testing.assert_array_equal(together, rows[0].numpy())


def test_states_stay_within_the_envelope(states: tuple[str, torch.Tensor]) -> None:
    name, rows = states
    spec = make_robot(name).spec
    names = [quantity.name for quantity in spec.state]
    for state, (low, high) in spec.envelope.state_limits.items():
        values = rows[..., names.index(state)]
        assert low < values.min() and values.max() < high


def test_any_command_may_follow_any_other() -> None:
    for name in ROBOTS:
        spec = make_robot(name).spec
        assert (spec.action_step >= spec.action_high - spec.action_low).all()
        assert spec.command_field == "effort"


def test_unknown_tasks_are_refused() -> None:
    for name in ROBOTS:
        with pytest.raises(UserError, match="task"):
            make_robot(name).make_task("dance", np.zeros(29))
