"""The robots of the thesis, section 9.4: their maps, and their rewards by hand."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
import torch

from ros_mbmrl.agents.chance import held_actions
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.arm_7dof import JOINTS
from ros_mbmrl.simulation.simulated import SIMULATIONS, make_simulation
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Factors, Situation, Terrain

ROBOTS = tuple(SIMULATIONS)
DIMENSIONS = {"half_cheetah": (18, 6, 17, 18), "ant": (29, 8, 27, 29), "arm_7dof": (17, 7, 17, 14)}


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


@pytest.mark.parametrize("name", ["half_cheetah", "ant"])
def test_running_costs_what_table_5_says(name: str) -> None:
    robot = make_robot(name)
    task = robot.make_task("run", np.zeros(len(robot.spec.state)))
    states = torch.zeros(2, 3, len(robot.spec.state))
    states[0, :, 0] = torch.tensor([0.0, 0.1, 0.3])
    actions = torch.zeros(2, 2, len(robot.spec.action))
    actions[1, 0, :2] = torch.tensor([1.0, -0.5])
    effort, alive = {"half_cheetah": (0.05, 0.0), "ant": (0.005, 0.05)}[name]
    expected = torch.tensor([-(0.3 / 0.05), effort * 1.25]) - 2 * alive
    reference = task.reference(np.zeros(len(robot.spec.state)))
    assert reference.shape == (0,)
    torch.testing.assert_close(task.cost(states, actions, reference), expected)
    # Many robots at once.
    both = task.cost(states[None].repeat(4, 1, 1, 1), actions[None].repeat(4, 1, 1, 1), reference)
    torch.testing.assert_close(both, expected[None].repeat(4, 1))


def test_reaching_costs_the_squared_distance_of_every_robot_to_its_own_goal() -> None:
    task = make_robot("arm_7dof").make_task("reach", np.zeros(17))
    states = torch.zeros(2, 3, 4, 17)  # two robots, three candidates, three steps
    states[..., 14] = 0.5
    goals = torch.tensor([[0.5, 0.0, 0.2], [0.0, 0.0, 0.0]])
    cost = task.cost(states, torch.zeros(2, 3, 3, 7), goals)
    torch.testing.assert_close(cost, torch.tensor([[3 * 0.04] * 3, [3 * 0.25] * 3]))
    alone = task.cost(states[0], torch.zeros(3, 3, 7), goals[0])
    torch.testing.assert_close(alone, cost[0])


def test_unknown_tasks_are_refused() -> None:
    for name in ROBOTS:
        with pytest.raises(UserError, match="task"):
            make_robot(name).make_task("dance", np.zeros(29))


def test_the_ants_quaternion_stays_one() -> None:
    robot = make_robot("ant")
    state = torch.zeros(5, 29)
    state[:, 3] = 1.0
    rotation = robot.advance(state, torch.full((5, 29), 0.3))[:, 3:7]
    torch.testing.assert_close(rotation.norm(dim=1), torch.ones(5))
    turned = np.zeros(29)
    turned[:7] = 1.0, 2.0, 0.5, np.cos(0.35), 0.0, 0.0, np.sin(0.35)
    assert robot.pose(turned) == pytest.approx((1.0, 2.0, 0.7))
    assert not robot.follows_paths


def test_the_arms_tip_is_where_mujoco_has_it() -> None:
    model = make_simulation("arm_7dof").model(Terrain(), Factors())
    data = mujoco.MjData(model)
    robot, rng = make_robot("arm_7dof"), np.random.default_rng(0)
    for _ in range(20):
        data.qpos[:] = rng.uniform(*np.array(list(JOINTS.values())).T)
        mujoco.mj_forward(model, data)
        truth = data.body("tips_arm").xipos
        state = robot.estimate(np.concatenate([data.qpos, data.qvel]), None, 0.05)
        np.testing.assert_allclose(state[14:], truth, atol=1e-9)
        still = robot.advance(torch.from_numpy(state).float(), torch.zeros(14))
        np.testing.assert_allclose(still[14:], truth, atol=1e-6)
    np.testing.assert_allclose(model.jnt_range, np.array(list(JOINTS.values())))


def test_gymnasiums_models_have_the_joints_and_motors_in_our_order() -> None:
    for name in ROBOTS:
        simulation, robot = make_simulation(name), make_robot(name)
        model = simulation.model(Terrain(), Factors())
        motors = [model.joint(int(joint)).name for joint, _ in model.actuator_trnid]
        short = [each.removeprefix("r_").removesuffix("_joint") for each in motors]
        assert short == [limit.name for limit in robot.spec.action]
        np.testing.assert_allclose(
            model.actuator_ctrlrange.T, [robot.spec.action_low, robot.spec.action_high]
        )
        assert model.opt.timestep * simulation.substeps == pytest.approx(robot.spec.period)
        hinges = [model.joint(k).name for k in range(model.njnt)][-len(short) :]
        measured = [q.name for q in robot.spec.measurement if q.name in short]
        assert [h.removeprefix("r_").removesuffix("_joint") for h in hinges] == measured
