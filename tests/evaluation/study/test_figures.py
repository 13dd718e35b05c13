"""What is drawn, not how: bands by hand, a look of its own for every method, and PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ros_mbmrl.evaluation.study import figures
from ros_mbmrl.methods.built_in import BUILT_IN

LOOKS = {name: method.look for name, method in BUILT_IN.items() if method.look is not None}


def _is_png(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG")


def test_methods_are_drawn_in_the_order_of_the_registry() -> None:
    assert figures.in_order(["mine", "mb_oracle", "grbal", "mb"]) == [
        *("mb", "grbal", "mb_oracle", "mine"),
    ]


def test_bands_are_students_t_over_training_seeds() -> None:
    values = np.array([[1.0, 5.0], [2.0, 5.0], [6.0, 5.0]])
    centre, low, high = figures.over_seeds(values)
    assert centre == pytest.approx([3.0, 5.0])
    half = stats.t.ppf(0.975, 2) * np.std([1, 2, 6], ddof=1) / np.sqrt(3)
    assert (low[0], high[0]) == pytest.approx((3 - half, 3 + half))
    assert (low[1], high[1]) == pytest.approx((5.0, 5.0))
    # Of two, the interval would be an order of magnitude wider than they are apart.
    assert [v[0] for v in figures.over_seeds(values[:2])] == pytest.approx([1.5, 1.0, 2.0])


def test_bars_of_some_conditions_without_some_methods(tmp_path: Path) -> None:
    def row(method: str, condition: str, normalised: float | None) -> dict[str, Any]:
        ends = None if normalised is None else (normalised - 0.1, normalised + 0.1)
        return {
            "method": method,
            "condition": condition,
            "return": -3.0,
            "return_interval": (-4.0, -2.5),
            "normalised": normalised,
            "normalised_interval": ends,
            "normalised_by": "oracle" if normalised else None,
        }

    figures.bars([row(m, "a", 0.5) for m in LOOKS], tmp_path / "all.png")
    figures.bars([row("mb", "a", 0.5), row("mine", "b", None)], tmp_path / "raw.png")
    assert _is_png(tmp_path / "all.png") and _is_png(tmp_path / "raw.png")


def test_curves_are_drawn_for_one_and_for_several_training_seeds(tmp_path: Path) -> None:
    rows = [
        {"method": method, "train_seed": s, "window": w, "transitions": n, "condition": "unseen"}
        | {"return": float(n + s)}
        for method, seeds in (("mb", 1), ("grbal", 3))
        for s in range(seeds)
        for w in (8, 16)
        for n in (1000, 2000 + s)
    ]
    figures.sample_efficiency(rows, tmp_path / "a.png")
    figures.sensitivity(rows, tmp_path / "b.png")
    forces = [{**row, "training_force": row["window"]} for row in rows]
    figures.training_distribution(forces, tmp_path / "c.png")
    assert all(_is_png(tmp_path / f"{name}.png") for name in "abc")


def test_errors_are_drawn_for_methods_and_conditions(tmp_path: Path) -> None:
    records = [
        {
            "method": method,
            "train_seed": 0,
            "condition": condition,
            "before": [0.0, 0.2, 0.9],
            "after": [0.0, 0.1, 30.0],
            "rollout": [0, 0, 1],
            "time": [0.0, 0.1, 0.0],
        }
        for method in ("mb", "grbal")
        for condition in ("unseen", "fast")
    ]
    figures.update_errors(records, tmp_path / "a.png")
    figures.error_traces(records, tmp_path / "b.png", {"fast": 0.05})
    assert _is_png(tmp_path / "a.png") and _is_png(tmp_path / "b.png")
