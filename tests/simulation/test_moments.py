"""When a task changes."""

from __future__ import annotations

import numpy as np

from ros_mbmrl.simulation.moments import LASTS, moments


def test_tasks_last_about_15_s() -> None:
    for seed in range(20):
        edges = np.array([0.0, *moments(np.random.default_rng(seed), 45.0)])
        lengths = np.diff(edges)
        assert ((LASTS[0] <= lengths) & (lengths <= LASTS[1])).all()
        assert 45.0 - LASTS[1] <= edges[-1] < 45.0
