from __future__ import annotations

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


def test_the_truth_is_where_a_robot_is_and_what_has_begun() -> None:
    fault = TimedFault("bfoot_disabled", begin=0.1)
    situations = [Situation(Terrain("steep")), Situation(Terrain("slope", angle=-0.1), (fault,))]
    robots = make_simulated("half_cheetah", situations, [0, 1])
    states = np.zeros((4, 2, 18))
    states[2:, 0, 0] = 5.0  # the first robot is on its slope in the last two periods
    truth = robots.truth(states)
    np.testing.assert_allclose(truth[:, 0, 0], [0, 0, *[np.arctan(4 / 18)] * 2])
    np.testing.assert_allclose(truth[:, 1, 0], -0.1)
    assert truth[:, 1, 3].tolist() == [1, 1, 0, 0] and (truth[:, 0, 1:] == 1).all()
    np.testing.assert_array_equal(robots.truth(states[1:], first=1), truth[1:])


def test_the_force_on_the_arm_is_there_from_when_it_begins() -> None:
    pushed = Situation(force=(1.0, 0.0, -2.0), force_begin=0.12)
    robots = make_simulated("arm_7dof", [pushed], [0])
    assert robots.causes(np.zeros((2, 1, 17)), first=2)[:, 0].tolist() == [[0, 0, 0], [1, 0, -2]]


def test_other_faults_can_be_given_in_mid_run_and_nothing_else() -> None:
    well, broken = Situation(), Situation(faults=(TimedFault("bfoot_disabled", 0.25),))
    robots = make_simulated("half_cheetah", [well], [0])
    present = []
    robots.advance(np.zeros((1, 6)), 3 * robots.simulation.substeps)
    robots.reschedule([broken])
    for _ in range(4):
        present.append(robots.present(0))
        robots.advance(np.zeros((1, 6)), robots.simulation.substeps)
    assert present == [set(), set(), {"bfoot_disabled"}, {"bfoot_disabled"}]
    with pytest.raises(ValueError, match="other faults and forces alone"):
        robots.reschedule([Situation(Terrain("steep"))])
    with pytest.raises(UserError, match="unknown fault"):
        robots.reschedule([Situation(faults=(TimedFault("leg_1_crippled"),))])
