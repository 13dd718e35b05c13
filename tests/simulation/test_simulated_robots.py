from __future__ import annotations

from importlib.resources import files

import mujoco
import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.models import models_of
from ros_mbmrl.simulation.simulated_robots import SimulatedRobots, make_simulated
from ros_mbmrl.simulation.situations import Factors, Situation, Terrain, TimedFault

KINDS = (
    Terrain(),
    Terrain("slope", angle=-0.1),
    Terrain("steep"),
    Terrain("hill"),
    Terrain("basin"),
    Terrain("pier", seed=3),
)


def drive(robots: SimulatedRobots, steps: int, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    size = len(robots.robot.spec.action)
    plan = rng.uniform(-1, 1, (steps, 100, size))[:, : len(robots)]
    return np.array([robots.step(actions).reward for actions in plan])


def test_a_step_is_gymnasiums() -> None:
    asset = files("gymnasium") / "envs/mujoco/assets/half_cheetah.xml"
    model = mujoco.MjModel.from_xml_path(str(asset))
    data = mujoco.MjData(model)
    robots = make_simulated("half_cheetah", [Situation()], [7])
    rng = np.random.default_rng(0)
    for _ in range(20):
        before = robots.states()[0]
        data.qpos[:], data.qvel[:] = before[:9], before[9:]
        data.qacc_warmstart[:] = 0
        action = rng.uniform(-1, 1, 6)
        data.ctrl[:] = action
        mujoco.mj_step(model, data, 5)
        (reward,) = robots.step(action[None]).reward
        expected = np.concatenate([data.qpos, data.qvel])
        np.testing.assert_allclose(robots.states()[0], expected, atol=1e-9)
        assert reward == pytest.approx(
            (expected[0] - before[0]) / 0.05 - 0.05 * np.square(action).sum()
        )


def test_neither_threads_nor_neighbours_change_what_happens() -> None:
    situations = [Situation(kind) for kind in KINDS] * 2
    seeds = list(range(len(situations)))
    one = make_simulated("half_cheetah", situations, seeds)
    two = make_simulated("half_cheetah", situations, seeds, threads=3)
    np.testing.assert_array_equal(drive(one, 15), drive(two, 15))
    np.testing.assert_array_equal(one.states(), two.states())
    fewer = make_simulated("half_cheetah", situations[:4], seeds[:4])
    drive(fewer, 15)
    np.testing.assert_array_equal(fewer.states(), one.states()[:4])


def test_a_state_that_is_set_has_the_same_successor() -> None:
    situations = [Situation(kind) for kind in KINDS[:5]]
    original = make_simulated("half_cheetah", situations, range(5))
    drive(original, 10)
    copy = make_simulated("half_cheetah", situations, range(10, 15))
    copy.set_states(original.states())
    rewards = [drive(robots, 3, seed=1) for robots in (original, copy)]
    np.testing.assert_array_equal(copy.states(), original.states())
    np.testing.assert_array_equal(*rewards)


def test_a_disabled_joint_gives_no_torque_from_its_second_on() -> None:
    spans = (0.1, 0.2), (0.25, 0.3)
    faults = tuple(TimedFault("bfoot_disabled", begin, end) for begin, end in spans)
    robots = make_simulated("half_cheetah", [Situation(faults=faults)], [0])
    twin = make_simulated("half_cheetah", [Situation()], [0])
    for step in range(8):
        actions = np.full((1, 6), 0.5)
        masked = actions.copy()
        masked[0, 2] *= step not in (2, 3, 5)
        assert bool(robots.present(0)) == (step in (2, 3, 5))
        robots.step(actions)
        twin.step(masked)
        np.testing.assert_array_equal(robots.states(), twin.states())


def test_a_fault_sets_in_at_the_edge_even_within_an_advance() -> None:
    fault = Situation(faults=(TimedFault("bfoot_disabled", begin=0.1),))
    stepped, at_once = (make_simulated("half_cheetah", [fault], [0]) for _ in range(2))
    actions = np.full((1, 6), 0.5)
    for _ in range(4):
        stepped.advance(actions, 5)
    at_once.advance(actions, 20)
    assert at_once.times == pytest.approx([0.2])
    assert at_once.present(0)
    np.testing.assert_allclose(at_once.states(), stepped.states(), atol=1e-6)


def test_wrong_physics_are_other_physics() -> None:
    factors = [Factors(), *(Factors(**{n: 1.3}) for n in ("mass", "friction", "gear", "damping"))]
    situations = [Situation(physics=each) for each in factors]
    robots = make_simulated("half_cheetah", situations, [0] * 5)
    rng = np.random.default_rng(0)
    for _ in range(20):
        robots.step(np.tile(rng.uniform(-1, 1, 6), (5, 1)))
    states = robots.states()
    assert all(np.abs(states[k] - states[0]).max() > 1e-3 for k in range(1, 5))


def test_the_cheetah_rests_on_every_ground() -> None:
    robots = make_simulated("half_cheetah", [Situation(kind) for kind in KINDS], range(len(KINDS)))
    for _ in range(60):
        robots.step(np.zeros((len(KINDS), 6)))
    states = robots.states()
    height = states[:, 1] - states[:, 0] * np.tan([kind.angle for kind in KINDS])
    assert (np.abs(height) < 0.25).all()
    assert not robots.diverged.any()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UserError, match="bfoot_disabled"):
        make_simulated("half_cheetah", [Situation(faults=(TimedFault("leg_1_crippled"),))], [0])
    with pytest.raises(UserError, match="half_cheetah"):
        make_simulated("hexapod", [Situation()], [0])
    with pytest.raises(UserError, match="pushed"):
        make_simulated("half_cheetah", [Situation(force=(1.0, 0.0, 0.0))], [0])
    robots = make_simulated("half_cheetah", [Situation()], [0])
    for wrong in (np.full((1, 6), 1.1), np.full((1, 6), np.nan), np.zeros(6)):
        with pytest.raises(ValueError, match="actions"):
            robots.step(wrong)
    with pytest.raises(ValueError, match="states"):
        robots.set_states(np.zeros((1, 17)))


