"""Rollouts from a recorded run: the states that the model saw and the commands that acted.

Alignment of commands and effects: a command carries the stamp of the state that it answers. It acts
from `delay_s` after that state on, as the driver reports, and the previous command acts until then:
`actions[t]` is the mean of what acted between `states[t]` and `states[t+1]`, as in the live window
(`robots/delay.py`). If the driver does not report it, commands count as acting at once. If no
command came in time, the driver reports that; then the previous one acted through the whole
interval, or the robot was stopped, and the step is marked. So is one whose command the driver
limited after a stop of its own; what it gave instead counts from then on.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np

from ros_mbmrl.data.quality import Finding, Flags, impossible, inspect, off_period, spread
from ros_mbmrl.data.recording import stem
from ros_mbmrl.data.rollout import Mark, Rollout
from ros_mbmrl.data.step_reader import read_run
from ros_mbmrl.data.steps import Run, Step
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.delay import LONGEST, Delay
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot

RATE_TOLERANCE = 0.1  # allowed difference between a recording's period and the robot's, as a share


def rollouts_from_recording(path: Path, robot: str | None = None) -> list[Rollout]:
    """Return the rollouts of a recording, at the control rate. Raises UserError, as `read_run`."""
    run = read_run(path, robot)
    check_rates([run])
    return rollouts_of(run)


class Paced(Protocol):
    """A recording or a data set."""

    @property
    def path(self) -> Path:
        """Return its path."""

    @property
    def robot(self) -> str:
        """Return the robot's name."""

    @property
    def period(self) -> float:
        """Return the median time between steps [s]; nan without any."""


def check_rates(runs: Sequence[Paced]) -> None:
    """Raise UserError for runs of a robot with different rates, or not at the robot's rate."""
    for first, other in zip(runs[:-1], runs[1:], strict=True):
        if abs(other.period / first.period - 1) > RATE_TOLERANCE:
            raise UserError(
                f"{first.path} runs at {1 / first.period:.3g} Hz, {other.path} at "
                f"{1 / other.period:.3g} Hz: expected one rate in a data set"
            )
    for run in runs:
        period = make_robot(run.robot).spec.period
        if math.isfinite(run.period) and abs(run.period / period - 1) > RATE_TOLERANCE:
            raise UserError(
                f"{run.path} runs at {1 / run.period:.3g} Hz: expected {1 / period:.3g} Hz, the "
                f"control rate of {run.robot}"
            )


def rollouts_of(run: Run) -> list[Rollout]:
    """Return the rollouts of a run, cut at gaps, clock restarts, and limits of episodes.

    These are the places where the live window starts afresh. Steps outside of episodes are left out
    if the recording has any, and so are discarded episodes. States are the estimator's over the
    whole run, as live. Tags: source, session (the file's stem), episode, and the episode's own.
    Raises UserError if no step is left.
    """
    rollouts: list[Rollout] = []
    for _, steps in groupby(run.steps, key=lambda step: step.clock):
        rollouts += _of_one_clock(run, list(steps))
    if not rollouts:
        kept = "none of them in an episode that is kept" if run.episodes is not None else "no two"
        raise UserError(f"{run.path}: {len(run.steps)} steps, {kept} in a row at the control rate")
    return rollouts


def findings_of(robot: Robot, steps: Sequence[Step]) -> list[Finding]:
    """Return the untrusted intervals in steps of one clock, except for commands."""
    measurements = np.stack([step.measurement for step in steps])
    times = np.array([step.time for step in steps])
    measured = np.array([step.measured / 1e9 for step in steps])
    return inspect(robot.spec, measurements, times, measured)


def actions_of(robot: Robot, steps: Sequence[Step]) -> tuple[Array, Flags]:
    """Return what acted after each step but the last, (n-1, da), and where it is unknown, (n-1,).

    Before the first command the robot rests.
    """
    spec = robot.spec
    current = spec.rest
    actions, unknown, begun, delay = [], [], False, Delay()
    sent = deque([current], maxlen=LONGEST + 2)
    for step in steps[:-1]:
        heard = step.command is not None and not step.late
        if step.command is not None and not step.late:
            current, begun, delay = step.command, True, Delay.of(step.delay, spec.period)
        if step.given is not None:
            current = step.given
        sent.append(current)
        actions.append(delay.acting(sent))
        unknown.append(begun and not (heard and not step.limited))
    return np.array(actions).reshape(-1, len(spec.action)), np.array(unknown, dtype=np.bool_)


def _of_one_clock(run: Run, steps: list[Step]) -> list[Rollout]:
    robot = make_robot(run.robot)
    times = np.array([step.time for step in steps])
    estimator = StateEstimator(robot)
    states = [estimator.update(Measurement(step.time, step.measurement)) for step in steps]
    actions, unknown = actions_of(robot, steps)
    marks = spread(findings_of(robot, steps), len(steps) - 1)
    marks[unknown | impossible(robot.spec, actions)] |= np.uint8(Mark.COMMAND)
    rollouts = []
    for first, last in _stretches(run, steps, times, robot.spec.period):
        rollouts.append(
            Rollout(
                robot=robot.spec.name,
                states=np.stack(states[first : last + 1]).astype(np.float32),
                actions=actions[first:last].astype(np.float32),
                times=times[first : last + 1],
                marks=marks[first:last],
                tags=_tags(run, steps[first]),
            )
        )
    return rollouts


def _stretches(
    run: Run, steps: Sequence[Step], times: Array, period: float
) -> list[tuple[int, int]]:
    """Return the first and last step of each rollout."""
    kept = [_kept(run, step) for step in steps]
    joined = ~off_period(np.diff(times), period)
    stretches, first = [], 0
    for k in range(len(steps)):
        goes_on = (
            k + 1 < len(steps)
            and joined[k]
            and kept[k + 1]
            and steps[k + 1].episode == steps[k].episode
        )
        if not goes_on:
            if kept[first] and k > first:
                stretches.append((first, k))
            first = k + 1
    return stretches


def _kept(run: Run, step: Step) -> bool:
    if run.episodes is None:
        return True
    return step.episode is not None and not run.episodes[step.episode].discarded


def _tags(run: Run, step: Step) -> MappingProxyType[str, str]:
    tags = {}
    if run.episodes is not None and step.episode is not None:
        episode = run.episodes[step.episode]
        tags = {**episode.tags, "episode": episode.index}
    return MappingProxyType({**tags, "source": "recording", "session": stem(run.path)})
