"""Comparison of two clocks: the stamps of a run's steps, and the time of their recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ros_mbmrl.data.steps import Step
from ros_mbmrl.robots.spec import Array

STEPPED = 0.05  # difference in rate between a stepped clock and one that drifts
AROUND = 5  # steps on each side of a jump, over which the clocks' difference is taken


@dataclass(frozen=True)
class Skew:
    """Time of recording compared with the stamps, over the steps of one clock.

    Args:
        rate: how much faster than the stamps the recorder's clock runs, as a share.
        drift: resulting difference over the run [s].
        jumps: (stamp [s], size [s]) of sudden changes.
        stepped: whether the stamps do not follow time at all, as in lockstep.
    """

    rate: float
    drift: float
    jumps: tuple[tuple[float, float], ...]
    stepped: bool


def skew(steps: Sequence[Step], period: float) -> Skew:
    """Compare the time of recording with the stamps of one clock."""
    times = np.array([step.time for step in steps])
    behind = np.array([(step.logged - steps[0].logged) / 1e9 for step in steps]) - (
        times - times[0]
    )
    end = max(1, len(steps) // 10)
    span = float(np.median(times[-end:]) - np.median(times[:end]))
    if len(steps) < 2 * AROUND or span <= 0:
        return Skew(0.0, 0.0, (), False)

    def rate_of(values: Array) -> float:
        return float(np.median(values[-end:]) - np.median(values[:end])) / span

    length = float(times[-1] - times[0])
    if abs(np.median(np.diff(behind) / np.diff(times))) > STEPPED:
        return Skew(rate_of(behind), rate_of(behind) * length, (), True)
    found = jumps(times, behind, period)
    for stamp, size in found:
        behind = np.where(times >= stamp, behind - size, behind)
    return Skew(rate_of(behind), rate_of(behind) * length, tuple(found), False)


def jumps(times: Array, behind: Array, period: float) -> list[tuple[float, float]]:
    """Return lasting changes of more than half a period, but not a single late message.

    Args:
        times: stamps, (n,) [s].
        behind: the other clock's time since the first row, less that of the stamps, (n,) [s].
        period: of the rows, or longer if smaller changes are to be left out [s].

    Returns:
        Stamp and size of each [s].
    """
    found: list[tuple[float, float]] = []
    windows = np.lib.stride_tricks.sliding_window_view(behind, AROUND)
    level = np.median(windows, axis=1)
    change = level[AROUND:] - level[:-AROUND]  # over the step k + AROUND
    k = 0
    while k < len(change):
        if abs(change[k]) <= period / 2:
            k += 1
            continue
        near = np.abs(change[k : k + 2 * AROUND])
        step = np.abs(np.diff(behind[k + AROUND - 1 : k + 3 * AROUND - 1]))
        at = k + AROUND + int(step.argmax())
        size = float(change[k : k + 2 * AROUND][near.argmax()])
        found.append((float(times[min(at, len(times) - 1)]), size))
        k += 2 * AROUND
    return found
