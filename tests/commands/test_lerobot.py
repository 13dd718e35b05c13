"""`mbmrl data export lerobot` and `mbmrl import lerobot`: there and back again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl import cli
from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.data.dataset import load
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.safety.types import Checked, Level

pytest.importorskip("pyarrow")
SPEC = make_robot("half_cheetah").spec


def results(tmp_path: Path, *words: str) -> dict[str, Any]:
    cli.main([*words, "--json", str(tmp_path / "report.json")])
    found: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())["results"]
    return found


def record(path: Path) -> Path:
    rng = np.random.default_rng(3)
    with RunRecorder(SPEC, path) as recorder:
        for k in range(60):
            time = 1e9 + SPEC.period * k + (1.0 if k >= 25 else 0.0)
            measured = np.float32(rng.normal(size=len(SPEC.measurement))).astype(float)
            recorder.measured(Measurement(time, measured))
            action = np.float32(rng.uniform(SPEC.action_low, SPEC.action_high)).astype(float)
            recorder.answered(None, Checked(action, Level.RUN, ()), stopped=False)
    return path


def test_a_recording_survives_both_ways(tmp_path: Path) -> None:
    """All but the last state of an episode, after which nothing acted."""
    path, middle, out = record(tmp_path / "a.mcap"), tmp_path / "set", tmp_path / "out" / "b.mcap"
    found = results(tmp_path, "data", "export", "lerobot", str(path), "--out", str(middle))
    assert (found["episodes"], found["frames"]) == (2, 24 + 34)
    found = results(tmp_path, "import", "lerobot", str(middle), str(out), "--robot", "half_cheetah")
    assert (found["stretches"], found["steps"]) == (2, 58)
    before, after = load([path]), load([out])
    assert [len(each) for each in after] == [len(each) - 1 for each in before]
    for ours, theirs in zip(before, after, strict=True):
        np.testing.assert_array_equal(theirs.states, ours.states[:-1])
        np.testing.assert_array_equal(theirs.actions, ours.actions[:-1])
        np.testing.assert_array_equal(theirs.times, ours.times[:-1])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["zarr", "RUN"], "unknown format to export 'zarr': expected one of lerobot"),
        (["lerobot"], "lerobot: expected recordings to export"),
        ([], "unknown format to export ''"),
        (["lerobot", "RUN", "--out", "HERE"], "is there already: expected a new folder"),
    ],
)
def test_what_cannot_be_is_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    path = record(tmp_path / "a.mcap")
    told = [{"RUN": str(path), "HERE": str(tmp_path)}.get(word, word) for word in words]
    with pytest.raises(SystemExit) as caught:
        cli.main(["data", "export", *told])
    error = capsys.readouterr().err
    assert caught.value.code == 2 and error.count("\n") == 1 and said in error
