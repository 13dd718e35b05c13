"""Import of the real VelociRoACH's logs (sl_nn_dynamics_roach, re-encoded as plain arrays).

Frames, as found in the logs and applied here:

- Motion capture streams x, y, z and a quaternion (x, y, z, w). Its body frame already follows
  REP-103: x forward, y left, z up. Displacement lies along body x (mean angle 0.05 degrees), roll
  and pitch are small, and faster right legs turn it left (positive yaw). Nothing is rotated. Single
  days differ, because the marker body was mounted anew: a constant yaw of up to 15 degrees (gravel,
  1 February) and a roll or pitch of up to 7. That is the pose miscalibration of the thesis; it is
  not corrected.
- The gyro's own axes are x right, y forward, z up; it is turned here by -90 degrees about z.
  Against rates between two poses, the later row's gyro correlates +.35 (gyro y, roll), -.31 (gyro
  x, pitch), +.71 (gyro z, yaw), other roll and pitch pairs below .01. So x and y are certainly
  exchanged; their signs are inferred: the earlier row's gyro gives -.25, +.27, +.19, because legs
  turn too fast for 10 Hz. The later row is used since yaw, whose sign is known, agrees with it far
  better, and since 136 steps of a tipped robot (+.60, -.44) agree.
- So a row's gyro seems to describe the interval that led to it. Encoders show no such lag (-14 to
  +20 ms against the pose, by terrain); no stamp is shifted.
- Right back-EMF is negative going forward in the log; here both sides are positive.
- The log has no accelerometer: its three columns are zero, and no state uses them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.data.import_summary import ImportSummary, summarise
from ros_mbmrl.data.quality import attitude, impossible, own, spread, timing
from ros_mbmrl.data.rollout import Mark, Rollout
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.untrusted import read_arrays

ARRAYS = ("samples", "columns", "length", "session", "surface", "run")
COLUMNS = (
    *("t_robot", "t_mocap", "cmd_left", "cmd_right", "pos_left", "pos_right"),
    *("gyro_x", "gyro_y", "gyro_z", "bemf_left", "bemf_right", "vbat"),
    *("x", "y", "z", "qx", "qy", "qz", "qw"),
)

# HARDWARE.md 1.2 and 1.4, from the firmware: 65536 encoder counts per leg revolution.
RAD_PER_COUNT = 2 * np.pi / 65536
SET_POINT = 1000 * RAD_PER_COUNT  # counts/ms -> rad/s
GYRO = 0.0010658  # LSB -> rad/s
BACK_EMF = 3.3 / 1024 / (15 / 47)  # counts -> V
BATTERY = (3.7 / 2.7) * 3.3 / 1023  # counts -> V


@dataclass(frozen=True)
class Logs:
    """The checked arrays of a log file; `samples` (N, 19) in the order of COLUMNS."""

    samples: Array
    length: NDArray[np.int64]
    session: Sequence[str]
    surface: Sequence[str]
    run: Sequence[int]


def import_logs(npz_path: Path) -> tuple[list[Rollout], ImportSummary]:
    """Return the rollouts of a VelociRoACH log file, in SI units, doubtful transitions marked.

    Commands outside of the robot's range are kept, and marked if they are far outside. Raises
    UserError for a file that is missing, is not such a log, or holds numbers that are not finite.
    """
    logs = read_logs(npz_path)
    robot = make_robot("hexapod")
    measurements, commands = convert(logs.samples)
    found: Counter[str] = Counter()
    rollouts = []
    first = 0
    for k, length in enumerate(logs.length):
        rows = slice(first, first + int(length))
        first += int(length)
        times, pose_times = logs.samples[rows, 0], logs.samples[rows, 1]
        findings = [
            *timing(times, pose_times, robot.spec.period, "pose"),
            *own(robot.spec, measurements[rows], times, pose_times),
            *attitude(robot.spec, measurements[rows]),
        ]
        for finding in findings:
            found[finding.reason] += int(finding.intervals.sum())
        actions, marks = commands[rows][:-1], spread(findings, int(length) - 1)
        bad = impossible(robot.spec, actions)
        marks[bad] |= np.uint8(Mark.COMMAND)
        found["command far out of range"] += int(bad.sum())
        rollouts.append(
            Rollout(
                robot=robot.spec.name,
                states=_states(robot, measurements[rows], times),
                actions=actions.astype(np.float32),
                times=times.copy(),
                marks=marks,
                tags=_tags(logs, k),
            )
        )
    return rollouts, summarise(rollouts, found)


def convert(samples: Array) -> tuple[Array, Array]:
    """Convert raw samples (N, 19), in the order of COLUMNS, to SI units and REP-103 axes.

    Returns:
        Measurements (N, 18) in the order of the hexapod's specification, and commands (N, 2).
    """
    column = dict(zip(COLUMNS, samples.T, strict=True))
    zero = np.zeros(len(samples))
    measurement = [
        *(column[name] for name in ("x", "y", "z", "qw", "qx", "qy", "qz")),
        *(GYRO * column["gyro_y"], -GYRO * column["gyro_x"], GYRO * column["gyro_z"]),
        *(zero, zero, zero),
        *(RAD_PER_COUNT * column[name] for name in ("pos_left", "pos_right")),
        *(BACK_EMF * column["bemf_left"], -BACK_EMF * column["bemf_right"]),
        BATTERY * column["vbat"],
    ]
    commands = SET_POINT * np.stack([column["cmd_left"], column["cmd_right"]], axis=1)
    return np.stack(measurement, axis=1), commands


def read_logs(path: Path) -> Logs:
    """Read the arrays of a log file, checked. Raises UserError."""
    arrays = _load(Path(path))
    missing = [name for name in ARRAYS if name not in arrays]
    if missing:
        raise UserError(f"{path}: array {', '.join(missing)} missing, expected {', '.join(ARRAYS)}")
    samples, names = arrays["samples"], [str(name) for name in arrays["columns"].ravel()]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise UserError(f"{path}: column {', '.join(missing)} missing from 'samples'")
    if samples.ndim != 2 or samples.shape[1] != len(names):
        raise UserError(
            f"{path}: expected samples of shape (rows, {len(names)}), got {samples.shape}"
        )
    if samples.dtype.kind not in "iuf":
        raise UserError(f"{path}: expected samples of numbers, got {samples.dtype}")
    for name in ("length", "session", "surface", "run"):
        kinds = "iu" if name in ("length", "run") else "US"
        if arrays[name].ndim != 1 or arrays[name].dtype.kind not in kinds:
            raise UserError(f"{path}: expected one '{name}' a run, got {arrays[name].dtype}")
    ordered: Array = samples[:, [names.index(name) for name in COLUMNS]].astype(np.float64)
    length = arrays["length"].astype(np.int64)
    _check_lengths(path, arrays, len(ordered))
    _check_finite(path, ordered, length)
    session, surface = ([str(s) for s in arrays[k]] for k in ("session", "surface"))
    return Logs(ordered, length, session, surface, [int(run) for run in arrays["run"]])


def _load(path: Path) -> dict[str, NDArray[np.generic]]:
    if not path.is_file():
        raise UserError(f"{path}: no such file, expected an npz of VelociRoACH logs")
    return read_arrays(path, ARRAYS)


def _check_lengths(path: Path, arrays: dict[str, NDArray[np.generic]], rows: int) -> None:
    length = arrays["length"].astype(np.int64)
    for name in ("session", "surface", "run"):
        if len(arrays[name]) != len(length):
            raise UserError(
                f"{path}: '{name}' has {len(arrays[name])} runs, 'length' has {len(length)}"
            )
    if len(length) == 0 or length.min() < 2 or length.max() > rows:
        raise UserError(f"{path}: expected runs of 2 to {rows} rows")
    if length.sum() != rows:
        raise UserError(f"{path}: 'length' adds up to {length.sum()} rows, 'samples' has {rows}")


def _check_finite(path: Path, samples: Array, length: NDArray[np.int64]) -> None:
    bad = np.argwhere(~np.isfinite(samples))
    if len(bad):
        row, column = (int(index) for index in bad[0])
        run = int(np.searchsorted(np.cumsum(length), row, side="right"))
        value = samples[row, column]
        raise UserError(
            f"{path}: column '{COLUMNS[column]}' is {value} in row {row} (run {run}), "
            f"expected finite numbers"
        )


def _states(robot: Robot, measurements: Array, times: Array) -> NDArray[np.float32]:
    # The live estimator, so that training sees the states that the controller will see.
    estimator = StateEstimator(robot)
    rows = zip(times, measurements, strict=True)
    states = [estimator.update(Measurement(float(time), values)) for time, values in rows]
    return np.stack(states).astype(np.float32)


def _tags(logs: Logs, k: int) -> MappingProxyType[str, str]:
    return MappingProxyType(
        {
            "source": "velociroach",
            "terrain": logs.surface[k],
            "session": logs.session[k],
            "run": str(logs.run[k]),
        }
    )
