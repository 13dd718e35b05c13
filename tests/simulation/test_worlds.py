from __future__ import annotations

from importlib.resources import files

import mujoco
import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.situations import Factors, Situation, Terrain, TimedFault
from ros_mbmrl.simulation.worlds import Worlds, make_worlds

KINDS = (
    Terrain(),
    Terrain("slope", angle=-0.1),
    Terrain("steep"),
    Terrain("hill"),
    Terrain("basin"),
    Terrain("pier", seed=3),
)


def drive(worlds: Worlds, steps: int, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    size = len(worlds.robot.spec.action)
    plan = rng.uniform(-1, 1, (steps, 100, size))[:, : len(worlds)]
    return np.array([worlds.step(actions) for actions in plan])


def test_a_step_is_gymnasiums() -> None:
    asset = files("gymnasium") / "envs/mujoco/assets/half_cheetah.xml"
    model = mujoco.MjModel.from_xml_path(str(asset))
    data = mujoco.MjData(model)
    worlds = make_worlds("half_cheetah", [Situation()], [7])
    rng = np.random.default_rng(0)
    for _ in range(20):
        before = worlds.states()[0]
        data.qpos[:], data.qvel[:] = before[:9], before[9:]
        data.qacc_warmstart[:] = 0
        action = rng.uniform(-1, 1, 6)
        data.ctrl[:] = action
        mujoco.mj_step(model, data, 5)
        (reward,) = worlds.step(action[None])
        expected = np.concatenate([data.qpos, data.qvel])
        np.testing.assert_allclose(worlds.states()[0], expected, atol=1e-9)
        assert reward == pytest.approx(
            (expected[0] - before[0]) / 0.05 - 0.05 * np.square(action).sum()
        )


def test_neither_threads_nor_neighbours_change_what_happens() -> None:
    situations = [Situation(kind) for kind in KINDS] * 2
    seeds = list(range(len(situations)))
    one = make_worlds("half_cheetah", situations, seeds)
    two = make_worlds("half_cheetah", situations, seeds, threads=3)
    np.testing.assert_array_equal(drive(one, 15), drive(two, 15))
    np.testing.assert_array_equal(one.states(), two.states())
    fewer = make_worlds("half_cheetah", situations[:4], seeds[:4])
    drive(fewer, 15)
    np.testing.assert_array_equal(fewer.states(), one.states()[:4])


def test_a_state_that_is_set_has_the_same_successor() -> None:
    situations = [Situation(kind) for kind in KINDS[:5]]
    original = make_worlds("half_cheetah", situations, range(5))
    drive(original, 10)
    copy = make_worlds("half_cheetah", situations, range(10, 15))
    copy.set_states(original.states())
    rewards = [drive(worlds, 3, seed=1) for worlds in (original, copy)]
    np.testing.assert_array_equal(copy.states(), original.states())
    np.testing.assert_array_equal(*rewards)


def test_a_disabled_joint_gives_no_torque_from_its_second_on() -> None:
    spans = (0.1, 0.2), (0.25, 0.3)
    faults = tuple(TimedFault("bfoot_disabled", begin, end) for begin, end in spans)
    worlds = make_worlds("half_cheetah", [Situation(faults=faults)], [0])
    twin = make_worlds("half_cheetah", [Situation()], [0])
    for step in range(8):
        actions = np.full((1, 6), 0.5)
        masked = actions.copy()
        masked[0, 2] *= step not in (2, 3, 5)
        assert bool(worlds.present(0)) == (step in (2, 3, 5))
        worlds.step(actions)
        twin.step(masked)
        np.testing.assert_array_equal(worlds.states(), twin.states())


def test_a_fault_sets_in_at_the_edge_even_within_an_advance() -> None:
    fault = Situation(faults=(TimedFault("bfoot_disabled", begin=0.1),))
    stepped, at_once = (make_worlds("half_cheetah", [fault], [0]) for _ in range(2))
    actions = np.full((1, 6), 0.5)
    for _ in range(4):
        stepped.advance(actions, 5)
    at_once.advance(actions, 20)
    assert at_once.time == pytest.approx(0.2)
    assert at_once.present(0)
    np.testing.assert_allclose(at_once.states(), stepped.states(), atol=1e-6)


def test_wrong_physics_are_other_physics() -> None:
    factors = [Factors(), *(Factors(**{n: 1.3}) for n in ("mass", "friction", "gear", "damping"))]
    situations = [Situation(physics=each) for each in factors]
    worlds = make_worlds("half_cheetah", situations, [0] * 5)
    rng = np.random.default_rng(0)
    for _ in range(20):
        worlds.step(np.tile(rng.uniform(-1, 1, 6), (5, 1)))
    states = worlds.states()
    assert all(np.abs(states[k] - states[0]).max() > 1e-3 for k in range(1, 5))


def test_the_cheetah_rests_on_every_ground() -> None:
    worlds = make_worlds("half_cheetah", [Situation(kind) for kind in KINDS], range(len(KINDS)))
    for _ in range(60):
        worlds.step(np.zeros((len(KINDS), 6)))
    states = worlds.states()
    height = states[:, 1] - states[:, 0] * np.tan([kind.angle for kind in KINDS])
    assert (np.abs(height) < 0.25).all()
    assert not worlds.diverged.any()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UserError, match="bfoot_disabled"):
        make_worlds("half_cheetah", [Situation(faults=(TimedFault("leg_1_crippled"),))], [0])
    with pytest.raises(UserError, match="half_cheetah"):
        make_worlds("hexapod", [Situation()], [0])
    with pytest.raises(UserError, match="pushed"):
        make_worlds("half_cheetah", [Situation(force=(1.0, 0.0, 0.0))], [0])
    worlds = make_worlds("half_cheetah", [Situation()], [0])
    for wrong in (np.full((1, 6), 1.1), np.full((1, 6), np.nan), np.zeros(6)):
        with pytest.raises(ValueError, match="actions"):
            worlds.step(wrong)
    with pytest.raises(ValueError, match="states"):
        worlds.set_states(np.zeros((1, 17)))