def test_a_crippled_leg_is_another_body_from_its_second_on() -> None:
    late = Situation(faults=(TimedFault("leg_1_crippled", begin=0.5),))
    ill = Situation(faults=(TimedFault("leg_1_crippled"),))
    robots = make_simulated("ant", [Situation(), late, ill], [1, 1, 1])
    plan = np.random.default_rng(0).uniform(-1, 1, (30, 1, 8))
    for step, action in enumerate(plan):
        robots.step(np.repeat(action, 3, axis=0))
        well, switched, crippled = robots.states()
        assert (switched == well).all() == (step < 10)
        assert (crippled != well).any() or step == 0
    # Neither its motors nor its feet tell the two apart any more.
    robots.set_states(np.repeat(robots.states()[:1], 3, axis=0))
    for action in plan[:5]:
        robots.step(np.repeat(action, 3, axis=0))
    np.testing.assert_array_equal(robots.states()[1], robots.states()[2])
    actions = np.random.default_rng(1).uniform(-1, 1, (3, 8))
    actions[1:] = actions[0]
    actions[2, 2:4] *= -1  # those of leg 1
    robots.set_states(np.repeat(robots.states()[:1], 3, axis=0))
    robots.step(actions)
    np.testing.assert_array_equal(robots.states()[1], robots.states()[2])


def test_a_crippled_leg_no_longer_reaches_the_ground() -> None:
    ill = Situation(faults=(TimedFault("leg_1_crippled"),))
    robots = make_simulated("ant", [Situation(), ill], [0, 0])
    for _ in range(80):
        robots.step(np.zeros((2, 8)))
    _, x, y, _ = robots.states()[:, 3:7].T
    # It leans to the front left: about (-1, 1, 0).
    assert abs(x[0]) + abs(y[0]) < 0.05
    assert y[1] - x[1] > 0.06 > y[0] - x[0]


def test_a_force_on_the_tip_does_what_statics_say() -> None:
    force = (0.0, 0.0, -1.0)
    pushed = Situation(force=force, force_begin=0.1)
    robots = make_simulated("arm_7dof", [Situation(), pushed], [0, 0])
    for _ in range(2):
        robots.step(np.zeros((2, 7)))
    free, held = robots.states()
    np.testing.assert_array_equal(free, held)
    # Motors against the force, J^T f by differences of the tip.
    robot, small = robots.robot, 1e-6
    torque = np.zeros(7)
    for joint in range(7):
        moved = free[:14].copy()
        moved[joint] += small
        tip = robot.estimate(moved, None, 0.05)[14:]
        torque[joint] = -np.dot(force, tip - free[14:]) / small
    robots.step(np.array([np.zeros(7), torque]))
    np.testing.assert_allclose(robots.states()[1], robots.states()[0], atol=1e-4)
    robots.step(np.zeros((2, 7)))
    assert robots.states()[1, 16] < robots.states()[0, 16] - 5e-4


