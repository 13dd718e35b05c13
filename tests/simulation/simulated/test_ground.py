"""The half-cheetah on every ground."""

from __future__ import annotations

import numpy as np

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
    height = states[:, 1] - states[:, 0] * np.tan([kind.angle for kind in KINDS])
    assert (np.abs(height) < 0.25).all()
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
    assert (states[:, 1] < flat.states()[0, 1] - 0.03).all()
