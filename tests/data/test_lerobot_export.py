"""Recordings as a LeRobot data set: what its own library and its files say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.data import lerobot_export
from ros_mbmrl.data.from_recording import rollouts_of
from ros_mbmrl.data.lerobot_export import episodes_of, export
from ros_mbmrl.data.step_reader import read_run
from ros_mbmrl.data.steps import Run
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.safety.types import Checked, Level

parquet = pytest.importorskip("pyarrow.parquet")
SPEC = make_robot("hexapod").spec


def record(path: Path, steps: int = 30, seed: int = 0) -> Run:
    """A run with a gap in its middle; its numbers are random."""
    rng = np.random.default_rng(seed)
    with RunRecorder(SPEC, path) as recorder:
        for k in range(steps):
            time = 5 + 0.1 * k + (3.0 if k >= steps // 2 else 0.0)
            values = rng.normal(size=len(SPEC.measurement))
            recorder.measured(Measurement(time, values))
            action = rng.uniform(SPEC.action_low, SPEC.action_high)
            recorder.answered(None, Checked(action, Level.RUN, ()), stopped=False)
    return read_run(path, "hexapod")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return record(tmp_path / "run.mcap")


def test_an_episode_is_a_rollout_with_what_was_measured(run: Run) -> None:
    episodes, rollouts = episodes_of(run), rollouts_of(run)
    assert [len(each.times) for each in episodes] == [len(each) for each in rollouts] == [14, 14]
    for episode, rollout in zip(episodes, rollouts, strict=True):
        np.testing.assert_array_equal(episode.actions, rollout.actions)
        np.testing.assert_array_equal(episode.times, rollout.times[:-1])
        np.testing.assert_array_equal(episode.doubtful, rollout.marks != 0)
    steps = {step.time: step for step in run.steps}
    expected = [steps[time].measurement for time in episodes[1].times]
    np.testing.assert_array_equal(episodes[1].measurements, np.float32(expected))
    assert episodes[0].task == "drive the hexapod"


def test_files_hold_what_the_format_wants(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "set"
    assert export([run], out) == {"episodes": 2, "frames": 28, "tasks": 1}
    files = {str(file.relative_to(out)) for file in out.rglob("*") if file.is_file()}
    assert files == {
        *("meta/info.json", "meta/stats.json", "meta/tasks.parquet"),
        *("meta/episodes/chunk-000/file-000.parquet", "data/chunk-000/file-000.parquet"),
    }
    info = json.loads((out / "meta/info.json").read_text())
    assert (info["codebase_version"], info["fps"], info["robot_type"]) == ("v3.0", 10, "hexapod")
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (2, 28, 1)
    assert info["features"]["action"] == {
        "dtype": "float32",
        "shape": [2],
        "names": ["left_legs", "right_legs"],
    }
    table = parquet.read_table(out / "data/chunk-000/file-000.parquet").to_pydict()
    episodes = episodes_of(run)
    states = np.concatenate([each.measurements for each in episodes])
    np.testing.assert_array_equal(np.float32(table["observation.state"]), states)
    assert table["index"] == list(range(28))
    assert table["episode_index"] == [0] * 14 + [1] * 14
    assert table["frame_index"] == [*range(14), *range(14)]
    np.testing.assert_allclose(table["timestamp"], [0.1 * k for k in table["frame_index"]], 1e-6)
    (_, second) = parquet.read_table(out / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert (second["dataset_from_index"], second["dataset_to_index"]) == (14, 28)
    assert (second["length"], second["tasks"]) == (14, ["drive the hexapod"])
    stats = json.loads((out / "meta/stats.json").read_text())["observation.state"]
    np.testing.assert_allclose(stats["mean"], states.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(stats["q50"], np.median(states, axis=0), atol=1e-6)
    assert stats["count"] == [28]


def test_files_are_split_where_they_are_full(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lerobot_export, "FILE_MB", 0)
    monkeypatch.setattr(lerobot_export, "FILES_A_CHUNK", 3)
    other = record(tmp_path / "other.mcap", seed=1)
    export([run, other], tmp_path / "set")
    rows = parquet.read_table(tmp_path / "set/meta/episodes/chunk-000/file-000.parquet")
    places = [(r["data/chunk_index"], r["data/file_index"]) for r in rows.to_pylist()]
    assert places == [(0, 0), (0, 1), (0, 2), (1, 0)]
    for k, (chunk, file) in enumerate(places):
        path = tmp_path / f"set/data/chunk-{chunk:03d}/file-{file:03d}.parquet"
        assert set(parquet.read_table(path).to_pydict()["episode_index"]) == {k}


def test_what_cannot_be_exported_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="expected at least one recording, got none"):
        export([], tmp_path / "set")
    (tmp_path / "there").mkdir()
    with pytest.raises(UserError, match="there: is there already: expected a new folder"):
        export([run], tmp_path / "there")
    monkeypatch.setattr(lerobot_export, "episodes_of", lambda run: [][0])
    with pytest.raises(IndexError):
        export([run], tmp_path / "set")
    assert {path.name for path in tmp_path.iterdir()} == {"run.mcap", "metadata.yaml", "there"}


def test_lerobot_itself_loads_it(run: Run, tmp_path: Path) -> None:
    lerobot: Any = pytest.importorskip("lerobot.datasets.lerobot_dataset")
    export([run], tmp_path / "set")
    found = lerobot.LeRobotDataset("ours/hexapod", root=tmp_path / "set")
    assert (found.num_episodes, found.num_frames, found.fps) == (2, 28, 10)
    assert found.meta.stats["action"]["mean"].shape == (2,)
    frame = found[20]
    episode = episodes_of(run)[1]
    np.testing.assert_array_equal(frame["observation.state"].numpy(), episode.measurements[6])
    np.testing.assert_array_equal(frame["action"].numpy(), episode.actions[6])
    assert float(frame["timestamp"]) == pytest.approx(0.6)
    assert frame["task"] == "drive the hexapod"
    assert int(frame["episode_index"]) == 1
