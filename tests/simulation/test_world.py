import math
from dataclasses import replace

import mujoco
import numpy as np
import pytest

from ros_mbmrl.simulation.calibration import calibrated, make_terrain
from ros_mbmrl.simulation.faults import Fault
from ros_mbmrl.simulation.motor import TURN
from ros_mbmrl.simulation.randomisation import Physics
from ros_mbmrl.simulation.terrain import Terrain
from ros_mbmrl.simulation.world import TICK, HexapodWorld


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
    robot = world("carpet", process_noise=0.0)
    path = walk(robot, 4, 4, 3.0)
    speed = np.hypot(*np.diff(path[5:, :2], axis=0).T).mean() / 0.1
    assert speed == pytest.approx(3.7 * 0.0504, rel=0.2)  # the logs: 3.7 Hz, 5 cm a stride


@pytest.mark.parametrize("setpoint", [3.0, 5.0, 8.0])
def test_leg_speed_follows_the_real_fit(setpoint: float) -> None:
    robot = world()
    walk(robot, setpoint, setpoint, 1.0)
    before = robot.leg_angles()
    robot.step(2.0)
    achieved = (robot.leg_angles() - before) / (2.0 * TURN)
    assert achieved == pytest.approx([0.86 * setpoint + 0.25] * 2, abs=0.5)


@pytest.mark.parametrize("lag", [0.02, 0.04])
def test_the_lag_leaves_a_share_to_the_set_point_before(lag: float) -> None:
    """Of a first-order lag's mean over a step, 1 - lag / T (1 - exp(-T / lag)) is the newest's."""
    shipped = calibrated()
    lagging = replace(shipped, motor=replace(shipped.motor, lag=lag))
    robot = HexapodWorld(make_terrain("plain"), seed=1, calibration=lagging)
    sent = TURN * np.random.default_rng(0).uniform(2, 8, 150)
    angles = [robot.leg_angles()[0]]
    for setpoint in sent:
        robot.set_command(np.array([setpoint, setpoint]))
        robot.step(0.1)
        angles.append(robot.leg_angles()[0])
    inputs = np.column_stack([sent[1:], sent[:-1], np.ones(len(sent) - 1)])
    (newest, previous, _), *_ = np.linalg.lstsq(inputs, np.diff(angles)[1:] / 0.1, rcond=None)
    ideal = 1 - lag / 0.1 * (1 - math.exp(-0.1 / lag))
    assert newest / (newest + previous) == pytest.approx(ideal, abs=0.07)  # and the servo's
    assert newest + previous == pytest.approx(0.87, abs=0.06)


def test_the_shake_is_as_large_as_its_terrain_says() -> None:
    terrain = Terrain("x", shake_roll=2e-4, shake_pitch=3e-4, shake_yaw=4e-4, shake_push=0.01)
    robot = HexapodWorld(terrain, seed=1)
    robot.set_command(np.array([20.0, 20.0]))
    wrenches = []
    for _ in range(1000):
        turn = np.empty(9)
        mujoco.mju_quat2Mat(turn, robot.data.qpos[3:7])
        robot.step(TICK)
        own = robot.data.xfrc_applied[robot.body.indices.body].reshape(2, 3) @ turn.reshape(3, 3)
        wrenches.append(own.ravel())
    expected = [0.01, 0.01, 0.0, 2e-4, 3e-4, 4e-4]
    assert np.std(wrenches, axis=0) == pytest.approx(expected, rel=0.08, abs=1e-9)
    assert np.abs(np.mean(wrenches, axis=0)).max() < 2e-3
    robot.halt()
    robot.step(TICK)
    assert not robot.data.xfrc_applied.any()  # what stands is not shaken


def test_a_push_makes_the_walk_noisy_sideways() -> None:
    spread = []
    for push in (0.0, 0.3):
        robot = HexapodWorld(Terrain("x", shake_push=push), seed=1)
        path = walk(robot, 5, 5, 4.0)
        side = np.diff(path[:, 1]) * np.cos(path[:-1, 2]) - np.diff(path[:, 0]) * np.sin(
            path[:-1, 2]
        )
        spread.append(side.std())
    assert spread[1] > 1.5 * spread[0]


def test_the_frame_is_the_calibrations() -> None:
    shipped = calibrated()
    frame = replace(shipped.frame, leg_radius=0.010, hull_height=0.007, roll_damping=2e-3)
    model = HexapodWorld(make_terrain("plain"), calibration=replace(shipped, frame=frame)).model
    legs = [k for k in range(model.ngeom) if model.geom(k).name.startswith("leg_")]
    assert -model.geom_pos[legs, 2].min() == pytest.approx(1.8 * 0.010, rel=0.1)
    assert model.geom("hull").pos[2] == pytest.approx(0.007)
    assert model.dof_damping[3:5] == pytest.approx([2e-3, shipped.frame.pitch_damping])


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


def test_the_grounds_shakes_are_drawn_tick_by_tick_in_the_bodys_axes() -> None:
    world = HexapodWorld(make_terrain("turf"), seed=3)
    _, _, child = np.random.SeedSequence(3).spawn(3)
    noise = np.random.default_rng(child)
    world.set_command(np.array([20.0, 30.0]))
    for _ in range(150):  # more than are drawn at once
        world.step(TICK)
        if any(world._setpoint):  # the command has arrived: the tick has taken one
            noise.standard_normal(5)
        rotation = world._rotation()
        shake = world._shake * noise.standard_normal(5)
        expected = np.concatenate([rotation[:, :2] @ shake[:2], rotation @ shake[2:]])
        expected[5] += world.body.terrain.pull
        np.testing.assert_allclose(world._shaken(), expected, rtol=1e-9, atol=1e-12)


def test_the_ground_changes_at_its_second_and_comes_back_with_a_reset() -> None:
    carpet, gravel = make_terrain("carpet"), make_terrain("gravel")
    same, changing = (
        HexapodWorld(carpet, seed=2, later=later) for later in ((), ((0.2, gravel), (0.4, carpet)))
    )
    for _ in range(2):
        for each in (same, changing):
            each.reset(5)
        heights = []
        for step in range(60):
            for each in (same, changing):
                each.set_command(np.array([30.0, 30.0]))
                each.step(0.01)
            if step == 19:
                assert np.array_equal(same.data.qpos, changing.data.qpos)
                assert changing.body.terrain == carpet
            if step == 30:
                assert changing.body.terrain == gravel
                leg = changing.body.indices.leg_geoms[0]
                assert changing.model.geom_friction[leg, 0] == pytest.approx(gravel.friction)
            heights.append(changing.data.qpos[2])
        assert changing.body.terrain == carpet
        assert not changing.diverged
        assert np.abs(np.diff(heights)).max() < 0.02  # it is not thrown
        assert not np.array_equal(same.data.qpos, changing.data.qpos)