def test_a_crippled_leg_is_another_body_from_its_second_on() -> None:
    late = Situation(faults=(TimedFault("leg_1_crippled", begin=0.5),))
    ill = Situation(faults=(TimedFault("leg_1_crippled"),))
    worlds = make_worlds("ant", [Situation(), late, ill], [1, 1, 1])
    plan = np.random.default_rng(0).uniform(-1, 1, (30, 1, 8))
    for step, action in enumerate(plan):
        worlds.step(np.repeat(action, 3, axis=0))
        well, switched, crippled = worlds.states()
        assert (switched == well).all() == (step < 10)
        assert (crippled != well).any() or step == 0
    # Neither its motors nor its feet tell the two apart any more.
    worlds.set_states(np.repeat(worlds.states()[:1], 3, axis=0))
    for action in plan[:5]:
        worlds.step(np.repeat(action, 3, axis=0))
    np.testing.assert_array_equal(worlds.states()[1], worlds.states()[2])
    actions = np.random.default_rng(1).uniform(-1, 1, (3, 8))
    actions[1:] = actions[0]
    actions[2, 2:4] *= -1  # those of leg 1
    worlds.set_states(np.repeat(worlds.states()[:1], 3, axis=0))
    worlds.step(actions)
    np.testing.assert_array_equal(worlds.states()[1], worlds.states()[2])


def test_a_crippled_leg_no_longer_reaches_the_ground() -> None:
    ill = Situation(faults=(TimedFault("leg_1_crippled"),))
    worlds = make_worlds("ant", [Situation(), ill], [0, 0])
    for _ in range(80):
        worlds.step(np.zeros((2, 8)))
    _, x, y, _ = worlds.states()[:, 3:7].T
    # It leans to the front left: about (-1, 1, 0).
    assert abs(x[0]) + abs(y[0]) < 0.05
    assert y[1] - x[1] > 0.06 > y[0] - x[0]


def test_a_force_on_the_tip_does_what_statics_say() -> None:
    force = (0.0, 0.0, -1.0)
    pushed = Situation(force=force, force_begin=0.1)
    worlds = make_worlds("arm_7dof", [Situation(), pushed], [0, 0])
    for _ in range(2):
        worlds.step(np.zeros((2, 7)))
    free, held = worlds.states()
    np.testing.assert_array_equal(free, held)
    # Motors against the force, J^T f by differences of the tip.
    robot, small = worlds.robot, 1e-6
    torque = np.zeros(7)
    for joint in range(7):
        moved = free[:14].copy()
        moved[joint] += small
        tip = robot.estimate(moved, None, 0.05)[14:]
        torque[joint] = -np.dot(force, tip - free[14:]) / small
    worlds.step(np.array([np.zeros(7), torque]))
    np.testing.assert_allclose(worlds.states()[1], worlds.states()[0], atol=1e-4)
    worlds.step(np.zeros((2, 7)))
    assert worlds.states()[1, 16] < worlds.states()[0, 16] - 5e-4


