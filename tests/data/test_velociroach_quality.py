"""Rows that a VelociRoACH cannot have measured, found in its logs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.rollout import Mark
from ros_mbmrl.data.velociroach import COLUMNS, import_logs

Log = dict[str, np.ndarray]


Write = Callable[[dict[str, Any]], Path]


def _column(log: Log, name: str) -> np.ndarray:
    return log["samples"][:, COLUMNS.index(name)]


@pytest.mark.parametrize(
    ("change", "mark", "transitions"),
    [
        # Row 5 is bad: steps 4 and 5 touch it, and so does the velocity in state 6.
        (("gyro_x", 5, 30000.0), Mark.WILD, [4, 5, 6]),
        (("vbat", 5, 100.0), Mark.WILD, [4, 5, 6]),
        (("bemf_left", 5, 600.0), Mark.WILD, [4, 5, 6]),
        (("pos_left", 5, 1e6), Mark.WILD, [4, 5, 6]),
        (("x", 5, 1.0), Mark.JUMP, [4, 5, 6]),
        (("qz", 5, 1.5), Mark.WILD, [4, 5, 6]),
        (("z", 5, 0.3), Mark.WILD, [4, 5, 6]),
        (("x", 9, 1.0), Mark.JUMP, [8]),
        (("gyro_x", 0, 30000.0), Mark.WILD, [0, 1]),
    ],
)
def test_a_bad_row_marks_each_transition_that_touches_it(
    log: Log, write: Write, change: tuple[str, int, float], mark: Mark, transitions: list[int]
) -> None:
    name, row, value = change
    _column(log, name)[row] = value
    rollouts, summary = import_logs(write(log))
    assert np.flatnonzero(rollouts[0].marks & mark).tolist() == transitions
    assert not rollouts[1].marks.any()
    assert summary.total.marked == len(transitions)
    assert len(rollouts[0]) == 9


@pytest.mark.parametrize("floor", [-40.0, -0.85, 0.0, 0.85, 1200.0])
def test_where_a_laboratory_has_its_origin_is_nothing_wild(
    log: Log, write: Write, floor: float
) -> None:
    for name in "xyz":
        log["samples"][:, COLUMNS.index(name)] += floor
    for name, offset in (("t_robot", 1e6), ("t_mocap", 1e6), ("pos_left", 1e9)):
        log["samples"][:, COLUMNS.index(name)] += offset * np.sign(floor)
    rollouts, summary = import_logs(write(log))
    assert summary.total.marked == 0
    _column(log, "z")[5] += 0.25  # in a hand, above whatever floor
    rollouts, _ = import_logs(write(log))
    assert np.flatnonzero(rollouts[0].marks & Mark.WILD).tolist() == [4, 5, 6]


def test_a_robot_that_is_carried_for_most_of_a_run_is_above_its_floor(
    log: Log, write: Write
) -> None:
    _column(log, "z")[2:] += 0.9
    rollouts, _ = import_logs(write(log))
    assert np.flatnonzero(rollouts[0].marks & Mark.WILD).tolist() == list(range(1, 9))


def test_repeats_of_a_stamp_and_of_a_packet_are_marked(log: Log, write: Write) -> None:
    _column(log, "t_mocap")[4] = _column(log, "t_mocap")[3]
    log["samples"][17, 4:12] = log["samples"][16, 4:12]  # run 1, row 7 says what row 6 said
    rollouts, summary = import_logs(write(log))
    assert np.flatnonzero(rollouts[0].marks & Mark.REPEAT).tolist() == [3, 4]
    assert np.flatnonzero(rollouts[1].marks & Mark.REPEAT).tolist() == [6, 7]
    assert summary.reasons["pose stamped twice or frozen"] == 1
    assert summary.reasons["telemetry packet repeated"] == 1
