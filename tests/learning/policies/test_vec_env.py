"""Environments as sb3's environment."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.policies.sampling import Tasks

pytest.importorskip("stable_baselines3")


def test_every_round_has_new_situations_that_only_seed_and_number_decide(
    point_tasks: Tasks,
) -> None:
    from ros_mbmrl.learning.policies.vec_env import EnvironmentVecEnv

    def goals(env: EnvironmentVecEnv) -> np.ndarray:
        return env._environment.targets.copy()  # type: ignore[attr-defined]

    env = EnvironmentVecEnv(point_tasks, 3, horizon=2, seed=0)
    assert env.reset().tolist() == [[0.0, 0.0]] * 3
    first = goals(env)
    full = np.ones((3, 2), np.float32)
    seen, rewards, ended, told = env.step(full)
    assert seen == pytest.approx(np.full((3, 2), 0.2))  # 2 m/s for 0.1 s
    assert rewards == pytest.approx(-np.linalg.norm(first - 0.2, axis=1), abs=1e-6)
    assert not ended.any() and told == [{}] * 3

    seen, _, ended, told = env.step(full)
    assert ended.all() and seen.tolist() == [[0.0, 0.0]] * 3
    assert told[0]["TimeLimit.truncated"]
    assert told[0]["terminal_observation"] == pytest.approx([0.4, 0.4])
    returns = -np.linalg.norm(first - 0.2, axis=1) - np.linalg.norm(first - 0.4, axis=1)
    assert env.take_returns() == pytest.approx(list(returns))
    assert env.take_returns() == []

    second = goals(env)
    assert not np.allclose(first, second)
    later = EnvironmentVecEnv(point_tasks, 3, horizon=2, seed=0, first_round=1)
    later.reset()
    assert goals(later).tolist() == second.tolist()


def test_a_row_that_terminates_begins_anew_and_the_others_go_on(point_tasks: Tasks) -> None:
    from ros_mbmrl.learning.policies.vec_env import EnvironmentVecEnv

    env = EnvironmentVecEnv(point_tasks, 3, horizon=3, seed=0)
    env.reset()
    points = env._environment
    points.lost[1] = True  # type: ignore[union-attr]
    before = points.targets.copy()  # type: ignore[union-attr]
    full = np.ones((3, 2), np.float32)
    seen, rewards, ended, told = env.step(full)
    assert ended.tolist() == [False, True, False]
    assert told[1]["terminal_observation"] == pytest.approx([0.2, 0.2])
    assert not told[1]["TimeLimit.truncated"] and told[0] == {}
    assert seen == pytest.approx(np.array([[0.2, 0.2], [0.0, 0.0], [0.2, 0.2]]))
    assert env.take_returns() == pytest.approx([rewards[1]])
    changed = (points.targets != before).any(axis=1)  # type: ignore[union-attr]
    assert changed.tolist() == [False, True, False]
    env.step(full)
    *_, ended, _ = env.step(full)
    assert ended.all()  # the time of a round is up for all of them together
