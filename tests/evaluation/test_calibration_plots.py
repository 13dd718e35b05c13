"""The twin beside the robot: what is drawn where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from ros_mbmrl.evaluation import calibration_plots
from ros_mbmrl.evaluation.calibration_plots import gaits, ratios
from ros_mbmrl.learning.identification.gait import FIGURES


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Keep the figures instead of writing them."""
    saved: list[Figure] = []
    monkeypatch.setattr(calibration_plots, "save", lambda figure, file: saved.append(figure))
    return saved


def test_a_figure_like_the_robots_is_at_one_and_far_ones_at_the_edge(
    figures: list[Figure],
) -> None:
    goal = {terrain: dict.fromkeys(FIGURES, 2.0) for terrain in ("turf", "carpet")}
    found = {"turf": dict.fromkeys(FIGURES, 2.0), "carpet": dict.fromkeys(FIGURES, 3.0)}
    found["carpet"][next(iter(FIGURES))] = 50.0
    ratios(goal, found, 0.2, Path("figures.png"))
    (axes,) = figures[0].axes
    turf, carpet = (line.get_xdata() for line in axes.lines[-2:])
    assert set(turf) == {1.0}
    assert carpet[0] == 2.0 and set(carpet[1:]) == {1.5}
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        f"{name} [{unit}]" for name, unit in FIGURES.items()
    ]


def test_robot_and_twin_are_in_each_panel_of_each_terrain(
    figures: list[Figure], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"robot": (8, 6), "twin": (4, 2)}  # steps and stretches

    def rows(several: list[str]) -> tuple[np.ndarray, np.ndarray]:
        steps, stretches = counts[several[0]]
        return np.ones((steps, 8)), np.ones((stretches, 4))

    monkeypatch.setattr(calibration_plots, "steps_and_stretches", rows)
    runs = {terrain: ["robot"] for terrain in ("turf", "carpet")}
    gaits(runs, {terrain: ["twin"] for terrain in runs}, Path("gait.png"))  # type: ignore[arg-type]
    panels = figures[0].axes
    assert len(panels) == 6
    assert panels[4].get_title().startswith("carpet: yaw rate")
    for k, axes in enumerate(panels):
        points = [len(cloud.get_offsets()) for cloud in axes.collections]
        assert points == ([2, 1] if k % 3 == 2 else [6, 2])  # every fourth step
