"""Rewards of running by hand, and where an episode ends."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.robots.bodies import BODIES
from ros_mbmrl.robots.running import (
    BACKWARD,
    FORWARD,
    Course,
    Healthy,
    Rules,
    RunCourse,
    Score,
    Trunk,
)

ZEROS = {name: np.zeros((1, size)) for name, size in (("hopper", 12), ("ant", 29))}


def test_a_course_says_where_to_and_how_fast() -> None:
    assert FORWARD.values.tolist() == [1.0, 0.0, 1.0, 0.0]
    np.testing.assert_allclose(BACKWARD.values, [-1.0, 0.0, 1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(Course(math.pi / 2, 1.5).values, [0.0, 1.0, 0.0, 1.5], atol=1e-12)


def test_running_sideways_counts_on_a_sideways_course_only() -> None:
    score = BODIES["ant"].score()
    after = ZEROS["ant"].copy()
    after[0, :2] = 0.1, 0.2
    for course, speed in ((FORWARD, 2.0), (BACKWARD, -2.0), (Course(math.pi / 2), 4.0)):
        found = score.reward(ZEROS["ant"], np.zeros((1, 8)), after, course.values)
        assert found == pytest.approx([speed])


def test_a_speed_to_keep_is_missed_from_both_sides() -> None:
    score, after = BODIES["hopper"].score(effort=0.5), ZEROS["hopper"].copy()
    for x, missed in ((0.008, 1.0), (0.024, 1.0), (0.016, 0.0)):
        after[0, 0] = x
        found = score.reward(ZEROS["hopper"], np.ones((1, 3)), after, Course(speed=2.0).values)
        assert found == pytest.approx([-missed - 1.5])


def test_the_hoppers_soft_limits_cost_what_appendix_a_2_says() -> None:
    score = BODIES["hopper"].usual_score
    before, after = np.zeros((1, 12)), np.zeros((1, 12))
    after[0, :2] = 0.016, 0.35
    after[0, 7], after[0, 8] = 103.0, -101.0
    found = score.reward(before, np.full((1, 3), 0.5), after, FORWARD.values)
    assert found == pytest.approx([2.0 - 0.005 * 0.75 - 10 * 0.1 - 10 * (3 + 1)])


def test_the_humanoid_stands_as_high_as_its_head() -> None:
    body = BODIES["humanoid"]
    score = body.score(**body.tasks["stand"])
    state = np.zeros((2, 47))
    state[:, 2] = 1.2
    state[0, 3] = state[1, 4] = 1.0  # upright; upside down
    found = score.reward(state, np.full((2, 17), 0.1), state, FORWARD.values)
    assert found == pytest.approx([-(0.11**2) - 0.17, -(0.49**2) - 0.17])


def test_arrays_and_tensors_are_rewarded_alike() -> None:
    rng = np.random.default_rng(0)
    for name, body in BODIES.items():
        size = len(body.trunk) + len(body.joints)
        size += size - (body.places.rotation is not None)
        before, after = 60 * rng.standard_normal((2, 5, size))
        actions = rng.standard_normal((5, len(body.motors)))
        for terms in body.tasks.values():
            score = body.score(**terms)
            given = before, actions, after, Course(0.3).values
            expected = score.reward(*given)
            found = score.reward(*map(torch.as_tensor, given))
            np.testing.assert_allclose(found.numpy(), expected, err_msg=name)


def test_tasks_of_several_courses_are_costed_together() -> None:
    score = BODIES["ant"].usual_score
    tasks = [RunCourse(score, course) for course in (FORWARD, BACKWARD)]
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(2, 3, 5, 29, generator=generator)
    actions = torch.rand(2, 3, 4, 8, generator=generator)
    reference = torch.stack([task.reference(np.zeros(29)) for task in tasks])
    both = tasks[0].cost(states, actions, reference)
    for n, task in enumerate(tasks):
        alone = task.cost(states[n], actions[n], task.reference(np.zeros(29)))
        torch.testing.assert_close(both[n], alone)
        torch.testing.assert_close(task.cost(states[n], actions[n], torch.zeros(0)), alone)
    one = states[0, 0].numpy()
    assert tasks[1].measured(one)[("speed", "m_s")] == pytest.approx(-np.diff(one[:, 0]) / 0.05)


@pytest.mark.parametrize(
    ("healthy", "states", "expected"),
    [
        (Healthy((0.2, 1.0)), {1: (0.1, 0.5, 1.1)}, [False, True, False]),
        (Healthy(tilt=0.2), {2: (-0.3, 0.1, 0.3)}, [False, True, False]),
        (Healthy(largest=100.0), {7: (-101.0, 99.0, math.nan)}, [False, True, False]),
        (Healthy(largest=100.0), {0: (-101.0, 99.0, 500.0)}, [True, True, True]),
    ],
)
def test_only_healthy_states_go_on(healthy: Healthy, states: Any, expected: list[bool]) -> None:
    rows = np.zeros((3, 12))
    for place, values in states.items():
        rows[:, place] = values
    trunk = Trunk(z=1, tilt=2)
    assert healthy.holds(rows, trunk).tolist() == expected
    assert (Rules(Score(0.05, trunk), healthy).ended(rows) != healthy.holds(rows, trunk)).all()
    assert not Rules(Score(0.05, trunk)).ended(rows).any()


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Course(math.nan), "heading: expected a finite angle"),
        (lambda: Course(speed=0.0), "speed: expected a number above 0"),
        (lambda: Score(0.0), "period: expected more than 0 s"),
        (lambda: Score(0.1, effort=-1.0), "effort: expected 0 or more"),
        (lambda: Score(0.1, stand=1.0), "expected 0 for a robot without a height"),
        (lambda: Score(0.1, upright=1.0), "expected 0 for a robot without a height"),
        (lambda: Score(0.1, upright=-1.0), "upright: expected 0 or more"),
        (lambda: Healthy((1.0, 0.5)), "expected low < high"),
        (lambda: Trunk().height(np.zeros(3)), "expected a robot that has one"),
    ],
)
def test_wrong_values_fail_at_once(make: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        make()