def test_goals_are_drawn_from_the_seed_or_said() -> None:
    said = Situation(goal=(0.3, -0.4, 0.1))
    robots = make_simulated("arm_7dof", [Situation(), Situation(), Situation(), said], [0, 0, 1, 0])
    drawn = robots.goals
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.allclose(drawn[0], drawn[2])
    np.testing.assert_array_equal(drawn[3], [0.3, -0.4, 0.1])
    rewards = robots.step(np.zeros((4, 7))).reward
    expected = -np.square(robots.states()[:, 14:] - robots.goals).sum(1)
    np.testing.assert_allclose(rewards, expected)
    assert make_simulated("ant", [Situation()], [0]).goals.shape == (1, 0)


def test_physics_that_break_down_leave_the_others_alone() -> None:
    robots, alone = (make_simulated("ant", [Situation()] * n, range(n)) for n in (2, 1))
    wild = robots.states()
    wild[1, 15:] = 1e11
    robots.set_states(wild)
    for _ in range(3):
        after = robots.step(np.zeros((2, 8)))
        alone.step(np.zeros((1, 8)))
    assert after.terminated.tolist() == [False, True] and not after.truncated.any()
    np.testing.assert_array_equal(robots.states()[0], alone.states()[0])
    np.testing.assert_array_equal(robots.states()[1], wild[1])
    assert after.reward[1] == pytest.approx(0.05)
    robots.set_states(np.repeat(alone.states(), 2, axis=0))
    robots.step(np.zeros((2, 8)))
    assert not robots.diverged.any()
    np.testing.assert_array_equal(*robots.states())


def test_blocks_of_a_pier_float_and_differ() -> None:
    piers = [Situation(Terrain("pier", seed=seed)) for seed in (1, 1, 2)]
    robots = make_simulated("half_cheetah", piers, [0] * 3)
    flat = make_simulated("half_cheetah", [Situation()], [0])
    for _ in range(20):
        robots.step(np.zeros((3, 6)))
        flat.step(np.zeros((1, 6)))
    states = robots.states()
    np.testing.assert_array_equal(states[0], states[1])
    assert np.abs(states[2] - states[0]).max() > 1e-3
    assert (states[:, 1] < flat.states()[0, 1] - 0.03).all()


PLANS = [
    Situation(faults=(TimedFault("bthigh_disabled"),)),
    Situation(Terrain("pier", seed=3)),
    Situation(Terrain("slope", angle=0.1), physics=Factors(mass=1.5)),
]


def test_what_is_imagined_is_what_happens() -> None:
    robots = make_simulated("half_cheetah", PLANS, [0, 1, 2])
    rng = np.random.default_rng(0)
    for actions in rng.uniform(-1, 1, (5, 3, 6)):  # blocks of the pier have moved
        robots.step(actions)
    before, plans = robots.states(), rng.uniform(-1, 1, (3, 4, 6, 6))
    imagined = robots.imagine(plans)
    assert np.array_equal(imagined[:, :, 0], np.repeat(before[:, None], 4, axis=1))
    assert np.array_equal(robots.states(), before)
    for h in range(6):
        robots.step(plans[:, 2, h])
        assert np.array_equal(imagined[:, 2, h + 1], robots.states())


def test_what_is_imagined_keeps_the_faults_of_now() -> None:
    soon = Situation(faults=(TimedFault("bthigh_disabled", begin=0.1),))
    robots = make_simulated("half_cheetah", [soon, Situation()], [0, 0])
    plans = np.ones((2, 1, 4, 6))
    whole, whole_too = robots.imagine(plans)
    assert np.array_equal(whole, whole_too)
    for _ in range(2):
        robots.step(np.zeros((2, 6)))
    broken, whole = robots.imagine(plans)
    assert not np.allclose(broken[0, 1], whole[0, 1])


def test_imagined_physics_that_breaks_down_is_no_number() -> None:
    robots = make_simulated("half_cheetah", [Situation()] * 2, [0, 1])
    states = robots.states()
    states[0, 9:] = 1e9  # velocities
    robots.set_states(states)
    imagined = robots.imagine(np.zeros((2, 2, 3, 6)))
    assert np.isnan(imagined[0, :, -1]).all()
    assert np.isfinite(imagined[1]).all()


