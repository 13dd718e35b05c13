"""The arm's twin: it keeps its limits, rests where it is let go, and feels its faults."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.robots.pr2_limits import JOINTS
from ros_mbmrl.simulation.pr2 import START, PR2World
from ros_mbmrl.simulation.pr2_faults import (
    ArmFault,
    ArmPhysics,
)


def pushed(world: PR2World, torque: np.ndarray, seconds: float = 0.5) -> np.ndarray:
    """How far the joints moved."""
    before = world.position()
    world.set_command(torque)
    world.step(seconds)
    return world.position() - before


def test_the_model_has_the_joints_of_the_table() -> None:
    model = PR2World().model
    assert (model.nq, model.nu) == (7, 7)
    for k, joint in enumerate(JOINTS):
        assert model.joint(k).name == model.actuator(k).name == joint.name
        assert bool(model.jnt_limited[k]) != joint.continuous
        if not joint.continuous:
            assert model.jnt_range[k] == pytest.approx([joint.lower, joint.upper], abs=1e-6)


def test_the_arm_floats_and_comes_to_rest_without_torque() -> None:
    world = PR2World(start=START)
    world.step(0.5)
    assert world.position() == pytest.approx(START, abs=1e-4)
    pushed(world, np.array([10.0, -10, 3, 5, 1, 2, 1]), 0.2)
    assert np.abs(world.velocity()).max() > 0.3
    world.halt()
    world.step(1.5)
    assert np.abs(world.velocity()).max() < 0.01


def test_full_torque_ends_at_the_soft_limits_and_not_too_fast() -> None:
    world = PR2World(start=START)
    world.set_command(np.array([joint.effort for joint in JOINTS]))
    for _ in range(30):
        world.step(0.1)
        speed = np.abs(world.velocity()) / [joint.velocity for joint in JOINTS]
        assert speed.max() < 1.2
    for q, joint in zip(world.position(), JOINTS, strict=True):
        assert q < joint.upper
        assert joint.continuous or abs(q - joint.soft_upper) < 0.05


def test_torques_stay_until_the_next_and_the_latency_delays_them() -> None:
    torque = np.array([10.0, 0, 0, 0, 0, 0, 0])
    late = PR2World(ArmPhysics(latency=0.05), start=START)
    late.set_command(torque)
    late.step(0.049)
    assert late.position()[0] == pytest.approx(START[0], abs=1e-5)
    late.step(1.0)
    assert late.position()[0] > START[0] + 0.2


def test_the_seed_decides_where_it_starts() -> None:
    first, again = PR2World(seed=3), PR2World(seed=4)
    assert (first.position() != again.position()).all()
    again.reset(3)
    assert (first.position() == again.position()).all()
    for world in (first, again):
        pushed(world, np.full(7, 1.0))
    assert (first.position() == again.position()).all()
    assert first.time == pytest.approx(0.5)


def test_what_is_less_than_a_tick_is_owed() -> None:
    world = PR2World()
    for _ in range(10):
        world.step(0.00025)
    assert world.time == pytest.approx(0.002)


def test_a_payload_pulls_down_and_is_gone_after_a_reset() -> None:
    world = PR2World(faults=[ArmFault("payload", 0.5)], start=START)
    world.step(0.499)
    height = world.points()[2]
    assert world.points()[2] == pytest.approx(height, abs=1e-3)
    world.step(0.5)
    assert world.active_faults == {"payload"}
    assert world.points()[2] < height - 0.05
    world.reset(0)
    world.step(0.4)
    assert world.points()[2] == pytest.approx(height, abs=1e-3)


def test_faults_by_hand() -> None:
    world = PR2World(start=START)
    world.set_fault("push", True)
    world.step(0.5)
    assert world.points()[1] > PR2World(start=START).points()[1] + 0.02  # towards the left
    world.set_fault("push", False)
    assert world.active_faults == frozenset()


def test_a_weak_and_a_stiff_joint_move_less() -> None:
    torque = np.array([0.0, 0, 0, 5.0, 0, 0, 0])
    well = pushed(PR2World(start=START), torque)[3]
    weak = pushed(PR2World(faults=[ArmFault("weak_elbow")], start=START), torque)[3]
    stiff = pushed(PR2World(faults=[ArmFault("stiff_elbow")], start=START), torque)[3]
    assert 0 < weak < 0.6 * well
    assert 0 < stiff < 0.8 * well


def test_the_twin_tells_what_its_motors_lost_and_what_it_carries() -> None:
    physics = ArmPhysics(payload=0.3, efforts=(0.8,) * 7, push=(1.0, 0.0, -2.0))
    faults = [ArmFault(name, 0.05) for name in ("payload", "weak_elbow", "push")]
    world = PR2World(physics, faults)
    assert world.effectiveness() == pytest.approx([0.8] * 7)
    assert world.causes() == pytest.approx([0.3, 1.0, 0.0, -2.0])
    world.step(0.1)
    assert world.effectiveness() == pytest.approx([0.8, 0.8, 0.8, 0.32, 0.8, 0.8, 0.8])
    assert world.causes() == pytest.approx([1.3, 1.0, 10.0, -2.0])
