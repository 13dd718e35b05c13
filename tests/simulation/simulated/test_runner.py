"""Runners step as gymnasium's do; the snake is a swimmer with two links more."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np
import pytest

from ros_mbmrl.robots.bodies import BODIES
from ros_mbmrl.simulation.simulated import make_simulation
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Factors, Situation, Terrain, TimedFault

GYMNASIUM = {
    "swimmer": "Swimmer-v5",
    "hopper": "Hopper-v5",
    "walker2d": "Walker2d-v5",
    "humanoid": "Humanoid-v5",
}


@pytest.fixture
def opponent(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Makes gymnasium's own environment."""
    try:
        import imageio  # noqa: F401
    except ImportError:  # gymnasium imports it for its pictures, which nobody asks for here
        monkeypatch.setitem(sys.modules, "imageio", ModuleType("imageio"))

    def opponent(name: str) -> Any:
        environment = gymnasium.make(GYMNASIUM[name]).unwrapped
        environment.reset(seed=0)
        return environment

    return opponent


@pytest.mark.parametrize("name", GYMNASIUM)
def test_a_step_is_gymnasiums(opponent: Callable[[str], Any], name: str) -> None:
    other = opponent(name)
    robots = make_simulated(name, [Situation()], [7])
    spec, positions = robots.robot.spec, other.model.nq
    assert other.dt == pytest.approx(spec.period)
    rng = np.random.default_rng(0)
    for _ in range(15):
        before = robots.states()[0]
        other.set_state(before[:positions], before[positions:])
        other.data.qacc_warmstart[:] = 0
        action = rng.uniform(spec.action_low, spec.action_high)
        _, _, _, _, info = other.step(action)
        robots.step(action[None])
        after = np.concatenate([other.data.qpos, other.data.qvel])
        np.testing.assert_allclose(robots.states()[0], after, atol=1e-7)
        if "x_velocity" in info and name != "humanoid":  # the humanoid's is of its centre of mass
            moved = (robots.states()[0, 0] - before[0]) / spec.period
            assert moved == pytest.approx(info["x_velocity"])


@pytest.mark.parametrize("name", ["hopper", "walker2d", "humanoid"])
def test_healthy_is_what_gymnasium_calls_healthy(opponent: Callable[[str], Any], name: str) -> None:
    other, body = opponent(name), BODIES[name]
    rng = np.random.default_rng(0)
    nominal = np.concatenate([other.init_qpos, other.init_qvel])
    agreed = []
    for _ in range(200):
        state = nominal + 0.5 * rng.standard_normal(len(nominal))
        other.data.qpos[:], other.data.qvel[:] = np.split(state, [other.model.nq])
        agreed.append(bool(body.healthy.holds(state[None], body.places)[0]))
        assert agreed[-1] == bool(other.is_healthy)
    assert 0 < sum(agreed) < 200


def test_a_snake_is_a_swimmer_with_two_links_more() -> None:
    snake, swimmer = (
        make_simulation(name).model(Terrain(), Factors()) for name in ("snake", "swimmer")
    )
    assert snake.nbody - swimmer.nbody == 2 and (snake.nu, swimmer.nu) == (4, 2)
    for k in (4, 5):  # each link as the swimmer's last one
        for values in ("body_mass", "body_inertia", "body_ipos", "body_pos"):
            found, expected = getattr(snake, values)[k], getattr(swimmer, values)[3]
            np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(snake.actuator_gear, np.repeat(swimmer.actuator_gear[:1], 4, 0))
    np.testing.assert_allclose(snake.dof_armature, 0.1)
    np.testing.assert_allclose(snake.jnt_range[3:], np.repeat(swimmer.jnt_range[3:4], 4, 0))


def test_a_swimmer_that_pushes_water_away_moves() -> None:
    robots = make_simulated("snake", [Situation()] * 2, [3, 3])
    before = robots.states()[:, :2]
    for k in range(100):  # a wave along the body; and at rest, but for the velocity at the start
        wave = np.sin(0.35 * k - 1.2 * np.arange(4))
        robots.step(np.stack([wave, np.zeros(4)]))
    way = np.linalg.norm(robots.states()[:, :2] - before, axis=1)
    assert way[0] > way[1] + 0.5


@pytest.mark.parametrize("name", ["snake", *GYMNASIUM])
def test_a_disabled_motor_gives_no_torque(name: str) -> None:
    motor = BODIES[name].motors[-1]
    ill = Situation(faults=(TimedFault(f"{motor}_disabled"),))
    robots = make_simulated(name, [Situation(), ill], [0, 0])
    actions = np.repeat(0.5 * robots.robot.spec.action_high[None], 2, axis=0)
    actions[0, -1] = 0.0
    robots.step(actions)
    np.testing.assert_array_equal(*robots.states())