def test_plans_beyond_the_limits_are_refused() -> None:
    robots = make_simulated("half_cheetah", [Situation()], [0])
    for plans in (np.full((1, 2, 3, 6), 1.1), np.zeros((2, 2, 3, 6)), np.zeros((1, 2, 3, 5))):
        with pytest.raises(ValueError, match="within the limits"):
            robots.imagine(plans)


def test_a_row_that_is_reset_has_the_outcome_of_a_fresh_one() -> None:
    late = Situation(faults=(TimedFault("bfoot_disabled", begin=0.25),))
    first = [Situation(), Situation(Terrain("pier", seed=3)), late]
    robots = make_simulated("half_cheetah", first, [0, 1, 2])
    alone = make_simulated("half_cheetah", first, [0, 1, 2])
    drive(robots, 7)
    drive(alone, 7)
    # A clock of its own, another ground, and a fault that begins later than the neighbour's did.
    robots.reset(np.array([False, True, False]), [late], [7])
    fresh = make_simulated("half_cheetah", [late], [7])
    assert robots.times == pytest.approx([0.35, 0.0, 0.35])
    for actions in np.random.default_rng(3).uniform(-1, 1, (9, 3, 6)):
        rewards = robots.step(actions).reward
        assert rewards[[0, 2]].tolist() == alone.step(actions).reward[[0, 2]].tolist()
        assert rewards[1] == fresh.step(actions[1:2]).reward[0]
        assert robots.present(1) == fresh.present(0)
    np.testing.assert_array_equal(robots.states()[1], fresh.states()[0])
    np.testing.assert_array_equal(robots.states()[[0, 2]], alone.states()[[0, 2]])


def test_a_reset_mends_what_was_broken() -> None:
    ill = Situation(faults=(TimedFault("leg_1_crippled"),))
    robots = make_simulated("ant", [ill, ill], [0, 1])
    wild = robots.states()
    wild[0, 15:] = 1e11
    robots.set_states(wild)
    assert robots.step(np.ones((2, 8))).terminated.tolist() == [True, False]
    robots.reset(np.array([True, False]), [Situation()], [3])
    well = make_simulated("ant", [Situation()], [3])
    after, expected = robots.step(np.ones((2, 8))), well.step(np.ones((1, 8)))
    assert not after.terminated.any()
    np.testing.assert_array_equal(after.observation[0], expected.observation[0])


def test_a_reset_draws_a_new_goal_for_its_row_alone() -> None:
    robots = make_simulated("arm_7dof", [Situation()] * 2, [0, 1])
    before = robots.goals
    robots.reset(np.array([False, True]), [Situation()], [2])
    assert robots.goals[0].tolist() == before[0].tolist()
    assert robots.goals[1].tolist() != before[1].tolist()
    assert robots.observe()[:, 17:] == pytest.approx(robots.goals)


def test_resetting_compiles_nothing_that_was_compiled_before() -> None:
    situations = [Situation(kind) for kind in KINDS]
    models = models_of("half_cheetah")
    robots = make_simulated("half_cheetah", situations, range(6), models=models)
    assert models.compilations == 6
    robots.reset(np.ones(6, dtype=bool), situations[::-1], range(6))
    other = make_simulated("half_cheetah", situations, range(6), models=models)
    drive(robots, 1)
    drive(other, 1)
    assert models.compilations == 6
    disabled = Situation(KINDS[1], (TimedFault("bfoot_disabled"),))
    robots.reset(np.arange(6) == 0, [disabled], [0])
    assert models.compilations == 6  # a motor without torque is no other model


def test_what_cannot_be_resets_nothing() -> None:
    robots = make_simulated("half_cheetah", [Situation()] * 2, [0, 1])
    drive(robots, 2)
    before = robots.states()
    wrong = Situation(force=(1.0, 0.0, 0.0))
    with pytest.raises(UserError, match="pushed"):
        robots.reset(np.ones(2, dtype=bool), [Situation(), wrong], [0, 1])
    with pytest.raises(ValueError, match="expected 2 of each"):
        robots.reset(np.ones(2, dtype=bool), [Situation()], [0])
    np.testing.assert_array_equal(robots.states(), before)
