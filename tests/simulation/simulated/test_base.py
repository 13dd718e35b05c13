"""The simulated robots' models."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.simulated import SIMULATIONS, make_simulation
from ros_mbmrl.simulation.situations import Factors, Situation, Terrain
from ros_mbmrl.simulation.worlds import make_worlds

ROBOTS = tuple(SIMULATIONS)


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


def test_wrong_physics_are_other_physics() -> None:
    factors = [Factors(), *(Factors(**{n: 1.3}) for n in ("mass", "friction", "gear", "damping"))]
    situations = [Situation(physics=each) for each in factors]
    worlds = make_worlds("half_cheetah", situations, [0] * 5)
    rng = np.random.default_rng(0)
    for _ in range(20):
        worlds.step(np.tile(rng.uniform(-1, 1, 6), (5, 1)))
    states = worlds.states()
    assert all(np.abs(states[k] - states[0]).max() > 1e-3 for k in range(1, 5))
