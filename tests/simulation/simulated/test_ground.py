"""The half-cheetah on every ground."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.models import models_of
from ros_mbmrl.simulation.simulated.ground import BEGIN, SIDE, height_at, slope_at
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation, Terrain

KINDS = (
    Terrain(),
    Terrain("slope", angle=-0.1),
    Terrain("steep"),
    Terrain("hill"),
    Terrain("basin"),
    Terrain("pier", seed=3),
)


def test_the_cheetah_rests_on_every_ground() -> None:
    worlds = make_simulated("half_cheetah", [Situation(kind) for kind in KINDS], range(len(KINDS)))
    for _ in range(60):
        worlds.step(np.zeros((len(KINDS), 6)))
    states = worlds.states()
    assert (np.abs(states[:, 1]) < 0.25).all()
    assert not worlds.diverged.any()


def test_blocks_of_a_pier_float_and_differ() -> None:
    piers = [Situation(Terrain("pier", seed=seed)) for seed in (1, 1, 2)]
    worlds = make_simulated("half_cheetah", piers, [0] * 3)
    flat = make_simulated("half_cheetah", [Situation()], [0])
    for _ in range(20):
        worlds.step(np.zeros((3, 6)))
        flat.step(np.zeros((1, 6)))
    states = worlds.states()
    np.testing.assert_array_equal(states[0], states[1])
    assert np.abs(states[2] - states[0]).max() > 1e-3
    sunk = [worlds.physics(k)[1].qpos[1] for k in range(3)]
    assert (np.array(sunk) < flat.states()[0, 1] - 0.03).all()
    np.testing.assert_allclose(states[:, 1], flat.states()[0, 1], atol=0.03)  # over its block


def height(model: mujoco.MjModel, x: float) -> float:
    """Height of the ground at x [m], by a ray from above that passes the cheetah by."""
    data = mujoco.MjData(model)
    data.qpos[0] = -50.0
    mujoco.mj_forward(model, data)
    start, down, geom = np.array([x, 0.0, 50.0]), np.array([0.0, 0.0, -1.0]), np.zeros(1, np.int32)
    return 50.0 - float(mujoco.mj_ray(model, data, start, down, None, 1, -1, geom))


@pytest.mark.parametrize("kind", KINDS[:5], ids=lambda kind: kind.kind)
def test_the_slope_is_that_of_the_ground_that_was_laid(kind: Terrain) -> None:
    model = models_of("half_cheetah").get(Situation(kind)).model
    places = np.array([-3.0, 0.0, 1.2, 2.0, 6.0, 8.0, 13.0, 16.0])
    rise = [height(model, x + 0.05) - height(model, x - 0.05) for x in places]
    np.testing.assert_allclose(np.tan(slope_at(kind, places)), np.array(rise) / 0.1, atol=1e-4)
    heights = [height(model, x) for x in places]
    full = np.zeros((len(places), 1 + model.nq + model.nv))
    np.testing.assert_allclose(height_at(model, full, places), heights, atol=1e-4)


def test_height_is_measured_over_the_ground_below_the_torso() -> None:
    kinds = [kind for kind in KINDS for _ in range(2)]
    worlds = make_simulated("half_cheetah", [Situation(kind) for kind in kinds], [0] * len(kinds))
    states = worlds.states()
    states[1::2, 0] += 5.0  # the same pose over the ground, further on
    worlds.set_states(states)
    np.testing.assert_allclose(worlds.states(), states, atol=1e-12)
    for index in range(len(kinds)):
        model, data = worlds.physics(index)
        x, z = data.qpos[:2]
        full = np.concatenate([[0.0], data.qpos, data.qvel])
        height = height_at(model, full, x)
        np.testing.assert_allclose([x, z - height], states[index, :2], atol=1e-12)
    _, hill = worlds.physics(7)
    assert hill.qpos[1] > 0.5  # it stands 5 m on, where the hill is .7 m high


def test_plans_are_imagined_as_they_come() -> None:
    worlds = make_simulated("half_cheetah", [Situation(Terrain("hill"))], [0])
    states = worlds.states()
    states[:, 0] += 7.0
    worlds.set_states(states)
    plan = np.random.default_rng(0).uniform(-1, 1, (1, 1, 8, 6))
    imagined = worlds.imagine(plan)[0, 0]
    came = [worlds.states()[0]]
    for action in plan[0, 0]:
        worlds.step(action[None])
        came.append(worlds.states()[0])
    np.testing.assert_allclose(imagined, came, atol=1e-9)


def test_slopes_begin_ahead_and_change_on_the_way() -> None:
    middle, end = BEGIN + SIDE, BEGIN + 2 * SIDE
    edges = np.array([BEGIN - 0.01, BEGIN, middle - 0.01, middle, end - 0.01, end])
    up = math.atan(0.2)
    hill, basin = (slope_at(Terrain(kind), edges) for kind in ("hill", "basin"))
    np.testing.assert_allclose(hill, [0, up, up, -up, -up, 0])
    np.testing.assert_allclose(basin, [0, -up, -up, up, up, 0])
    assert slope_at(Terrain("gentle"), edges).tolist() == [0.0] + [math.atan(1 / 18)] * 5
    assert not slope_at(Terrain("pier", seed=3), edges).any()
