"""Contact of the PR2's tasks: what fits goes in, what does not stays out, and nothing explodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.robots.pr2_kinematics import POINTS, place_points, tool_points
from ros_mbmrl.robots.pr2_tasks import BLOCK, PEG
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.simulated import make_simulation
from ros_mbmrl.simulation.simulated_robots import SimulatedRobots, make_simulated
from ros_mbmrl.simulation.situations import Factors, Situation, Terrain

NAMES = ("pr2_reach", "pr2_insertion", "pr2_stacking")
PENETRATION = 0.001  # [m] by which contacts may give way under the arm's torques


def worlds(name: str, count: int = 1) -> SimulatedRobots:
    return make_simulated(name, [Situation()] * count, range(count))


def jacobian(angles: Array) -> Array:
    """Derivative of the tool's points (9, 7) [m/rad], by central differences."""
    small = 1e-6
    moved = [tool_points(angles + s * e) for e in np.eye(7) * small for s in (1, -1)]
    return np.array(moved[::2] - np.array(moved[1::2])).T / (2 * small)


def at(robots: SimulatedRobots, shift: tuple[float, float, float]) -> Array:
    """Angles (7,) [rad] at which the points are `shift` [m] from the goal."""
    task = robots.robot.task
    wanted = (task.points.reshape(3, 3) + shift).ravel()
    angles = np.array(task.goal)
    for _ in range(100):
        slope = jacobian(angles)
        push = np.linalg.solve(slope.T @ slope + 1e-5 * np.eye(7), slope.T)
        angles = angles + push @ (wanted - tool_points(angles))
    assert tool_points(angles) == pytest.approx(wanted, abs=1e-6)
    return angles


def put(robots: SimulatedRobots, angles: Array) -> None:
    robots.set_states(np.concatenate([angles, np.zeros(7), tool_points(angles)])[None])


def lowered(robots: SimulatedRobots, shift: tuple[float, float, float], steps: int = 250) -> Any:
    """Figures after pushing down with 15 N from beside the goal, the orientation held."""
    put(robots, at(robots, shift))
    start = tool_points(robots.states()[0, :7]).reshape(3, 3)
    deepest = 0.0
    for _ in range(steps):
        state = robots.states()[0]
        points = state[14:].reshape(3, 3)
        # Springs hold the points over where they began, but for their height; a weight pulls down.
        force = 1500 * (start - points)
        force[:, 2] = 1500 * (points[:, 2].mean() - points[:, 2]) - 5.0
        torque = jacobian(state[:7]).T @ force.ravel()
        limits = robots.robot.spec.action_high
        robots.advance(np.clip(torque, -limits, limits)[None], 5)  # at 100 Hz, as springs need
        _, data = robots.physics(0)
        deepest = max([deepest, *(-contact.dist for contact in data.contact)])
    assert deepest < PENETRATION
    task = robots.tasks()[0]
    rows = np.stack([state, robots.states()[0]])
    return {name: float(value[0]) for (name, _), value in task.measured(rows).items()}, bool(
        task.done(rows)[0]
    )


@pytest.mark.parametrize("name", NAMES)
def test_joints_and_motors_are_in_the_robots_order(name: str) -> None:
    simulation = make_simulation(name)
    model = simulation.model(Terrain(), Factors())
    names = [limit.name for limit in simulation.robot.spec.action]
    assert [model.joint(k).name for k in range(model.njnt)] == names
    assert [model.actuator(k).name for k in range(model.nu)] == names
    assert model.opt.timestep * simulation.substeps == pytest.approx(simulation.robot.spec.period)


def test_full_torque_reaches_the_speed_that_the_robots_law_allows() -> None:
    """Of the pan joint: k (v_max - v) = d v + f with k = 10, v_max = 2.088, d = 10, f = 1."""
    model = make_simulation("pr2_reach").model(Terrain(), Factors())
    assert (20.0 - 1.0) / model.dof_damping[0] == pytest.approx((10 * 2.088 - 1.0) / 20.0)
    twice = make_simulation("pr2_reach").model(Terrain(), Factors(damping=2.0))
    np.testing.assert_allclose(twice.dof_damping, 2 * model.dof_damping)


@pytest.mark.parametrize("name", NAMES)
def test_the_state_is_angles_velocities_and_points_by_kinematics(name: str) -> None:
    robots = worlds(name)
    robots.step(np.array([[3.0, -2.0, 1.0, -1.0, 0.3, 0.5, 0.2]]))
    state = robots.states()[0]
    model, data = robots.physics(0)
    np.testing.assert_allclose(state[:7], data.qpos)
    np.testing.assert_allclose(state[7:14], data.qvel)
    np.testing.assert_allclose(state[14:], data.site_xpos.ravel(), atol=1e-9)
    assert (state[7:14] != 0).all()


