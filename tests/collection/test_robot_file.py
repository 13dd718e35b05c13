"""A recording carries the file of its robot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.collection.robot_file import robot_file
from ros_mbmrl.data.from_recording import rollouts_from_recording
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.described.known import VARIABLE, adopt, described
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.safety.types import Checked, Level
from tests.robots.described.examples import BASE


def test_a_recording_is_read_without_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert robot_file("hexapod") is None
    file = tmp_path / "base.yaml"
    file.write_text(BASE)
    spec = make_robot(adopt(file)).spec
    path = tmp_path / "run.mcap"
    with RunRecorder(spec, path) as recorder:
        for step in range(5):
            values = np.array([0.01 * step, 0.0, 1.0, 0.0, 0.0, 0.0, 0.1, 0.0])
            recorder.measured(Measurement(1.0 + 0.1 * step, values))
            command = Checked(np.array([0.1, 0.0]), Level.RUN, ())
            recorder.answered(command.action, command, stopped=False)
    monkeypatch.setenv(VARIABLE, "")
    file.unlink()
    (rollout,) = rollouts_from_recording(path)
    assert rollout.robot == "base" and described()["base"].text == BASE
    np.testing.assert_allclose(rollout.states[:, 0], 0.01 * np.arange(5), atol=1e-7)
    np.testing.assert_allclose(rollout.actions, [[0.1, 0.0]] * 4, atol=1e-7)
