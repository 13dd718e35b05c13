import math

import numpy as np
import pytest

from ros_mbmrl.twin.faults import Fault
from ros_mbmrl.twin.motor import TURN
from ros_mbmrl.twin.randomisation import Physics
from ros_mbmrl.twin.calibration import make_terrain
from ros_mbmrl.twin.world import TICK, HexapodWorld


def world(terrain: str = "plain", *faults: Fault, seed: int = 1, **physics: float) -> HexapodWorld:
    return HexapodWorld(make_terrain(terrain), Physics(**physics), faults, seed)


def walk(robot: HexapodWorld, left: float, right: float, seconds: float) -> np.ndarray:
    """Poses (T, 3), one each 0.1 s, yaw unwrapped, at set-points in Hz."""
    robot.set_command(np.array([left, right]) * TURN)
    poses = []
    for _ in range(round(seconds / 0.1)):
        robot.step(0.1)
        poses.append(robot.pose())
    path = np.array(poses)
    path[:, 2] = np.unwrap(path[:, 2])
    return path


def yaw_rate(path: np.ndarray) -> float:
    return float((path[-1, 2] - path[5, 2]) / (0.1 * (len(path) - 6)))


def test_starts_at_the_origin_nose_along_x_and_stands_still() -> None:
    robot = world()
    path = walk(robot, 0, 0, 1.0)
    assert path[-1] == pytest.approx([0, 0, 0], abs=0.02)
    assert robot.up() > 0.95


def test_walks_forward_at_about_the_real_speed() -> None:
    robot = world("carpet")
    path = walk(robot, 4, 4, 3.0)
    speed = np.hypot(*np.diff(path[5:, :2], axis=0).T).mean() / 0.1
    assert path[-1, 0] > 0.4
    assert 0.15 < speed < 0.30


@pytest.mark.parametrize("setpoint", [3.0, 5.0, 8.0])
def test_leg_speed_follows_the_real_fit(setpoint: float) -> None:
    robot = world()
    walk(robot, setpoint, setpoint, 1.0)
    before = robot.leg_angles()
    robot.step(2.0)
    achieved = (robot.leg_angles() - before) / (2.0 * TURN)
    assert achieved == pytest.approx([0.72 * setpoint + 1.2] * 2, abs=0.4)


def test_the_faster_side_is_on_the_outside_of_the_turn() -> None:
    right_faster = yaw_rate(walk(world(), 3, 7, 3.0))
    left_faster = yaw_rate(walk(world(), 7, 3, 3.0))
    assert 0.3 < right_faster < 1.5
    assert -1.5 < left_faster < -0.3


def test_a_lost_middle_leg_bends_the_path_to_its_side() -> None:
    left = yaw_rate(walk(world("plain", Fault("leg_left_middle")), 5, 5, 4.0))
    right = yaw_rate(walk(world("plain", Fault("leg_right_middle")), 5, 5, 4.0))
    assert 15 < math.degrees(left) < 50
    assert -50 < math.degrees(right) < -15


def test_a_fault_changes_nothing_before_its_second() -> None:
    healthy, faulty = world("carpet"), world("carpet", Fault("leg_left_middle", 1.0))
    a, b = walk(healthy, 5, 5, 2.0), walk(faulty, 5, 5, 2.0)
    assert (a[:10] == b[:10]).all()
    assert not np.allclose(a[15:], b[15:])


def test_a_fault_can_be_switched_off_again_without_a_trace_in_the_model() -> None:
    robot = world()
    model = robot.model
    fields = ("geom_conaffinity", "body_mass", "geom_rgba", "dof_damping", "geom_friction")
    before = [getattr(model, name).copy() for name in fields]
    gravity = model.opt.gravity.copy()
    for name in ("leg_left_middle", "slope", "payload"):
        robot.set_fault(name, True)
    assert robot.active_faults == {"leg_left_middle", "slope", "payload"}
    assert not (model.opt.gravity == gravity).all()
    for name in ("leg_left_middle", "slope", "payload"):
        robot.set_fault(name, False)
    assert all((getattr(model, name) == b).all() for name, b in zip(fields, before, strict=True))
    assert (model.opt.gravity == gravity).all()


@pytest.mark.parametrize("terrain", ["carpet", "turf"])
def test_the_seed_decides_everything(terrain: str) -> None:
    a = walk(world(terrain, seed=3), 4, 6, 1.0)
    again = world(terrain, seed=9)
    walk(again, 5, 2, 0.5)
    again.reset(3)
    assert (walk(again, 4, 6, 1.0) == a).all()
    assert not (walk(world(terrain, seed=4), 4, 6, 1.0) == a).all()


def test_payload_slows_and_slope_pulls_downhill() -> None:
    free, loaded = (walk(world("plain", *f), 5, 5, 2.0) for f in ((), (Fault("payload"),)))
    sloped = walk(world("plain", Fault("slope")), 5, 5, 2.0)
    assert loaded[-1, 0] < 0.85 * free[-1, 0]
    assert sloped[-1, 1] < free[-1, 1] - 0.05


def test_a_weak_motor_turns_slower() -> None:
    robot = world("plain", Fault("weak_left"))
    walk(robot, 6, 6, 1.5)
    left, right = robot.leg_angles() - world().leg_angles()
    assert left < 0.75 * right


def test_latency_delays_the_command() -> None:
    robot = world(latency=0.03)
    robot.set_command(np.array([30.0, 30.0]))
    start = robot.leg_angles()
    robot.step(0.03)
    assert robot.leg_angles() == pytest.approx(start, abs=0.02)
    robot.step(0.05)
    assert (robot.leg_angles() - start > 0.3).all()


def test_part_ticks_are_not_lost() -> None:
    robot = world()
    for _ in range(30):
        robot.step(TICK / 3)
    assert robot.time == pytest.approx(0.1, abs=TICK / 2)


def test_unknown_faults_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown fault 'x'"):
        world().set_fault("x", True)
