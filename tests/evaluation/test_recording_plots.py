"""Pictures of recordings: which are drawn of which robot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.evaluation import recording_plots
from ros_mbmrl.evaluation.recording_plots import BINS, draw
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Robot


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, Figure]:
    """Keep the figures, by the names of their files, instead of writing them."""
    saved: dict[str, Figure] = {}
    monkeypatch.setattr(
        recording_plots, "save", lambda figure, file: saved.update({file.name: figure})
    )
    return saved


def test_a_robot_that_walks_has_all_pictures(
    robot: Robot, rollouts: list[Rollout], tmp_path: Path
) -> None:
    images = draw(robot, rollouts[:2], tmp_path)
    names = ["commands", "states", "step_times", "speed", "arena"]
    assert [image.file for image in images] == [tmp_path / f"{name}.png" for name in names]
    assert all(image.file.read_bytes().startswith(b"\x89PNG") for image in images)


def test_an_arm_has_neither_speed_nor_place(figures: dict[str, Figure], tmp_path: Path) -> None:
    spec = make_robot("pr2_arm").spec
    rollout = Rollout(
        robot="pr2_arm",
        states=np.zeros((4, len(spec.state)), np.float32),
        actions=np.zeros((3, len(spec.action)), np.float32),
        times=spec.period * np.arange(4),
        marks=np.zeros(3, np.uint8),
    )
    draw(make_robot("pr2_arm"), [rollout], tmp_path)
    assert set(figures) == {"commands.png", "states.png", "step_times.png"}


def test_every_step_is_counted_once_even_beyond_the_range(
    robot: Robot, rollouts: list[Rollout], figures: dict[str, Figure], tmp_path: Path
) -> None:
    actions = rollouts[0].actions.copy()
    actions[0] = 5.0  # beyond the command's range
    draw(robot, [replace(rollouts[0], actions=actions), rollouts[1]], tmp_path)
    drive = figures["commands.png"].axes[0]
    heights = [bar.get_height() for bar in drive.patches]
    assert len(heights) == BINS and sum(heights) == 80
    assert heights[-1] >= 1


def test_speed_leaves_marked_steps_out(
    robot: Robot, rollouts: list[Rollout], figures: dict[str, Figure], tmp_path: Path
) -> None:
    marks = np.zeros(40, np.uint8)
    marks[:15] = 1
    draw(robot, [replace(rollouts[0], marks=marks)], tmp_path)
    drawn = figures["speed.png"].axes
    assert len(drawn) == 3  # two commands, and their mean
    assert all(len(axes.lines[0].get_xdata()) == 25 for axes in drawn)
