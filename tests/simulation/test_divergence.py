"""Physics that break down are told from those that do not."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from ros_mbmrl.simulation.divergence import diverged

FALLING = "<mujoco><worldbody><body><freejoint/><geom size='.1'/></body></worldbody></mujoco>"


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e12])
@pytest.mark.parametrize("where", ["qpos", "qvel"])
def test_what_mujoco_starts_anew_from_is_told_until_the_reset(where: str, wrong: float) -> None:
    model = mujoco.MjModel.from_xml_string(FALLING)
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data, 10)
    assert not diverged(data)
    getattr(data, where)[0] = wrong
    mujoco.mj_step(model, data, 10)
    assert diverged(data) and np.isfinite(data.qpos).all()
    mujoco.mj_resetData(model, data)
    mujoco.mj_step(model, data, 10)
    assert not diverged(data)