def test_goals_are_drawn_from_the_seed_or_said() -> None:
    said = Situation(goal=(0.3, -0.4, 0.1))
    worlds = make_worlds("arm_7dof", [Situation(), Situation(), Situation(), said], [0, 0, 1, 0])
    drawn = worlds.goals
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.allclose(drawn[0], drawn[2])
    np.testing.assert_array_equal(drawn[3], [0.3, -0.4, 0.1])
    rewards = worlds.step(np.zeros((4, 7)))
    expected = -np.square(worlds.states()[:, 14:] - worlds.goals).sum(1)
    np.testing.assert_allclose(rewards, expected)
    assert make_worlds("ant", [Situation()], [0]).goals.shape == (1, 0)


def test_physics_that_break_down_leave_the_others_alone() -> None:
    worlds, alone = (make_worlds("ant", [Situation()] * n, range(n)) for n in (2, 1))
    wild = worlds.states()
    wild[1, 15:] = 1e11
    worlds.set_states(wild)
    for _ in range(3):
        rewards = worlds.step(np.zeros((2, 8)))
        alone.step(np.zeros((1, 8)))
    assert list(worlds.diverged) == [False, True]
    np.testing.assert_array_equal(worlds.states()[0], alone.states()[0])
    np.testing.assert_array_equal(worlds.states()[1], wild[1])
    assert rewards[1] == pytest.approx(0.05)
    worlds.set_states(np.repeat(alone.states(), 2, axis=0))
    worlds.step(np.zeros((2, 8)))
    assert not worlds.diverged.any()
    np.testing.assert_array_equal(*worlds.states())


def test_blocks_of_a_pier_float_and_differ() -> None:
    piers = [Situation(Terrain("pier", seed=seed)) for seed in (1, 1, 2)]
    worlds = make_worlds("half_cheetah", piers, [0] * 3)
    flat = make_worlds("half_cheetah", [Situation()], [0])
    for _ in range(20):
        worlds.step(np.zeros((3, 6)))
        flat.step(np.zeros((1, 6)))
    states = worlds.states()
    np.testing.assert_array_equal(states[0], states[1])
    assert np.abs(states[2] - states[0]).max() > 1e-3
    assert (states[:, 1] < flat.states()[0, 1] - 0.03).all()


PLANS = [
    Situation(faults=(TimedFault("bthigh_disabled"),)),
    Situation(Terrain("pier", seed=3)),
    Situation(Terrain("slope", angle=0.1), physics=Factors(mass=1.5)),
]


def test_what_is_imagined_is_what_happens() -> None:
    worlds = make_worlds("half_cheetah", PLANS, [0, 1, 2])
    rng = np.random.default_rng(0)
    for actions in rng.uniform(-1, 1, (5, 3, 6)):  # blocks of the pier have moved
        worlds.step(actions)
    before, plans = worlds.states(), rng.uniform(-1, 1, (3, 4, 6, 6))
    imagined = worlds.imagine(plans)
    assert np.array_equal(imagined[:, :, 0], np.repeat(before[:, None], 4, axis=1))
    assert np.array_equal(worlds.states(), before)
    for h in range(6):
        worlds.step(plans[:, 2, h])
        assert np.array_equal(imagined[:, 2, h + 1], worlds.states())


def test_what_is_imagined_keeps_the_faults_of_now() -> None:
    soon = Situation(faults=(TimedFault("bthigh_disabled", begin=0.1),))
    worlds = make_worlds("half_cheetah", [soon, Situation()], [0, 0])
    plans = np.ones((2, 1, 4, 6))
    whole, whole_too = worlds.imagine(plans)
    assert np.array_equal(whole, whole_too)
    for _ in range(2):
        worlds.step(np.zeros((2, 6)))
    broken, whole = worlds.imagine(plans)
    assert not np.allclose(broken[0, 1], whole[0, 1])


def test_imagined_physics_that_breaks_down_is_no_number() -> None:
    worlds = make_worlds("half_cheetah", [Situation()] * 2, [0, 1])
    states = worlds.states()
    states[0, 9:] = 1e9  # velocities
    worlds.set_states(states)
    imagined = worlds.imagine(np.zeros((2, 2, 3, 6)))
    assert np.isnan(imagined[0, :, -1]).all()
    assert np.isfinite(imagined[1]).all()


def test_plans_beyond_the_limits_are_refused() -> None:
    worlds = make_worlds("half_cheetah", [Situation()], [0])
    for plans in (np.full((1, 2, 3, 6), 1.1), np.zeros((2, 2, 3, 6)), np.zeros((1, 2, 3, 5))):
        with pytest.raises(ValueError, match="within the limits"):
            worlds.imagine(plans)
