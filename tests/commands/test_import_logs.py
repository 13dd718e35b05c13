"""`mbmrl import`: from a log file to a data set that loads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.arguments.import_logs import Import
from ros_mbmrl.commands.import_logs import run
from ros_mbmrl.data.dataset import load
from ros_mbmrl.data.velociroach import COLUMNS
from ros_mbmrl.errors import UserError


@pytest.fixture
def standing(tmp_path: Path) -> Path:
    """One run of four rows of a robot that stands still, its gyro alive."""
    column = dict.fromkeys(COLUMNS, np.zeros(4))
    column |= {"t_robot": 0.1 * np.arange(4), "t_mocap": 0.1 * np.arange(4)}
    column |= {"qw": np.ones(4), "vbat": np.full(4, 889.0), "gyro_x": np.arange(4.0)}
    column |= {"x": 1e-4 * np.arange(4)}
    path = tmp_path / "logs.npz"
    np.savez(
        path,
        samples=np.stack([column[name] for name in COLUMNS], axis=1),
        columns=np.array(COLUMNS),
        length=np.array([4]),
        session=np.array(["turf_1"]),
        surface=np.array(["turf"]),
        run=np.array([0]),
    )
    return path


def test_import_writes_a_data_set_and_tells_what_it_marked(
    standing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = run(Import("velociroach", standing, tmp_path / "out"))
    (rollout,) = load([tmp_path / "out"])
    assert len(rollout) == 3
    assert json.loads(json.dumps(results))["total"]["transitions"] == 3
    assert results["total"]["marked"] == 0
    assert "turf" in capsys.readouterr().out


def test_an_unknown_kind_is_refused(standing: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown kind of log 'rosbag': expected one of bag"):
        run(Import("rosbag", standing, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
