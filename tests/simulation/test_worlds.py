from __future__ import annotations

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
