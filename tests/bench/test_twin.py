"""`bench twin`: the same physics, with and without the robot around it."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("mujoco")

from ros_mbmrl.bench import twin
from ros_mbmrl.bench.twin import QUICK, Raw, Walk
from ros_mbmrl.errors import UserError


def test_bare_physics_ends_where_the_world_does() -> None:
    walk, raw = Walk(QUICK), Raw(QUICK)
    bare = raw.walk.world
    for each in (walk, raw.walk):
        each.begin()
    assert list(bare.data.qpos) == list(walk.world.data.qpos)
    began = walk.world.data.time
    walk.go_on()
    raw.go_on()
    assert walk.world.data.time - began == pytest.approx(QUICK.seconds)
    assert bare.data.time == walk.world.data.time
    assert list(bare.data.qpos) == list(walk.world.data.qpos)  # bit for bit
    assert list(bare.data.qvel) == list(walk.world.data.qvel)
    assert walk.world.pose()[0] > 0.03
    assert raw.steps * bare.model.opt.timestep == pytest.approx(QUICK.seconds)


def test_as_many_steps_at_once() -> None:
    raw = Raw(QUICK)
    raw.walk.begin()
    began = raw.walk.world.data.time
    raw.go_on_at_once()
    assert raw.walk.world.data.time - began == pytest.approx(QUICK.seconds)


def test_results_have_the_ratios() -> None:
    results = twin.run(replace(QUICK, repeats=2)).results
    for name in (
        "over_mj_step",
        "over_mj_step_at_once",
        "threads",
        "processes",
        "real_time_factor",
    ):
        assert results[name] > 0
    assert results["steps"] > 0
    names = {
        "world",
        "mj_step",
        "mj_step at once",
        "1 thread",
        "2 threads",
        "1 process",
        "2 processes",
    }
    assert set(results["medians_ms"]) == names


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UserError, match="unknown terrain 'lava'"):
        twin.run(replace(QUICK, terrain="lava"))
    with pytest.raises(ValueError, match="seconds: expected at least"):
        twin.Config(seconds=0.0)
