"""What is drawn, not how: quartiles by hand, and a style of its own for every method."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.evaluation import plots
from ros_mbmrl.evaluation.experiments import METHODS


def _row(method: str, distance: list[float], seed: int = 0, train_seed: int = 0) -> dict[str, Any]:
    time = [0.1 * k for k in range(len(distance))]
    return {
        "method": method,
        "train_seed": train_seed,
        "condition": "slope",
        "path": "figure8",
        "seed": seed,
        "counted_from_s": 0.1,
        "progress_m": 0.5,
        "trace": {"time": time, "x": time, "y": distance, "cross_track": distance},
    }


def test_quartiles_are_of_the_distance_while_half_of_the_episodes_last() -> None:
    rows = [_row("mb", [0.01, -0.02]), _row("mb", [-0.03, 0.04, 0.05]), _row("mb", [0.05])]
    time, quartiles = plots._quartiles([row["trace"] for row in rows])
    assert time == pytest.approx([0.0, 0.1])
    assert quartiles[1] == pytest.approx([3.0, 3.0])
    assert quartiles[0] == pytest.approx([2.0, 2.5])


def test_every_method_has_a_look_of_its_own() -> None:
    looks = {(plots._colour(k), plots._style(k)) for k in range(24)}
    assert len(looks) == 24 > len(METHODS)


def test_transients_and_paths_are_drawn_for_many_methods(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [
        _row(method, rng.normal(0, 0.01, 20).tolist(), seed, train_seed)
        for method in METHODS
        for seed in range(3)
        for train_seed in range(2)
    ]
    plots.transients(rows, tmp_path / "transients.png")
    plots.paths(rows, "figure8", tmp_path / "paths.png")
    for name in ("transients.png", "paths.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
