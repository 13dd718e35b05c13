"""The environments of chapters 4 to 6: rewards by hand, ends, batches, drawn tasks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.bodies import BODIES
from ros_mbmrl.robots.running import BACKWARD, FORWARD, Course, Rules, RunCourse, Score
from ros_mbmrl.simulation.benchmarks import (
    BENCHMARKS,
    Benchmark,
    benchmark_of,
    make_benchmark,
    scaled,
)
from ros_mbmrl.simulation.models import models_of
from ros_mbmrl.simulation.simulated_robots import SimulatedRobots
from ros_mbmrl.simulation.situations import RandomParameters, Situation


def actions_of(robots: SimulatedRobots, steps: int, seed: int = 0) -> np.ndarray:
    """Draw commands (steps, N, da)."""
    spec = robots.robot.spec
    size = (steps, len(robots), len(spec.action))
    return np.random.default_rng(seed).uniform(spec.action_low, spec.action_high, size)


# Reward by hand: of x, y or z, |a|^2, height and head, and largest numbers.
def by_hand(name: str, before: np.ndarray, a: np.ndarray, after: np.ndarray) -> float:
    dt = BODIES[BENCHMARKS[name].robot].period
    v, effort = (after[0] - before[0]) / dt, float((a**2).sum())
    wild = np.maximum(np.abs(after[1:]) - 100, 0).sum()
    stand = 3 * (after[1] - 1.3) ** 2
    head = after[2] + 0.19 * (1 - 2 * (after[4] ** 2 + after[5] ** 2)) if len(after) == 47 else 0
    sideways = 0.6 * v + 0.8 * (after[1] - before[1]) / dt
    return {
        "me-trpo-swimmer": v - 0.005 * effort,
        "me-trpo-snake": v - 0.005 * effort,
        "me-trpo-hopper": v - 0.005 * effort - 10 * max(0.45 - after[1], 0) - 10 * wild,
        "me-trpo-half-cheetah": v - 0.05 * effort,
        "me-trpo-ant": v - 0.005 * effort + 0.05,
        "me-trpo-humanoid": -((head - 1.5) ** 2) - effort,
        "mb-mpo-swimmer": v - 0.005 * effort,
        "mb-mpo-hopper": v - 0.005 * effort - 10 * max(0.45 - after[1], 0) - 10 * wild,
        "mb-mpo-half-cheetah": v - 0.05 * effort,
        "mb-mpo-walker2d": v - 0.001 * effort,
        "mb-mpo-ant": v - 0.005 * effort + 0.05,
        "promp-half-cheetah-fwd-back": -v - 0.05 * effort,
        "promp-half-cheetah-rand-vel": -abs(v - 1.5) - 0.05 * effort,
        "promp-ant-fwd-back": -v - 0.005 * effort + 0.05,
        "promp-ant-rand-direc": sideways - 0.005 * effort + 0.05,
        "promp-walker2d-fwd-back": -v - 0.001 * effort,
        "promp-humanoid-fwd-back": -v - 0.1 * effort,
        "promp-humanoid-rand-direc": sideways - 0.1 * effort,
        "promp-hopper-rand-params": v,
        "promp-walker2d-rand-params": v,
        "mbbl-half-cheetah": v - 0.1 * effort,
        "mbbl-swimmer": v - 0.0001 * effort,
        "mbbl-hopper": v - 0.1 * effort + 1 - stand,
        "mbbl-walker2d": v - 0.1 * effort + 1 - stand,
        "mbbl-ant": v - 0.1 * effort + 1 - 3 * (after[2] - 0.57) ** 2,
        "m3po-half-cheetah-fwd-bwd": -v - 0.05 * effort,
        "m3po-half-cheetah-pier": v - 0.05 * effort,
        "m3po-ant-fwd-bwd": -v - 0.005 * effort + 0.05,
        "m3po-ant-crippled-leg": v - 0.005 * effort + 0.05,
        "m3po-walker2d-rand-params": v - 0.001 * effort,
        "m3po-humanoid-direc": -v - 0.1 * effort,
        "gssm-half-cheetah": v - 0.1 * effort,
        "gssm-slim-humanoid": 50 / 3 * v - 0.1 * effort + 5 * float(1.0 <= after[2] <= 2.0),
    }[name]


COURSES = {
    "fwd-back": BACKWARD,
    "fwd-bwd": BACKWARD,
    "humanoid-direc": BACKWARD,
    "rand-direc": Course(math.atan2(0.8, 0.6)),
    "rand-vel": Course(speed=1.5),
}


def course_for(name: str) -> Course:
    return next((course for end, course in COURSES.items() if name.endswith(end)), FORWARD)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_rewards_are_those_by_hand(name: str) -> None:
    robots = make_benchmark(name, [Situation(course=course_for(name))], [3])
    (task,) = robots.tasks()
    assert isinstance(task, RunCourse)
    for action in actions_of(robots, 5):
        before = robots.states()[0]
        (reward,) = robots.step(action).reward
        assert reward == pytest.approx(by_hand(name, before, action[0], robots.states()[0]))


def test_horizons_are_those_of_the_thesis() -> None:
    horizons = {name: row.horizon for name, row in BENCHMARKS.items()}
    assert [horizons[f"me-trpo-{n}"] for n in ("swimmer", "snake", "hopper", "ant")] == [
        *(200, 200, 100, 100)
    ]
    assert {horizons[n] for n in horizons if n.startswith("mb-mpo")} == {200}
    assert {horizons[n] for n in horizons if n.startswith(("mbbl", "gssm"))} == {1000}
    assert horizons["promp-ant-rand-direc"] == 100
    assert horizons["promp-hopper-rand-params"] == horizons["promp-walker2d-fwd-back"] == 200


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_batch_gives_the_same_as_one_by_one(name: str) -> None:
    row, rng = BENCHMARKS[name], np.random.default_rng(1)
    situations, models = [row.draw(rng) for _ in range(3)], models_of(row.robot)
    together = make_benchmark(name, situations, [4, 5, 6], models=models)
    alone = [
        make_benchmark(name, [situation], [seed], models=models)
        for situation, seed in zip(situations, (4, 5, 6), strict=True)
    ]
    for actions in actions_of(together, 8):
        after = together.step(actions)
        for n, robots in enumerate(alone):
            own = robots.step(actions[n : n + 1])
            assert own.reward[0] == after.reward[n]
            assert own.terminated[0] == after.terminated[n]
            np.testing.assert_array_equal(own.observation[0], after.observation[n])


def test_a_robot_that_falls_ends_and_rests_until_it_is_reset() -> None:
    robots = make_benchmark("promp-hopper-rand-params", [Situation()] * 2, [0, 1])
    states = robots.states()
    states[1, 2] = 0.19  # leans as far as it may, and falls
    states[1, 8] = 3.0
    robots.set_states(states)
    after = robots.step(np.zeros((2, 3)))
    assert after.terminated.tolist() == [False, True]
    assert after.reward[1] != 0.0  # of the period in which it fell
    fallen = robots.states()[1]
    for _ in range(3):
        after = robots.step(np.ones((2, 3)))
        assert after.reward[1] == 0.0 and after.terminated[1]
    np.testing.assert_array_equal(robots.states()[1], fallen)
    robots.reset(np.array([False, True]), [Situation()], [1])
    fresh = make_benchmark("promp-hopper-rand-params", [Situation()], [1])
    after, expected = robots.step(np.zeros((2, 3))), fresh.step(np.zeros((1, 3)))
    assert not after.terminated.any()
    np.testing.assert_array_equal(after.observation[1], expected.observation[0])


def test_an_ant_ends_above_and_below_and_a_cheetah_never() -> None:
    ants = make_benchmark("me-trpo-ant", [Situation()] * 3, [0, 0, 0])
    states = ants.states()
    states[:, 2] = 0.15, 0.6, 1.3
    assert ants.rules is not None
    assert ants.rules.ended(states).tolist() == [True, False, True]
    states[0, 2] = 0.6  # what lies too low the ground pushes up within the period
    ants.set_states(states)
    assert ants.step(np.zeros((3, 8))).terminated.tolist() == [False, False, True]
    cheetah = make_benchmark("me-trpo-half-cheetah", [Situation()], [0])
    state = cheetah.states()
    state[0, 2] = math.pi
    cheetah.set_states(state)
    assert not cheetah.step(np.zeros((1, 6))).terminated.any()


def test_physics_that_break_down_end_an_episode() -> None:
    robots = make_benchmark("me-trpo-half-cheetah", [Situation()] * 2, [0, 1])
    states = robots.states()
    states[0, 9:] = 1e11
    robots.set_states(states)
    assert robots.step(np.zeros((2, 6))).terminated.tolist() == [True, False]
    assert robots.step(np.zeros((2, 6))).reward[0] == 0.0


def test_tasks_are_drawn_as_the_row_says() -> None:
    rng = np.random.default_rng(0)
    drawn = {name: [row.draw(rng) for _ in range(60)] for name, row in BENCHMARKS.items()}
    assert {s.course for s in drawn["promp-ant-fwd-back"]} == {FORWARD, BACKWARD}
    headings = [s.course.heading for s in drawn["promp-ant-rand-direc"]]
    assert min(headings) < -2.5 and max(headings) > 2.5 and len(set(headings)) == 60
    speeds = [s.course.speed for s in drawn["promp-half-cheetah-rand-vel"]]
    assert 0 < min(speeds) < 0.3 and 1.7 < max(speeds) <= 2.0
    assert len({s.parameters for s in drawn["promp-hopper-rand-params"]}) == 60
    assert set(drawn["mb-mpo-ant"]) == {Situation()}


def test_a_course_changes_the_reward_and_not_what_is_seen() -> None:
    courses = [Situation(course=course) for course in (FORWARD, BACKWARD)]
    robots = make_benchmark("promp-ant-fwd-back", courses, [2, 2])
    for action in actions_of(robots, 4):
        after = robots.step(np.repeat(action[:1], 2, axis=0))
        np.testing.assert_array_equal(*after.observation)
        bonus = 0.05 - 0.005 * (action[0] ** 2).sum()
        assert after.reward[0] - bonus == pytest.approx(-(after.reward[1] - bonus))


def test_drawn_parameters_are_within_their_range_and_leave_the_nominal_body() -> None:
    models = models_of("walker2d")
    nominal = models.get(Situation()).model
    mass, friction = nominal.body_mass.copy(), nominal.geom_friction.copy()
    drawn = Situation(parameters=RandomParameters(5))
    model = models.get(drawn).model
    for name, base in (("body_mass", 1.5), ("geom_friction", 1.5), ("dof_damping", 1.3)):
        before, after = getattr(nominal, name), getattr(model, name)
        ratio = after[before > 0] / before[before > 0]
        assert base**-3 <= ratio.min() < 1 < ratio.max() <= base**3
        assert len(np.unique(ratio.round(9))) > len(ratio) // 2  # each its own
    np.testing.assert_array_equal(nominal.body_mass, mass)
    np.testing.assert_array_equal(nominal.geom_friction, friction)
    again = models_of("walker2d").get(drawn).model
    np.testing.assert_array_equal(again.body_inertia, model.body_inertia)


def test_masses_and_damping_are_scaled_by_the_drawn_factors() -> None:
    models, drawn = models_of("half_cheetah"), scaled(1.2, 0.8)
    nominal, model = (models.get(each).model for each in (Situation(), drawn))
    np.testing.assert_allclose(model.body_mass[1:], 1.2 * nominal.body_mass[1:])
    np.testing.assert_allclose(model.body_inertia[1:], 1.2 * nominal.body_inertia[1:])
    np.testing.assert_allclose(model.dof_damping, 0.8 * nominal.dof_damping)
    np.testing.assert_array_equal(model.geom_friction, nominal.geom_friction)


def test_a_slim_humanoid_that_lies_gets_nothing_for_being_upright() -> None:
    humanoids = make_benchmark("gssm-slim-humanoid", [Situation()] * 2, [0, 0])
    states = humanoids.states()
    states[1, 2] = 3.0  # far above the ground, which is no better
    humanoids.set_states(states)
    reward = humanoids.step(np.zeros((2, 17))).reward
    moved = (humanoids.states()[:, 0] - states[:, 0]) / BODIES["humanoid"].period
    assert (reward - 50 / 3 * moved).tolist() == pytest.approx([5.0, 0.0], abs=1e-6)


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(UserError, match="unknown environment 'moon'"):
        benchmark_of("moon")
    with pytest.raises(UserError, match="heading: robot 'hopper': expected 0 or pi"):
        make_benchmark("me-trpo-hopper", [Situation(course=Course(1.0))], [0])
    with pytest.raises(ValueError, match="expected a robot of the table"):
        Benchmark("cow", 10, Rules(Score(0.1)))