def test_what_is_held_and_what_is_fixed_match_at_the_goal() -> None:
    """At the goal the peg is PEG.inserted deep; the block rests on its base; both are centred."""
    robots = worlds("pr2_insertion")
    put(robots, np.array(robots.robot.task.goal))
    model, data = robots.physics(0)
    tip = np.stack(place_points(*_circle(data.qpos), np.array([[PEG.tip, 0.0, 0.0]])), -1)[0]
    rim = data.body("fixed").xpos
    assert tip[:2] == pytest.approx(rim[:2], abs=1e-5)
    assert rim[2] - tip[2] == pytest.approx(PEG.inserted, abs=1e-5)
    assert data.ncon == 0
    robots = worlds("pr2_stacking")
    put(robots, np.array(robots.robot.task.goal))
    model, data = robots.physics(0)
    foot = np.stack(place_points(*_circle(data.qpos), np.array([[BLOCK.bottom, 0.0, 0.0]])), -1)[0]
    assert foot == pytest.approx(data.body("fixed").xpos, abs=1e-5)


def _circle(angles: Array) -> tuple[Array, Array]:
    return np.cos(angles), np.sin(angles)


def test_points_are_around_the_hands_axis() -> None:
    assert POINTS[:, 1:].mean(axis=0) == pytest.approx([0, 0])


@pytest.mark.parametrize("name", ["pr2_insertion", "pr2_stacking"])
def test_what_is_over_its_place_goes_in(name: str) -> None:
    figures, done = lowered(worlds(name), (0.001, -0.001, 0.06))
    assert done, figures


@pytest.mark.parametrize("shift", [(0.012, 0.0), (0.0, -0.012), (0.03, 0.03)])
def test_a_peg_beside_the_hole_stays_on_the_box(shift: tuple[float, float]) -> None:
    figures, done = lowered(worlds("pr2_insertion"), (*shift, 0.06))
    assert not done
    assert figures["above"] == pytest.approx(PEG.inserted, abs=0.003)


def test_a_block_beside_the_stud_stays_on_top_of_it() -> None:
    figures, done = lowered(worlds("pr2_stacking"), (0.01, 0.0, 0.06))
    assert not done
    assert figures["above"] == pytest.approx(BLOCK.height, abs=0.003)


@pytest.mark.parametrize("name", NAMES)
def test_without_torque_energy_only_falls(name: str) -> None:
    """Friction and damping take it; the counterbalance gives the arm none."""
    import mujoco

    robots = worlds(name)
    put(robots, at(robots, (0.0, 0.0, 0.05)))
    model, data = robots.physics(0)
    model.opt.enableflags |= mujoco.mjtEnableBit.mjENBL_ENERGY
    data.qvel[:] = 0.5
    held = [model.body("held").id] if name != "pr2_reach" else []
    energies = []
    for _ in range(500):
        mujoco.mj_step(model, data)
        # Carried links have no weight left: kinetic energy, and the height of what is held.
        height = sum(model.body_mass[k] * 9.81 * data.xipos[k, 2] for k in held)
        energies.append(data.energy[1] + height)
    assert np.isfinite(energies).all()
    assert np.diff(energies).max() < 2e-3


@pytest.mark.parametrize("name", NAMES)
def test_many_at_once_are_the_same_as_one_by_one_and_again(name: str) -> None:
    rng = np.random.default_rng(0)
    together, again = worlds(name, 3), worlds(name, 3)
    limits = together.robot.spec.action_high
    commands = rng.uniform(-limits, limits, (8, 3, 7))
    rewards = np.array([together.step(each).reward for each in commands])
    assert rewards.tobytes() == np.array([again.step(each).reward for each in commands]).tobytes()
    for n in range(3):
        alone = make_simulated(name, [Situation()], [n])
        for each in commands:
            alone.step(each[n : n + 1])
        np.testing.assert_array_equal(alone.states()[0], together.states()[n])


@pytest.mark.parametrize("name", NAMES)
def test_the_reward_is_the_tasks(name: str) -> None:
    robots = worlds(name, 2)
    actions = np.full((2, 7), 0.5)
    reward = robots.step(actions).reward
    goal = robots.robot.task.points.reshape(3, 3)
    for n, state in enumerate(robots.states()):
        square = np.square(state[14:].reshape(3, 3) - goal).sum(1).mean()
        penalty = 0.1 * np.square(state[7:14]).mean()
        penalty += 0.5 * np.square(0.5 / (2 * robots.robot.spec.action_high)).mean()
        assert reward[n] == pytest.approx(-square - np.log(square + 1e-5) - penalty, abs=1e-4)


@pytest.mark.parametrize("name", ["pr2_insertion", "pr2_stacking"])
def test_episodes_begin_free_of_contact(name: str) -> None:
    robots = worlds(name, 20)
    assert all(robots.physics(n)[1].ncon == 0 for n in range(20))
