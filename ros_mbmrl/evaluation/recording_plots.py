"""Pictures of the content of recordings: commands, states, speed, places, time between steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.evaluation.html import Image
from ros_mbmrl.evaluation.plots import COLOURS, panels, save
from ros_mbmrl.robots.quantities import Quantity
from ros_mbmrl.robots.spec import Array, Robot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 40
WIDTH, HEIGHT = 3.4, 2.6  # of a panel [inch]


def draw(robot: Robot, rollouts: Sequence[Rollout], out: Path) -> list[Image]:
    """Draw every picture that fits the robot into a folder. Raises OSError."""
    pictures = [
        _commands(robot, rollouts, out / "commands.png"),
        _states(robot, rollouts, out / "states.png"),
        _step_times(robot, rollouts, out / "step_times.png"),
    ]
    poses = [_poses(robot, rollout) for rollout in rollouts]
    if all(len(each) for each in poses):
        pictures.append(_speed(robot, rollouts, poses, out / "speed.png"))
        pictures.append(_arena(robot, poses, out / "arena.png"))
    return pictures


def _commands(robot: Robot, rollouts: Sequence[Rollout], file: Path) -> Image:
    """Draw each command over its range, and the first two together."""
    actions = np.concatenate([rollout.actions for rollout in rollouts])
    limits = robot.spec.action
    drawings: list[Callable[[Axes], None]] = []
    for k, limit in enumerate(limits):
        drawings.append(_histogram(actions[:, k], limit.low, limit.high, _label(limit)))
    if len(limits) > 1:

        def together(axes: Axes) -> None:
            x, y = limits[:2]
            spans = [[x.low, x.high], [y.low, y.high]]
            left, right = actions[:, 0], actions[:, 1]
            axes.hist2d(left, right, bins=BINS // 2, range=spans, cmin=1, cmap="viridis")
            axes.set_xlabel(_label(x))
            axes.set_ylabel(_label(y))

        drawings.append(together)
    _draw(drawings, file)
    return Image(file, "Commands, each over the whole of its range, and the first two together")


def _states(robot: Robot, rollouts: Sequence[Rollout], file: Path) -> Image:
    states = np.concatenate([rollout.states for rollout in rollouts])
    drawings = []
    for values, quantity in zip(states.T, robot.spec.state, strict=True):
        finite = values[np.isfinite(values)]
        low, high = np.quantile(finite, [0.001, 0.999]) if len(finite) else (0.0, 1.0)
        high = high if high > low else low + 1.0
        drawings.append(_histogram(finite, float(low), float(high), _label(quantity)))
    _draw(drawings, file, columns=4)
    return Image(file, "States, between the thousandth parts at their ends")


def _step_times(robot: Robot, rollouts: Sequence[Rollout], file: Path) -> Image:
    steps = 1e3 * np.concatenate([np.diff(rollout.times) for rollout in rollouts])
    period = 1e3 * robot.spec.period
    _draw([_histogram(steps, 0.5 * period, 1.5 * period, "time between steps [ms]")], file)
    return Image(file, f"Time between the steps of a rollout; the period is {period:g} ms")


def _speed(robot: Robot, rollouts: Sequence[Rollout], poses: Sequence[Array], file: Path) -> Image:
    """Draw speed over the next step against each command and against their mean."""
    actions = np.concatenate([rollout.actions for rollout in rollouts])
    speed = np.concatenate(
        [
            np.hypot(*np.diff(xy[:, :2], axis=0).T) / np.diff(rollout.times)
            for rollout, xy in zip(rollouts, poses, strict=True)
        ]
    )
    trusted = np.concatenate([rollout.marks for rollout in rollouts]) == 0

    def against(values: Array, label: str) -> Callable[[Axes], None]:
        def drawn(axes: Axes) -> None:
            axes.plot(values[trusted], speed[trusted], ".", color=COLOURS[1], alpha=0.3, ms=3)
            axes.set_xlabel(label)
            axes.set_ylabel("speed [m/s]")

        return drawn

    limits = robot.spec.action
    drawings = [against(actions[:, k], _label(limit)) for k, limit in enumerate(limits)]
    if len({limit.unit for limit in limits}) == 1 and len(limits) > 1:
        drawings.append(against(actions.mean(axis=1), f"mean of the commands [{limits[0].unit}]"))
    _draw(drawings, file)
    return Image(file, "Speed against command, steps that are not marked")


def _arena(robot: Robot, poses: Sequence[Array], file: Path) -> Image:
    figure, (axes,) = panels(1, 5.0, 5.0)
    for k, xy in enumerate(poses):
        axes.plot(xy[:, 0], xy[:, 1], color=COLOURS[1 + k % (len(COLOURS) - 1)], linewidth=0.8)
        axes.plot(xy[0, 0], xy[0, 1], "o", color="k", markersize=3)
    x_low, x_high, y_low, y_high = robot.spec.envelope.arena
    if np.isfinite(robot.spec.envelope.arena).all():
        axes.plot(
            [x_low, x_high, x_high, x_low, x_low], [y_low, y_low, y_high, y_high, y_low], "k--"
        )
    axes.set_aspect("equal")
    axes.set_xlabel("x [m]")
    axes.set_ylabel("y [m]")
    save(figure, file)
    return Image(file, "Where the robot went; dashed: the arena; dots: where a rollout starts")


def _poses(robot: Robot, rollout: Rollout) -> Array:
    """Return x [m], y [m], yaw [rad], (T+1, 3); (0, 3) for a robot that stays in place."""
    poses = [robot.pose(state.astype(float)) for state in rollout.states]
    return np.array([pose for pose in poses if pose is not None]).reshape(-1, 3)


def _histogram(values: Array, low: float, high: float, label: str) -> Callable[[Axes], None]:
    def drawn(axes: Axes) -> None:
        axes.hist(np.clip(values, low, high), BINS, range=(low, high), color=COLOURS[1])
        axes.set_xlabel(label)
        axes.set_ylabel("steps")

    return drawn


def _draw(drawings: Sequence[Callable[[Axes], None]], file: Path, columns: int = 3) -> None:
    figure, grid = panels(len(drawings), WIDTH, HEIGHT, columns)
    for drawing, axes in zip(drawings, grid, strict=True):
        drawing(axes)
    save(figure, file)


def _label(quantity: Quantity) -> str:
    return f"{quantity.name} [{quantity.unit}]"
