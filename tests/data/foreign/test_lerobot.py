"""LeRobot's data sets as runs: ours come back, and those of an arm that LeRobot drives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.foreign.lerobot import lerobot_layout, read_lerobot
from ros_mbmrl.data.foreign.run import make_rule, make_run
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.spec import Robot

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

Change = Callable[[dict[str, Any], dict[str, Any]], None]


@pytest.fixture
def dataset(tmp_path: Path) -> Callable[..., Path]:
    """A data set of two episodes of an arm, as LeRobot writes those of its own robots."""

    def written(change: Change | None = None, version: str = "v3.0") -> Path:
        names = ["shoulder.pos", "elbow.pos", "shoulder.vel", "elbow.vel"]
        state = {"dtype": "float32", "shape": [4], "names": {"motors": names}}
        action = {"dtype": "float32", "shape": [2], "names": ["shoulder.pos", "elbow.pos"]}
        camera = {"dtype": "video", "shape": [8, 8, 3], "names": ["height", "width", "channels"]}
        features = {"observation.state": state, "action": action, "observation.images.top": camera}
        info = {"codebase_version": version, "fps": 20, "features": features}
        frame = [*range(10), *range(12)]
        rows = {
            "observation.state": [[0.1 * k, -0.1 * k, 2.0, -2.0] for k in frame],
            "action": [[0.5, 0.01 * k] for k in range(22)],
            "timestamp": [0.05 * k for k in frame],
            "episode_index": [0] * 10 + [1] * 12,
        }
        if change is not None:
            change(info, rows)
        folder = tmp_path / "set"
        (folder / "meta").mkdir(parents=True)
        (folder / "data" / "chunk-000").mkdir(parents=True)
        (folder / "meta" / "info.json").write_text(json.dumps(info))
        for k, part in enumerate((slice(0, 15), slice(15, None))):
            table = pyarrow.table({name: values[part] for name, values in rows.items()})
            parquet.write_table(table, folder / f"data/chunk-000/file-{k:03d}.parquet")
        return folder

    return written


def test_an_arm_of_lerobot_is_read_by_its_joints_names(
    dataset: Callable[..., Path], arm: Robot
) -> None:
    layout = lerobot_layout(arm.spec)
    folder = dataset()
    found = make_run(folder, read_lerobot(folder, layout), layout, make_rule(layout))
    first, second = found.stretches
    assert (len(first.times), len(second.times)) == (10, 12)
    names = [quantity.name for quantity in arm.spec.measurement]
    values = dict(zip(names, second.measurements.T, strict=True))
    np.testing.assert_allclose(values["elbow"], -0.1 * np.arange(12), atol=1e-6)
    np.testing.assert_allclose(values["shoulder_velocity"], 2.0)
    np.testing.assert_allclose(first.commands, [[0.5, 0.01 * k] for k in range(10)], atol=1e-6)
    assert (second.times[0] - first.times[-1]) / 1e9 == pytest.approx(10.0)


def _rename(info: dict[str, Any], rows: dict[str, Any]) -> None:
    info["features"]["observation.state"]["names"] = ["a", "b", "c", "d"]


def _short(info: dict[str, Any], rows: dict[str, Any]) -> None:
    rows["action"] = [[0.5]] * 22


def _late(info: dict[str, Any], rows: dict[str, Any]) -> None:
    rows["timestamp"][3] = float("nan")


def _without(info: dict[str, Any], rows: dict[str, Any]) -> None:
    del rows["episode_index"]


def _text(info: dict[str, Any], rows: dict[str, Any]) -> None:
    rows["observation.state"] = ["x"] * 22


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_rename, "no 'shoulder' of reacher among its observations: expected it among a, b, c, d"),
        (_short, "action has 1 numbers, its names tell 2 or more"),
        (_late, "expected times of 0 s or later in each frame"),
        (_without, "file-000.parquet: damaged, or without one of observation.state, action"),
        (_text, "observation.state: expected numbers in each frame"),
    ],
)
def test_what_is_otherwise_is_a_line(
    dataset: Callable[..., Path], arm: Robot, change: Change, words: str
) -> None:
    with pytest.raises(UserError, match=words) as caught:
        read_lerobot(dataset(change), lerobot_layout(arm.spec))
    assert "\n" not in str(caught.value)


def test_other_versions_and_other_folders_are_refused(
    dataset: Callable[..., Path], arm: Robot, tmp_path: Path
) -> None:
    layout = lerobot_layout(arm.spec)
    with pytest.raises(UserError, match="not a LeRobot data set: expected a folder with meta/info"):
        read_lerobot(tmp_path, layout)
    folder = dataset(version="v2.1")
    with pytest.raises(UserError, match="info.json: version v2.1: expected v3"):
        read_lerobot(folder, layout)
    (folder / "meta" / "info.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match="info.json: not as LeRobot writes it"):
        read_lerobot(folder, layout)


def test_damaged_files_are_a_line(dataset: Callable[..., Path], arm: Robot) -> None:
    folder = dataset()
    path = folder / "data/chunk-000/file-001.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match="file-001.parquet: damaged"):
        read_lerobot(folder, lerobot_layout(arm.spec))
