"""Import of VelociRoACH logs: units, frames, marks, bad files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.import_summary import ImportSummary
from ros_mbmrl.data.rollout import Mark, Rollout
from ros_mbmrl.data.velociroach import COLUMNS, import_logs
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.hexapod import STATE

Log = dict[str, np.ndarray]
Write = Callable[[dict[str, Any]], Path]
STATE_NAMES = [quantity.name for quantity in STATE]


def _column(log: Log, name: str) -> np.ndarray:
    return log["samples"][:, COLUMNS.index(name)]


def _state(rollout: Rollout, name: str) -> np.ndarray:
    return rollout.states[:, STATE_NAMES.index(name)]


def test_units_are_si_and_axes_are_rep_103(log: Log, write: Write) -> None:
    rollouts, _ = import_logs(write(log))
    first = rollouts[0]
    # 262.144 counts/ms are 4 turns/s, and 26214.4 counts in 0.1 s are the same.
    np.testing.assert_allclose(first.actions[0], [8 * np.pi, 10 * np.pi], rtol=1e-6)
    assert _state(first, "left_leg_velocity")[1] == pytest.approx(8 * np.pi, rel=1e-5)
    assert _state(first, "right_leg_velocity")[1] == pytest.approx(10 * np.pi, rel=1e-5)
    assert _state(first, "cos_left_leg")[1] == pytest.approx(np.cos(0.8 * np.pi), abs=1e-5)
    # The gyro's x is right and its y forward; the body's x is forward and its y left.
    assert _state(first, "gyro_x")[0] == pytest.approx(200 * 0.0010658, rel=1e-5)
    assert _state(first, "gyro_y")[0] == pytest.approx(-100 * 0.0010658, rel=1e-5)
    assert _state(first, "gyro_z")[0] == pytest.approx(0.5, rel=1e-5)
    assert _state(first, "left_back_emf")[0] == pytest.approx(50 * 3.3 / 1024 * 47 / 15, rel=1e-5)
    assert _state(first, "right_back_emf")[0] == pytest.approx(60 * 3.3 / 1024 * 47 / 15, rel=1e-5)
    assert _state(first, "battery")[0] == pytest.approx(3.930, abs=1e-3)
    yaw = np.arctan2(_state(first, "sin_yaw"), _state(first, "cos_yaw"))
    np.testing.assert_allclose(np.diff(yaw), 0.05, atol=1e-5)
    # Over a step the robot moves along its mean heading, at .2 m/s.
    along = _state(first, "vx")[1:] * np.cos(yaw[1:] - 0.025)
    along += _state(first, "vy")[1:] * np.sin(yaw[1:] - 0.025)
    np.testing.assert_allclose(along, 0.2, atol=1e-4)


def test_a_clean_log_has_no_marks_and_keeps_every_row(log: Log, write: Write) -> None:
    rollouts, summary = import_logs(write(log))
    assert [len(rollout) for rollout in rollouts] == [9, 9]
    assert summary.total.transitions == 18
    assert summary.total.marked == 0
    assert rollouts[1].tags["session"] == "carpet_0"
    assert rollouts[1].tags["terrain"] == "carpet"
    assert rollouts[1].tags["run"] == "1"


def test_a_gap_marks_its_transition_and_the_one_after(log: Log, write: Write) -> None:
    for name in ("t_robot", "t_mocap"):
        _column(log, name)[4:10] += 0.2
    rollouts, summary = import_logs(write(log))
    assert np.flatnonzero(rollouts[0].marks & Mark.GAP).tolist() == [3, 4]
    assert summary.reasons["step time outside 0.5 to 1.5 periods"] == 1
    assert summary.terrains["carpet"].marks["gap"] == 2
    assert not _state(rollouts[0], "vx")[4]  # no difference is taken over a gap


def test_stamps_that_hardly_differ_give_no_wild_velocity(log: Log, write: Write) -> None:
    _column(log, "t_robot")[4] = _column(log, "t_robot")[3] + 1e-3
    rollouts, _ = import_logs(write(log))
    assert rollouts[0].marks[3] & Mark.GAP
    assert np.abs(_state(rollouts[0], "vx")).max() < 0.3


def test_columns_may_come_in_any_order(log: Log, write: Write) -> None:
    expected, _ = import_logs(write(log))
    order = np.random.default_rng(0).permutation(len(COLUMNS))
    log |= {"samples": log["samples"][:, order], "columns": log["columns"][order]}
    rollouts, _ = import_logs(write(log))
    np.testing.assert_array_equal(rollouts[1].states, expected[1].states)


def _nan(log: Log) -> None:
    _column(log, "gyro_y")[13] = np.nan


def _no_column(log: Log) -> None:
    keep = [k for k, name in enumerate(COLUMNS) if name not in ("qw", "vbat")]
    log |= {"samples": log["samples"][:, keep], "columns": log["columns"][keep]}


def _no_array(log: Log) -> None:
    del log["session"]


def _short(log: Log) -> None:
    log["samples"] = log["samples"][:-1]


def _uneven(log: Log) -> None:
    log["run"] = log["run"][:1]


def _objects(log: Log) -> None:
    log["session"] = np.array(["a", None], dtype=object)


def _text(log: Log) -> None:
    log["samples"] = log["samples"].astype(str)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_nan, r"'gyro_y' is nan in row 13 \(run 1\)"),
        (_no_column, "column vbat, qw missing"),
        (_no_array, "array session missing"),
        (_short, "adds up to 20 rows, 'samples' has 19"),
        (_uneven, "'run' has 1 runs, 'length' has 2"),
        (_objects, "not a readable npz"),
        (_text, "samples of numbers"),
    ],
)
def test_bad_logs_are_refused_in_one_line(
    log: Log, write: Write, spoil: Callable[[Log], None], words: str
) -> None:
    spoil(log)
    with pytest.raises(UserError, match=words) as caught:
        import_logs(write(log))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x03\x04 cut off"])
def test_what_is_no_npz_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "logs.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="npz"):
        import_logs(path)


def test_a_bare_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "logs.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(UserError, match="npz"):
        import_logs(path)


def _steps(rollouts: list[Rollout], terrain: str) -> dict[str, np.ndarray]:
    """Speed forward and leftward, yaw rate and leg rates [turns/s] of unmarked steps."""
    rows = []
    for rollout in rollouts:
        if rollout.tags["terrain"] != terrain:
            continue
        s = rollout.states.astype(np.float64)
        yaw = np.unwrap(np.arctan2(s[:, 11], s[:, 10]))
        middle = (yaw[1:] + yaw[:-1]) / 2
        forward = s[1:, 3] * np.cos(middle) + s[1:, 4] * np.sin(middle)
        left = s[1:, 4] * np.cos(middle) - s[1:, 3] * np.sin(middle)
        rate = np.diff(yaw) / np.diff(rollout.times)
        legs = s[1:, 19:21] / (2 * np.pi)
        row = np.stack([forward, left, rate, legs[:, 0], legs[:, 1], s[1:, 14]], axis=1)
        rows.append(row[rollout.marks == 0])
    names = ("forward", "left", "yaw_rate", "f_left", "f_right", "gyro_z")
    return dict(zip(names, np.concatenate(rows).T, strict=True))


@pytest.mark.parametrize(
    ("terrain", "speed", "yaw_per_hz"),
    [
        ("carpet", 0.27, 0.205),
        ("gravel", 0.26, 0.168),
        ("styrofoam", 0.20, 0.155),
        ("turf", 0.20, 0.246),
    ],
)
def test_real_logs_show_the_known_figures(
    real: tuple[list[Rollout], ImportSummary], terrain: str, speed: float, yaw_per_hz: float
) -> None:
    steps = _steps(real[0], terrain)
    assert np.median(steps["forward"]) == pytest.approx(speed, rel=0.2)
    assert abs(np.median(steps["left"])) < 0.2 * np.median(steps["forward"])
    slope = np.polyfit(steps["f_right"] - steps["f_left"], steps["yaw_rate"], 1)[0]
    assert slope == pytest.approx(yaw_per_hz, rel=0.25)
    assert np.corrcoef(steps["gyro_z"], steps["yaw_rate"])[0, 1] > 0.6


def test_real_logs_are_kept_whole_and_finite(
    real: tuple[list[Rollout], ImportSummary],
) -> None:
    rollouts, summary = real
    assert sum(len(rollout) + 1 for rollout in rollouts) == 30650
    assert summary.total.runs == 613
    assert 0 < summary.total.marked < 0.05 * summary.total.transitions
    assert all(np.isfinite(rollout.states).all() for rollout in rollouts)
