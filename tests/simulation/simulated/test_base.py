"""The simulated robots' models."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.simulated import SIMULATIONS, make_simulation
from ros_mbmrl.simulation.simulated.base import gymnasium_model
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Factors, Situation, Terrain

ROBOTS = tuple(SIMULATIONS)
GYMNASIUMS = tuple(name for name in ROBOTS if not name.startswith("pr2_"))


def test_gymnasiums_models_have_the_joints_and_motors_in_our_order() -> None:
    for name in GYMNASIUMS:
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
    worlds = make_simulated("half_cheetah", situations, [0] * 5)
    rng = np.random.default_rng(0)
    for _ in range(20):
        worlds.step(np.tile(rng.uniform(-1, 1, 6), (5, 1)))
    states = worlds.states()
    assert all(np.abs(states[k] - states[0]).max() > 1e-3 for k in range(1, 5))


def test_factors_scale_the_robot_and_not_what_lies_around_it() -> None:
    simulation, pier = make_simulation("half_cheetah"), Terrain("pier", seed=1)
    plain = simulation.model(pier, Factors())
    scaled = simulation.model(pier, Factors(mass=2.0, damping=3.0, gear=0.5))
    block = plain.body("block_3").id
    own = plain.body_rootid == plain.body("torso").id
    assert not own[block]
    np.testing.assert_allclose(scaled.body_mass[own], 2.0 * plain.body_mass[own])
    assert scaled.body_mass[block] == plain.body_mass[block]
    joint = plain.joint("block_3").dofadr[0]
    assert scaled.dof_damping[joint] == plain.dof_damping[joint]
    np.testing.assert_allclose(scaled.dof_damping[:9], 3.0 * plain.dof_damping[:9])
    np.testing.assert_allclose(scaled.actuator_gear, 0.5 * plain.actuator_gear)


def test_bodies_of_the_world_can_be_left_out() -> None:
    whole = gymnasium_model("pusher_v5").compile()
    alone = gymnasium_model("pusher_v5", without=("object", "goal")).compile()
    assert whole.nbody - alone.nbody == 2
    names = [alone.body(k).name for k in range(alone.nbody)]
    assert "tips_arm" in names and "object" not in names


def test_a_robot_without_faults_of_its_body_has_none_to_change() -> None:
    simulation = make_simulation("arm_7dof")
    assert simulation.broken({"anything"}) == frozenset()
    assert simulation.powered({"anything"}).tolist() == [1.0] * 7
    with pytest.raises(NotImplementedError, match="arm_7dof: no fault changes its model"):
        simulation.wreck(simulation.model(Terrain(), Factors()), frozenset({"anything"}))
