import math
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.twin_rollouts import collect_rollouts, random_policy, run_once, source_of
from ros_mbmrl.plants.twin import TwinConfig, TwinPlant
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.faults import Fault

ROBOT = make_robot("hexapod")


def collect(processes: int, **more: Any) -> list[Rollout]:
    return collect_rollouts(
        ROBOT, 3, 8, terrains=("carpet", "turf"), seed=7, processes=processes, **more
    )


def test_policy_stays_in_range_holds_and_sometimes_walks_straight() -> None:
    policy = random_policy(ROBOT.spec, np.random.default_rng(0))
    actions = np.array([policy() for _ in range(2000)])
    low, high = ROBOT.spec.action_low, ROBOT.spec.action_high
    assert (actions >= low).all()
    assert (actions <= high).all()
    assert actions.std(axis=0) == pytest.approx((high - low) / math.sqrt(12), rel=0.1)
    starts = np.flatnonzero((np.diff(actions, axis=0) != 0).any(axis=1))
    assert np.diff(starts).max() <= 10
    assert 0.1 < (actions[:, 0] == actions[:, 1]).mean() < 0.4


def test_rollouts_do_not_depend_on_the_number_of_processes() -> None:
    seen: list[tuple[int, int]] = []
    alone = collect(1, progress=lambda done, total: seen.append((done, total)))
    pair = collect(2)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert [dict(r.tags) for r in alone] == [dict(r.tags) for r in pair]
    assert all((a.states == b.states).all() for a, b in zip(alone, pair, strict=True))
    assert all((a.actions == b.actions).all() for a, b in zip(alone, pair, strict=True))


def test_rollouts_say_where_they_come_from() -> None:
    rollouts = collect(1)
    assert [len(r) for r in rollouts] == [8, 8, 8]
    assert [r.tags["terrain"] for r in rollouts] == ["carpet", "turf", "carpet"]
    assert {r.tags["fault"] for r in rollouts} == {"none"}
    assert len({r.tags["session"] for r in rollouts}) == 3
    assert all(np.isfinite(r.states).all() for r in rollouts)
    assert all(np.hypot(*r.states[0, :2]) < 0.02 for r in rollouts)
    assert rollouts[0].times == pytest.approx(np.arange(9) * 0.1)


def test_a_run_ends_where_the_robot_tips_over() -> None:
    plant = TwinPlant(ROBOT, TwinConfig("plain"))
    half = math.radians(100) / 2
    plant.world.data.qpos[3:7] = [math.cos(half), math.sin(half), 0, 0]
    rollout = run_once(ROBOT, plant, lambda: np.zeros(2), 50, {})
    assert len(rollout) < 50
    assert ROBOT.tilt(rollout.states[-1]) > ROBOT.spec.envelope.max_tilt


def test_bad_input_is_refused_before_anything_runs() -> None:
    with pytest.raises(UserError, match="unknown terrain 'ice'"):
        collect_rollouts(ROBOT, 1, 8, terrains=("ice",))
    with pytest.raises(UserError, match="expected a positive count"):
        collect_rollouts(ROBOT, 0, 8)


def test_faults_take_turns() -> None:
    rollouts = collect_rollouts(
        ROBOT, 2, 3, ("plain",), processes=1, faults=(Fault("none"), Fault("payload"))
    )
    assert [r.tags["fault"] for r in rollouts] == ["none", "payload"]


def test_a_robot_without_a_twin_is_refused() -> None:
    with pytest.raises(UserError, match="unknown robot with a twin to collect on 'toy'"):
        source_of("toy")


def test_rollouts_tell_their_causes_from_the_moment_they_set_in() -> None:
    plant = TwinPlant(ROBOT, TwinConfig("carpet", (Fault("weak_left", 0.2),)))
    rollout = run_once(ROBOT, plant, lambda: np.array([20.0, 20.0]), 4, {})
    assert rollout.effectiveness is not None and rollout.causes is not None
    # It is told as the interval begins: the fault of 0.2 s is there in the one from 0.2 to 0.3 s.
    assert rollout.effectiveness[:, 0] == pytest.approx([1.0, 1.0, 1.0, 0.6])
    assert rollout.causes.shape == (4, len(ROBOT.spec.causes))
