"""Small logs of the VelociRoACH's format, made up here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.velociroach import COLUMNS


def driving_log(runs: int = 2, rows: int = 10) -> dict[str, np.ndarray]:
    """Runs that drive at .2 m/s while turning left at .5 rad/s, right legs faster."""
    time = 0.1 * np.arange(rows)
    yaw = 0.5 * time
    column: dict[str, np.ndarray] = dict.fromkeys(COLUMNS, np.zeros(rows))
    column |= {"t_robot": 1e9 + time, "t_mocap": 1e9 + time - 0.005}
    column |= {"cmd_left": np.full(rows, 262.144), "cmd_right": np.full(rows, 327.68)}
    column |= {"pos_left": 26214.4 * time * 10, "pos_right": 32768 * time * 10}
    column |= {"gyro_x": 100 + time, "gyro_y": 200 + time, "gyro_z": 0.5 / 0.0010658 + time}
    column |= {"bemf_left": np.full(rows, 50.0), "bemf_right": np.full(rows, -60.0)}
    column |= {"vbat": np.full(rows, 889.0)}
    column |= {"x": 0.4 * np.sin(yaw), "y": 0.4 * (1 - np.cos(yaw)), "z": np.full(rows, 0.05)}
    column |= {"qz": np.sin(yaw / 2), "qw": np.cos(yaw / 2)}
    samples = np.stack([column[name] for name in COLUMNS], axis=1)
    return {
        "samples": np.concatenate([samples] * runs),
        "columns": np.array(COLUMNS),
        "length": np.full(runs, rows, dtype=np.int32),
        "session": np.array([f"carpet_{k // 2}" for k in range(runs)]),
        "surface": np.array(["carpet"] * runs),
        "run": np.arange(runs, dtype=np.int32),
    }


@pytest.fixture
def log() -> dict[str, np.ndarray]:
    """The arrays of a clean log of two runs of ten rows."""
    return driving_log()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Writes arrays as a log file."""

    def written(arrays: dict[str, Any]) -> Path:
        path = tmp_path / "logs.npz"
        np.savez(path, **arrays)
        return path

    return written
