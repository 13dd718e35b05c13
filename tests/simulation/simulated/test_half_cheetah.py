"""The half-cheetah is gymnasium's, and its joints can be disabled."""

from __future__ import annotations

from importlib.resources import files

import mujoco
import numpy as np
import pytest

from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation, TimedFault


def test_a_step_is_gymnasiums() -> None:
    asset = files("gymnasium") / "envs/mujoco/assets/half_cheetah.xml"
    model = mujoco.MjModel.from_xml_path(str(asset))
    data = mujoco.MjData(model)
    worlds = make_simulated("half_cheetah", [Situation()], [7])
    rng = np.random.default_rng(0)
    for _ in range(20):
        before = worlds.states()[0]
        data.qpos[:], data.qvel[:] = before[:9], before[9:]
        data.qacc_warmstart[:] = 0
        action = rng.uniform(-1, 1, 6)
        data.ctrl[:] = action
        mujoco.mj_step(model, data, 5)
        (reward,) = worlds.step(action[None]).reward
        expected = np.concatenate([data.qpos, data.qvel])
        np.testing.assert_allclose(worlds.states()[0], expected, atol=1e-9)
        assert reward == pytest.approx(
            (expected[0] - before[0]) / 0.05 - 0.05 * np.square(action).sum()
        )


def test_a_disabled_joint_gives_no_torque_from_its_second_on() -> None:
    spans = (0.1, 0.2), (0.25, 0.3)
    faults = tuple(TimedFault("bfoot_disabled", begin, end) for begin, end in spans)
    worlds = make_simulated("half_cheetah", [Situation(faults=faults)], [0])
    twin = make_simulated("half_cheetah", [Situation()], [0])
    for step in range(8):
        actions = np.full((1, 6), 0.5)
        masked = actions.copy()
        masked[0, 2] *= step not in (2, 3, 5)
        assert bool(worlds.present(0)) == (step in (2, 3, 5))
        worlds.step(actions)
        twin.step(masked)
        np.testing.assert_array_equal(worlds.states(), twin.states())
